//! Pure arithmetic: rows in, rows out. No Python, no text.
#![deny(unsafe_code)]

mod aligned;
pub mod encoder;
mod error;
pub mod gemm;
pub mod layers;
pub mod losses;
pub mod optimizer;
pub mod real;
pub mod reference;
pub mod rows;
#[allow(unsafe_code)]
pub mod simd;
pub mod sparse;
pub mod sparse_rows;
mod threads;
pub mod transitions;

pub use error::KernelError;
pub use threads::{Pool, Threads};

#[cfg(test)]
mod testing;
