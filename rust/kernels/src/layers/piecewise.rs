//! Activations without exponentials: ReLU, clipped lines and what is made of them, and Dish.
//!
//! The formulas are those of thinc's `NumpyOps`, in its order of operations, so the numbers are the same bits.

use super::pointwise::{Pointwise, backward, forward};
use crate::KernelError;
use crate::simd::{Isa, Simd};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Piecewise {
    /// `max(x, 0)`
    Relu,
    /// `slope · x + offset`, clipped to `low` and `high`. ReLU-k, hard sigmoid and hard tanh are of this kind.
    ClippedLinear {
        /// What `x` is multiplied by.
        slope: f32,
        /// What is added then.
        offset: f32,
        /// The smallest result.
        low: f32,
        /// The largest result.
        high: f32,
    },
    /// `x · clip(0.2 x + 0.5, 0, 1)`
    HardSwish,
    /// `x · clip(x + 3, 0, 6) / 6`
    HardSwishMobilenet,
    /// `x · (x / √(x² + 1) + 1) / 2`
    Dish,
}

/// `x`, not below `low` and not above `high`; NaN stays NaN.
#[inline(always)]
fn clip<S: Simd>(simd: S, x: S::F32, low: f32, high: f32) -> S::F32 {
    simd.min(simd.splat(high), simd.max(simd.splat(low), x))
}

#[inline(always)]
fn line<S: Simd>(simd: S, x: S::F32, slope: f32, offset: f32) -> S::F32 {
    simd.add(simd.mul(x, simd.splat(slope)), simd.splat(offset))
}

#[inline(always)]
fn apply<S: Simd>(simd: S, kind: Piecewise, x: S::F32) -> S::F32 {
    match kind {
        Piecewise::Relu => simd.select(simd.le(x, simd.splat(0.0)), simd.splat(0.0), x),
        Piecewise::ClippedLinear { slope, offset, low, high } => {
            clip(simd, line(simd, x, slope, offset), low, high)
        }
        Piecewise::HardSwish => simd.mul(x, clip(simd, line(simd, x, 0.2, 0.5), 0.0, 1.0)),
        Piecewise::HardSwishMobilenet => {
            let clipped = clip(simd, simd.add(x, simd.splat(3.0)), 0.0, 6.0);
            simd.mul(x, simd.div(clipped, simd.splat(6.0)))
        }
        Piecewise::Dish => {
            let one = simd.splat(1.0);
            let root = simd.sqrt(simd.add(simd.mul(x, x), one));
            simd.mul(x, simd.mul(simd.add(simd.div(x, root), one), simd.splat(0.5)))
        }
    }
}

/// `inner` between `-edge` and `edge`, 0 below and 1 above.
#[inline(always)]
fn between<S: Simd>(simd: S, x: S::F32, edge: f32, inner: S::F32) -> S::F32 {
    let below = simd.lt(x, simd.splat(-edge));
    let value = simd.select(simd.lt(simd.splat(edge), x), simd.splat(1.0), inner);
    simd.select(below, simd.splat(0.0), value)
}

/// The derivative at `x`.
#[inline(always)]
fn slope_at<S: Simd>(simd: S, kind: Piecewise, x: S::F32) -> S::F32 {
    let zero = simd.splat(0.0);
    match kind {
        Piecewise::Relu => simd.select(simd.le(x, zero), zero, simd.splat(1.0)),
        Piecewise::ClippedLinear { slope, offset, low, high } => {
            let (low, high) = ((low - offset) / slope, (high - offset) / slope);
            let above = simd.select(simd.lt(simd.splat(low), x), simd.splat(slope), zero);
            simd.select(simd.lt(x, simd.splat(high)), above, zero)
        }
        Piecewise::HardSwish => between(simd, x, 2.5, line(simd, x, 0.4, 0.5)),
        Piecewise::HardSwishMobilenet => {
            let inner = simd.mul(line(simd, x, 2.0, 3.0), simd.splat(1.0 / 6.0));
            between(simd, x, 3.0, inner)
        }
        Piecewise::Dish => {
            let (half, square) = (simd.splat(0.5), simd.mul(x, x));
            let raised = simd.add(square, simd.splat(1.0));
            let root = simd.sqrt(raised);
            let second = simd.div(simd.mul(simd.mul(half, x), square), simd.mul(raised, root));
            simd.add(simd.sub(simd.div(x, root), second), half)
        }
    }
}

impl Pointwise for Piecewise {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        apply(simd, self, x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, d_y: S::F32, x: S::F32) -> S::F32 {
        if self == Piecewise::Relu {
            // No product: what thinc leaves out is 0 even where the gradient is not finite.
            let zero = simd.splat(0.0);
            return simd.select(simd.le(x, zero), zero, d_y);
        }
        simd.mul(d_y, slope_at(simd, self, x))
    }
}

crate::dispatch! {
    fn run_forward(kind: Piecewise, x: &[f32], out: &mut [f32]) -> () = forward;
}
crate::dispatch! {
    fn run_backward(kind: Piecewise, d_y: &[f32], x: &[f32], out: &mut [f32]) -> () = backward;
}

/// Writes the activation of each number of `x` to `out`. NaN stays NaN.
///
/// # Errors
/// [`KernelError::Shape`] if the lengths differ.
pub fn activate(isa: Isa, kind: Piecewise, x: &[f32], out: &mut [f32]) -> Result<(), KernelError> {
    KernelError::expect_len("activate: out", x.len(), out.len())?;
    run_forward(isa, kind, x, out);
    Ok(())
}

/// Writes the gradient of `x`, given `d_y`, that of the activation. For ReLU `x` may be its output as well.
///
/// # Errors
/// [`KernelError::Shape`] if the lengths differ.
pub fn backprop_activation(
    isa: Isa,
    kind: Piecewise,
    d_y: &[f32],
    x: &[f32],
    out: &mut [f32],
) -> Result<(), KernelError> {
    KernelError::expect_len("backprop_activation: x", d_y.len(), x.len())?;
    KernelError::expect_len("backprop_activation: out", d_y.len(), out.len())?;
    run_backward(isa, kind, d_y, x, out);
    Ok(())
}
