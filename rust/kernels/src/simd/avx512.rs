//! Sixteen lanes with AVX-512 F, BW, DQ and VL.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::isa::Kernel;
use super::lanes::Simd;

/// The token that proves AVX-512 F, BW, DQ and VL (and with them AVX2 and FMA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(pub(super) ());

impl Avx512 {
    /// The proof of what AVX-512 implies.
    pub(super) fn avx2(self) -> Avx2 {
        Avx2(())
    }
}

/// Sixteen floats on a 64-byte boundary: a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line16([f32; 16]);

#[inline(always)]
fn first_lanes(n: usize) -> __mmask16 {
    ((1u32 << n) - 1) as __mmask16
}

macro_rules! lanewise {
    ($($name:ident($($arg:ident),+) = $body:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m512),+) -> __m512 {
            // SAFETY: the token proves AVX-512 F, BW, DQ and VL.
            unsafe { $body }
        }
    )+};
}

macro_rules! compare {
    ($($name:ident = $predicate:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, a: __m512, b: __m512) -> __mmask16 {
            // SAFETY: the token proves AVX-512 F.
            unsafe { _mm512_cmp_ps_mask::<$predicate>(a, b) }
        }
    )+};
}

/// Four vectors, each block of four lanes folded to one: every block of the result has one number of each.
#[inline(always)]
fn fold_blocks(_proof: Avx512, a: __m512, b: __m512, c: __m512, d: __m512) -> __m512 {
    // SAFETY: the token proves AVX-512 F.
    unsafe {
        let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        let low = _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd);
        let high = _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd);
        _mm512_add_ps(low, high)
    }
}

