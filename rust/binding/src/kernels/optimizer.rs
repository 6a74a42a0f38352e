//! One optimizer step for one parameter: `_core.optimizer_step`.

use ferrule_kernels::optimizer::{self, Averages, Direction, Step, Tensors};
use ferrule_kernels::simd::Isa;
use numpy::PyReadwriteArrayDyn;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::in_c_order_mut;
use crate::errors::detached;
use crate::threads::workers;

type FloatsMut<'py> = PyReadwriteArrayDyn<'py, f32>;

/// Changes `weights` (and moments and averages) by one step and sets `gradient` to zero, all in place.
///
/// weights, gradient: float32, C-contiguous, of one shape. moments: two such arrays of the same size, or None for a step
/// along the gradient itself. averages: (array, the share of the difference by which it moves), or None.
/// direction: "adam", "momentum" or "gradient". rate: how far. first, second: (how much of the moment stays, how much of
/// the (squared) gradient is added). eps: of Adam. clip: the largest norm, 0 for any. l2: so much of the weights is added
/// to the gradient first; decay: so much of the weights is taken off them last.
/// Raises ValueError if sizes differ (nothing is changed then) or for an unknown direction, TypeError for another dtype.
#[pyfunction]
#[pyo3(signature = (weights, gradient, moments, averages, *, direction, rate, first, second, eps, clip, l2, decay))]
#[allow(clippy::too_many_arguments)] // keyword-only: the numbers of one formula
fn optimizer_step(
    py: Python<'_>,
    mut weights: FloatsMut<'_>,
    mut gradient: FloatsMut<'_>,
    mut moments: Option<(FloatsMut<'_>, FloatsMut<'_>)>,
    mut averages: Option<(FloatsMut<'_>, f32)>,
    direction: &str,
    rate: f32,
    first: (f32, f32),
    second: (f32, f32),
    eps: f32,
    clip: f32,
    l2: f32,
    decay: f32,
) -> PyResult<()> {
    let direction = match direction {
        "adam" => Direction::Adam { eps },
        "momentum" => Direction::Momentum,
        "gradient" => Direction::Gradient,
        other => {
            return Err(PyValueError::new_err(format!(
                "optimizer_step: direction is {other:?}; expected 'adam', 'momentum' or 'gradient'"
            )));
        }
    };
    let step = Step { direction, rate, first, second, clip, l2, decay };
    let (first, second) = match &mut moments {
        Some((first, second)) => (
            in_c_order_mut(first, "optimizer_step: moments")?,
            in_c_order_mut(second, "optimizer_step: moments")?,
        ),
        None => (&mut [][..], &mut [][..]),
    };
    let averages = match &mut averages {
        Some((numbers, rate)) => {
            Some(Averages { numbers: in_c_order_mut(numbers, "optimizer_step: averages")?, rate: *rate })
        }
        None => None,
    };
    let (weights, gradient) = (
        in_c_order_mut(&mut weights, "optimizer_step: weights")?,
        in_c_order_mut(&mut gradient, "optimizer_step: gradient")?,
    );
    let tensors = Tensors { weights, gradient, first, second, averages };
    let pool = workers(py)?;
    detached(py, || optimizer::optimizer_step(Isa::active()?, pool.threads(), step, tensors))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(optimizer_step, m)?)
}
