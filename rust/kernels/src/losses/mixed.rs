//! Distillation: a divergence from the teacher mixed with cross-entropy against gold labels.

use super::labels::{self, CrossEntropy};
use super::pairs::{self, Pairs};
use super::{Direction, Labels, Reduction, Weights, plain_factor, row_factor};
use crate::KernelError;
use crate::real::Real;
use crate::rows::blocks::sum_blocks;
use crate::rows::{Machine, Rows, RowsMut};

/// What a student learns from.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a, T> {
    /// The teacher's logits.
    pub teacher: Rows<'a, T>,
    /// What both rows of logits are divided by.
    pub temperature: T,
    /// Which way the divergence looks.
    pub direction: Direction,
    /// The gold labels.
    pub labels: Labels<'a>,
    /// The share of the gold labels, from 0 to 1.
    pub gold: T,
}

pub(super) fn check<T: Real>(
    student: Rows<'_, T>,
    lesson: &Lesson<'_, T>,
    weights: &Weights<'_, T>,
    out: &RowsMut<'_, T>,
) -> Result<(), KernelError> {
    pairs::check("distillation: teacher", student, lesson.teacher, weights, out)?;
    labels::check("distillation", student, &lesson.labels, weights, out)?;
    crate::rows::check_temperature("distillation: temperature", lesson.temperature)?;
    if (0.0..=1.0).contains(&lesson.gold.wide()) {
        return Ok(());
    }
    Err(KernelError::Value {
        what: "distillation: the share of the gold labels",
        expected: "from 0 to 1".to_owned(),
        found: lesson.gold.to_string(),
    })
}

/// Block by block, so that the second loss finds the rows of the first in the cache.
pub(super) fn run<T: CrossEntropy + Pairs>(
    machine: Machine<'_>,
    student: Rows<'_, T>,
    lesson: &Lesson<'_, T>,
    weights: Weights<'_, T>,
    reduction: Reduction,
    out: RowsMut<'_, T>,
) -> f64 {
    let n_rows = student.n_rows();
    let gold = lesson.gold.wide();
    let soft_factor = (1.0 - gold) * plain_factor(reduction, &Weights { classes: None, ..weights }, n_rows);
    let gold_factor = gold * row_factor(reduction, || labels::total_weight(&lesson.labels, &weights));
    let alone = Machine::single(machine.isa);
    let setting = (lesson.temperature, lesson.direction);
    sum_blocks(machine, out, |rows, mut out| {
        let x = student.slice(rows.clone());
        let teacher = lesson.teacher.slice(rows.clone());
        let weights = Weights { rows: weights.rows.map(|w| &w[rows.clone()]), ..weights };
        let soft_weights = Weights { classes: None, ..weights };
        let soft = T::kl_divergence(alone, x, teacher, setting, soft_weights, Reduction::Sum, out.reborrow());

        let labels = Labels {
            labels: &lesson.labels.labels[rows.clone()],
            negative: lesson.labels.negative.map(|negative| &negative[rows]),
            ..lesson.labels
        };
        let mut d_hard = vec![T::ZERO; x.data().len()];
        let Ok(hard_rows) = RowsMut::new(&mut d_hard, x.n_rows(), x.width()) else { return 0.0 };
        let hard = T::run(alone, x, &labels, weights, Reduction::Sum, hard_rows);

        let (soft_share, hard_share) = (T::of(soft_factor), T::of(gold_factor));
        for (d_x, &d_hard) in out.into_data().iter_mut().zip(&d_hard) {
            *d_x = *d_x * soft_share + d_hard * hard_share;
        }
        soft * soft_factor + hard * gold_factor
    })
}
