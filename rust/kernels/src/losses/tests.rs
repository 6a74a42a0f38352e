//! The losses against the reference in `f64`, finite differences, edges and refusals, for every instruction set.

mod definitions;

use super::{Direction, Labels, Lesson, LossKernels, Reduction, Weights};
use crate::rows::blocks::is_streamed;
use crate::rows::{Machine, Rows, RowsMut};
use crate::testing::{WIDTHS, assert_close, for_every_isa, numbers, wide};
use crate::{KernelError, Threads};

/// A gradient of size 1, after a softmax of a few hundred classes.
const GRADIENT: f64 = 2e-6;
/// A loss: relative, and for those that are a difference of larger numbers absolute, a row.
const LOSS: f64 = 4e-6;

/// Every loss of two float matrices, by one signature.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Soft,
    Binary,
    Squared,
    Kl(Direction, f32),
}

const LOSSES: [Loss; 6] = [
    Loss::Soft,
    Loss::Binary,
    Loss::Squared,
    Loss::Kl(Direction::Forward, 1.0),
    Loss::Kl(Direction::Forward, 3.0),
    Loss::Kl(Direction::Reverse, 2.0),
];

impl Loss {
    fn run<T: LossKernels>(
        self,
        m: Machine<'_>,
        x: &[T],
        t: &[T],
        width: usize,
        weights: Weights<'_, T>,
        reduction: Reduction,
    ) -> Result<(f64, Vec<T>), KernelError> {
        let n_rows = x.len() / width;
        let mut out = vec![T::of(9.0); x.len()];
        let rows = RowsMut::new(&mut out, n_rows, width)?;
        let (x, t) = (Rows::new(x, n_rows, width)?, Rows::new(t, t.len() / width, width)?);
        let loss = match self {
            Loss::Soft => T::soft_cross_entropy(m, x, t, weights, reduction, rows),
            Loss::Binary => T::binary_cross_entropy(m, x, t, weights, reduction, rows),
            Loss::Squared => T::squared_error(m, x, t, weights, reduction, rows),
            Loss::Kl(direction, temperature) => {
                let setting = (T::of(f64::from(temperature)), direction);
                T::kl_divergence(m, x, t, setting, weights, reduction, rows)
            }
        }?;
        Ok((loss, out))
    }

    fn takes_class_weights(self) -> bool {
        !matches!(self, Loss::Kl(..))
    }
}

fn with_labels<T: LossKernels>(
    m: Machine<'_>,
    x: &[T],
    labels: &Labels<'_>,
    width: usize,
    weights: Weights<'_, T>,
    reduction: Reduction,
) -> Result<(f64, Vec<T>), KernelError> {
    let n_rows = x.len() / width;
    let mut out = vec![T::of(9.0); x.len()];
    let rows = RowsMut::new(&mut out, n_rows, width)?;
    let loss = T::cross_entropy(m, Rows::new(x, n_rows, width)?, labels, weights, reduction, rows)?;
    Ok((loss, out))
}

#[track_caller]
fn same_loss(found: f64, exact: f64, rows: usize) {
    let close = (found - exact).abs() <= LOSS * (exact.abs() + rows as f64);
    assert!(close || found == exact || found.is_nan() && exact.is_nan(), "{found} for {exact}");
}

/// Targets from 0 to 1.
fn targets(n: usize) -> Vec<f32> {
    numbers(n, 21, 0.5).into_iter().map(|x| x + 0.5).collect()
}

/// Rows of weight 0 (the second and every fifth after), others from 0.5 to 1.5.
fn row_weights(n: usize) -> Vec<f32> {
    numbers(n, 31, 0.5).into_iter().enumerate().map(|(i, x)| if i % 5 == 1 { 0.0 } else { x + 1.0 }).collect()
}

/// Labels of all columns, one missing; every third negative.
fn labels_of(n: usize, width: usize) -> (Vec<i64>, Vec<bool>) {
    let labels = (0..n).map(|i| if i % 6 == 4 { -1 } else { (i * 7 % width) as i64 }).collect();
    (labels, (0..n).map(|i| i % 3 == 2).collect())
}

