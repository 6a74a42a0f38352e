//! What thinc's `CategoricalCrossentropy` computes, for components that keep spaCy's numbers.

use super::Labels;
use crate::KernelError;
use crate::real::Real;
use crate::reference::losses::probability_difference;
use crate::rows::blocks::sum_blocks;
use crate::rows::{Machine, Rows, RowsMut};

/// The same loops for both number types: the compiler vectorizes the subtraction, and the numbers must be thinc's.
pub(super) fn run<T: Real>(
    machine: Machine<'_>,
    probs: Rows<'_, T>,
    labels: &Labels<'_>,
    divisor: T,
    out: RowsMut<'_, T>,
) -> Result<f64, KernelError> {
    if let Some(found) = probs.data().iter().find(|p| **p < T::ZERO || **p > T::ONE) {
        return Err(KernelError::Value {
            what: "a probability",
            expected: "from 0 to 1; give the output of a softmax, not logits".to_owned(),
            found: found.to_string(),
        });
    }
    let smoothing = labels.peak_and_rest::<T>(probs.width());
    Ok(sum_blocks(machine, out, |rows, mut out| {
        let mut loss = 0.0;
        for (i, row) in rows.enumerate() {
            let out = out.row_mut(i);
            match labels.column(row) {
                None => out.fill(T::ZERO),
                Some(label) => {
                    let negative = labels.is_negative(row);
                    loss += probability_difference(probs.row(row), label, negative, smoothing, divisor, out);
                }
            }
        }
        loss
    }))
}
