//! Losses between two rows, both through exponentials: soft cross-entropy and KL divergence.

use super::pair_rows::{Block, forward_block, reverse_block, soft_block};
use super::{Reduction, Weights, plain_factor};
use crate::KernelError;
use crate::real::Real;
use crate::reference::losses as reference;
use crate::rows::batches::Course;
use crate::rows::blocks::{is_streamed, sum_blocks, with_scratch};
use crate::rows::free::scratch_for;
use crate::rows::{Machine, Rows, RowsMut, check_like};

/// Which way a KL divergence looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// KL(teacher ‖ student): the student must cover whatever the teacher thinks possible.
    Forward,
    /// KL(student ‖ teacher): the student must not go where the teacher does not.
    Reverse,
}

pub(super) fn check<T: Real>(
    what: &'static str,
    x: Rows<'_, T>,
    other: Rows<'_, T>,
    weights: &Weights<'_, T>,
    out: &RowsMut<'_, T>,
) -> Result<(), KernelError> {
    check_like(what, x, other.n_rows(), other.width())?;
    check_like("out", x, out.n_rows(), out.width())?;
    weights.check(x.n_rows(), x.width())
}

/// What makes vector and reference code differ.
pub(super) trait Pairs: Real {
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, Self>,
        targets: Rows<'_, Self>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, Self>,
        teacher: Rows<'_, Self>,
        setting: (Self, Direction),
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
}

impl Pairs for f64 {
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, f64>,
        targets: Rows<'_, f64>,
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_rows(machine, weights, reduction, out, |row, weight, out| {
            reference::soft_cross_entropy(logits.row(row), targets.row(row), weights.classes, weight, out)
        })
    }

    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, f64>,
        teacher: Rows<'_, f64>,
        (temperature, direction): (f64, Direction),
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_rows(machine, weights, reduction, out, |row, weight, out| {
            reference::kl_divergence(student.row(row), teacher.row(row), temperature, direction, weight, out)
        })
    }
}

/// Runs a loss of the reference over all rows: `loss(row, weight, out)`.
pub(crate) fn by_rows<T: Real>(
    machine: Machine<'_>,
    weights: Weights<'_, T>,
    reduction: Reduction,
    out: RowsMut<'_, T>,
    loss: impl Fn(usize, T, &mut [T]) -> T + Sync,
) -> f64 {
    let factor = plain_factor(reduction, &weights, out.n_rows());
    let total = sum_blocks(machine, out, |rows, mut out| {
        let mut total = 0.0;
        for (i, row) in rows.enumerate() {
            let weight = weights.row(row).wide();
            if weight > 0.0 {
                total += weight * loss(row, T::of(weight * factor), out.row_mut(i)).wide();
            } else {
                out.row_mut(i).fill(T::ZERO);
            }
        }
        total
    });
    total * factor
}

impl Pairs for f32 {
    fn soft_cross_entropy(
        machine: Machine<'_>,
        logits: Rows<'_, f32>,
        targets: Rows<'_, f32>,
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        let width = logits.width();
        let factor = plain_factor(reduction, &weights, logits.n_rows());
        let streamed = is_streamed(logits.n_rows(), width, 2);
        let total = sum_blocks(machine, out, |rows, out| {
            let weighted = weights.classes.map(|w| weighted(targets.slice(rows.clone()), w));
            let targets = match &weighted {
                Some(data) => {
                    Rows::new(data, rows.len(), width).unwrap_or_else(|_| targets.slice(rows.clone()))
                }
                None => targets.slice(rows.clone()),
            };
            let block = Block {
                course: Course { first: rows.start, inverse: 1.0, streamed },
                rows: [logits.slice(rows), targets],
                row_weights: weights.rows,
                factor,
            };
            with_scratch(scratch_for(2, 3, width), |scratch| soft_block(machine.isa, &block, out, scratch))
        });
        total * factor
    }

    fn kl_divergence(
        machine: Machine<'_>,
        student: Rows<'_, f32>,
        teacher: Rows<'_, f32>,
        (temperature, direction): (f32, Direction),
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        let width = student.width();
        let factor = plain_factor(reduction, &weights, student.n_rows());
        let streamed = is_streamed(student.n_rows(), width, 2);
        let total = sum_blocks(machine, out, |rows, out| {
            let block = Block {
                course: Course { first: rows.start, inverse: 1.0 / temperature, streamed },
                rows: [student.slice(rows.clone()), teacher.slice(rows)],
                row_weights: weights.rows,
                factor,
            };
            with_scratch(scratch_for(2, 3, width), |scratch| match direction {
                Direction::Forward => forward_block(machine.isa, &block, out, scratch),
                Direction::Reverse => reverse_block(machine.isa, &block, out, scratch),
            })
        });
        total * factor
    }
}

/// The targets times the class weights.
fn weighted(targets: Rows<'_>, class_weights: &[f32]) -> Vec<f32> {
    (0..targets.n_rows())
        .flat_map(|row| targets.row(row).iter().zip(class_weights).map(|(target, weight)| target * weight))
        .collect()
}
