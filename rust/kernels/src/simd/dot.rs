//! Lanes of whole numbers: sums of products of bytes, the same numbers on every instruction set.

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, dot_x86::Vnni};
use super::{isa::Isa, scalar::Scalar};

/// A token that proves an instruction set, and what it brings for products of bytes.
///
/// `I32` holds [`LANES`](Dot::LANES) sums. A lane of [`Weights`](Dot::Weights) holds four signed bytes, which are
/// multiplied with the same four unsigned bytes in every lane. Nothing saturates: a sum is exact as long as it fits an
/// `i32`, and so is the same for every token.
pub trait Dot: Copy + Send + Sync + 'static {
    /// How many sums a vector holds.
    const LANES: usize;
    /// A vector of sums.
    type I32: Copy;
    /// Four unsigned bytes, as [`dot`](Dot::dot) reads them.
    type Bytes: Copy;
    /// Four signed bytes a lane, as [`dot`](Dot::dot) reads them.
    type Weights: Copy;
    /// `[i8; 4 * LANES]`: what [`weights`](Dot::weights) reads.
    type Chunk;

    /// Splits a slice into whole vectors of weights; what is left over is dropped.
    fn chunks(self, slice: &[i8]) -> &[Self::Chunk];
    /// Reads a vector of weights.
    fn weights(self, chunk: &Self::Chunk) -> Self::Weights;
    /// The same four bytes for every lane.
    fn bytes(self, four: [u8; 4]) -> Self::Bytes;
    /// Reads a vector of sums.
    ///
    /// # Panics
    /// If `from` is not as long as a vector.
    fn load(self, from: &[i32]) -> Self::I32;
    /// `sum + Σ bytes[i] * weights[i]`
    fn dot(self, sum: Self::I32, bytes: Self::Bytes, weights: Self::Weights) -> Self::I32;
    /// `a + b`, without a check.
    fn add(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// `a - b`, without a check.
    fn sub(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// The larger.
    fn max(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Writes the first `to.len()` (at most `LANES`) sums as floats, each multiplied by the number at its place in
    /// `scales`.
    ///
    /// # Panics
    /// If `scales` is not as long as a vector, or `to` is longer.
    fn store_scaled(self, to: &mut [f32], sums: Self::I32, scales: &[f32]);
}

/// An instruction set for products of bytes that this CPU has. Holding one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotIsa {
    /// Plain Rust.
    Scalar(Scalar),
    /// AVX2: bytes are widened to 16 bits first.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 VNNI.
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
}

impl DotIsa {
    /// What goes with an instruction set for floats. AVX-512 without VNNI multiplies bytes as AVX2 does.
    #[must_use]
    pub fn of(isa: Isa) -> DotIsa {
        match isa {
            Isa::Scalar(token) => DotIsa::Scalar(token),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(token) => DotIsa::Avx2(token),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(token) => match Vnni::detect(token) {
                Some(vnni) => DotIsa::Vnni(vnni),
                None => DotIsa::Avx2(token.avx2()),
            },
        }
    }

    /// Runs `kernel`, compiled for this instruction set. [`dispatch_dot!`](crate::dispatch_dot) writes the call.
    #[inline]
    pub fn run<K: DotKernel>(self, kernel: K) -> K::Output {
        match self {
            DotIsa::Scalar(token) => kernel.run(token),
            // SAFETY: owning the token proves AVX2.
            #[cfg(target_arch = "x86_64")]
            DotIsa::Avx2(token) => unsafe { run_avx2(token, kernel) },
            // SAFETY: owning the token proves AVX-512 F, BW, DQ, VL and VNNI.
            #[cfg(target_arch = "x86_64")]
            DotIsa::Vnni(token) => unsafe { run_vnni(token, kernel) },
        }
    }

    /// "scalar", "avx2" or "vnni".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DotIsa::Scalar(_) => "scalar",
            #[cfg(target_arch = "x86_64")]
            DotIsa::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            DotIsa::Vnni(_) => "vnni",
        }
    }

    /// How many sums a vector holds.
    #[must_use]
    pub fn lanes(self) -> usize {
        match self {
            DotIsa::Scalar(_) => Scalar::LANES_I32,
            #[cfg(target_arch = "x86_64")]
            DotIsa::Avx2(_) => <Avx2 as Dot>::LANES,
            #[cfg(target_arch = "x86_64")]
            DotIsa::Vnni(_) => Vnni::LANES,
        }
    }
}

/// Work on bytes that is written once for all instruction sets.
pub trait DotKernel {
    /// What comes out.
    type Output;
    /// The body. Must be `#[inline(always)]`.
    fn run<D: Dot>(self, dot: D) -> Self::Output;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: DotKernel>(token: Avx2, kernel: K) -> K::Output {
    kernel.run(token)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
fn run_vnni<K: DotKernel>(token: Vnni, kernel: K) -> K::Output {
    kernel.run(token)
}

/// Makes a function that runs a body, generic over [`Dot`], for the [`DotIsa`] it is given; as
/// [`dispatch!`](crate::dispatch) does for floats.
#[macro_export]
macro_rules! dispatch_dot {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $out:ty = $body:path;) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(isa: $crate::simd::DotIsa, $($arg: $ty),*) -> $out {
            struct Call<T>(T);
            impl $crate::simd::DotKernel for Call<($($ty,)*)> {
                type Output = $out;
                #[inline(always)]
                fn run<D: $crate::simd::Dot>(self, dot: D) -> $out {
                    let ($($arg,)*) = self.0;
                    $body(dot, $($arg),*)
                }
            }
            isa.run(Call(($($arg,)*)))
        }
    };
}

#[inline(always)]
fn each(f: impl Fn(usize) -> i32) -> [i32; 4] {
    [f(0), f(1), f(2), f(3)]
}

impl Scalar {
    const LANES_I32: usize = 4;
}

impl Dot for Scalar {
    const LANES: usize = Scalar::LANES_I32;
    type I32 = [i32; 4];
    type Bytes = [u8; 4];
    type Weights = [i8; 16];
    type Chunk = [i8; 16];

    #[inline(always)]
    fn chunks(self, slice: &[i8]) -> &[[i8; 16]] {
        slice.as_chunks().0
    }
    #[inline(always)]
    fn weights(self, chunk: &[i8; 16]) -> [i8; 16] {
        *chunk
    }
    #[inline(always)]
    fn bytes(self, four: [u8; 4]) -> [u8; 4] {
        four
    }
    #[inline(always)]
    fn load(self, from: &[i32]) -> [i32; 4] {
        [from[0], from[1], from[2], from[3]]
    }
    #[inline(always)]
    fn dot(self, sum: [i32; 4], bytes: [u8; 4], weights: [i8; 16]) -> [i32; 4] {
        each(|lane| {
            (0..4).fold(sum[lane], |sum, i| {
                sum.wrapping_add(i32::from(bytes[i]) * i32::from(weights[4 * lane + i]))
            })
        })
    }
    #[inline(always)]
    fn add(self, a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
        each(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn sub(self, a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
        each(|i| a[i].wrapping_sub(b[i]))
    }
    #[inline(always)]
    fn max(self, a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
        each(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    fn store_scaled(self, to: &mut [f32], sums: [i32; 4], scales: &[f32]) {
        let scales = &scales[..4];
        assert!(to.len() <= 4, "a store of {} sums from 4 lanes", to.len());
        for (to, (sum, scale)) in to.iter_mut().zip(sums.iter().zip(scales)) {
            *to = *sum as f32 * scale;
        }
    }
}
