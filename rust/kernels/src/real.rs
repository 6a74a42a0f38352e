//! The number types that rows are made of.

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// `f32`, which the vector kernels run, or `f64`, for which the reference loops stand in.
pub trait Real:
    Copy
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// Minus infinity.
    const NEG_INFINITY: Self;
    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// The same number, longer.
    fn wide(self) -> f64;
    /// `e^self`
    fn exp(self) -> Self;
    /// `ln(self)`
    fn ln(self) -> Self;
    /// `ln(1 + self)`
    fn ln_1p(self) -> Self;
    /// `|self|`
    fn abs(self) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// Whether it is inf or -inf.
    fn is_infinite(self) -> bool;
}

macro_rules! real {
    ($type:ty, $of:expr, $wide:expr) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = <$type>::NEG_INFINITY;
            fn of(value: f64) -> Self {
                $of(value)
            }
            fn wide(self) -> f64 {
                $wide(self)
            }
            fn exp(self) -> Self {
                self.exp()
            }
            fn ln(self) -> Self {
                self.ln()
            }
            fn ln_1p(self) -> Self {
                self.ln_1p()
            }
            fn abs(self) -> Self {
                self.abs()
            }
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            fn is_infinite(self) -> bool {
                self.is_infinite()
            }
        }
    };
}

real!(f32, |value| value as f32, f64::from);
real!(f64, |value| value, |value| value);
