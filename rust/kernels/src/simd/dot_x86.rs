//! Products of bytes with AVX2 and with AVX-512 VNNI.

use std::arch::x86_64::*;

use super::avx2::Avx2;
use super::avx512::Avx512;
use super::dot::Dot;
use super::lanes::Simd;

/// The token that proves AVX-512 VNNI, and all that [`Avx512`] proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vnni(Avx512);

impl Vnni {
    /// The token, if this CPU has VNNI too.
    #[must_use]
    pub fn detect(floats: Avx512) -> Option<Vnni> {
        is_x86_feature_detected!("avx512vnni").then_some(Vnni(floats))
    }
}

impl Dot for Vnni {
    const LANES: usize = 16;
    type I32 = __m512i;
    type Bytes = __m512i;
    type Weights = __m512i;
    type Chunk = [i8; 64];

    #[inline(always)]
    fn chunks(self, slice: &[i8]) -> &[[i8; 64]] {
        slice.as_chunks().0
    }
    #[inline(always)]
    fn weights(self, chunk: &[i8; 64]) -> __m512i {
        // SAFETY: `chunk` is 64 bytes, read unaligned; the token proves AVX-512 F.
        unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }
    }
    #[inline(always)]
    fn bytes(self, four: [u8; 4]) -> __m512i {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_set1_epi32(i32::from_ne_bytes(four)) }
    }
    #[inline(always)]
    fn load(self, from: &[i32]) -> __m512i {
        assert_eq!(from.len(), 16, "a load of 16 sums");
        // SAFETY: `from` is sixteen numbers, read unaligned; the token proves AVX-512 F.
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn dot(self, sum: __m512i, bytes: __m512i, weights: __m512i) -> __m512i {
        // SAFETY: the token proves AVX-512 VNNI.
        unsafe { _mm512_dpbusd_epi32(sum, bytes, weights) }
    }
    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the token proves AVX-512 F.
        unsafe { _mm512_max_epi32(a, b) }
    }
    #[inline(always)]
    fn store_scaled(self, to: &mut [f32], sums: __m512i, scales: &[f32]) {
        // SAFETY: the token proves AVX-512 F.
        let floats = unsafe { _mm512_cvtepi32_ps(sums) };
        let scaled = self.0.mul(floats, self.0.load_at(scales, 0));
        if to.len() == 16 { self.0.store_at(to, 0, scaled) } else { self.0.store_partial(to, scaled) }
    }
}

/// The even and the odd bytes, each in 16 bits.
#[derive(Clone, Copy, Debug)]
pub struct Widened {
    even: __m256i,
    odd: __m256i,
}

impl Dot for Avx2 {
    const LANES: usize = 8;
    type I32 = __m256i;
    type Bytes = Widened;
    type Weights = Widened;
    type Chunk = [i8; 32];

    #[inline(always)]
    fn chunks(self, slice: &[i8]) -> &[[i8; 32]] {
        slice.as_chunks().0
    }
    #[inline(always)]
    fn weights(self, chunk: &[i8; 32]) -> Widened {
        // SAFETY: `chunk` is 32 bytes, read unaligned; the token proves AVX2.
        unsafe {
            let bytes = _mm256_loadu_si256(chunk.as_ptr().cast());
            Widened {
                even: _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(bytes)),
                odd: _mm256_srai_epi16::<8>(bytes),
            }
        }
    }
    #[inline(always)]
    fn bytes(self, four: [u8; 4]) -> Widened {
        // SAFETY: the token proves AVX2.
        unsafe {
            let bytes = _mm256_set1_epi32(i32::from_ne_bytes(four));
            Widened {
                even: _mm256_and_si256(bytes, _mm256_set1_epi16(0xff)),
                odd: _mm256_srli_epi16::<8>(bytes),
            }
        }
    }
    #[inline(always)]
    fn load(self, from: &[i32]) -> __m256i {
        assert_eq!(from.len(), 8, "a load of 8 sums");
        // SAFETY: `from` is eight numbers, read unaligned; the token proves AVX2.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn dot(self, sum: __m256i, bytes: Widened, weights: Widened) -> __m256i {
        // `vpmaddubsw` would save half of this, but its sums of two products saturate at 16 bits.
        // SAFETY: the token proves AVX2.
        unsafe {
            let even = _mm256_madd_epi16(bytes.even, weights.even);
            let odd = _mm256_madd_epi16(bytes.odd, weights.odd);
            _mm256_add_epi32(sum, _mm256_add_epi32(even, odd))
        }
    }
    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the token proves AVX2.
        unsafe { _mm256_max_epi32(a, b) }
    }
    #[inline(always)]
    fn store_scaled(self, to: &mut [f32], sums: __m256i, scales: &[f32]) {
        // SAFETY: the token proves AVX2.
        let floats = unsafe { _mm256_cvtepi32_ps(sums) };
        let scaled = Simd::mul(self, floats, self.load_at(scales, 0));
        if to.len() == 8 { self.store_at(to, 0, scaled) } else { self.store_partial(to, scaled) }
    }
}
