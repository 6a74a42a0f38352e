//! What the losses mean, whatever the instruction set: gradients are slopes, and what makes no sense is refused.

use super::{LOSSES, Loss, targets, with_labels};
use crate::losses::{Direction, Labels, LossKernels, Reduction, Weights};
use crate::rows::{Machine, Rows, RowsMut};
use crate::testing::{numbers, wide};

fn machine() -> Machine<'static> {
    Machine::single(crate::simd::Isa::best())
}

/// The slope of `value` at each number of `x`.
fn slopes(x: &[f64], value: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    (0..x.len())
        .map(|c| {
            let mut moved = x.to_vec();
            moved[c] += step;
            let above = value(&moved);
            moved[c] -= 2.0 * step;
            (above - value(&moved)) / (2.0 * step)
        })
        .collect()
}

#[test]
fn gradients_agree_with_finite_differences() {
    let (n_rows, width) = (4, 6);
    let (x, t) = (wide(&numbers(n_rows * width, 4, 2.0)), wide(&targets(n_rows * width)));
    let (by_row, by_class) = ([1.0, 0.0, 2.0, 0.5], [1.0, 0.5, 2.0, 0.0, 1.0, 3.0]);
    for reduction in [Reduction::Sum, Reduction::Mean] {
        for loss in LOSSES {
            let classes = loss.takes_class_weights().then_some(&by_class[..]);
            let weights = Weights { rows: Some(&by_row), classes };
            let run = |x: &[f64]| loss.run(machine(), x, &t, width, weights, reduction).unwrap();
            for (d, slope) in run(&x).1.iter().zip(slopes(&x, |x| run(x).0)) {
                assert!((d - slope).abs() < 1e-7, "{loss:?}: {d} for a slope of {slope}");
            }
        }
        let negative = [false, false, true, false];
        let labels = Labels { negative: Some(&negative), smoothing: 0.2, ..Labels::new(&[3, 1, 2, -1]) };
        for (rows, classes) in [(None, None), (Some(&by_row[..]), Some(&by_class[..]))] {
            let run = |x: &[f64]| {
                with_labels(machine(), x, &labels, width, Weights { rows, classes }, reduction).unwrap()
            };
            for (d, slope) in run(&x).1.iter().zip(slopes(&x, |x| run(x).0)) {
                assert!((d - slope).abs() < 1e-7, "{d} for a slope of {slope}");
            }
        }
    }
}

#[test]
fn all_rows_missing_is_a_loss_of_nothing() {
    let x = numbers(3 * 5, 4, 2.0);
    let labels = Labels::new(&[-1, -1, -1]);
    let (loss, d_x) = with_labels(machine(), &x, &labels, 5, Weights::default(), Reduction::Mean).unwrap();
    assert_eq!((loss, d_x), (0.0, vec![0.0; 15]));
}

#[test]
fn probability_differences_are_thincs() {
    let probs = [0.25f32, 0.75, 0.5, 0.5, 0.125, 0.875];
    let negative = [false, false, true];
    let labels = Labels { negative: Some(&negative), ..Labels::new(&[1, -1, 0]) };
    let mut out = [9.0; 6];
    let rows = Rows::new(&probs, 3, 2).unwrap();
    let loss =
        f32::probability_difference(machine(), rows, &labels, 2.0, RowsMut::new(&mut out, 3, 2).unwrap())
            .unwrap();
    assert_eq!(out, [0.125, -0.125, 0.0, 0.0, 0.0625, 0.0]);
    assert_eq!(loss, 0.125f64.powi(2) * 2.0 + 0.0625f64.powi(2));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let x = [0.5f32; 6];
    let ask = |labels: &[i64], smoothing, rows: Option<&[f32]>| {
        let labels = Labels { smoothing, ..Labels::new(labels) };
        let weights = Weights { rows, classes: None };
        with_labels(machine(), &x, &labels, 3, weights, Reduction::Sum).unwrap_err().to_string()
    };
    assert_eq!(ask(&[0, 3], 0.0, None), "labels[1] is 3; expected 0 to 2 or -1 for missing");
    assert!(ask(&[-2, 0], 0.0, None).starts_with("labels[0] is -2"));
    assert!(ask(&[0], 0.0, None).contains("a label for each of 2 rows"));
    assert!(ask(&[0, 1], 1.0, None).contains("label smoothing is 1"));
    assert!(ask(&[0, 1], 0.0, Some(&[1.0])).contains("row weights: expected 2 numbers"));
    assert!(ask(&[0, 1], 0.0, Some(&[1.0, -1.0])).contains("not negative"));
    assert!(ask(&[0, 1], 0.0, Some(&[1.0, f32::NAN])).contains("not negative"));
    let other = [0.5f32; 9];
    for loss in LOSSES {
        let error = loss.run(machine(), &x, &other, 3, Weights::default(), Reduction::Sum).unwrap_err();
        assert!(error.to_string().contains("expected 2 × 3, found 3 × 3"), "{error}");
    }
    let classes = Weights { rows: None, classes: Some(&[1.0f32, 1.0, 1.0][..]) };
    assert!(Loss::Kl(Direction::Forward, 1.0).run(machine(), &x, &x, 3, classes, Reduction::Sum).is_err());
    assert!(
        Loss::Kl(Direction::Forward, 0.0)
            .run(machine(), &x, &x, 3, Weights::default(), Reduction::Sum)
            .is_err()
    );
    let logits = [2.0f32, 0.0];
    let mut out = [0.0; 2];
    let (rows, out) = (Rows::new(&logits, 1, 2).unwrap(), RowsMut::new(&mut out, 1, 2).unwrap());
    assert!(f32::probability_difference(machine(), rows, &Labels::new(&[0]), 1.0, out).is_err());
}
