//! Losses with their gradients, in one pass.
//!
//! Losses are in nats. A row's loss is the sum over its columns; a batch's is the sum over its rows, or their mean:
//! `Σ w_r l_r / Σ w_r`, over rows that are not missing, with `w_r` the row's weight. The gradient is that of the number
//! returned. A row of weight 0 is left out whatever it holds, NaN included: loss 0, gradient zeros.
//!
//! For `f32` the vector code runs, for `f64` the loops of [`reference`](crate::reference::losses). Sums over rows are
//! kept in `f64` and cut the same way for any number of threads.

mod elementwise;
mod labels;
mod mixed;
mod pair_rows;
mod pairs;
mod probabilities;

#[cfg(test)]
mod tests;

pub use labels::Labels;
pub use mixed::Lesson;
pub use pairs::Direction;

use crate::KernelError;
use crate::real::Real;
use crate::rows::{Machine, Rows, RowsMut};

/// What becomes of the rows' losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their weighted sum.
    Sum,
    /// Their weighted mean; 0 if no row takes part.
    Mean,
}

/// How much rows and columns count.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, T> {
    /// One number a row, not negative and finite; 0 leaves the row out. All 1 if absent.
    pub rows: Option<&'a [T]>,
    /// One number a column, not negative and finite. All 1 if absent.
    pub classes: Option<&'a [T]>,
}

impl<T> Default for Weights<'_, T> {
    fn default() -> Self {
        Self { rows: None, classes: None }
    }
}

impl<T: Real> Weights<'_, T> {
    fn check(&self, n_rows: usize, width: usize) -> Result<(), KernelError> {
        check_weights("row weights", self.rows, n_rows)?;
        check_weights("class weights", self.classes, width)
    }

    fn row(&self, row: usize) -> T {
        self.rows.map_or(T::ONE, |weights| weights[row])
    }
}

fn check_weights<T: Real>(what: &'static str, weights: Option<&[T]>, n: usize) -> Result<(), KernelError> {
    let Some(weights) = weights else { return Ok(()) };
    if weights.len() != n {
        return Err(KernelError::Shape {
            what,
            expected: format!("{n} numbers"),
            found: format!("{}", weights.len()),
        });
    }
    match weights.iter().find(|w| !(w.wide() >= 0.0 && w.wide().is_finite())) {
        None => Ok(()),
        Some(found) => Err(KernelError::Value {
            what: "a weight",
            expected: "a finite number that is not negative".to_owned(),
            found: found.to_string(),
        }),
    }
}

/// What each row's loss and gradient are multiplied by, before its own weight: 1, or 1 / the total weight.
fn row_factor(reduction: Reduction, total_weight: impl FnOnce() -> f64) -> f64 {
    match reduction {
        Reduction::Sum => 1.0,
        Reduction::Mean => {
            let total = total_weight();
            if total > 0.0 { 1.0 / total } else { 0.0 }
        }
    }
}

/// [`row_factor`] where only the rows' weights count.
fn plain_factor<T: Real>(reduction: Reduction, weights: &Weights<'_, T>, n_rows: usize) -> f64 {
    row_factor(reduction, || match weights.rows {
        Some(weights) => weights.iter().map(|w| w.wide()).sum(),
        None => n_rows as f64,
    })
}

/// The losses over rows of one number type. Each returns the loss and writes its gradient to `out`.
pub trait LossKernels: Real {
    /// Cross-entropy of the softmax of `logits` with a label a row.
    ///
    /// # Errors
    /// If shapes differ, a label is out of range, or a weight or the smoothing is no number that makes sense.
    fn cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, Self>,
        labels: &Labels<'_>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;

    /// Cross-entropy of the softmax of `logits` with a number a class: `Σ_c t_c w_c (logsumexp(x) - x_c)`.
    ///
    /// # Errors
    /// If shapes differ or a weight is no number that makes sense.
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;

    /// KL divergence between the softmaxes of two rows of logits over `temperature`; the gradient is the student's.
    ///
    /// # Errors
    /// If shapes differ, or the temperature or a weight is no number that makes sense. Class weights are refused.
    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, Self>,
        teacher: Rows<'_, Self>,
        setting: (Self, Direction),
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;

