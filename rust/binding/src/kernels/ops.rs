//! Matrix products and activations, for `ferrule.ops.RustOps`.

use ferrule_kernels::gemm::{Matrix, product};
use ferrule_kernels::layers::activation::{Activation, activate, backprop_activation};
use ferrule_kernels::layers::piecewise::{self, Piecewise};
use ferrule_kernels::simd::Isa;
use numpy::{
    PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArrayDyn, PyReadwriteArray2, PyReadwriteArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::{in_c_order, in_c_order_mut};
use crate::errors::detached;
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

/// An activation by its name.
enum Kind {
    Smooth(Activation),
    Piecewise(Piecewise),
}

fn activation(name: &str) -> PyResult<Kind> {
    Ok(match name {
        "sigmoid" => Kind::Smooth(Activation::Sigmoid),
        "swish" => Kind::Smooth(Activation::Swish),
        "gelu" => Kind::Smooth(Activation::Gelu),
        "mish" => Kind::Smooth(Activation::Mish),
        "relu" => Kind::Piecewise(Piecewise::Relu),
        "hard_swish" => Kind::Piecewise(Piecewise::HardSwish),
        "hard_swish_mobilenet" => Kind::Piecewise(Piecewise::HardSwishMobilenet),
        "dish" => Kind::Piecewise(Piecewise::Dish),
        _ => {
            return Err(PyValueError::new_err(format!(
                "no activation is called {name:?}; expected 'sigmoid', 'swish', 'gelu', 'mish', 'relu', \
                 'hard_swish', 'hard_swish_mobilenet' or 'dish'"
            )));
        }
    })
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
    detached(py, || match kind {
        Kind::Smooth(kind) => activate(Isa::active()?, kind, x, out),
        Kind::Piecewise(kind) => piecewise::activate(Isa::active()?, kind, x, out),
    })
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
    detached(py, || match kind {
        Kind::Smooth(kind) => backprop_activation(Isa::active()?, kind, d_y, x, out),
        Kind::Piecewise(kind) => piecewise::backprop_activation(Isa::active()?, kind, d_y, x, out),
    })
}

/// Writes `slope * x + offset`, clipped to `low` and `high`: float32, C-contiguous, of one size.
#[pyfunction]
fn clipped_linear(
    py: Python<'_>,
    x: PyReadonlyArrayDyn<'_, f32>,
    line: (f32, f32, f32, f32),
    mut out: PyReadwriteArrayDyn<'_, f32>,
) -> PyResult<()> {
    let (x, out) = (in_c_order(&x, "clipped_linear: X")?, in_c_order_mut(&mut out, "clipped_linear: out")?);
    detached(py, || piecewise::activate(Isa::active()?, clipped(line), x, out))
}

/// Writes the gradient of `x` to `out`, given `d_y`, that of `clipped_linear`.
#[pyfunction]
fn backprop_clipped_linear(
    py: Python<'_>,
    d_y: PyReadonlyArrayDyn<'_, f32>,
    x: PyReadonlyArrayDyn<'_, f32>,
    line: (f32, f32, f32, f32),
    mut out: PyReadwriteArrayDyn<'_, f32>,
) -> PyResult<()> {
    let (d_y, x) =
        (in_c_order(&d_y, "backprop_clipped_linear: dY")?, in_c_order(&x, "backprop_clipped_linear: X")?);
    let out = in_c_order_mut(&mut out, "backprop_clipped_linear: out")?;
    detached(py, || piecewise::backprop_activation(Isa::active()?, clipped(line), d_y, x, out))
}

fn clipped((slope, offset, low, high): (f32, f32, f32, f32)) -> Piecewise {
    Piecewise::ClippedLinear { slope, offset, low, high }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(gemm, m)?)?;
    m.add_function(wrap_pyfunction!(activate_array, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_activation_array, m)?)?;
    m.add_function(wrap_pyfunction!(clipped_linear, m)?)?;
    m.add_function(wrap_pyfunction!(backprop_clipped_linear, m)?)
}
