//! Kernels that take each row of a matrix by itself: softmax and its relatives.
//!
//! Each function checks its shapes and runs the vector code for `f32` and the loops of [`reference`](crate::reference)
//! for `f64`. Called inside a rayon pool the rows are shared among its threads; the result has the same bits for any
//! number of them.
//!
//! NaN and infinities: a row with a NaN or +inf in it comes out of `softmax` and `log_softmax` as NaN, and so does a
//! row of -inf only; -inf beside finite numbers has probability 0. Other rows are not affected.

mod backward;
pub(crate) mod batches;
pub(crate) mod blocks;
pub(crate) mod free;
pub(crate) mod job;
mod narrow;
mod reduce;
mod softmax;
pub(crate) mod sweep;
pub(crate) mod through;
mod view;
mod wide;

#[cfg(test)]
mod tests;

pub use blocks::Machine;
pub use view::{Rows, RowsMut};

use crate::KernelError;
use crate::real::Real;
use crate::reference;

pub(crate) fn check_like<T>(
    what: &'static str,
    like: Rows<'_, T>,
    n: usize,
    w: usize,
) -> Result<(), KernelError> {
    if (like.n_rows(), like.width()) == (n, w) {
        return Ok(());
    }
    Err(KernelError::Shape {
        what,
        expected: format!("{} × {}", like.n_rows(), like.width()),
        found: format!("{n} × {w}"),
    })
}

pub(crate) fn check_temperature<T: Real>(what: &'static str, temperature: T) -> Result<(), KernelError> {
    let inverse = (T::ONE / temperature).wide();
    if temperature > T::ZERO && inverse.is_finite() && inverse > 0.0 {
        return Ok(());
    }
    Err(KernelError::Value {
        what,
        expected: "a positive, finite temperature".to_owned(),
        found: temperature.to_string(),
    })
}

/// The kernels over rows of one number type.
pub trait RowKernels: Real {
    /// `out_c = exp(x_c / T) / Σ exp(x / T)`, row by row.
    ///
    /// # Errors
    /// If the shapes differ or the temperature is not positive and finite.
    fn softmax(
        machine: Machine<'_>,
        x: Rows<'_, Self>,
        out: RowsMut<'_, Self>,
        temperature: Self,
    ) -> Result<(), KernelError>;

    /// `out_c = x_c / T - ln Σ exp(x / T)`, row by row.
    ///
    /// # Errors
    /// If the shapes differ or the temperature is not positive and finite.
    fn log_softmax(
        machine: Machine<'_>,
        x: Rows<'_, Self>,
        out: RowsMut<'_, Self>,
        temperature: Self,
    ) -> Result<(), KernelError>;

    /// The gradient through [`softmax`](RowKernels::softmax), from its output `y` and the gradient `d_y` of that.
    ///
    /// # Errors
    /// If the shapes differ or the temperature is not positive and finite.
    fn backprop_softmax(
        machine: Machine<'_>,
        y: Rows<'_, Self>,
        d_y: Rows<'_, Self>,
        out: RowsMut<'_, Self>,
        temperature: Self,
    ) -> Result<(), KernelError>;

    /// The gradient through [`log_softmax`](RowKernels::log_softmax), from its output `y` and the gradient `d_y` of
    /// that.
    ///
    /// # Errors
    /// If the shapes differ or the temperature is not positive and finite.
    fn backprop_log_softmax(
        machine: Machine<'_>,
        y: Rows<'_, Self>,
        d_y: Rows<'_, Self>,
        out: RowsMut<'_, Self>,
        temperature: Self,
    ) -> Result<(), KernelError>;

    /// `ln Σ exp(x)` of each row; inf if it holds an inf, -inf if it is empty or holds nothing but -inf.
    ///
    /// # Errors
    /// If `out` does not have one number a row.
    fn logsumexp(machine: Machine<'_>, x: Rows<'_, Self>, out: &mut [Self]) -> Result<(), KernelError>;

    /// The first index of each row's largest number, or of its first NaN.
    ///
    /// # Errors
    /// If `out` does not have one number a row, or the rows have no numbers.
    fn argmax(machine: Machine<'_>, x: Rows<'_, Self>, out: &mut [i64]) -> Result<(), KernelError>;
}

