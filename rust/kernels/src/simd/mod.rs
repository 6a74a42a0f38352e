//! Lanes of `f32`, for the instruction set at hand. The only unsafe code of the crate.
//!
//! # How to write a kernel
//!
//! Write one body, generic over the token `S: Simd`, marked `#[inline(always)]`, and let
//! [`dispatch!`](crate::dispatch) make the function that picks the instruction set:
//!
//! ```
//! use ferrule_kernels::simd::{Isa, Simd};
//!
//! #[inline(always)]
//! fn scale_body<S: Simd>(simd: S, rows: &mut [f32], factor: f32) {
//!     let factors = simd.splat(factor);
//!     let (chunks, rest) = simd.chunks_mut(rows);
//!     for chunk in chunks {
//!         simd.store(chunk, simd.mul(simd.load(chunk), factors));
//!     }
//!     let tail = simd.load_partial(rest, 0.0);
//!     simd.store_partial(rest, simd.mul(tail, factors));
//! }
//!
//! ferrule_kernels::dispatch! {
//!     /// Multiplies every number by `factor`.
//!     pub fn scale(rows: &mut [f32], factor: f32) -> () = scale_body;
//! }
//!
//! let mut numbers = [1.0, 2.0, 3.0];
//! scale(Isa::active().unwrap(), &mut numbers, 2.0);
//! assert_eq!(numbers, [2.0, 4.0, 6.0]);
//! ```
//!
//! Three rules make it fast. **Every function that takes a token is `#[inline(always)]`, and no closure holds or returns
//! vectors** (nor does `array::map` make them): a function or closure that is not inlined is compiled for the baseline
//! CPU, thirty times slower. Loop over [`Simd::chunks`], which has no bounds checks. Dispatch once for a block of rows,
//! not once for each row. `objdump -d` of the extension must show no calls to `core_arch` functions.
//!
//! # Why this is sound
//!
//! [`Avx2`] and [`Avx512`] have private constructors and are made only by [`Isa`] after the CPU was asked, so owning
//! one proves that its instructions exist. [`Isa::run`] enters a `#[target_feature]` function with the token.
//!
//! # Numbers
//!
//! `mul_add` rounds once on AVX2 and AVX-512 and twice on [`Scalar`], and horizontal sums add in another order, so
//! instruction sets differ by rounding. For one instruction set the result is a function of the input alone.

mod dot;
mod isa;
mod lanes;
pub mod math;
pub mod peak;
mod scalar;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod dot_x86;

pub use dot::{Dot, DotIsa, DotKernel};
pub use isa::{Isa, Kernel};
pub use lanes::{MOST_LANES, Simd};
pub use scalar::Scalar;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
#[cfg(target_arch = "x86_64")]
pub use dot_x86::Vnni;

#[cfg(test)]
mod tests;
