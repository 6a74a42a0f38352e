//! A linear layer over hashed sparse features: `_core.sparse_*`.

use ferrule_kernels::sparse::{self, Features, LazyStep, Moments};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1,
    PyReadwriteArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::detached;

/// The distinct columns of `keys` in a table of `length`, and where each key's two columns stand among them.
///
/// keys: uint64 (n_keys,). Returns `(uint32 (n_columns,), rising; uint32 (n_keys, 2))`. Raises ValueError if `length` is 0.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn sparse_columns<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray1<'py, u64>,
    length: u32,
) -> PyResult<(Bound<'py, PyArray1<u32>>, Bound<'py, PyArray2<u32>>)> {
    let keys = keys.as_slice()?;
    let found = detached(py, || sparse::columns_of(keys, length))?;
    let positions = found.positions.into_flattened().into_pyarray(py).reshape([keys.len(), 2])?;
    Ok((found.columns.into_pyarray(py), positions))
}

/// The weights of `columns`: float32 (n_columns, n_outputs).
///
/// weights: float32 (n_outputs * length,), one output after the other. columns: uint32. Raises IndexError for a column
/// that the table does not have, ValueError if `weights` are not of `n_outputs`.
#[pyfunction]
fn sparse_gather<'py>(
    py: Python<'py>,
    weights: PyReadonlyArray1<'py, f32>,
    columns: PyReadonlyArray1<'py, u32>,
    n_outputs: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (weights, columns) = (weights.as_slice()?, columns.as_slice()?);
    let mut rows = vec![0.0; columns.len() * n_outputs];
    detached(py, || sparse::gather(weights, columns, &mut rows))?;
    rows.into_pyarray(py).reshape([columns.len(), n_outputs])
}

/// Writes `rows`, float32 (n_columns, n_outputs), to the weights of `columns`; as `sparse_gather` in everything else.
#[pyfunction]
fn sparse_scatter(
    py: Python<'_>,
    mut weights: PyReadwriteArray1<'_, f32>,
    columns: PyReadonlyArray1<'_, u32>,
    rows: PyReadonlyArray2<'_, f32>,
) -> PyResult<()> {
    let (weights, columns, rows) = (weights.as_slice_mut()?, columns.as_slice()?, rows.as_slice()?);
    detached(py, || sparse::scatter(weights, columns, rows))
}

/// The scores of a batch: float32 (n_docs, n_outputs).
///
/// rows: float32 (n_columns, n_outputs). bias: float32 (n_outputs,). positions: uint32 (n_keys, 2). values: float32
/// (n_keys,). lengths: int32 (n_docs,), keys of each document. Raises ValueError or IndexError if they do not fit.
#[pyfunction]
fn sparse_scores<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f32>,
    bias: PyReadonlyArray1<'py, f32>,
    positions: PyReadonlyArray2<'py, u32>,
    values: PyReadonlyArray1<'py, f32>,
    lengths: PyReadonlyArray1<'py, i32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (rows, bias) = (rows.as_slice()?, bias.as_slice()?);
    let features = features(&positions, &values, &lengths)?;
    let mut scores = vec![0.0; features.lengths.len() * bias.len()];
    detached(py, || sparse::scores(rows, bias, features, &mut scores))?;
    scores.into_pyarray(py).reshape([features.lengths.len(), bias.len()])
}

/// The gradient of the rows, float32 (n_columns, n_outputs), given that of the scores, float32 (n_docs, n_outputs).
///
/// The other arguments are those of `sparse_scores`, and so are the errors.
#[pyfunction]
fn sparse_gradient<'py>(
    py: Python<'py>,
    d_scores: PyReadonlyArray2<'py, f32>,
    n_columns: usize,
    positions: PyReadonlyArray2<'py, u32>,
    values: PyReadonlyArray1<'py, f32>,
    lengths: PyReadonlyArray1<'py, i32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let n_outputs = d_scores.shape()[1];
    let d_scores = d_scores.as_slice()?;
    let features = features(&positions, &values, &lengths)?;
    let mut d_rows = vec![0.0; n_columns * n_outputs];
    detached(py, || sparse::gradient(d_scores, n_outputs, features, &mut d_rows))?;
    d_rows.into_pyarray(py).reshape([n_columns, n_outputs])
}

/// The moments of touched columns: slots uint32 (n_columns,), first and second float32 (n_slots, n_outputs), last int64
/// (n_slots,).
pub(super) type MomentArrays<'py> = (
    PyReadonlyArray1<'py, u32>,
    PyReadwriteArray2<'py, f32>,
    PyReadwriteArray2<'py, f32>,
    PyReadwriteArray1<'py, i64>,
);

/// The numbers of a lazy step's formula, by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct StepNumbers {
    step: i64,
    rate: f32,
    keep: (f32, f32),
    eps: f32,
    clip: f32,
    decay: f32,
}

impl From<StepNumbers> for LazyStep {
    fn from(numbers: StepNumbers) -> LazyStep {
        let StepNumbers { step, rate, keep, eps, clip, decay } = numbers;
        LazyStep { step, rate, keep, eps, clip, decay }
    }
}

pub(super) fn moments<'a>(arrays: &'a mut MomentArrays<'_>) -> PyResult<Moments<'a>> {
    let (slots, first, second, last) = arrays;
    Ok(Moments {
        slots: slots.as_slice()?,
        first: first.as_slice_mut()?,
        second: second.as_slice_mut()?,
        last: last.as_slice_mut()?,
    })
}

/// Steps the weights of `columns` along `d_rows` and leaves the others alone; see `ferrule.sparse_gradient`.
///
/// moments: a tuple of slots, uint32 (n_columns,); first and second, float32 (n_slots, n_outputs); last, int64
/// (n_slots,). numbers: a dict of step, rate, keep, eps, clip and decay. weights, moments and last are changed in place.
/// Raises ValueError or IndexError if sizes do not fit; nothing is changed then.
#[pyfunction]
fn sparse_step(
    py: Python<'_>,
    mut weights: PyReadwriteArray1<'_, f32>,
    columns: PyReadonlyArray1<'_, u32>,
    d_rows: PyReadonlyArray2<'_, f32>,
    mut moments: MomentArrays<'_>,
    numbers: StepNumbers,
) -> PyResult<()> {
    let (weights, columns, d_rows) = (weights.as_slice_mut()?, columns.as_slice()?, d_rows.as_slice()?);
    let moments = self::moments(&mut moments)?;
    detached(py, || sparse::lazy_step(weights, columns, d_rows, numbers.into(), moments))
}

pub(super) fn features<'a>(
    positions: &'a PyReadonlyArray2<'_, u32>,
    values: &'a PyReadonlyArray1<'_, f32>,
    lengths: &'a PyReadonlyArray1<'_, i32>,
) -> PyResult<Features<'a>> {
    if positions.shape()[1] != 2 {
        return Err(PyValueError::new_err(format!(
            "sparse positions have {} columns; expected 2",
            positions.shape()[1]
        )));
    }
    let pairs = positions.as_slice()?.as_chunks::<2>().0;
    Ok(Features { positions: pairs, values: values.as_slice()?, lengths: lengths.as_slice()? })
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sparse_columns, m)?)?;
    m.add_function(wrap_pyfunction!(sparse_gather, m)?)?;
    m.add_function(wrap_pyfunction!(sparse_scatter, m)?)?;
    m.add_function(wrap_pyfunction!(sparse_scores, m)?)?;
    m.add_function(wrap_pyfunction!(sparse_gradient, m)?)?;
    m.add_function(wrap_pyfunction!(sparse_step, m)?)
}
