//! Bindings of `ferrule-kernels`, one file a room.

use ferrule_kernels::simd::Isa;
use pyo3::prelude::*;

use crate::errors::IntoPyErr;

mod analyses;
pub(crate) mod arrays;
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

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    // A wrong FERRULE_ISA is said at import, once, and not by whichever kernel comes first.
    Isa::active().map_err(IntoPyErr::into_py_err)?;
    m.add_function(wrap_pyfunction!(active_isa, m)?)?;
    rows::register(m)?;
    losses::register(m)?;
    encoder::register(m)?;
    ops::register(m)?;
    layers::register(m)?;
    optimizer::register(m)?;
    transitions::register(m)?;
    analyses::register(m)?;
    sparse::register(m)?;
    sparse_rows::register(m)?;
    Ok(())
}