/// The checks, then the vector code or the loops.
macro_rules! row_kernels {
    ($type:ty, $run:ident) => {
        impl RowKernels for $type {
            fn softmax(
                machine: Machine<'_>,
                x: Rows<'_, $type>,
                out: RowsMut<'_, $type>,
                t: $type,
            ) -> Result<(), KernelError> {
                check_like("softmax: out", x, out.n_rows(), out.width())?;
                check_temperature("softmax: temperature", t)?;
                $run::softmax(machine, x, out, t);
                Ok(())
            }
            fn log_softmax(
                machine: Machine<'_>,
                x: Rows<'_, $type>,
                out: RowsMut<'_, $type>,
                t: $type,
            ) -> Result<(), KernelError> {
                check_like("log_softmax: out", x, out.n_rows(), out.width())?;
                check_temperature("log_softmax: temperature", t)?;
                $run::log_softmax(machine, x, out, t);
                Ok(())
            }
            fn backprop_softmax(
                machine: Machine<'_>,
                y: Rows<'_, $type>,
                d_y: Rows<'_, $type>,
                out: RowsMut<'_, $type>,
                t: $type,
            ) -> Result<(), KernelError> {
                check_like("backprop_softmax: d_y", y, d_y.n_rows(), d_y.width())?;
                check_like("backprop_softmax: out", y, out.n_rows(), out.width())?;
                check_temperature("backprop_softmax: temperature", t)?;
                $run::backprop_softmax(machine, y, d_y, out, t);
                Ok(())
            }
            fn backprop_log_softmax(
                machine: Machine<'_>,
                y: Rows<'_, $type>,
                d_y: Rows<'_, $type>,
                out: RowsMut<'_, $type>,
                t: $type,
            ) -> Result<(), KernelError> {
                check_like("backprop_log_softmax: d_y", y, d_y.n_rows(), d_y.width())?;
                check_like("backprop_log_softmax: out", y, out.n_rows(), out.width())?;
                check_temperature("backprop_log_softmax: temperature", t)?;
                $run::backprop_log_softmax(machine, y, d_y, out, t);
                Ok(())
            }
            fn logsumexp(
                machine: Machine<'_>,
                x: Rows<'_, $type>,
                out: &mut [$type],
            ) -> Result<(), KernelError> {
                reduce::check_out("logsumexp: out", x.n_rows(), out.len())?;
                $run::logsumexp(machine, x, out);
                Ok(())
            }
            fn argmax(machine: Machine<'_>, x: Rows<'_, $type>, out: &mut [i64]) -> Result<(), KernelError> {
                reduce::check_out("argmax: out", x.n_rows(), out.len())?;
                if x.width() == 0 && x.n_rows() > 0 {
                    return Err(KernelError::Value {
                        what: "argmax: width of the rows",
                        expected: "at least 1".to_owned(),
                        found: "0".to_owned(),
                    });
                }
                $run::argmax(machine, x, out);
                Ok(())
            }
        }
    };
}

/// The vector code.
mod vector {
    pub(super) use super::backward::{log_softmax as backprop_log_softmax, softmax as backprop_softmax};
    pub(super) use super::reduce::{argmax, logsumexp};
    pub(super) use super::softmax::{log_softmax, softmax};
}

/// The reference loops, in blocks of rows.
mod loops {
    use super::blocks::each_block;
    use super::{Machine, Real, Rows, RowsMut, reference::rows};

    pub(super) fn softmax<T: Real>(
        machine: Machine<'_>,
        x: Rows<'_, T>,
        out: RowsMut<'_, T>,
        temperature: T,
    ) {
        each_block(machine, out, |block, mut out| {
            for (i, row) in block.enumerate() {
                rows::softmax(x.row(row), out.row_mut(i), temperature);
            }
        });
    }

    pub(super) fn log_softmax<T: Real>(
        machine: Machine<'_>,
        x: Rows<'_, T>,
        out: RowsMut<'_, T>,
        temperature: T,
    ) {
        each_block(machine, out, |block, mut out| {
            for (i, row) in block.enumerate() {
                rows::log_softmax(x.row(row), out.row_mut(i), temperature);
            }
        });
    }

    pub(super) fn backprop_softmax<T: Real>(
        machine: Machine<'_>,
        y: Rows<'_, T>,
        d_y: Rows<'_, T>,
        out: RowsMut<'_, T>,
        temperature: T,
    ) {
        each_block(machine, out, |block, mut out| {
            for (i, row) in block.enumerate() {
                rows::backprop_softmax(y.row(row), d_y.row(row), out.row_mut(i), temperature);
            }
        });
    }

    pub(super) fn backprop_log_softmax<T: Real>(
        machine: Machine<'_>,
        y: Rows<'_, T>,
        d_y: Rows<'_, T>,
        out: RowsMut<'_, T>,
        temperature: T,
    ) {
        each_block(machine, out, |block, mut out| {
            for (i, row) in block.enumerate() {
                rows::backprop_log_softmax(y.row(row), d_y.row(row), out.row_mut(i), temperature);
            }
        });
    }

    pub(super) fn logsumexp<T: Real>(_machine: Machine<'_>, x: Rows<'_, T>, out: &mut [T]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = rows::logsumexp(x.row(i));
        }
    }

    pub(super) fn argmax<T: Real>(_machine: Machine<'_>, x: Rows<'_, T>, out: &mut [i64]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = rows::argmax(x.row(i)) as i64;
        }
    }
}

row_kernels!(f32, vector);
row_kernels!(f64, loops);
