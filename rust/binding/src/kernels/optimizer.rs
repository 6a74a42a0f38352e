//! One optimizer step for some parameters: `_core.optimizer_steps`.

use ferrule_kernels::optimizer::{self, Averages, Direction, Step, Tensors};
use ferrule_kernels::simd::Isa;
use numpy::PyReadwriteArrayDyn;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::in_c_order_mut;
use crate::errors::detached;
use crate::threads::workers;

type FloatsMut<'py> = PyReadwriteArrayDyn<'py, f32>;
/// `(direction, rate, first, second, eps, clip, l2, decay)`
type Numbers = (String, f32, (f32, f32), (f32, f32), f32, f32, f32, f32);

/// A parameter, what belongs to it, and the numbers of its step.
#[derive(FromPyObject)]
struct Param<'py>(
    FloatsMut<'py>,
    FloatsMut<'py>,
    Option<(FloatsMut<'py>, FloatsMut<'py>)>,
    Option<(FloatsMut<'py>, f32)>,
    Numbers,
);

impl Param<'_> {
    fn step(&self) -> PyResult<Step> {
        let (direction, rate, first, second, eps, clip, l2, decay) = &self.4;
        let direction = match direction.as_str() {
            "adam" => Direction::Adam { eps: *eps },
            "momentum" => Direction::Momentum,
            "gradient" => Direction::Gradient,
            other => {
                return Err(PyValueError::new_err(format!(
                    "optimizer_steps: direction is {other:?}; expected 'adam', 'momentum' or 'gradient'"
                )));
            }
        };
        Ok(Step {
            direction,
            rate: *rate,
            first: *first,
            second: *second,
            clip: *clip,
            l2: *l2,
            decay: *decay,
        })
    }

    fn tensors(&mut self) -> PyResult<Tensors<'_>> {
        let (first, second) = match &mut self.2 {
            Some((first, second)) => (
                in_c_order_mut(first, "optimizer_steps: moments")?,
                in_c_order_mut(second, "optimizer_steps: moments")?,
            ),
            None => (&mut [][..], &mut [][..]),
        };
        let averages = match &mut self.3 {
            Some((numbers, rate)) => {
                Some(Averages { numbers: in_c_order_mut(numbers, "optimizer_steps: averages")?, rate: *rate })
            }
            None => None,
        };
        Ok(Tensors {
            weights: in_c_order_mut(&mut self.0, "optimizer_steps: weights")?,
            gradient: in_c_order_mut(&mut self.1, "optimizer_steps: gradient")?,
            first,
            second,
            averages,
        })
    }
}

/// Changes the weights (and moments and averages) of each parameter by one step and sets its gradient to zero, in place.
///
/// params: a tuple (weights, gradient, moments, averages, numbers) for each. weights, gradient: float32, C-contiguous,
/// of one shape. moments: two such arrays of the same size, or None for a step along the gradient itself. averages:
/// (array, the share of the difference by which it moves), or None. numbers: (direction, rate, first, second, eps,
/// clip, l2, decay). direction: "adam", "momentum" or "gradient". rate: how far. first, second: (how much of the moment
/// stays, how much of the (squared) gradient is added). eps: of Adam. clip: the largest norm, 0 for any. l2: so much of
/// the weights is added to the gradient first; decay: so much of the weights is taken off them last.
/// Raises ValueError if sizes differ or for an unknown direction, TypeError for another dtype or an array given twice;
/// nothing is changed then.
#[pyfunction]
fn optimizer_steps(py: Python<'_>, mut params: Vec<Param<'_>>) -> PyResult<()> {
    let mut steps = Vec::with_capacity(params.len());
    for param in &mut params {
        steps.push((param.step()?, param.tensors()?));
    }
    let pool = workers(py)?;
    detached(py, || optimizer::optimizer_steps(Isa::active()?, pool.threads(), steps))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(optimizer_steps, m)?)
}
