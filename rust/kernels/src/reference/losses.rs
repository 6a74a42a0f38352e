//! The losses, one row at a time. Each writes the gradient times `weight` and gives the loss without it.

use super::rows::max_and_sum;
use crate::losses::Direction;
use crate::real::Real;

/// `number * weight`, or 0 where the weight is 0 and the number infinite.
fn unless_zero<T: Real>(weight: T, number: T) -> T {
    if weight == T::ZERO { T::ZERO } else { weight * number }
}

/// `-Σ_c t_c w_c ln p_c` with `p` the softmax of `row`. Gradient: `p_c Σ t w - t_c w_c`.
pub fn soft_cross_entropy<T: Real>(
    row: &[T],
    targets: &[T],
    class_weights: Option<&[T]>,
    weight: T,
    out: &mut [T],
) -> T {
    let target = |c: usize| class_weights.map_or(targets[c], |w| targets[c] * w[c]);
    let (max, sum) = max_and_sum(row, T::ONE);
    let mut total = T::ZERO;
    let mut loss = T::ZERO;
    for (c, &x) in row.iter().enumerate() {
        total += target(c);
        loss += unless_zero(target(c), sum.ln() - (x - max));
    }
    for (c, &x) in row.iter().enumerate() {
        out[c] = weight * ((x - max).exp() / sum * total - target(c));
    }
    loss
}

/// `-ln(1 - p_label)`: the label is known to be wrong. Gradient: `p_label` there, `-p_c p_label / (1 - p_label)`
/// elsewhere.
pub fn negative_cross_entropy<T: Real>(row: &[T], label: usize, weight: T, out: &mut [T]) -> T {
    let others = |c: &usize| *c != label;
    let top =
        (0..row.len()).filter(others).fold(T::NEG_INFINITY, |top, c| if row[c] > top { row[c] } else { top });
    let mut rest = T::ZERO;
    for c in (0..row.len()).filter(others) {
        rest += (row[c] - top).exp();
    }
    let (max, sum) = max_and_sum(row, T::ONE);
    let wrong = (row[label] - max).exp() / sum;
    for c in (0..row.len()).filter(others) {
        out[c] = -weight * wrong * ((row[c] - top).exp() / rest);
    }
    out[label] = weight * wrong;
    (max - top) + (sum.ln() - rest.ln())
}

/// KL(teacher ‖ student) or the reverse, both rows logits, softened by the temperature. Gradient for the student.
pub fn kl_divergence<T: Real>(
    student: &[T],
    teacher: &[T],
    temperature: T,
    direction: Direction,
    weight: T,
    out: &mut [T],
) -> T {
    let (max_s, sum_s) = max_and_sum(student, temperature);
    let (max_t, sum_t) = max_and_sum(teacher, temperature);
    let ln_q = |c: usize| (student[c] - max_s) / temperature - sum_s.ln();
    let ln_p = |c: usize| (teacher[c] - max_t) / temperature - sum_t.ln();
    let mut loss = T::ZERO;
    for c in 0..student.len() {
        loss += match direction {
            Direction::Forward => unless_zero(ln_p(c).exp(), ln_p(c) - ln_q(c)),
            Direction::Reverse => unless_zero(ln_q(c).exp(), ln_q(c) - ln_p(c)),
        };
    }
    for (c, out) in out.iter_mut().enumerate() {
        *out = weight / temperature
            * match direction {
                Direction::Forward => ln_q(c).exp() - ln_p(c).exp(),
                Direction::Reverse => unless_zero(ln_q(c).exp(), ln_q(c) - ln_p(c) - loss),
            };
    }
    // Rounding may leave a little less than nothing.
    if loss < T::ZERO { T::ZERO } else { loss }
}

/// `Σ_c w_c (ln(1 + e^x) - t x)`, the binary cross-entropy of logits. Gradient: `w_c (sigmoid(x) - t)`.
pub fn binary_cross_entropy<T: Real>(
    row: &[T],
    targets: &[T],
    class_weights: Option<&[T]>,
    weight: T,
    out: &mut [T],
) -> T {
    let mut loss = T::ZERO;
    for (c, (&x, &t)) in row.iter().zip(targets).enumerate() {
        let class_weight = class_weights.map_or(T::ONE, |w| w[c]);
        let decay = (-x.abs()).exp();
        let larger = if x < T::ZERO { T::ZERO } else { x };
        let sigmoid = if x < T::ZERO { decay } else { T::ONE } / (T::ONE + decay);
        loss += unless_zero(class_weight, larger + decay.ln_1p() - unless_zero(t, x));
        out[c] = unless_zero(class_weight, weight * (sigmoid - t));
    }
    loss
}

/// `Σ_c w_c (x - t)²`. Gradient: `2 w_c (x - t)`.
pub fn squared_error<T: Real>(
    row: &[T],
    targets: &[T],
    class_weights: Option<&[T]>,
    weight: T,
    out: &mut [T],
) -> T {
    let mut loss = T::ZERO;
    for (c, (&x, &t)) in row.iter().zip(targets).enumerate() {
        let class_weight = class_weights.map_or(T::ONE, |w| w[c]);
        loss += unless_zero(class_weight, (x - t) * (x - t));
        out[c] = unless_zero(class_weight, weight * T::of(2.0) * (x - t));
    }
    loss
}

/// What thinc's `CategoricalCrossentropy` calls loss and gradient, for a row of probabilities and one label: the
/// difference `d = (p - t) / divisor`, and `Σ d²`.
pub fn probability_difference<T: Real>(
    probs: &[T],
    label: usize,
    negative: bool,
    smoothing: (T, T),
    divisor: T,
    out: &mut [T],
) -> f64 {
    let (peak, rest) = smoothing;
    let mut loss = 0.0;
    for (c, &p) in probs.iter().enumerate() {
        let difference = match (negative, c == label) {
            (true, true) => p,
            (true, false) => T::ZERO,
            (false, true) => p - peak,
            (false, false) => p - rest,
        };
        out[c] = difference / divisor;
        loss += out[c].wide() * out[c].wide();
    }
    loss
}