for_every_isa! {
    fn losses_of_two_rows_are_the_reference(isa) {
        let m = Machine::single(isa);
        for width in WIDTHS {
            let n_rows = 7;
            let (x, t) = (numbers(n_rows * width, width as u64, 6.0), targets(n_rows * width));
            let (by_row, by_class) = (row_weights(n_rows), targets(width));
            let (wide_row, wide_class) = (wide(&by_row), wide(&by_class));
            for loss in LOSSES {
                for (rows, classes) in [(false, false), (true, false), (true, true)] {
                    let classes = classes && loss.takes_class_weights();
                    let weights = Weights { rows: rows.then_some(&*by_row), classes: classes.then_some(&*by_class) };
                    let exact_weights =
                        Weights { rows: rows.then_some(&*wide_row), classes: classes.then_some(&*wide_class) };
                    for reduction in [Reduction::Sum, Reduction::Mean] {
                        let (found, d_found) = loss.run(m, &x, &t, width, weights, reduction).unwrap();
                        let (exact, d_exact) =
                            loss.run(m, &wide(&x), &wide(&t), width, exact_weights, reduction).unwrap();
                        same_loss(found, exact, n_rows);
                        assert_close(&d_found, &d_exact, GRADIENT, GRADIENT);
                    }
                }
            }
        }
    }

    fn cross_entropy_with_labels_is_the_reference(isa) {
        let m = Machine::single(isa);
        for width in WIDTHS {
            let n_rows = 14;
            let x = numbers(n_rows * width, width as u64, 6.0);
            let (labels, negative) = labels_of(n_rows, width);
            let (by_row, by_class) = (row_weights(n_rows), targets(width));
            let (wide_row, wide_class) = (wide(&by_row), wide(&by_class));
            for smoothing in [0.0, 0.1] {
                let smoothing = if width == 1 { 0.0 } else { smoothing };
                // A negative label needs another class to go to.
                for (with_negative, weighted) in [(false, false), (width > 1, false), (width > 1, true), (false, true)] {
                    let negative = with_negative.then_some(&*negative);
                    let labels = Labels { smoothing, negative, ..Labels::new(&labels) };
                    let weights =
                        Weights { rows: weighted.then_some(&*by_row), classes: weighted.then_some(&*by_class) };
                    let exact_weights =
                        Weights { rows: weighted.then_some(&*wide_row), classes: weighted.then_some(&*wide_class) };
                    for reduction in [Reduction::Sum, Reduction::Mean] {
                        let (found, d_found) = with_labels(m, &x, &labels, width, weights, reduction).unwrap();
                        let (exact, d_exact) =
                            with_labels(m, &wide(&x), &labels, width, exact_weights, reduction).unwrap();
                        same_loss(found, exact, n_rows);
                        assert_close(&d_found, &d_exact, GRADIENT, GRADIENT);
                    }
                }
            }
        }
    }

    fn losses_of_rows_of_any_size_are_the_reference(isa) {
        let m = Machine::single(isa);
        for (width, n_rows) in [(5, 35), (50, 19), (100, 5)] {
            // With and without maxima; labels of hardly any probability, too.
            for (shift, size) in [(-60.0, 3.0), (0.0, 3.0), (0.0, 35.0), (60.0, 8.0), (200.0, 3.0)] {
                let x: Vec<f32> = numbers(n_rows * width, 3, size).into_iter().map(|x| x + shift).collect();
                let t = numbers(n_rows * width, 4, size);
                let labels: Vec<i64> = (0..n_rows).map(|i| (i * 3 % width) as i64).collect();
                let (labels, weights) = (Labels::new(&labels), Weights::default());
                let (found, d_found) = with_labels(m, &x, &labels, width, weights, Reduction::Sum).unwrap();
                let (exact, d_exact) =
                    with_labels(m, &wide(&x), &labels, width, Weights::default(), Reduction::Sum).unwrap();
                same_loss(found, exact, n_rows);
                assert_close(&d_found, &d_exact, GRADIENT, GRADIENT);
                for loss in LOSSES.into_iter().filter(|loss| matches!(loss, Loss::Kl(..))) {
                    let (found, d_found) = loss.run(m, &x, &t, width, weights, Reduction::Sum).unwrap();
                    let (exact, d_exact) =
                        loss.run(m, &wide(&x), &wide(&t), width, Weights::default(), Reduction::Sum).unwrap();
                    same_loss(found, exact, n_rows);
                    // A reverse gradient is a probability times a difference of logits.
                    assert_close(&d_found, &d_exact, GRADIENT * f64::from(1.0 + size), GRADIENT * 10.0);
                }
            }
        }
    }

    fn streamed_losses_have_the_bits_of_ordinary_ones(isa) {
        let m = Machine::single(isa);
        let (width, n_rows) = (1031, 16);
        let (x, t) = (numbers(n_rows * width, 8, 5.0), targets(n_rows * width));
        // Enough copies of the rows to pass the threshold.
        let copies = 1 + (13 << 20) / (4 * x.len());
        assert!(is_streamed(n_rows * copies, width, 1));
        let (many_x, many_t) = (x.repeat(copies), t.repeat(copies));
        for loss in LOSSES {
            let plain = loss.run(m, &x, &t, width, Weights::default(), Reduction::Sum).unwrap().1;
            let many = loss.run(m, &many_x, &many_t, width, Weights::default(), Reduction::Sum).unwrap().1;
            assert!(many.chunks(x.len()).all(|part| part == plain), "{loss:?}");
        }
        let (labels, negative) = labels_of(n_rows, width);
        let (many_labels, many_negative) = (labels.repeat(copies), negative.repeat(copies));
        let plain = Labels { negative: Some(&negative), smoothing: 0.1, ..Labels::new(&labels) };
        let many = Labels { negative: Some(&many_negative), smoothing: 0.1, ..Labels::new(&many_labels) };
        let plain = with_labels(m, &x, &plain, width, Weights::default(), Reduction::Sum).unwrap().1;
        let many = with_labels(m, &many_x, &many, width, Weights::default(), Reduction::Sum).unwrap().1;
        assert!(many.chunks(x.len()).all(|part| part == plain));
    }

    fn rows_left_out_do_not_count_whatever_they_hold(isa) {
        let m = Machine::single(isa);
        for width in [3, 17, 50] {
            let mut x = numbers(6 * width, 4, 3.0);
            let mut t = targets(6 * width);
            x[width..2 * width].fill(f32::NAN);
            t[4 * width..5 * width].fill(f32::INFINITY);
            let by_row = [1.0, 0.0, 2.0, 1.0, 0.0, 1.0];
            let weights = Weights { rows: Some(&by_row), classes: None };
            for loss in LOSSES {
                let (value, d_x) = loss.run(m, &x, &t, width, weights, Reduction::Mean).unwrap();
                assert!(value.is_finite(), "{loss:?}: {value}");
                assert!(d_x.iter().all(|d| d.is_finite()), "{loss:?}");
                assert!(d_x[width..2 * width].iter().chain(&d_x[4 * width..5 * width]).all(|d| *d == 0.0));
            }
            let labels = [0, -1, 1, 2, -1, 0];
            x[4 * width] = f32::INFINITY;
            let (value, d_x) =
                with_labels(m, &x, &Labels::new(&labels), width, Weights::default(), Reduction::Mean).unwrap();
            assert!(value.is_finite() && d_x.iter().all(|d| d.is_finite()));
            assert!(d_x[width..2 * width].iter().chain(&d_x[4 * width..5 * width]).all(|d| *d == 0.0));
        }
    }

    fn infinities_and_nan_behave_like_the_reference(isa) {
        let m = Machine::single(isa);
        let width = 19;
        for special in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let mut x = numbers(5 * width, 14, 3.0);
            let mut t = targets(5 * width);
            (x[1], t[width + 2], x[2 * width + 18], t[2 * width + 18]) = (special, special, special, special);
            t[1] = 0.0;
            for loss in LOSSES {
                let (found, d_found) = loss.run(m, &x, &t, width, Weights::default(), Reduction::Sum).unwrap();
                let (exact, d_exact) =
                    loss.run(m, &wide(&x), &wide(&t), width, Weights::default(), Reduction::Sum).unwrap();
                assert_eq!(found.is_nan(), exact.is_nan(), "{loss:?} {special}: {found} for {exact}");
                assert_close(&d_found, &d_exact, GRADIENT, GRADIENT);
            }
            let labels = [0, 1, 2, 3, 4];
            let (found, d_found) =
                with_labels(m, &x, &Labels::new(&labels), width, Weights::default(), Reduction::Sum).unwrap();
            let (exact, d_exact) =
                with_labels(m, &wide(&x), &Labels::new(&labels), width, Weights::default(), Reduction::Sum).unwrap();
            same_loss(found, exact, 5);
            assert_close(&d_found, &d_exact, GRADIENT, GRADIENT);
        }
    }

    fn equal_rows_have_no_divergence(isa) {
        let m = Machine::single(isa);
        let x = numbers(40 * 50, 3, 9.0);
        for direction in [Direction::Forward, Direction::Reverse] {
            let (loss, d_x) =
                Loss::Kl(direction, 2.0).run(m, &x, &x, 50, Weights::default(), Reduction::Sum).unwrap();
            assert!((0.0..1e-5).contains(&loss), "{loss}");
            assert!(d_x.iter().all(|d| d.abs() < 1e-7));
        }
    }

    fn sums_are_the_same_bits_for_any_number_of_threads(isa) {
        let pool = crate::Pool::new(3).unwrap();
        let (x, t) = (numbers(12_001 * 50, 3, 5.0), targets(12_001 * 50));
        for loss in LOSSES {
            let single = loss.run(Machine::single(isa), &x, &t, 50, Weights::default(), Reduction::Mean).unwrap();
            for most_threads in [2, 3] {
                let m = Machine { isa, threads: Threads::Pool(&pool), most_threads };
                assert!(loss.run(m, &x, &t, 50, Weights::default(), Reduction::Mean).unwrap() == single);
            }
        }
    }
}

