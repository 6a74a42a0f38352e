//! Softmax and its relatives, one row at a time.

use crate::real::Real;

/// The largest number, NaN left out; -inf for an empty row.
pub fn max<T: Real>(row: &[T]) -> T {
    row.iter().fold(T::NEG_INFINITY, |max, &x| if x > max { x } else { max })
}

/// `max` and `Σ exp((x - max) / temperature)`.
pub fn max_and_sum<T: Real>(row: &[T], temperature: T) -> (T, T) {
    let max = max(row);
    let mut sum = T::ZERO;
    for &x in row {
        sum += ((x - max) / temperature).exp();
    }
    (max, sum)
}

/// `exp(x_c / T) / Σ exp(x / T)`.
pub fn softmax<T: Real>(row: &[T], out: &mut [T], temperature: T) {
    let (max, sum) = max_and_sum(row, temperature);
    for (out, &x) in out.iter_mut().zip(row) {
        *out = ((x - max) / temperature).exp() / sum;
    }
}

/// `ln softmax(x)_c`.
pub fn log_softmax<T: Real>(row: &[T], out: &mut [T], temperature: T) {
    let (max, sum) = max_and_sum(row, temperature);
    let ln_sum = sum.ln();
    for (out, &x) in out.iter_mut().zip(row) {
        *out = (x - max) / temperature - ln_sum;
    }
}

/// `ln Σ exp(x)`; -inf for a row that is empty or all -inf, inf if there is an inf.
pub fn logsumexp<T: Real>(row: &[T]) -> T {
    let max = max(row);
    if max.is_infinite() && !row.iter().any(|x| x.is_nan()) {
        return max;
    }
    let (max, sum) = max_and_sum(row, T::ONE);
    max + sum.ln()
}

/// The first index of the largest number, or of the first NaN; 0 for an empty row.
pub fn argmax<T: Real>(row: &[T]) -> usize {
    let mut best = 0;
    for (i, &x) in row.iter().enumerate() {
        if x.is_nan() {
            return i;
        }
        if x > row[best] {
            best = i;
        }
    }
    best
}

/// The gradient through [`softmax`]: `y (d_y - Σ d_y y) / T`.
pub fn backprop_softmax<T: Real>(y: &[T], d_y: &[T], out: &mut [T], temperature: T) {
    let mut dot = T::ZERO;
    for (&y, &d) in y.iter().zip(d_y) {
        dot += y * d;
    }
    for ((out, &y), &d) in out.iter_mut().zip(y).zip(d_y) {
        *out = y * (d - dot) / temperature;
    }
}

/// The gradient through [`log_softmax`], whose output is `y`: `(d_y - exp(y) Σ d_y) / T`.
pub fn backprop_log_softmax<T: Real>(y: &[T], d_y: &[T], out: &mut [T], temperature: T) {
    let mut sum = T::ZERO;
    for &d in d_y {
        sum += d;
    }
    for ((out, &y), &d) in out.iter_mut().zip(y).zip(d_y) {
        *out = (d - y.exp() * sum) / temperature;
    }
}
