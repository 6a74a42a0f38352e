//! Softmax and its relatives over NumPy arrays. `ferrule.kernels` documents them.

use ferrule_kernels::KernelError;
use ferrule_kernels::rows::{Machine, RowKernels, Rows, RowsMut};
use ferrule_kernels::simd::Isa;
use numpy::{Element, PyArrayDescr};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::{Input, Output, Precision, check_shape, rows_of};
use crate::errors::{IntoPyErr, detached};
use crate::threads::workers;

/// Calls `work` with the machine to run on and the GIL released. `n_threads`: at most so many; None for as many as
/// the library is set to.
pub(super) fn on_machine<R: Send>(
    py: Python<'_>,
    n_threads: Option<usize>,
    work: impl FnOnce(Machine<'_>) -> Result<R, KernelError> + Send,
) -> PyResult<R> {
    let isa = Isa::active().map_err(IntoPyErr::into_py_err)?;
    match n_threads {
        Some(0) => Err(PyValueError::new_err(
            "n_threads is 0; expected at least 1, or None for the library's setting",
        )),
        Some(1) => detached(py, || work(Machine::single(isa))),
        most => {
            let workers = workers(py)?;
            let most_threads = most.unwrap_or(usize::MAX);
            detached(py, || work(Machine { isa, threads: workers.threads(), most_threads }))
        }
    }
}

/// Runs a kernel that makes rows of rows.
fn map<'py, T: RowKernels + Element>(
    names: [&str; 2],
    x: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
    kernel: impl FnOnce(Machine<'_>, Rows<'_, T>, RowsMut<'_, T>) -> Result<(), KernelError> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let output = Output::<T>::like(x, out, names[1])?;
    {
        let input = Input::<T>::read(x, output.written(), names[0])?;
        let rows = input.rows(names[0])?;
        let mut target = output.write(names[1])?;
        let data = target.as_slice_mut()?;
        on_machine(x.py(), n_threads, |machine| {
            kernel(machine, rows, RowsMut::new(data, rows.n_rows(), rows.width())?)
        })?;
    }
    output.finish()
}

/// Runs a kernel that makes the gradient from the output and its gradient.
fn map_back<'py, T: RowKernels + Element>(
    names: [&str; 3],
    y: &Bound<'py, PyAny>,
    d_y: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
    kernel: impl FnOnce(Machine<'_>, Rows<'_, T>, Rows<'_, T>, RowsMut<'_, T>) -> Result<(), KernelError> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let output = Output::<T>::like(y, out, names[2])?;
    {
        let y = Input::<T>::read(y, output.written(), names[0])?;
        let d_y = Input::<T>::read(d_y, output.written(), names[1])?;
        check_shape(d_y.shape(), y.shape(), names[1])?;
        let (y_rows, d_rows) = (y.rows(names[0])?, d_y.rows(names[1])?);
        let mut target = output.write(names[2])?;
        let data = target.as_slice_mut()?;
        on_machine(output.py(), n_threads, |machine| {
            kernel(machine, y_rows, d_rows, RowsMut::new(data, y_rows.n_rows(), y_rows.width())?)
        })?;
    }
    output.finish()
}

#[pyfunction]
#[pyo3(signature = (x, temperature=1.0, out=None, n_threads=None))]
fn softmax<'py>(
    x: &Bound<'py, PyAny>,
    temperature: f64,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = ["softmax: x", "softmax: out"];
    match Precision::of(x, names[0])? {
        Precision::Single => map::<f32>(names, x, out, n_threads, |m, x, out| {
            RowKernels::softmax(m, x, out, temperature as f32)
        }),
        Precision::Double => {
            map::<f64>(names, x, out, n_threads, |m, x, out| RowKernels::softmax(m, x, out, temperature))
        }
    }
}

#[pyfunction]
#[pyo3(signature = (x, temperature=1.0, out=None, n_threads=None))]
fn log_softmax<'py>(
    x: &Bound<'py, PyAny>,
    temperature: f64,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = ["log_softmax: x", "log_softmax: out"];
    match Precision::of(x, names[0])? {
        Precision::Single => map::<f32>(names, x, out, n_threads, |m, x, out| {
            RowKernels::log_softmax(m, x, out, temperature as f32)
        }),
        Precision::Double => {
            map::<f64>(names, x, out, n_threads, |m, x, out| RowKernels::log_softmax(m, x, out, temperature))
        }
    }
}

