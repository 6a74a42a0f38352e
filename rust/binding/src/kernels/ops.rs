//! What `ferrule.ops.RustOps` needs beside softmax: matrix products, activations, sums of table rows.

use ferrule_kernels::gemm::{Matrix, product};
use ferrule_kernels::layers::activation::{Activation, activate, backprop_activation};
use ferrule_kernels::layers::gather;
use ferrule_kernels::rows::{Rows, RowsMut};
use ferrule_kernels::simd::Isa;
use numpy::{
    PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArrayDyn, PyReadwriteArray2, PyReadwriteArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::{in_c_order, in_c_order_mut};
use crate::errors::{IntoPyErr, detached};
use crate::threads::workers;

/// Writes `x @ y + bias` to `out`, each factor transposed if asked.
///
/// x, y: float32, C-contiguous, of two axes. bias: float32, a number for each column, or None. out: of the product's
/// shape, sharing no memory with the others. Raises ValueError if shapes do not fit together.
#[pyfunction]
fn gemm(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f32>,
    y: PyReadonlyArray2<'_, f32>,
    bias: Option<PyReadonlyArray1<'_, f32>>,
    mut out: PyReadwriteArray2<'_, f32>,
    trans1: bool,
    trans2: bool,
) -> PyResult<()> {
    let left =
        Matrix { transposed: trans1, ..Matrix::new(in_c_order(&x, "gemm: x")?, x.shape()[0], x.shape()[1]) };
    let right =
        Matrix { transposed: trans2, ..Matrix::new(in_c_order(&y, "gemm: y")?, y.shape()[0], y.shape()[1]) };
    if [left.shape().0, right.shape().1] != out.shape() {
        return Err(PyValueError::new_err(format!(
            "gemm: out has shape {:?}; expected {:?}",
            out.shape(),
            [left.shape().0, right.shape().1]
        )));
    }
    let bias = match &bias {
        Some(bias) => in_c_order(bias, "gemm: bias")?,
        None => &[],
    };
    let out = in_c_order_mut(&mut out, "gemm: out")?;
    let pool = workers(py)?;
    detached(py, || product(Isa::active()?, pool.threads(), left, right, bias, out))
}

fn activation(name: &str) -> PyResult<Activation> {
    match name {
        "sigmoid" => Ok(Activation::Sigmoid),
        "swish" => Ok(Activation::Swish),
        "gelu" => Ok(Activation::Gelu),
        "mish" => Ok(Activation::Mish),
        _ => Err(PyValueError::new_err(format!(
            "no activation is called {name:?}; expected 'sigmoid', 'swish', 'gelu' or 'mish'"
        ))),
    }
}

/// Writes the activation called `name` of each number of `x` to `out`: float32, C-contiguous, of one size.
#[pyfunction(name = "activate")]
fn activate_array(
    py: Python<'_>,
    name: &str,
    x: PyReadonlyArrayDyn<'_, f32>,
    mut out: PyReadwriteArrayDyn<'_, f32>,
) -> PyResult<()> {
    let (kind, x, out) =
        (activation(name)?, in_c_order(&x, "activate: x")?, in_c_order_mut(&mut out, "activate: out")?);
    detached(py, || activate(Isa::active()?, kind, x, out))
}

/// Writes the gradient of `x` to `out`, given `d_y`, that of its activation: float32, C-contiguous, of one size.
#[pyfunction(name = "backprop_activation")]
fn backprop_activation_array(
    py: Python<'_>,
    name: &str,
    d_y: PyReadonlyArrayDyn<'_, f32>,
    x: PyReadonlyArrayDyn<'_, f32>,
    mut out: PyReadwriteArrayDyn<'_, f32>,
) -> PyResult<()> {
    let (kind, d_y, x, out) = (
        activation(name)?,
        in_c_order(&d_y, "backprop_activation: d_y")?,
        in_c_order(&x, "backprop_activation: x")?,
        in_c_order_mut(&mut out, "backprop_activation: out")?,
    );
    detached(py, || backprop_activation(Isa::active()?, kind, d_y, x, out))
}

/// Writes to each row of `out` the sum of the table rows that the row of `indices` names.
///
/// table: float32 (n_rows, width). indices: uint32 (n, k). out: float32 (n, width), sharing no memory with the table.
/// Raises IndexError for a row that the table does not have, ValueError if shapes do not fit.
#[pyfunction]
fn gather_add(
    py: Python<'_>,
    table: PyReadonlyArray2<'_, f32>,
    indices: PyReadonlyArray2<'_, u32>,
    mut out: PyReadwriteArray2<'_, f32>,
) -> PyResult<()> {
    let rows = Rows::new(in_c_order(&table, "gather_add: table")?, table.shape()[0], table.shape()[1])
        .map_err(IntoPyErr::into_py_err)?;
    let named =
        Rows::new(in_c_order(&indices, "gather_add: indices")?, indices.shape()[0], indices.shape()[1]);
    let named = named.map_err(IntoPyErr::into_py_err)?;
    let (n_rows, width) = (out.shape()[0], out.shape()[1]);
    let out = RowsMut::new(in_c_order_mut(&mut out, "gather_add: out")?, n_rows, width)
        .map_err(IntoPyErr::into_py_err)?;
    detached(py, || gather::gather_add(Isa::active()?, rows, named, out))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(gemm, m)?)?;
    m.add_function(wrap_pyfunction!(activate_array, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_activation_array, m)?)?;
    m.add_function(wrap_pyfunction!(gather_add, m)?)
}
