//! Layers over plain arrays, for `ferrule.ops.RustOps` and `ferrule.kernels`: windows, reductions of sequences, maxout,
//! rows of tables, dropout, layer normalization.
//!
//! Arrays are C-contiguous and share no memory with those that are written; `ferrule.ops` sees to it. Wrong sizes are
//! ValueErrors, rows that are not there IndexErrors.

use ferrule_kernels::layers::attention;
use ferrule_kernels::layers::dropout::{self, Dropout};
use ferrule_kernels::layers::ragged::{self, Reduction};
use ferrule_kernels::layers::{gather, layer_norm as norm, maxout as pieces, windows};
use ferrule_kernels::rows::{Rows, RowsMut};
use ferrule_kernels::simd::Isa;
use numpy::{
    Element, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArrayDyn, PyReadwriteArray1, PyReadwriteArray2,
    PyReadwriteArrayDyn, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::{in_c_order, in_c_order_mut};
use crate::errors::{IntoPyErr, detached};

fn rows<'a, T: Element>(array: &'a PyReadonlyArray2<'_, T>, what: &str) -> PyResult<Rows<'a, T>> {
    Rows::new(in_c_order(array, what)?, array.shape()[0], array.shape()[1]).map_err(IntoPyErr::into_py_err)
}

fn rows_mut<'a>(array: &'a mut PyReadwriteArray2<'_, f32>, what: &str) -> PyResult<RowsMut<'a>> {
    let (n_rows, width) = (array.shape()[0], array.shape()[1]);
    RowsMut::new(in_c_order_mut(array, what)?, n_rows, width).map_err(IntoPyErr::into_py_err)
}

/// Writes to each row of `out` the sum of the table rows that the row of `indices` names.
///
/// table: float32 (n_rows, width). indices: uint32 (n, k). out: float32 (n, width).
#[pyfunction]
fn gather_add(
    py: Python<'_>,
    table: PyReadonlyArray2<'_, f32>,
    indices: PyReadonlyArray2<'_, u32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (table, named) = (rows(&table, "gather_add: table")?, rows(&indices, "gather_add: indices")?);
    let out = rows_mut(&mut out, "gather_add: out")?;
    detached(py, || gather::gather_add(Isa::active()?, table, named, out))
}

/// Adds each row of `values` to the table row that its index names.
///
/// table: float32 (n_rows, width). indices: uint32 (n,). values: float32 (n, width). On an error nothing is added.
#[pyfunction]
fn scatter_add(
    py: Python<'_>,
    mut table: PyReadwriteArray2<'_, f32>,
    indices: PyReadonlyArray1<'_, u32>,
    values: PyReadonlyArray2<'_, f32>,
) -> PyResult<()> {
    let (named, values) =
        (in_c_order(&indices, "scatter_add: indices")?, rows(&values, "scatter_add: values")?);
    let table = rows_mut(&mut table, "scatter_add: table")?;
    detached(py, || gather::scatter_add(Isa::active()?, table, named, values))
}

/// Writes each row of `x` with its `reach` neighbours to each side; zeros beyond the ends of its sequence.
///
/// x: float32 (n, width). lengths: int32, summing up to n. out: float32 (n, (2 * reach + 1) * width).
#[pyfunction]
fn seq2col(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    lengths: PyReadonlyArray1<'_, i32>,
    reach: usize,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (x, lengths) = (rows(&x, "seq2col: seq")?, in_c_order(&lengths, "seq2col: lengths")?);
    let out = rows_mut(&mut out, "seq2col: out")?;
    detached(py, || windows::windows(x, lengths, reach, out))
}

/// Writes the gradient of the rows, given that of their windows; shapes as in `seq2col`, the other way round.
#[pyfunction]
fn backprop_seq2col(
    py: Python<'_>,
    d_y: PyReadonlyArray2<'_, f32>,
    lengths: PyReadonlyArray1<'_, i32>,
    reach: usize,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let lengths = in_c_order(&lengths, "backprop_seq2col: lengths")?;
    let (d_y, out) = (rows(&d_y, "backprop_seq2col: dY")?, rows_mut(&mut out, "backprop_seq2col: out")?);
    detached(py, || windows::backprop_windows(Isa::active()?, d_y, lengths, reach, out))
}

fn reduction(name: &str) -> PyResult<Reduction> {
    match name {
        "sum" => Ok(Reduction::Sum),
        "mean" => Ok(Reduction::Mean),
        "first" => Ok(Reduction::First),
        "last" => Ok(Reduction::Last),
        _ => Err(PyValueError::new_err(format!(
            "no reduction is called {name:?}; expected 'sum', 'mean', 'first' or 'last'"
        ))),
    }
}

/// Writes a row for each sequence: its "sum", "mean", "first" or "last" row.
///
/// x: float32 (n, width). lengths: int32 (n_sequences,). out: float32 (n_sequences, width).
#[pyfunction]
fn reduce_rows(
    py: Python<'_>,
    name: &str,
    x: PyReadonlyArray2<'_, f32>,
    lengths: PyReadonlyArray1<'_, i32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (kind, x) = (reduction(name)?, rows(&x, "reduce: X")?);
    let (lengths, out) = (in_c_order(&lengths, "reduce: lengths")?, rows_mut(&mut out, "reduce: out")?);
    detached(py, || ragged::reduce(Isa::active()?, kind, x, lengths, out))
}

/// Writes the gradient of the rows, given that of their reduction; shapes as in `reduce_rows`, the other way round.
#[pyfunction]
fn backprop_reduce_rows(
    py: Python<'_>,
    name: &str,
    d_y: PyReadonlyArray2<'_, f32>,
    lengths: PyReadonlyArray1<'_, i32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (kind, d_y) = (reduction(name)?, rows(&d_y, "backprop_reduce: d_y")?);
    let lengths = in_c_order(&lengths, "backprop_reduce: lengths")?;
    let out = rows_mut(&mut out, "backprop_reduce: out")?;
    detached(py, || ragged::backprop_reduce(Isa::active()?, kind, d_y, lengths, out))
}

/// Writes the largest number of each column of each sequence and, to `which`, in which of its rows that stands.
///
/// x: float32 (n, width). lengths: int32 (n_sequences,). out, which: float32 and int32 (n_sequences, width).
#[pyfunction]
fn reduce_max(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    lengths: PyReadonlyArray1<'_, i32>,
    mut out: PyReadwriteArray2<'_, f32>,
    mut which: PyReadwriteArray2<'_, i32>,
) -> PyResult<()> {
    let (x, lengths) = (rows(&x, "reduce_max: X")?, in_c_order(&lengths, "reduce_max: lengths")?);
    let which = in_c_order_mut(&mut which, "reduce_max: which")?;
    let out = rows_mut(&mut out, "reduce_max: out")?;
    detached(py, || ragged::reduce_max(Isa::active()?, x, lengths, out, which))
}

/// Writes the gradient of the rows, given that of `reduce_max`; shapes as there, the other way round.
#[pyfunction]
fn backprop_reduce_max(
    py: Python<'_>,
    d_y: PyReadonlyArray2<'_, f32>,
    which: PyReadonlyArray2<'_, i32>,
    lengths: PyReadonlyArray1<'_, i32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (d_y, which) =
        (rows(&d_y, "backprop_reduce_max: d_maxes")?, in_c_order(&which, "backprop_reduce_max: which")?);
    let lengths = in_c_order(&lengths, "backprop_reduce_max: lengths")?;
    let out = rows_mut(&mut out, "backprop_reduce_max: out")?;
    detached(py, || ragged::backprop_reduce_max(d_y, which, lengths, out))
}

/// Writes for each sequence the sum of its rows of `values`, weighed by the softmax over the sequence of `keys @ query`.
///
/// keys, values: float32 (n, width). query: float32 (width,). lengths: int32, summing up to n. out: float32
/// (n_sequences, width).
#[pyfunction]
fn attended_sums(
    py: Python<'_>,
    keys: PyReadonlyArray2<'_, f32>,
    values: PyReadonlyArray2<'_, f32>,
    query: PyReadonlyArray1<'_, f32>,
    lengths: PyReadonlyArray1<'_, i32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (keys, values) = (rows(&keys, "attended_sums: keys")?, rows(&values, "attended_sums: values")?);
    let query = in_c_order(&query, "attended_sums: query")?;
    let lengths = in_c_order(&lengths, "attended_sums: lengths")?;
    let out = rows_mut(&mut out, "attended_sums: out")?;
    detached(py, || attention::attended_sums(Isa::active()?, keys, values, query, lengths, out))
}

/// Writes the largest of each `n_pieces` numbers of `x`, and which it is.
///
/// x: float32, `n_pieces` times as many numbers as `out`, float32, and `which`, int32.
#[pyfunction]
fn maxout(
    py: Python<'_>,
    x: PyReadonlyArrayDyn<'_, f32>,
    n_pieces: usize,
    mut out: PyReadwriteArrayDyn<'_, f32>,
    mut which: PyReadwriteArrayDyn<'_, i32>,
) -> PyResult<()> {
    let (x, out) = (in_c_order(&x, "maxout: X")?, in_c_order_mut(&mut out, "maxout: out")?);
    let which = in_c_order_mut(&mut which, "maxout: which")?;
    detached(py, || pieces::maxout(Isa::active()?, n_pieces, x, out, which))
}

/// Writes the gradient of the pieces, given that of `maxout`; sizes as there, the other way round.
#[pyfunction]
fn backprop_maxout(
    py: Python<'_>,
    d_y: PyReadonlyArrayDyn<'_, f32>,
    which: PyReadonlyArrayDyn<'_, i32>,
    n_pieces: usize,
    mut out: PyReadwriteArrayDyn<'_, f32>,
) -> PyResult<()> {
    let (d_y, which) =
        (in_c_order(&d_y, "backprop_maxout: dY")?, in_c_order(&which, "backprop_maxout: which")?);
    let out = in_c_order_mut(&mut out, "backprop_maxout: out")?;
    detached(py, || pieces::backprop_maxout(n_pieces, d_y, which, out))
}

/// Writes 0 where a coin flip, float64, is below `rate`, else `1 / (1 - rate)`, to `out`, float32 of the same size.
#[pyfunction]
fn dropout_mask(
    py: Python<'_>,
    flips: PyReadonlyArrayDyn<'_, f64>,
    rate: f64,
    mut out: PyReadwriteArrayDyn<'_, f32>,
) -> PyResult<()> {
    let flips = in_c_order(&flips, "dropout_mask: flips")?;
    let out = in_c_order_mut(&mut out, "dropout_mask: out")?;
    detached(py, || dropout::mask_of_flips(flips, rate, out))
}

/// Writes `x`, float32 (n, width), to `out`, a share `rate` of it dropped and the rest scaled, as `seed` says.
#[pyfunction]
fn dropout_rows(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    rate: f32,
    seed: u64,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (x, out) = (rows(&x, "dropout: x")?, rows_mut(&mut out, "dropout: out")?);
    detached(py, || match Dropout::new(rate, seed, 0) {
        Some(dropped) => dropout::apply(Isa::active()?, &dropped, x, out),
        None => dropout::keep_all(x, out),
    })
}

/// Writes the rows of `x`, float32 (n, width), normalized, and those times `gain` plus `shift`, float32 (width,), to
/// `out`; `scales`, float32 (n,), gets 1 / standard deviation of each row.
#[pyfunction]
fn layer_norm(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    gain: PyReadonlyArray1<'_, f32>,
    shift: PyReadonlyArray1<'_, f32>,
    mut normalized: PyReadwriteArray2<'_, f32>,
    mut scales: PyReadwriteArray1<'_, f32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let (gain, shift) = (in_c_order(&gain, "layer_norm: gain")?, in_c_order(&shift, "layer_norm: shift")?);
    let normalized = in_c_order_mut(&mut normalized, "layer_norm: normalized")?;
    let scales = in_c_order_mut(&mut scales, "layer_norm: scales")?;
    let (x, out) = (rows(&x, "layer_norm: x")?, in_c_order_mut(&mut out, "layer_norm: out")?);
    detached(py, || norm::layer_norm(Isa::active()?, x, gain, shift, normalized, scales, out))
}

/// Turns `d`, the gradient of the output of `layer_norm`, into that of its input; adds to `d_gain` and `d_shift`.
#[pyfunction]
fn backprop_layer_norm(
    py: Python<'_>,
    mut d: PyReadwriteArray2<'_, f32>,
    normalized: PyReadonlyArray2<'_, f32>,
    scales: PyReadonlyArray1<'_, f32>,
    gain: PyReadonlyArray1<'_, f32>,
    mut d_gain: PyReadwriteArray1<'_, f32>,
    mut d_shift: PyReadwriteArray1<'_, f32>,
) -> PyResult<()> {
    let (scales, gain) = (
        in_c_order(&scales, "backprop_layer_norm: scales")?,
        in_c_order(&gain, "backprop_layer_norm: gain")?,
    );
    let d_gain = in_c_order_mut(&mut d_gain, "backprop_layer_norm: d_gain")?;
    let d_shift = in_c_order_mut(&mut d_shift, "backprop_layer_norm: d_shift")?;
    let normalized = rows(&normalized, "backprop_layer_norm: normalized")?;
    let d = rows_mut(&mut d, "backprop_layer_norm: d")?;
    detached(py, || norm::backprop_layer_norm(Isa::active()?, d, normalized, scales, gain, d_gain, d_shift))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(gather_add, m)?)?;
    m.add_function(wrap_pyfunction!(scatter_add, m)?)?;
    m.add_function(wrap_pyfunction!(seq2col, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_seq2col, m)?)?;
    m.add_function(wrap_pyfunction!(reduce_rows, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_reduce_rows, m)?)?;
    m.add_function(wrap_pyfunction!(reduce_max, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_reduce_max, m)?)?;
    m.add_function(wrap_pyfunction!(attended_sums, m)?)?;
    m.add_function(wrap_pyfunction!(maxout, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_maxout, m)?)?;
    m.add_function(wrap_pyfunction!(dropout_mask, m)?)?;
    m.add_function(wrap_pyfunction!(dropout_rows, m)?)?;
    m.add_function(wrap_pyfunction!(layer_norm, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_layer_norm, m)?)
}
