//! The probabilities of a state's allowed actions.

use super::score::Scratch;
use crate::KernelError;
use crate::simd::{Simd, math};

#[inline(always)]
fn powers_body<S: Simd>(simd: S, scores: &[f32], highest: f32, powers: &mut [f32]) -> f32 {
    let from = simd.splat(highest);
    let mut sums = simd.splat(0.0);
    for (powers, scores) in powers.chunks_mut(S::LANES).zip(scores.chunks(S::LANES)) {
        let scores = simd.load_partial(scores, f32::NEG_INFINITY);
        let power = math::exp_clamped(simd, simd.sub(scores, from));
        simd.store_partial(powers, power);
        sums = simd.add(sums, power);
    }
    simd.sum(sums)
}

crate::dispatch! {
    /// Writes `exp(score - highest)` of each score, and returns the sum. `highest` is finite and not below any of them.
    pub(super) fn powers(scores: &[f32], highest: f32, powers: &mut [f32]) -> f32 = powers_body;
}

/// Writes `ln p` of each action among the allowed ones, negative infinity for the others.
///
/// The scores are divided by `temperature` first. Actions behind the network's last output have no score: where nothing
/// else is allowed, the first of them is certain.
pub(super) fn log_probabilities(scratch: &Scratch, temperature: f64, out: &mut [f64]) {
    out.fill(f64::NEG_INFINITY);
    let mut highest = f64::NEG_INFINITY;
    for ((out, &score), _) in
        out.iter_mut().zip(&scratch.scores).zip(&scratch.valid).filter(|(_, valid)| **valid)
    {
        *out = f64::from(score) / temperature;
        highest = highest.max(*out);
    }
    if highest == f64::NEG_INFINITY {
        if let Some(first) = scratch.valid.iter().position(|&valid| valid) {
            out[first] = 0.0;
        }
        return;
    }
    let total: f64 = out.iter().filter(|x| x.is_finite()).map(|x| (x - highest).exp()).sum();
    let log_total = highest + total.ln();
    out.iter_mut().for_each(|x| *x -= log_total);
}

pub(super) fn check_temperature(temperature: f64) -> Result<(), KernelError> {
    if temperature > 0.0 && temperature.is_finite() {
        return Ok(());
    }
    Err(KernelError::Value {
        what: "transitions: the temperature",
        expected: "above 0".into(),
        found: temperature.to_string(),
    })
}
