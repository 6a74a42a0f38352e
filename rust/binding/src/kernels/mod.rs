//! Bindings of `ferrule-kernels`, one file a room.

use ferrule_kernels::KernelError;
use ferrule_kernels::simd::peak::{byte_multiply_adds, multiply_adds};
use ferrule_kernels::simd::{DotIsa, Isa};
use pyo3::prelude::*;

use crate::errors::{IntoPyErr, detached};

mod analyses;
pub(crate) mod arrays;
mod biluo;
mod encoder;
mod layers;
mod losses;
mod ops;
mod optimizer;
mod rows;
mod sparse;
mod sparse_rows;
mod transitions;

/// The instruction set that the kernels run: "scalar", "avx2" or "avx512".
#[pyfunction]
fn active_isa() -> PyResult<String> {
    Isa::active().map(|isa| isa.to_string()).map_err(IntoPyErr::into_py_err)
}

/// What multiplies bytes: "vnni", or "avx2" and "scalar", with which predicting in bytes is slower than in float32.
#[pyfunction]
fn byte_isa() -> PyResult<&'static str> {
    Isa::active().map(|isa| DotIsa::of(isa).name()).map_err(IntoPyErr::into_py_err)
}

/// Does `rounds` rounds of multiply-adds in registers; returns the floating-point operations. For benchmarks.
#[pyfunction]
fn _multiply_adds(py: Python<'_>, rounds: usize) -> PyResult<usize> {
    detached(py, || -> Result<usize, KernelError> { Ok(multiply_adds(Isa::active()?, rounds)) })
}

/// Does `rounds` rounds of multiply-adds of bytes in registers; returns the operations. For benchmarks.
#[pyfunction]
fn _byte_multiply_adds(py: Python<'_>, rounds: usize) -> PyResult<usize> {
    detached(py, || -> Result<usize, KernelError> { Ok(byte_multiply_adds(Isa::active()?, rounds)) })
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    // A wrong FERRULE_ISA is said at import, once, and not by whichever kernel comes first.
    Isa::active().map_err(IntoPyErr::into_py_err)?;
    m.add_function(wrap_pyfunction!(active_isa, m)?)?;
    m.add_function(wrap_pyfunction!(byte_isa, m)?)?;
    m.add_function(wrap_pyfunction!(_multiply_adds, m)?)?;
    m.add_function(wrap_pyfunction!(_byte_multiply_adds, m)?)?;
    rows::register(m)?;
    losses::register(m)?;
    encoder::register(m)?;
    ops::register(m)?;
    layers::register(m)?;
    optimizer::register(m)?;
    biluo::register(m)?;
    transitions::register(m)?;
    analyses::register(m)?;
    sparse::register(m)?;
    sparse_rows::register(m)?;
    Ok(())
}