fn distill<T: LossKernels>(
    m: Machine<'_>,
    x: &[T],
    t: &[T],
    labels: &[i64],
    gold: f64,
    rows: &[T],
) -> (f64, Vec<T>) {
    let n_rows = labels.len();
    let width = x.len() / n_rows;
    let lesson = Lesson {
        teacher: Rows::new(t, n_rows, width).unwrap(),
        temperature: T::of(2.0),
        direction: Direction::Forward,
        labels: Labels::new(labels),
        gold: T::of(gold),
    };
    let mut out = vec![T::of(9.0); x.len()];
    let (x, rows_out) =
        (Rows::new(x, n_rows, width).unwrap(), RowsMut::new(&mut out, n_rows, width).unwrap());
    let weights = Weights { rows: Some(rows), classes: None };
    let loss = T::distillation(m, x, &lesson, weights, Reduction::Mean, rows_out).unwrap();
    (loss, out)
}

for_every_isa! {
    fn distillation_mixes_both_losses(isa) {
        let m = Machine::single(isa);
        let (n_rows, width) = (90, 50);
        let (x, t) = (numbers(n_rows * width, 5, 4.0), numbers(n_rows * width, 6, 4.0));
        let labels = labels_of(n_rows, width).0;
        let by_row = row_weights(n_rows);
        let weights = Weights { rows: Some(&*by_row), classes: None };
        let (soft, d_soft) =
            Loss::Kl(Direction::Forward, 2.0).run(m, &x, &t, width, weights, Reduction::Mean).unwrap();
        let (hard, d_hard) = with_labels(m, &x, &Labels::new(&labels), width, weights, Reduction::Mean).unwrap();
        for gold in [0.0, 0.25, 1.0] {
            let (loss, d_x) = distill(m, &x, &t, &labels, gold, &by_row);
            same_loss(loss, soft * (1.0 - gold) + hard * gold, n_rows);
            let exact: Vec<f64> = d_soft
                .iter()
                .zip(&d_hard)
                .map(|(s, h)| f64::from(*s) * (1.0 - gold) + f64::from(*h) * gold)
                .collect();
            assert_close(&d_x, &exact, 1e-8, GRADIENT);
        }
    }
}
