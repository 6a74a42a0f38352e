//! The extension module `ferrule._core`.
//!
//! Each function checks its arguments, releases the GIL, calls `ferrule-text` or
//! `ferrule-kernels`, and wraps the result. No arithmetic lives here.
#![forbid(unsafe_code)]

use pyo3::prelude::*;

mod errors;
mod kernels;
mod text;
mod threads;

#[pymodule(gil_used = false)]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    errors::register(m)?;
    kernels::register(m)?;
    text::register(m)?;
    threads::register(m)?;
    Ok(())
}