#[pyfunction]
#[pyo3(signature = (y, d_y, temperature=1.0, out=None, n_threads=None))]
fn backprop_softmax<'py>(
    y: &Bound<'py, PyAny>,
    d_y: &Bound<'py, PyAny>,
    temperature: f64,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = ["backprop_softmax: y", "backprop_softmax: d_y", "backprop_softmax: out"];
    match Precision::of(y, names[0])? {
        Precision::Single => map_back::<f32>(names, y, d_y, out, n_threads, |m, y, d_y, out| {
            RowKernels::backprop_softmax(m, y, d_y, out, temperature as f32)
        }),
        Precision::Double => map_back::<f64>(names, y, d_y, out, n_threads, |m, y, d_y, out| {
            RowKernels::backprop_softmax(m, y, d_y, out, temperature)
        }),
    }
}

#[pyfunction]
#[pyo3(signature = (y, d_y, temperature=1.0, out=None, n_threads=None))]
fn backprop_log_softmax<'py>(
    y: &Bound<'py, PyAny>,
    d_y: &Bound<'py, PyAny>,
    temperature: f64,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = ["backprop_log_softmax: y", "backprop_log_softmax: d_y", "backprop_log_softmax: out"];
    match Precision::of(y, names[0])? {
        Precision::Single => map_back::<f32>(names, y, d_y, out, n_threads, |m, y, d_y, out| {
            RowKernels::backprop_log_softmax(m, y, d_y, out, temperature as f32)
        }),
        Precision::Double => map_back::<f64>(names, y, d_y, out, n_threads, |m, y, d_y, out| {
            RowKernels::backprop_log_softmax(m, y, d_y, out, temperature)
        }),
    }
}

/// Runs a kernel that makes one number of each row.
fn reduce<'py, T: RowKernels + Element, O: Element + Send>(
    names: [&str; 2],
    x: &Bound<'py, PyAny>,
    dtype: Option<Bound<'py, PyArrayDescr>>,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
    kernel: impl FnOnce(Machine<'_>, Rows<'_, T>, &mut [O]) -> Result<(), KernelError> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let py = x.py();
    let shape: Vec<usize> = x.getattr("shape")?.extract()?;
    rows_of(&shape, names[0])?;
    let output = Output::<O>::new(py, out, &shape[..shape.len() - 1], dtype, names[1])?;
    {
        let input = Input::<T>::read(x, output.written(), names[0])?;
        let rows = input.rows(names[0])?;
        let mut target = output.write(names[1])?;
        let data = target.as_slice_mut()?;
        on_machine(py, n_threads, |machine| kernel(machine, rows, data))?;
    }
    output.finish()
}

#[pyfunction]
#[pyo3(signature = (x, out=None, n_threads=None))]
fn logsumexp<'py>(
    x: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = ["logsumexp: x", "logsumexp: out"];
    let precision = Precision::of(x, names[0])?;
    let dtype = Some(x.getattr("dtype")?.cast_into::<PyArrayDescr>()?);
    match precision {
        Precision::Single => reduce::<f32, f32>(names, x, dtype, out, n_threads, RowKernels::logsumexp),
        Precision::Double => reduce::<f64, f64>(names, x, dtype, out, n_threads, RowKernels::logsumexp),
    }
}

#[pyfunction]
#[pyo3(signature = (x, out=None, n_threads=None))]
fn argmax<'py>(
    x: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    n_threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let names = ["argmax: x", "argmax: out"];
    match Precision::of(x, names[0])? {
        Precision::Single => reduce::<f32, i64>(names, x, None, out, n_threads, RowKernels::argmax),
        Precision::Double => reduce::<f64, i64>(names, x, None, out, n_threads, RowKernels::argmax),
    }
}

pub(super) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(softmax, m)?)?;
    m.add_function(wrap_pyfunction!(log_softmax, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_softmax, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_log_softmax, m)?)?;
    m.add_function(wrap_pyfunction!(logsumexp, m)?)?;
    m.add_function(wrap_pyfunction!(argmax, m)?)
}