    /// `(1 - g) KL + g CE`: the divergence from a teacher mixed with the cross-entropy of gold labels, at temperature 1.
    /// Rows without a label learn from the teacher alone. Class weights are those of the gold labels.
    ///
    /// # Errors
    /// As for [`kl_divergence`](LossKernels::kl_divergence) and [`cross_entropy`](LossKernels::cross_entropy), or if
    /// the share of the gold labels is not from 0 to 1.
    fn distillation(
        machine: Machine<'_>,
        student: Rows<'_, Self>,
        lesson: &Lesson<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;

    /// Binary cross-entropy of logits, each column a question of its own: `Σ_c w_c (ln(1 + e^x) - t x)`.
    ///
    /// # Errors
    /// If shapes differ or a weight is no number that makes sense.
    fn binary_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;

    /// `Σ_c w_c (x - t)²`.
    ///
    /// # Errors
    /// If shapes differ or a weight is no number that makes sense.
    fn squared_error(
        machine: Machine<'_>,
        guesses: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;

    /// The loss and gradient of thinc's `CategoricalCrossentropy`: for probabilities `p` of a softmax layer (whose
    /// backward pass is the identity) the difference `d = (p - t) / divisor` and the loss `Σ d²`.
    ///
    /// # Errors
    /// If shapes differ, a label is out of range, or a number in `probs` is below 0 or above 1.
    fn probability_difference(
        machine: Machine<'_>,
        probs: Rows<'_, Self>,
        labels: &Labels<'_>,
        divisor: Self,
        out: RowsMut<'_, Self>,
    ) -> Result<f64, KernelError>;
}

macro_rules! loss_kernels {
    ($type:ty) => {
        impl LossKernels for $type {
            fn cross_entropy(
                machine: Machine<'_>,
                logits: Rows<'_, $type>,
                labels: &Labels<'_>,
                weights: Weights<'_, $type>,
                reduction: Reduction,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                labels::check("cross_entropy", logits, labels, &weights, &out)?;
                Ok(<$type as labels::CrossEntropy>::run(machine, logits, labels, weights, reduction, out))
            }
            fn soft_cross_entropy(
                machine: Machine<'_>,
                logits: Rows<'_, $type>,
                targets: Rows<'_, $type>,
                weights: Weights<'_, $type>,
                reduction: Reduction,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                pairs::check("soft_cross_entropy: targets", logits, targets, &weights, &out)?;
                Ok(<$type as pairs::Pairs>::soft_cross_entropy(
                    machine, logits, targets, weights, reduction, out,
                ))
            }
            fn kl_divergence(
                machine: Machine<'_>,
                student: Rows<'_, $type>,
                teacher: Rows<'_, $type>,
                setting: ($type, Direction),
                weights: Weights<'_, $type>,
                reduction: Reduction,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                pairs::check("kl_divergence: teacher", student, teacher, &weights, &out)?;
                crate::rows::check_temperature("kl_divergence: temperature", setting.0)?;
                if weights.classes.is_some() {
                    return Err(KernelError::Value {
                        what: "kl_divergence: class weights",
                        expected: "none; a divergence of weighted distributions is not one".to_owned(),
                        found: "some".to_owned(),
                    });
                }
                Ok(<$type as pairs::Pairs>::kl_divergence(
                    machine, student, teacher, setting, weights, reduction, out,
                ))
            }
            fn distillation(
                machine: Machine<'_>,
                student: Rows<'_, $type>,
                lesson: &Lesson<'_, $type>,
                weights: Weights<'_, $type>,
                reduction: Reduction,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                mixed::check(student, lesson, &weights, &out)?;
                Ok(mixed::run(machine, student, lesson, weights, reduction, out))
            }
            fn binary_cross_entropy(
                machine: Machine<'_>,
                logits: Rows<'_, $type>,
                targets: Rows<'_, $type>,
                weights: Weights<'_, $type>,
                reduction: Reduction,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                pairs::check("binary_cross_entropy: targets", logits, targets, &weights, &out)?;
                Ok(<$type as elementwise::Elementwise>::binary(
                    machine, logits, targets, weights, reduction, out,
                ))
            }
            fn squared_error(
                machine: Machine<'_>,
                guesses: Rows<'_, $type>,
                targets: Rows<'_, $type>,
                weights: Weights<'_, $type>,
                reduction: Reduction,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                pairs::check("squared_error: targets", guesses, targets, &weights, &out)?;
                Ok(<$type as elementwise::Elementwise>::squared(
                    machine, guesses, targets, weights, reduction, out,
                ))
            }
            fn probability_difference(
                machine: Machine<'_>,
                probs: Rows<'_, $type>,
                labels: &Labels<'_>,
                divisor: $type,
                out: RowsMut<'_, $type>,
            ) -> Result<f64, KernelError> {
                labels::check("probability_difference", probs, labels, &Weights::default(), &out)?;
                probabilities::run(machine, probs, labels, divisor, out)
            }
        }
    };
}

loss_kernels!(f32);
loss_kernels!(f64);
