//! Elementary functions, lane by lane. Coefficients: own weighted minimax fits.

use super::lanes::Simd;

/// Above it `e^x` is infinite.
const EXP_HIGHEST: f32 = 89.0;
/// Below it `e^x` is zero, subnormals included.
const EXP_LOWEST: f32 = -104.0;
/// ln 2 in two parts; the first has zeros in its last bits, so that a whole number times it is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// (e^r - 1 - r) / r² for |r| <= ln 2 / 2; relative error of the whole 3e-9.
const EXP_TAIL: [f32; 5] = [4.999_999_4e-1, 1.666_652_1e-1, 4.166_839e-2, 8.368_717e-3, 1.381_459_9e-3];
/// (2^r - 1) / r for 0 <= r <= 1; relative error of the whole 9e-8.
#[allow(clippy::approx_constant, reason = "the first is near ln 2, as it must be, and not it")]
const EXP2_TAIL: [f32; 5] = [6.931_513e-1, 2.401_644_4e-1, 5.579_991_3e-2, 9.017_031e-3, 1.867_13e-3];
/// (2^r - 1) / r for |r| <= ½; relative error of the whole 1e-7.
#[allow(clippy::approx_constant, reason = "the first is ln 2 to the last bit but one")]
const EXP2_NEAR: [f32; 5] = [6.931_47e-1, 2.402_224_7e-1, 5.550_711e-2, 9.671_292e-3, 1.326_953_4e-3];
/// (ln(1+f) - f + f²/2) / f³ for √½ - 1 <= f <= √2 - 1; relative error of the whole 6e-9.
const LN_TAIL: [f32; 8] = [
    3.333_333e-1,
    -2.500_082e-1,
    2.000_122_7e-1,
    -1.662_335_7e-1,
    1.420_175_7e-1,
    -1.316_018_3e-1,
    1.276_158e-1,
    -7.634_500_4e-2,
];

/// (tanh x - x) / x³ in terms of x², for |x| < [`TANH_NEAR`]; relative error of the whole 4e-9.
const TANH_TAIL: [f32; 5] = [-3.333_328e-1, 1.333_144_2e-1, -5.373_971_5e-2, 2.063_908_6e-2, -5.704_986_4e-3];
const TANH_NEAR: f32 = 0.625;

/// Horner's rule: `coefficients[0] + x * (coefficients[1] + ...)`.
#[inline(always)]
pub fn polynomial<S: Simd, const N: usize>(simd: S, x: S::F32, coefficients: &[f32; N]) -> S::F32 {
    let mut value = simd.splat(coefficients[N - 1]);
    for &coefficient in coefficients[..N - 1].iter().rev() {
        value = simd.mul_add(value, x, simd.splat(coefficient));
    }
    value
}

/// `e^x`, within 1.5 units in the last place (2 on [`Scalar`](super::Scalar)), subnormal results included.
///
/// `exp(-inf)` is exactly 0, `exp(0)` exactly 1, `exp(inf)` infinite, `exp(NaN)` NaN.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    // `max` and `min` give their second argument for NaN, so NaN passes through both.
    exp_clamped(simd, simd.min(simd.splat(EXP_HIGHEST), x))
}

/// [`exp`] for numbers that are not above 89, as in a softmax; others give anything.
#[inline(always)]
pub fn exp_clamped<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let x = simd.max(simd.splat(EXP_LOWEST), x);
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    let r = simd.neg_mul_add(n, simd.splat(LN_2_HIGH), x);
    let r = simd.neg_mul_add(n, simd.splat(LN_2_LOW), r);
    let tail = polynomial(simd, r, &EXP_TAIL);
    let power = simd.add(simd.mul_add(simd.mul(r, r), tail, r), simd.splat(1.0));
    simd.scale_by_power(power, n)
}

/// `2^x` for `x <= 0`, as in a softmax (others give anything), within 2e-7 of the result; below -126, where results
/// are subnormal, within 1e-45. Half the work of [`exp`].
///
/// `exp2(-inf)` is exactly 0, `exp2(0)` exactly 1, `exp2(NaN)` NaN.
#[inline(always)]
pub fn exp2<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let (whole, rest) = simd.split_floor(x);
    let power = simd.mul_add(rest, polynomial(simd, rest, &EXP2_TAIL), simd.splat(1.0));
    simd.scale_by_floor(power, whole)
}