/// Folds four vectors to four numbers, each from one of them, with `$op` and its 256- and 128-bit forms.
macro_rules! fold4 {
    ($a:expr, $op:ident, $op128:ident) => {{
        let [a, b, c, d] = $a;
        let ab = $op(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let cd = $op(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        let low = _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd);
        let high = _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd);
        let four = $op(low, high);
        let two = $op(four, _mm512_shuffle_f32x4::<0b11_10_11_10>(four, four));
        let low = _mm512_castps512_ps128(two);
        $op128(low, _mm512_extractf32x4_ps::<1>(two))
    }};
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    const ANY_POWER: bool = true;
    type F32 = __m512;
    type Mask = __mmask16;
    type Chunk = [f32; 16];
    type Line = Line16;

    #[inline(always)]
    fn chunks(self, slice: &[f32]) -> (&[[f32; 16]], &[f32]) {
        slice.as_chunks()
    }
    #[inline(always)]
    fn chunks_mut(self, slice: &mut [f32]) -> (&mut [[f32; 16]], &mut [f32]) {
        slice.as_chunks_mut()
    }
    #[inline(always)]
    fn lines_mut(self, slice: &mut [f32]) -> (&mut [f32], &mut [Line16], &mut [f32]) {
        // SAFETY: a `Line16` is sixteen floats without padding; any bits are a float.
        unsafe { slice.align_to_mut() }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    fn load(self, chunk: &[f32; 16]) -> __m512 {
        // SAFETY: `chunk` is sixteen floats, read unaligned; the token proves AVX-512 F.
        unsafe { _mm512_loadu_ps(chunk.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, chunk: &mut [f32; 16], value: __m512) {
        // SAFETY: `chunk` is sixteen floats, written unaligned; the token proves AVX-512 F.
        unsafe { _mm512_storeu_ps(chunk.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn store_line(self, line: &mut Line16, value: __m512) {
        // SAFETY: `line` is sixteen floats on a 64-byte boundary; the token proves AVX-512 F.
        unsafe { _mm512_store_ps(line.0.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn stream(self, line: &mut Line16, value: __m512) {
        // SAFETY: `line` is sixteen floats on a 64-byte boundary; the token proves AVX-512 F; `Isa::run` ends with a
        // fence.
        unsafe { _mm512_stream_ps(line.0.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn prefetch(self, slice: &[f32], ahead: usize) {
        // SAFETY: a prefetch of any address is no access; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(ahead).cast()) }
    }
    #[inline(always)]
    fn load_partial(self, slice: &[f32], fill: f32) -> __m512 {
        assert!(slice.len() <= 16, "a partial load of {} floats into 16 lanes", slice.len());
        // SAFETY: lanes from `slice.len()` on are not read; the token proves AVX-512 F.
        unsafe { _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first_lanes(slice.len()), slice.as_ptr()) }
    }
    #[inline(always)]
    fn store_partial(self, slice: &mut [f32], value: __m512) {
        assert!(slice.len() <= 16, "a partial store of {} floats from 16 lanes", slice.len());
        // SAFETY: lanes from `slice.len()` on are not written; the token proves AVX-512 F.
        unsafe { _mm512_mask_storeu_ps(slice.as_mut_ptr(), first_lanes(slice.len()), value) }
    }
    #[inline(always)]
    fn store_bytes(self, to: &mut [u8], value: __m512) {
        assert!(to.len() <= 16, "a store of {} bytes from 16 lanes", to.len());
        // SAFETY: lanes from `to.len()` on are not written; the token proves AVX-512 F, BW and VL.
        unsafe {
            // `max` gives its second number where the first is NaN; above 255 the second conversion saturates.
            let whole = _mm512_cvtps_epi32(_mm512_max_ps(value, _mm512_setzero_ps()));
            let bytes = _mm512_cvtusepi32_epi8(whole);
            if to.len() == 16 {
                _mm_storeu_si128(to.as_mut_ptr().cast(), bytes);
            } else {
                _mm_mask_storeu_epi8(to.as_mut_ptr().cast(), first_lanes(to.len()), bytes);
            }
        }
    }

    lanewise! {
        add(a, b) = _mm512_add_ps(a, b);
        sub(a, b) = _mm512_sub_ps(a, b);
        mul(a, b) = _mm512_mul_ps(a, b);
        div(a, b) = _mm512_div_ps(a, b);
        mul_add(a, b, c) = _mm512_fmadd_ps(a, b, c);
        neg_mul_add(a, b, c) = _mm512_fnmadd_ps(a, b, c);
        mul_sub(a, b, c) = _mm512_fmsub_ps(a, b, c);
        max(a, b) = _mm512_max_ps(a, b);
        min(a, b) = _mm512_min_ps(a, b);
        sqrt(a) = _mm512_sqrt_ps(a);
        abs(a) = _mm512_abs_ps(a);
        with_sign(magnitude, sign) = _mm512_or_ps(magnitude, _mm512_and_ps(sign, _mm512_set1_ps(-0.0)));
        round(a) = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        floor(a) = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a);
        scale_by_power(a, n) = _mm512_scalef_ps(a, n);
        low_half(a) = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_castps_si512(a)));
        high_half(a) = {
            let upper = _mm512_set1_epi32(0xffff_0000_u32 as i32);
            _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), upper))
        };
    }

    #[inline(always)]
    fn split_floor(self, a: __m512) -> (__m512, __m512) {
        // SAFETY: the token proves AVX-512 DQ.
        let rest = unsafe { _mm512_reduce_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a) };
        // `vscalefps` takes the floor itself, and `rest` is 0 for the infinities, so no clamp is needed.
        (a, rest)
    }

    #[inline(always)]
    fn split_exponent(self, a: __m512) -> (__m512, __m512) {
        // SAFETY: the token proves AVX-512 F.
        unsafe { (_mm512_getexp_ps(a), _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(a)) }
    }

    compare! { lt = _CMP_LT_OQ; le = _CMP_LE_OQ; eq = _CMP_EQ_OQ; }

    #[inline(always)]
    fn select(self, mask: __mmask16, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_mask_blend_ps(mask, no, yes) }
    }
    #[inline(always)]
    fn any(self, mask: __mmask16) -> bool {
        mask != 0
    }
    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_reduce_add_ps(a) }
    }
    #[inline(always)]
    fn max_lane(self, a: __m512) -> f32 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_reduce_max_ps(a) }
    }
    #[inline(always)]
    fn pick(self, a: __m512, lanes: __m512) -> __m512 {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_permutexvar_ps(_mm512_castps_si512(lanes), a) }
    }
    #[inline(always)]
    fn sums(self, rows: &[__m512]) -> __m512 {
        let rows = &rows[..16];
        // SAFETY: the token proves AVX-512 F.
        unsafe {
            // Each four of the rows in all blocks of four lanes, then the blocks of those.
            let ab = fold_blocks(self, rows[0], rows[1], rows[2], rows[3]);
            let cd = fold_blocks(self, rows[4], rows[5], rows[6], rows[7]);
            let ef = fold_blocks(self, rows[8], rows[9], rows[10], rows[11]);
            let gh = fold_blocks(self, rows[12], rows[13], rows[14], rows[15]);
            let first = _mm512_add_ps(
                _mm512_shuffle_f32x4::<0b10_00_10_00>(ab, cd),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(ab, cd),
            );
            let last = _mm512_add_ps(
                _mm512_shuffle_f32x4::<0b10_00_10_00>(ef, gh),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(ef, gh),
            );
            _mm512_add_ps(
                _mm512_shuffle_f32x4::<0b10_00_10_00>(first, last),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(first, last),
            )
        }
    }
    #[inline(always)]
    fn apart<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn alone<K: Kernel>(token: Avx512, kernel: K) -> K::Output {
            kernel.run(token)
        }
        // SAFETY: the token proves AVX-512 F, BW, DQ and VL, AVX2 and FMA.
        unsafe { alone(self, kernel) }
    }
    #[inline(always)]
    fn transpose(self, square: &mut [__m512]) {
        assert_eq!(square.len(), 16, "a square has as many vectors as lanes");
        // SAFETY: the token proves AVX-512 F.
        unsafe {
            // Within each four rows, blocks of four columns: block `l` of vector `c` has column `4 l + c` of them.
            for four in square.chunks_exact_mut(4) {
                let low = (_mm512_unpacklo_ps(four[0], four[1]), _mm512_unpacklo_ps(four[2], four[3]));
                let high = (_mm512_unpackhi_ps(four[0], four[1]), _mm512_unpackhi_ps(four[2], four[3]));
                let low = (_mm512_castps_pd(low.0), _mm512_castps_pd(low.1));
                let high = (_mm512_castps_pd(high.0), _mm512_castps_pd(high.1));
                four[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low.0, low.1));
                four[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low.0, low.1));
                four[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high.0, high.1));
                four[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high.0, high.1));
            }
            // Then the blocks themselves.
            for c in 0..4 {
                let even = _mm512_shuffle_f32x4::<0b10_00_10_00>(square[c], square[4 + c]);
                let odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(square[c], square[4 + c]);
                let last_even = _mm512_shuffle_f32x4::<0b10_00_10_00>(square[8 + c], square[12 + c]);
                let last_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(square[8 + c], square[12 + c]);
                square[c] = _mm512_shuffle_f32x4::<0b10_00_10_00>(even, last_even);
                square[4 + c] = _mm512_shuffle_f32x4::<0b10_00_10_00>(odd, last_odd);
                square[8 + c] = _mm512_shuffle_f32x4::<0b11_01_11_01>(even, last_even);
                square[12 + c] = _mm512_shuffle_f32x4::<0b11_01_11_01>(odd, last_odd);
            }
        }
    }
    #[inline(always)]
    fn sum4(self, a: [__m512; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        // SAFETY: `sums` is four floats, written unaligned; the token proves AVX-512 F.
        unsafe {
            let four = fold4!(a, _mm512_add_ps, _mm_add_ps);
            _mm_storeu_ps(sums.as_mut_ptr(), four);
        }
        sums
    }
    #[inline(always)]
    fn max_lane4(self, a: [__m512; 4]) -> [f32; 4] {
        let mut largest = [0.0; 4];
        // SAFETY: `largest` is four floats, written unaligned; the token proves AVX-512 F.
        unsafe {
            let four = fold4!(a, _mm512_max_ps, _mm_max_ps);
            _mm_storeu_ps(largest.as_mut_ptr(), four);
        }
        largest
    }
}
