//! Pure arithmetic: rows in, rows out. No Python, no text.
#![deny(unsafe_code)]

mod error;
pub mod rows;
#[allow(unsafe_code)]
pub mod simd;

pub use error::KernelError;
