//! Eight lanes with AVX2 and FMA.

use std::arch::x86_64::*;

use super::isa::Kernel;
use super::lanes::Simd;

/// The token that proves AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(pub(super) ());

/// Eight floats on a 32-byte boundary.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub struct Line8([f32; 8]);

/// Reading eight numbers at `8 - n` gives a mask with the first `n` lanes set.
static FIRST_LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

#[inline(always)]
fn first_lanes(_proof: Avx2, n: usize) -> __m256i {
    let window = &FIRST_LANES[8 - n..][..8];
    // SAFETY: `window` has eight numbers; the token proves AVX2.
    unsafe { _mm256_loadu_si256(window.as_ptr().cast()) }
}

macro_rules! lanewise {
    ($($name:ident($($arg:ident),+) = $body:expr;)+) => {$(
        #[inline(always)]
        fn $name(self, $($arg: __m256),+) -> __m256 {
            // SAFETY: the token proves AVX2 and FMA.
            unsafe { $body }
        }
    )+};
}

macro_rules! compare {
    ($($name:ident = $predicate:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: the token proves AVX2.
            unsafe { _mm256_cmp_ps::<$predicate>(a, b) }
        }
    )+};
}

/// Puts four vectors side by side and folds each onto four lanes, then adds or compares those with `$op`.
macro_rules! fold4 {
    ($a:expr, $op:ident) => {{
        let [a, b, c, d] = $a;
        let ab = $op(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let cd = $op(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        let low = _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd);
        let high = _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd);
        $op(low, high)
    }};
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    type F32 = __m256;
    type Mask = __m256;
    type Chunk = [f32; 8];
    type Line = Line8;

    #[inline(always)]
    fn chunks(self, slice: &[f32]) -> (&[[f32; 8]], &[f32]) {
        slice.as_chunks()
    }
    #[inline(always)]
    fn chunks_mut(self, slice: &mut [f32]) -> (&mut [[f32; 8]], &mut [f32]) {
        slice.as_chunks_mut()
    }
    #[inline(always)]
    fn lines_mut(self, slice: &mut [f32]) -> (&mut [f32], &mut [Line8], &mut [f32]) {
        // SAFETY: a `Line8` is eight floats without padding; any bits are a float.
        unsafe { slice.align_to_mut() }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    fn load(self, chunk: &[f32; 8]) -> __m256 {
        // SAFETY: `chunk` is eight floats, read unaligned; the token proves AVX2.
        unsafe { _mm256_loadu_ps(chunk.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, chunk: &mut [f32; 8], value: __m256) {
        // SAFETY: `chunk` is eight floats, written unaligned; the token proves AVX2.
        unsafe { _mm256_storeu_ps(chunk.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn store_line(self, line: &mut Line8, value: __m256) {
        // SAFETY: `line` is eight floats on a 32-byte boundary; the token proves AVX2.
        unsafe { _mm256_store_ps(line.0.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn stream(self, line: &mut Line8, value: __m256) {
        // SAFETY: `line` is eight floats on a 32-byte boundary; the token proves AVX2; `Isa::run` ends with a fence.
        unsafe { _mm256_stream_ps(line.0.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn prefetch(self, slice: &[f32], ahead: usize) {
        // SAFETY: a prefetch of any address is no access; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(ahead).cast()) }
    }
    #[inline(always)]
    fn load_partial(self, slice: &[f32], fill: f32) -> __m256 {
        let mask = first_lanes(self, slice.len());
        // SAFETY: lanes from `slice.len()` on are not read; the token proves AVX2.
        unsafe {
            let lanes = _mm256_maskload_ps(slice.as_ptr(), mask);
            _mm256_blendv_ps(_mm256_set1_ps(fill), lanes, _mm256_castsi256_ps(mask))
        }
    }
    #[inline(always)]
    fn store_partial(self, slice: &mut [f32], value: __m256) {
        let mask = first_lanes(self, slice.len());
        // SAFETY: lanes from `slice.len()` on are not written; the token proves AVX2.
        unsafe { _mm256_maskstore_ps(slice.as_mut_ptr(), mask, value) }
    }
    #[inline(always)]
    fn store_bytes(self, to: &mut [u8], value: __m256) {
        assert!(to.len() <= 8, "a store of {} bytes from 8 lanes", to.len());
        let mut bytes = [0; 16];
        // SAFETY: `bytes` is sixteen bytes, written unaligned; the token proves AVX2.
        unsafe {
            // `max` gives its second number where the first is NaN.
            let value = _mm256_max_ps(value, _mm256_setzero_ps());
            let whole = _mm256_cvtps_epi32(_mm256_min_ps(value, _mm256_set1_ps(255.0)));
            let low = _mm256_castsi256_si128(whole);
            let words = _mm_packus_epi32(low, _mm256_extracti128_si256::<1>(whole));
            _mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm_packus_epi16(words, words));
        }
        to.copy_from_slice(&bytes[..to.len()]);
    }

    lanewise! {
        add(a, b) = _mm256_add_ps(a, b);
        sub(a, b) = _mm256_sub_ps(a, b);
        mul(a, b) = _mm256_mul_ps(a, b);
        div(a, b) = _mm256_div_ps(a, b);
        mul_add(a, b, c) = _mm256_fmadd_ps(a, b, c);
        neg_mul_add(a, b, c) = _mm256_fnmadd_ps(a, b, c);
        mul_sub(a, b, c) = _mm256_fmsub_ps(a, b, c);
        max(a, b) = _mm256_max_ps(a, b);
        min(a, b) = _mm256_min_ps(a, b);
        sqrt(a) = _mm256_sqrt_ps(a);
        abs(a) = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        with_sign(magnitude, sign) = _mm256_or_ps(magnitude, _mm256_and_ps(sign, _mm256_set1_ps(-0.0)));
        round(a) = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        floor(a) = _mm256_round_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a);
        low_half(a) = _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(a)));
        high_half(a) = {
            let upper = _mm256_set1_epi32(0xffff_0000_u32 as i32);
            _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(a), upper))
        };
        scale_by_power(a, n) = {
            // 2^n may not be a float where a * 2^n is, so it goes in two halves.
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            let bias = _mm256_set1_epi32(127);
            let first = _mm256_slli_epi32::<23>(_mm256_add_epi32(half, bias));
            let second = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_sub_epi32(n, half), bias));
            _mm256_mul_ps(_mm256_mul_ps(a, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second))
        };
    }

    #[inline(always)]
    fn split_exponent(self, a: __m256) -> (__m256, __m256) {
        // SAFETY: the token proves AVX2.
        unsafe {
            // Subnormals are brought into the normal range first.
            let tiny = _mm256_cmp_ps::<_CMP_LT_OQ>(a, _mm256_set1_ps(f32::MIN_POSITIVE));
            let a = _mm256_blendv_ps(a, _mm256_mul_ps(a, _mm256_set1_ps(8_388_608.0)), tiny);
            let shift = _mm256_blendv_ps(_mm256_set1_ps(127.0), _mm256_set1_ps(150.0), tiny);
            let bits = _mm256_castps_si256(a);
            let exponent = _mm256_cvtepi32_ps(_mm256_srli_epi32::<23>(bits));
            let fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff));
            let mantissa = _mm256_or_si256(fraction, _mm256_set1_epi32(0x3f80_0000));
            (_mm256_sub_ps(exponent, shift), _mm256_castsi256_ps(mantissa))
        }
    }

    compare! { lt = _CMP_LT_OQ; le = _CMP_LE_OQ; eq = _CMP_EQ_OQ; }

    #[inline(always)]
    fn select(self, mask: __m256, yes: __m256, no: __m256) -> __m256 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_blendv_ps(no, yes, mask) }
    }
    #[inline(always)]
    fn any(self, mask: __m256) -> bool {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_movemask_ps(mask) != 0 }
    }
    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn max_lane(self, a: __m256) -> f32 {
        // SAFETY: the token proves AVX2.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn pick(self, a: __m256, lanes: __m256) -> __m256 {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_permutevar8x32_ps(a, _mm256_castps_si256(lanes)) }
    }
    #[inline(always)]
    fn sums(self, rows: &[__m256]) -> __m256 {
        let rows = &rows[..8];
        // SAFETY: the token proves AVX2.
        unsafe {
            let first = fold4!([rows[0], rows[1], rows[2], rows[3]], _mm256_add_ps);
            let last = fold4!([rows[4], rows[5], rows[6], rows[7]], _mm256_add_ps);
            let low = _mm256_permute2f128_ps::<0b0010_0000>(first, last);
            let high = _mm256_permute2f128_ps::<0b0011_0001>(first, last);
            _mm256_add_ps(low, high)
        }
    }
    #[inline(always)]
    fn apart<K: Kernel>(self, kernel: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn alone<K: Kernel>(token: Avx2, kernel: K) -> K::Output {
            kernel.run(token)
        }
        // SAFETY: the token proves AVX2 and FMA.
        unsafe { alone(self, kernel) }
    }
    #[inline(always)]
    fn sum4(self, a: [__m256; 4]) -> [f32; 4] {
        let mut sums = [0.0; 4];
        // SAFETY: `sums` is four floats, written unaligned; the token proves AVX2.
        unsafe {
            let folded = fold4!(a, _mm256_add_ps);
            let four = _mm_add_ps(_mm256_castps256_ps128(folded), _mm256_extractf128_ps::<1>(folded));
            _mm_storeu_ps(sums.as_mut_ptr(), four);
        }
        sums
    }
    #[inline(always)]
    fn max_lane4(self, a: [__m256; 4]) -> [f32; 4] {
        let mut largest = [0.0; 4];
        // SAFETY: `largest` is four floats, written unaligned; the token proves AVX2.
        unsafe {
            let folded = fold4!(a, _mm256_max_ps);
            let four = _mm_max_ps(_mm256_castps256_ps128(folded), _mm256_extractf128_ps::<1>(folded));
            _mm_storeu_ps(largest.as_mut_ptr(), four);
        }
        largest
    }
}
