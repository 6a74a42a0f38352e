//! The row kernels against the reference in `f64`, their properties and edges, for every instruction set.

use super::{Machine, RowKernels, Rows, RowsMut, blocks};
use crate::testing::{WIDTHS, assert_close, for_every_isa, numbers, wide};
use crate::{KernelError, Threads};

/// Probabilities: the rounding of a sum of up to a few hundred terms.
const PROBABILITY: f64 = 1e-6;
/// Relative error of a probability: that of `exp` at a distance of some tens from the maximum.
const RELATIVE: f64 = 4e-6;
/// Log-probabilities of a size of some tens.
const LOG: f64 = 5e-6;

type Kernel<T> = fn(Machine<'_>, Rows<'_, T>, RowsMut<'_, T>, T) -> Result<(), KernelError>;
type Backprop<T> = fn(Machine<'_>, Rows<'_, T>, Rows<'_, T>, RowsMut<'_, T>, T) -> Result<(), KernelError>;

fn forward<T: RowKernels>(kernel: Kernel<T>, m: Machine<'_>, x: &[T], width: usize, t: T) -> Vec<T> {
    let n_rows = x.len() / width;
    let mut out = vec![T::of(9.0); x.len()];
    let rows = Rows::new(x, n_rows, width).unwrap();
    kernel(m, rows, RowsMut::new(&mut out, n_rows, width).unwrap(), t).unwrap();
    out
}

fn backward<T: RowKernels>(
    kernel: Backprop<T>,
    m: Machine<'_>,
    y: &[T],
    d_y: &[T],
    width: usize,
    t: T,
) -> Vec<T> {
    let n_rows = y.len() / width;
    let mut out = vec![T::of(9.0); y.len()];
    let (y, d_y) = (Rows::new(y, n_rows, width).unwrap(), Rows::new(d_y, n_rows, width).unwrap());
    kernel(m, y, d_y, RowsMut::new(&mut out, n_rows, width).unwrap(), t).unwrap();
    out
}

for_every_isa! {
    fn softmax_and_log_softmax_are_the_reference(isa) {
        let m = Machine::single(isa);
        for width in WIDTHS {
            // Row counts on both sides of a group of four.
            for n_rows in [1, 3, 4, 9] {
                for temperature in [1.0, 2.5] {
                    let x = numbers(n_rows * width, width as u64, 20.0);
                    let found = forward(RowKernels::softmax, m, &x, width, temperature);
                    let exact = forward(RowKernels::softmax, m, &wide(&x), width, f64::from(temperature));
                    assert_close(&found, &exact, 0.0, RELATIVE * 4.0);
                    assert_close(&found, &exact, PROBABILITY, 0.0);
                    let found = forward(RowKernels::log_softmax, m, &x, width, temperature);
                    let exact = forward(RowKernels::log_softmax, m, &wide(&x), width, f64::from(temperature));
                    assert_close(&found, &exact, LOG, 0.0);
                }
            }
        }
    }

    fn streamed_rows_have_the_bits_of_ordinary_ones(isa) {
        let m = Machine::single(isa);
        let width = 1031;
        let mut x = numbers(19 * width, 5, 8.0);
        // Rows that are done again with their maxima.
        x[3 * width..5 * width].iter_mut().for_each(|x| *x += 200.0);
        let plain = forward(RowKernels::softmax, m, &x, width, 1.0);
        let log_plain = forward(RowKernels::log_softmax, m, &x, width, 1.0);
        // Enough copies of the rows to pass the threshold.
        let copies = 1 + (16 << 20) / (4 * x.len());
        assert!(blocks::is_streamed(19 * copies, width, 1));
        let many = x.repeat(copies);
        assert!(forward(RowKernels::softmax, m, &many, width, 1.0).chunks(x.len()).all(|part| part == plain));
        assert!(forward(RowKernels::log_softmax, m, &many, width, 1.0).chunks(x.len()).all(|part| part == log_plain));
    }

    fn rows_have_the_same_bits_wherever_they_lie(isa) {
        let m = Machine::single(isa);
        for width in [67, 100, 1024, 1031] {
            let n_rows = 25;
            let mut x = numbers(n_rows * width, 6, 8.0);
            x[3 * width..5 * width].iter_mut().for_each(|x| *x += 200.0);
            let alone: Vec<f32> =
                x.chunks(width).flat_map(|row| forward(RowKernels::softmax, m, row, width, 1.0)).collect();
            for start in [0, 1, 4, 15] {
                let mut room = vec![9.0; x.len() + 16];
                let out = RowsMut::new(&mut room[start..start + x.len()], n_rows, width).unwrap();
                f32::softmax(m, Rows::new(&x, n_rows, width).unwrap(), out, 1.0).unwrap();
                assert!(room[start..start + x.len()] == alone);
                assert!(room[..start].iter().chain(&room[start + x.len()..]).all(|&beside| beside == 9.0));
            }
        }
    }

    fn softmax_does_not_see_a_shift_of_the_row(isa) {
        let m = Machine::single(isa);
        // Whole numbers, so that the shift itself does not round.
        let x: Vec<f32> = numbers(50 * 4, 1, 30.0).into_iter().map(f32::round).collect();
        let shifted: Vec<f32> = x.iter().map(|x| x + 4096.0).collect();
        // To the bit only where both rows go without their maxima, or neither.
        let plain = wide(&forward(RowKernels::softmax, m, &x, 50, 1.0));
        assert_close(&forward(RowKernels::softmax, m, &shifted, 50, 1.0), &plain, PROBABILITY, 0.0);
        assert_eq!(
            forward(RowKernels::log_softmax, m, &x, 50, 1.0),
            forward(RowKernels::log_softmax, m, &shifted, 50, 1.0)
        );
    }

    fn a_row_does_not_depend_on_its_neighbours(isa) {
        let m = Machine::single(isa);
        for (width, n_rows) in [(50, 41), (700, 7)] {
            let mut x = numbers(width * n_rows, 2, 10.0);
            // Rows that need their maxima, among others that do not.
            for row in [1, 2, n_rows - 1] {
                x[row * width..][..width].iter_mut().for_each(|x| *x += 1000.0);
            }
            x[4 * width] = f32::NAN;
            let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let all = forward(RowKernels::softmax, m, &x, width, 1.0);
            for (row, expected) in x.chunks(width).zip(all.chunks(width)) {
                assert_eq!(bits(&forward(RowKernels::softmax, m, row, width, 1.0)), bits(expected));
            }
        }
    }

    fn rows_of_any_size_are_the_reference(isa) {
        let m = Machine::single(isa);
        for width in [2, 50, 64, 65, 300] {
            // Sums on both sides of what goes without maxima, and far beyond.
            for shift in [-1e6, -100.0, -40.0, -27.0, 0.0, 60.0, 69.0, 70.0, 88.0, 1e6] {
                let x: Vec<f32> = numbers(19 * width, 8, 3.0).into_iter().map(|x| x + shift).collect();
                for t in [1.0, 0.5, 4.0] {
                    let found = forward(RowKernels::softmax, m, &x, width, t);
                    let exact = forward(RowKernels::softmax, m, &wide(&x), width, f64::from(t));
                    assert_close(&found, &exact, PROBABILITY, 0.0);
                    assert_close(&found, &exact, 0.0, RELATIVE * 4.0);
                }
            }
        }
        // Temperatures so small and large that no number but the largest counts, or that all count alike.
        for t in [1e-36, 1e36] {
            let x = [0.0, 1.0, f32::NEG_INFINITY, -3.0];
            let found = forward(RowKernels::softmax, m, &x, 4, t);
            assert_close(&found, &forward(RowKernels::softmax, m, &wide(&x), 4, f64::from(t)), PROBABILITY, 0.0);
        }
    }

    fn infinities_and_nan_behave_like_the_reference(isa) {
        let m = Machine::single(isa);
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        for width in [3, 8, 17] {
            for special in [inf, -inf, nan] {
                for at in [0, width - 1] {
                    let mut x = numbers(5 * width, 3, 5.0);
                    x[width + at] = special;
                    x[2 * width..3 * width].fill(special);
                    let found = forward(RowKernels::softmax, m, &x, width, 1.0);
                    let exact = forward(RowKernels::softmax, m, &wide(&x), width, 1.0);
                    assert_close(&found, &exact, PROBABILITY, 0.0);
                    let found = forward(RowKernels::log_softmax, m, &x, width, 1.0);
                    let exact = forward(RowKernels::log_softmax, m, &wide(&x), width, 1.0);
                    assert_close(&found, &exact, LOG, 0.0);
                    assert!(found[..width].iter().all(|x| x.is_finite()), "another row is touched");
                    let rows = Rows::new(&x, 5, width).unwrap();
                    let (mut sums, mut best) = (vec![0.0; 5], vec![9; 5]);
                    RowKernels::logsumexp(m, rows, &mut sums).unwrap();
                    let expected: Vec<f64> = wide(&x).chunks(width).map(crate::reference::rows::logsumexp).collect();
                    assert_close(&sums, &expected, LOG, 0.0);
                    RowKernels::argmax(m, rows, &mut best).unwrap();
                    let expected: Vec<i64> =
                        x.chunks(width).map(|row| crate::reference::rows::argmax(row) as i64).collect();
                    assert_eq!(best, expected);
                }
            }
        }
    }

    fn logsumexp_and_argmax_are_the_reference(isa) {
        let m = Machine::single(isa);
        for width in WIDTHS {
            let mut x = numbers(6 * width, width as u64, 15.0);
            // A tie goes to the first.
            x[width - 1] = 20.0;
            x[width / 2] = 20.0;
            let rows = Rows::new(&x, 6, width).unwrap();
            let (mut sums, mut best) = (vec![0.0; 6], vec![9; 6]);
            RowKernels::logsumexp(m, rows, &mut sums).unwrap();
            RowKernels::argmax(m, rows, &mut best).unwrap();
            let exact: Vec<f64> = wide(&x).chunks(width).map(crate::reference::rows::logsumexp).collect();
            assert_close(&sums, &exact, LOG, 0.0);
            let exact: Vec<i64> = x.chunks(width).map(|row| crate::reference::rows::argmax(row) as i64).collect();
            assert_eq!(best, exact);
        }
    }

    fn gradients_are_the_reference(isa) {
        let m = Machine::single(isa);
        for width in WIDTHS {
            let x = numbers(5 * width, width as u64, 4.0);
            let d_y = numbers(5 * width, 77, 1.0);
            for t in [1.0, 0.5] {
                let y = forward(RowKernels::softmax, m, &x, width, t);
                let found = backward(RowKernels::backprop_softmax, m, &y, &d_y, width, t);
                let exact = backward(RowKernels::backprop_softmax, m, &wide(&y), &wide(&d_y), width, f64::from(t));
                assert_close(&found, &exact, PROBABILITY, 0.0);
                let y = forward(RowKernels::log_softmax, m, &x, width, t);
                let found = backward(RowKernels::backprop_log_softmax, m, &y, &d_y, width, t);
                let exact = backward(RowKernels::backprop_log_softmax, m, &wide(&y), &wide(&d_y), width, f64::from(t));
                // The sum of `d_y` may be as large as the row is wide.
                assert_close(&found, &exact, PROBABILITY * width as f64, 0.0);
            }
        }
    }

    fn no_rows_and_no_columns_are_nothing(isa) {
        let m = Machine::single(isa);
        for (n_rows, width) in [(0, 5), (5, 0), (0, 0)] {
            let rows = Rows::<f32>::new(&[], n_rows, width).unwrap();
            RowKernels::softmax(m, rows, RowsMut::new(&mut [], n_rows, width).unwrap(), 1.0).unwrap();
            let mut sums = vec![0.0; n_rows];
            RowKernels::logsumexp(m, rows, &mut sums).unwrap();
            assert!(sums.iter().all(|x| *x == f32::NEG_INFINITY));
        }
    }

    fn the_bits_are_the_same_for_any_number_of_threads(isa) {
        let pool = crate::Pool::new(3).unwrap();
        let x = numbers(4001 * 150, 6, 8.0);
        let single = forward(RowKernels::softmax, Machine::single(isa), &x, 150, 1.0);
        for most_threads in [2, 3, 8] {
            let m = Machine { isa, threads: Threads::Pool(&pool), most_threads };
            assert_eq!(forward(RowKernels::softmax, m, &x, 150, 1.0), single);
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let m = Machine::single(crate::simd::Isa::best());
    let (width, t, step) = (7, 1.7, 1e-5);
    let (x, d_y) = (wide(&numbers(width, 4, 3.0)), wide(&numbers(width, 9, 1.0)));
    let pairs: [(Kernel<f64>, Backprop<f64>); 2] = [
        (RowKernels::softmax, RowKernels::backprop_softmax),
        (RowKernels::log_softmax, RowKernels::backprop_log_softmax),
    ];
    for (kernel, backprop) in pairs {
        let value =
            |x: &[f64]| -> f64 { forward(kernel, m, x, width, t).iter().zip(&d_y).map(|(y, d)| y * d).sum() };
        let y = forward(kernel, m, &x, width, t);
        for (c, d_x) in backward(backprop, m, &y, &d_y, width, t).into_iter().enumerate() {
            let mut moved = x.clone();
            moved[c] += step;
            let above = value(&moved);
            moved[c] -= 2.0 * step;
            let slope = (above - value(&moved)) / (2.0 * step);
            assert!((slope - d_x).abs() < 1e-8, "[{c}]: {d_x} for a slope of {slope}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let m = Machine::single(crate::simd::Isa::best());
    let x = [1.0f32; 6];
    let rows = Rows::new(&x, 2, 3).unwrap();
    let mut out = [0.0; 6];
    let message =
        RowKernels::softmax(m, rows, RowsMut::new(&mut out, 3, 2).unwrap(), 1.0).unwrap_err().to_string();
    assert_eq!(message, "softmax: out: expected 2 × 3, found 3 × 2");
    for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40] {
        let out = RowsMut::new(&mut out, 2, 3).unwrap();
        let message = RowKernels::softmax(m, rows, out, wrong).unwrap_err().to_string();
        assert!(message.contains("a positive, finite temperature"), "{message}");
    }
    assert!(Rows::new(&x, 4, 2).is_err());
    assert!(Rows::new(&x, usize::MAX, 2).is_err());
    assert!(RowKernels::argmax(m, Rows::<f32>::new(&[], 2, 0).unwrap(), &mut [0, 0]).is_err());
    assert!(RowKernels::logsumexp(m, rows, &mut [0.0; 3]).is_err());
}
