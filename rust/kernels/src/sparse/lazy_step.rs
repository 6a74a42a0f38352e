//! An optimizer step for the weights a batch touched.

use super::columns::{gather, scatter, sizes};
use crate::KernelError;

/// The numbers of one lazy step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LazyStep {
    /// The number of this step, from 1.
    pub step: i64,
    /// How far: the learning rate, with the corrections of the moments.
    pub rate: f32,
    /// How much of the moments stays each step; (0, 0) is a step along the gradient.
    pub keep: (f32, f32),
    /// What keeps Adam's quotient finite.
    pub eps: f32,
    /// The gradient is scaled to this norm if its own is as large or larger; 0 is never.
    pub clip: f32,
    /// So much of the weights is taken off them each step.
    pub decay: f32,
}

/// What is kept of the touched columns; a column's row number is its *slot*.
#[derive(Debug)]
pub struct Moments<'a> {
    /// The slot of each column of the batch.
    pub slots: &'a [u32],
    /// (n_slots, n_outputs)
    pub first: &'a mut [f32],
    /// (n_slots, n_outputs)
    pub second: &'a mut [f32],
    /// For each slot the number of the step that last touched it, 0 for none.
    pub last: &'a mut [i64],
}

/// Steps the weights of `columns` along `d_rows` (n_columns, n_outputs), and leaves all others alone.
///
/// The lazy form of Adam: moments fade, and weights decay, by as many steps as have passed since the column was last
/// touched; the drift of a weight without gradient along its old first moment is left out. Where every column is
/// touched by every step, and for plain gradient descent without decay, the result is that of the dense step.
///
/// # Errors
/// [`KernelError::Shape`] or [`KernelError::Index`] if the sizes do not fit. Nothing is changed then.
pub fn lazy_step(
    weights: &mut [f32],
    columns: &[u32],
    d_rows: &[f32],
    step: LazyStep,
    moments: Moments<'_>,
) -> Result<(), KernelError> {
    let (n_outputs, _) = sizes(weights.len(), columns, d_rows.len())?;
    let mut rows = vec![0.0; d_rows.len()];
    gather(weights, columns, &mut rows)?;
    let places: Vec<u32> = (0..columns.len() as u32).collect();
    step_rows(&mut rows, &places, d_rows, n_outputs, step, moments)?;
    scatter(weights, columns, &rows)
}

/// [`lazy_step`] for weights that are rows already: those at `places` move along `d_rows`.
///
/// # Errors
/// As [`lazy_step`].
pub(crate) fn step_rows(
    rows: &mut [f32],
    places: &[u32],
    d_rows: &[f32],
    n_outputs: usize,
    step: LazyStep,
    moments: Moments<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("lazy_step: slots", places.len(), moments.slots.len())?;
    let n_slots = moments.last.len();
    KernelError::expect_len("lazy_step: the first moment", n_slots * n_outputs, moments.first.len())?;
    KernelError::expect_len("lazy_step: the second moment", n_slots * n_outputs, moments.second.len())?;
    if let Some(position) = moments.slots.iter().position(|&slot| slot as usize >= n_slots) {
        return Err(KernelError::Index {
            what: "lazy_step: slots",
            position,
            found: i64::from(moments.slots[position]),
            expected: format!("below {n_slots}"),
        });
    }
    if n_outputs == 0 {
        return Ok(());
    }
    let scale = clip_scale(d_rows, step.clip);
    for ((&place, &slot), d_row) in places.iter().zip(moments.slots).zip(d_rows.chunks_exact(n_outputs)) {
        let (place, slot) = (place as usize * n_outputs, slot as usize);
        let passed = (step.step - moments.last[slot]).clamp(1, i64::from(i32::MAX)) as i32;
        moments.last[slot] = step.step;
        step_row(
            &mut rows[place..place + n_outputs],
            d_row,
            &mut moments.first[slot * n_outputs..][..n_outputs],
            &mut moments.second[slot * n_outputs..][..n_outputs],
            step,
            passed,
            scale,
        );
    }
    Ok(())
}

/// One row: `passed` steps since it was last moved, gradient times `scale`.
#[inline]
fn step_row(
    row: &mut [f32],
    d_row: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    step: LazyStep,
    passed: i32,
    scale: f32,
) {
    let missed = (1.0 - step.decay).powi(passed - 1);
    if step.keep == (0.0, 0.0) {
        for (weight, d_weight) in row.iter_mut().zip(d_row) {
            let moved = *weight * missed - step.rate * (d_weight * scale);
            *weight = moved - step.decay * moved;
        }
        return;
    }
    let fade = (step.keep.0.powi(passed), step.keep.1.powi(passed));
    let new = (1.0 - step.keep.0, 1.0 - step.keep.1);
    for (((weight, d_weight), first), second) in row.iter_mut().zip(d_row).zip(first).zip(second) {
        let gradient = d_weight * scale;
        *first = *first * fade.0 + gradient * new.0;
        *second = *second * fade.1 + gradient * gradient * new.1;
        let moved = *weight * missed - step.rate * (*first / (second.sqrt() + step.eps));
        *weight = moved - step.decay * moved;
    }
}

fn clip_scale(gradient: &[f32], clip: f32) -> f32 {
    if clip == 0.0 {
        return 1.0;
    }
    let norm = gradient
        .chunks(1 << 10)
        .map(|part| f64::from(part.iter().map(|number| number * number).sum::<f32>()))
        .sum::<f64>()
        .sqrt();
    if norm >= f64::from(clip) { (f64::from(clip) / norm) as f32 } else { 1.0 }
}