/// `2^(factor x)`, within 2e-7 of the result where it is a normal float, for any size of `x` (the product is not
/// rounded). Zero and infinite beyond what floats hold, exactly 0 for -inf; infinite or NaN for inf, NaN for NaN.
#[derive(Clone, Copy)]
pub struct Powers<S: Simd> {
    factor: S::F32,
    /// Below it, the result is 0.
    lowest: S::F32,
    /// Above it, infinite.
    highest: S::F32,
}

impl<S: Simd> Powers<S> {
    /// For a positive factor.
    #[inline(always)]
    pub fn new(simd: S, factor: f32) -> Self {
        Self {
            factor: simd.splat(factor),
            lowest: simd.splat((-160.0 / factor).max(f32::MIN)),
            highest: simd.splat((160.0 / factor).min(f32::MAX)),
        }
    }

    /// The powers of one vector.
    #[inline(always)]
    pub fn of(&self, simd: S, x: S::F32) -> S::F32 {
        // NaN passes: the second argument where either is.
        let mut x = simd.max(self.lowest, x);
        if !S::ANY_POWER {
            x = simd.min(self.highest, x);
        }
        let n = simd.round(simd.mul(x, self.factor));
        let r = simd.mul_sub(x, self.factor, n);
        let power = simd.mul_add(r, polynomial(simd, r, &EXP2_NEAR), simd.splat(1.0));
        simd.scale_by_power(power, n)
    }
}

/// `ln x`, within 2 units in the last place (3 on [`Scalar`](super::Scalar)), subnormal arguments included.
///
/// `ln(0)` is -inf, `ln(inf)` inf, `ln` of a negative number or NaN is NaN.
#[inline(always)]
pub fn ln<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    let (exponent, mantissa) = simd.split_exponent(x);
    // The mantissa goes from [1, 2) to [√½, √2), so that ln x does not cancel near 1.
    let high = simd.lt(simd.splat(std::f32::consts::SQRT_2), mantissa);
    let mantissa = simd.select(high, simd.mul(mantissa, simd.splat(0.5)), mantissa);
    let exponent = simd.select(high, simd.add(exponent, one), exponent);
    let f = simd.sub(mantissa, one);
    let f2 = simd.mul(f, f);
    let tail = simd.mul(simd.mul(f, f2), polynomial(simd, f, &LN_TAIL));
    let tail = simd.mul_add(exponent, simd.splat(LN_2_LOW), tail);
    let small = simd.add(simd.neg_mul_add(f2, simd.splat(0.5), tail), f);
    let value = simd.mul_add(exponent, simd.splat(LN_2_HIGH), small);

    let infinity = simd.splat(f32::INFINITY);
    let value = simd.select(simd.lt(x, infinity), value, x);
    let zero = simd.splat(0.0);
    let value = simd.select(simd.eq(x, zero), simd.splat(f32::NEG_INFINITY), value);
    simd.select(simd.lt(x, zero), simd.splat(f32::NAN), value)
}

/// `ln(1 + x)` for `0 <= x <= 1`, within 3 units in the last place (5 on [`Scalar`](super::Scalar)).
#[inline(always)]
pub fn ln_1p<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    let sum = simd.add(one, x);
    // What the addition lost, put back to first order: ln(s + d) = ln s + d / s.
    let lost = simd.sub(x, simd.sub(sum, one));
    simd.add(ln(simd, sum), simd.div(lost, sum))
}

/// `1 / (1 + e^-x)`, within 3 units in the last place (4 on [`Scalar`](super::Scalar)); 0 and 1 at the infinities.
#[inline(always)]
pub fn sigmoid<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    let zero = simd.splat(0.0);
    // e^-|x| cannot overflow. For x < 0 it is the numerator, which keeps small results exact.
    let decay = exp_clamped(simd, simd.sub(zero, simd.abs(x)));
    let top = simd.select(simd.lt(x, zero), decay, one);
    simd.div(top, simd.add(one, decay))
}

/// `tanh x`, within 4 units in the last place (6 on [`Scalar`](super::Scalar)); ±1 at the infinities.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::F32) -> S::F32 {
    let one = simd.splat(1.0);
    let size = simd.abs(x);
    // (1 - e^-2x) / (1 + e^-2x), except near zero where the difference cancels: there an odd polynomial.
    let decay = exp_clamped(simd, simd.mul(size, simd.splat(-2.0)));
    let far = simd.div(simd.sub(one, decay), simd.add(one, decay));
    let square = simd.mul(x, x);
    let near = simd.mul_add(simd.mul(size, square), polynomial(simd, square, &TANH_TAIL), size);
    let value = simd.select(simd.lt(size, simd.splat(TANH_NEAR)), near, far);
    simd.with_sign(value, x)
}
