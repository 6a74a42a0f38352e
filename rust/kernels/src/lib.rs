//! Pure arithmetic: rows in, rows out. No Python, no text.
#![deny(unsafe_code)]

pub mod encoder;
mod error;
pub mod gemm;
pub mod layers;
pub mod rows;
#[allow(unsafe_code)]
pub mod simd;
mod threads;

pub use error::KernelError;
pub use threads::Threads;
