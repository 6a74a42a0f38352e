//! The one place where errors of the Rust crates become Python exceptions.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ferrule_kernels::KernelError;
use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// An error of a Rust crate that knows its Python class. A crate's error type is listed here, nowhere else.
pub(crate) trait IntoPyErr {
    /// The exception to raise.
    fn into_py_err(self) -> PyErr;
}

impl IntoPyErr for PyErr {
    fn into_py_err(self) -> PyErr {
        self
    }
}

impl IntoPyErr for KernelError {
    fn into_py_err(self) -> PyErr {
        let message = self.to_string();
        match self {
            KernelError::Index { .. } => PyIndexError::new_err(message),
            KernelError::Shape { .. } | KernelError::Value { .. } | KernelError::Isa { .. } => {
                PyValueError::new_err(message)
            }
        }
    }
}

/// Runs `work` with the GIL released. A panic in it is raised as a `RuntimeError`, not as PyO3's
/// `PanicException`, which `except Exception` does not catch.
pub(crate) fn detached<T, E, F>(py: Python<'_>, work: F) -> PyResult<T>
where
    T: Send,
    E: IntoPyErr + Send,
    F: FnOnce() -> Result<T, E> + Send,
{
    // Unwind safety: after a panic the caller drops its borrows and its unfinished output; nobody sees either.
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(result) => result.map_err(IntoPyErr::into_py_err),
        Err(panic) => Err(from_panic(panic.as_ref())),
    }
}

fn from_panic(panic: &(dyn Any + Send)) -> PyErr {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    PyRuntimeError::new_err(format!(
        "internal error in ferrule's Rust code: {said}; this is a bug, please report it"
    ))
}

/// Panics inside the library's work, so that a test can see what becomes of it. For tests only.
#[pyfunction]
fn _panic_for_a_test(py: Python<'_>, message: String) -> PyResult<()> {
    #[allow(clippy::panic)] // the purpose
    detached(py, || -> Result<(), PyErr> { panic!("{message}") })
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(_panic_for_a_test, m)?)
}
