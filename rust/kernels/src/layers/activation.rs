//! Activations, number by number.
//!
//! The formulas, their clipping and thresholds are those of thinc's `NumpyOps`.

use super::pointwise::{Pointwise, backward, forward};
use crate::KernelError;
use crate::simd::math::{exp, polynomial, sigmoid};
use crate::simd::{Isa, Simd};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `1 / (1 + e^-x)`, of `x` clipped to ±20
    Sigmoid,
    /// `x · sigmoid(x)`
    Swish,
    /// `x · Φ(x)`, with Abramowitz & Stegun's approximation 7.1.26 of the error function (1.5e-7)
    Gelu,
    /// `x · tanh(ln(1 + e^x))`, and `x` itself from 20 on
    Mish,
}

/// Where sigmoids are clipped, and where Mish becomes the identity.
const LIMIT: f32 = 20.0;
const ERF_P: f32 = 0.327_591_1;
const ERF: [f32; 5] = [0.254_829_6, -0.284_496_72, 1.421_413_8, -1.453_152_1, 1.061_405_4];

const SIGMOID: u8 = 0;
const SWISH: u8 = 1;
const GELU: u8 = 2;
const MISH: u8 = 3;

#[inline(always)]
fn clipped_sigmoid<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    sigmoid(simd, simd.max(simd.splat(-LIMIT), simd.min(simd.splat(LIMIT), x)))
}

/// Φ(x) and φ(x) of the normal distribution.
#[inline(always)]
fn normal<S: Simd>(simd: S, x: S::F32) -> (S::F32, S::F32) {
    let (zero, half, one) = (simd.splat(0.0), simd.splat(0.5), simd.splat(1.0));
    let bell = exp(simd, simd.mul(simd.mul(x, x), simd.splat(-0.5)));
    let size = simd.mul(simd.abs(x), simd.splat(std::f32::consts::FRAC_1_SQRT_2));
    let t = simd.div(one, simd.mul_add(simd.splat(ERF_P), size, one));
    let tail = simd.mul(simd.mul(polynomial(simd, t, &ERF), t), bell);
    // erf is odd: half of 1 ± (1 - tail).
    let below = simd.mul(tail, half);
    let cdf = simd.select(simd.lt(x, zero), below, simd.sub(one, below));
    let cdf = simd.select(simd.eq(x, zero), half, cdf);
    (cdf, simd.mul(bell, simd.splat(0.398_942_3)))
}

/// `e^x` squared plus twice `e^x`, and `e^x`; tanh(ln(1 + e^x)) is the first over the first plus 2.
#[inline(always)]
fn mish_parts<S: Simd>(simd: S, x: S::F32) -> (S::F32, S::F32) {
    let e = exp(simd, simd.min(simd.splat(LIMIT), x));
    (simd.mul(e, simd.add(e, simd.splat(2.0))), e)
}

#[inline(always)]
fn apply<S: Simd, const KIND: u8>(simd: S, x: S::F32) -> S::F32 {
    match KIND {
        SIGMOID => clipped_sigmoid(simd, x),
        SWISH => simd.mul(x, clipped_sigmoid(simd, x)),
        GELU => simd.mul(x, normal(simd, x).0),
        _ => {
            let (n, _) = mish_parts(simd, x);
            let y = simd.mul(x, simd.div(n, simd.add(n, simd.splat(2.0))));
            simd.select(simd.le(simd.splat(LIMIT), x), x, y)
        }
    }
}

/// The derivative at `x`.
#[inline(always)]
fn slope<S: Simd, const KIND: u8>(simd: S, x: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    match KIND {
        SIGMOID => {
            let y = clipped_sigmoid(simd, x);
            simd.mul(y, simd.sub(one, y))
        }
        SWISH => {
            let s = clipped_sigmoid(simd, x);
            let y = simd.mul(x, s);
            simd.mul_add(s, simd.sub(one, y), y)
        }
        GELU => {
            let (cdf, pdf) = normal(simd, x);
            simd.mul_add(x, pdf, cdf)
        }
        _ => {
            let (n, e) = mish_parts(simd, x);
            let d = simd.add(n, simd.splat(2.0));
            let curve = simd.div(simd.mul(simd.mul(e, simd.splat(4.0)), simd.add(e, one)), simd.mul(d, d));
            simd.select(simd.le(simd.splat(LIMIT), x), one, simd.mul_add(x, curve, simd.div(n, d)))
        }
    }
}

/// The function of a kind that is known while compiling, so that loops have no branch.
#[derive(Clone, Copy)]
struct Smooth<const KIND: u8>;

impl<const KIND: u8> Pointwise for Smooth<KIND> {
    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::F32) -> S::F32 {
        apply::<S, KIND>(simd, x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, d_y: S::F32, x: S::F32) -> S::F32 {
        simd.mul(d_y, slope::<S, KIND>(simd, x))
    }
}

#[inline(always)]
fn forward_body<S: Simd>(simd: S, kind: Activation, x: &[f32], out: &mut [f32]) {
    match kind {
        Activation::Sigmoid => forward(simd, Smooth::<SIGMOID>, x, out),
        Activation::Swish => forward(simd, Smooth::<SWISH>, x, out),
        Activation::Gelu => forward(simd, Smooth::<GELU>, x, out),
        Activation::Mish => forward(simd, Smooth::<MISH>, x, out),
    }
}

#[inline(always)]
fn backward_body<S: Simd>(simd: S, kind: Activation, d_y: &[f32], x: &[f32], out: &mut [f32]) {
    match kind {
        Activation::Sigmoid => backward(simd, Smooth::<SIGMOID>, d_y, x, out),
        Activation::Swish => backward(simd, Smooth::<SWISH>, d_y, x, out),
        Activation::Gelu => backward(simd, Smooth::<GELU>, d_y, x, out),
        Activation::Mish => backward(simd, Smooth::<MISH>, d_y, x, out),
    }
}

crate::dispatch! {
    fn run_forward(kind: Activation, x: &[f32], out: &mut [f32]) -> () = forward_body;
}

crate::dispatch! {
    fn run_backward(kind: Activation, d_y: &[f32], x: &[f32], out: &mut [f32]) -> () = backward_body;
}

/// Writes the activation of each number of `x` to `out`. NaN stays NaN.
///
/// # Errors
/// [`KernelError::Shape`] if the lengths differ.
pub fn activate(isa: Isa, kind: Activation, x: &[f32], out: &mut [f32]) -> Result<(), KernelError> {
    KernelError::expect_len("activate: out", x.len(), out.len())?;
    run_forward(isa, kind, x, out);
    Ok(())
}

/// Writes the gradient of `x`, given `d_y`, that of the activation.
///
/// # Errors
/// [`KernelError::Shape`] if the lengths differ.
pub fn backprop_activation(
    isa: Isa,
    kind: Activation,
    d_y: &[f32],
    x: &[f32],
    out: &mut [f32],
) -> Result<(), KernelError> {
    KernelError::expect_len("backprop_activation: x", d_y.len(), x.len())?;
    KernelError::expect_len("backprop_activation: out", d_y.len(), out.len())?;
    run_backward(isa, kind, d_y, x, out);
    Ok(())
}
