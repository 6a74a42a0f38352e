//! Products, maxout and its gradients against plain loops, for every instruction set.

use super::maxout::{RowStarts, maxout_rows};
use super::shape::MaxoutShape;
use super::sparse::Winners;
use super::sparse_input::{Strips, input_gradient};
use super::sparse_weights::weight_gradient;
use super::window_weights::WindowWeights;
use super::winograd::{Blocks, maxout_windows};
use super::{Matrix, Panels, product};
use crate::reference::layers as reference;
use crate::simd::{Isa, Simd};
use crate::testing::{WIDTHS, assert_close, for_every_isa, numbers, wide};
use crate::{KernelError, Threads};

/// Sums of up to a few hundred products of numbers up to 1, in `f32`.
const SUM: f64 = 3e-5;

#[inline(always)]
fn maxout_body<S: Simd>(simd: S, rows: RowStarts<'_>, panels: &Panels, best: &mut [f32], which: &mut [u8]) {
    maxout_rows(simd, rows, panels, best, which);
}
crate::dispatch! {
    fn run_maxout(rows: RowStarts<'_>, panels: &Panels, best: &mut [f32], which: &mut [u8]) -> () = maxout_body;
}

#[inline(always)]
fn windows_body<S: Simd>(
    simd: S,
    input: &[f32],
    blocks: &Blocks,
    weights: &WindowWeights,
    best: &mut [f32],
    which: &mut [u8],
) {
    maxout_windows(simd, input, blocks, weights, best, which);
}
crate::dispatch! {
    fn run_windows(
        input: &[f32],
        blocks: &Blocks,
        weights: &WindowWeights,
        best: &mut [f32],
        which: &mut [u8],
    ) -> () = windows_body;
}

#[inline(always)]
#[allow(clippy::too_many_arguments)] // what the two functions take
fn gradients_body<S: Simd>(
    simd: S,
    winners: Winners<'_>,
    input: RowStarts<'_>,
    rows: &[u32],
    weights: &Strips,
    shape: MaxoutShape,
    d_input: &mut [f32],
    d_weights: &mut [f32],
) {
    input_gradient(simd, winners, weights, rows, input.starts, d_input);
    weight_gradient(simd, winners, input, rows, shape, 0..shape.outputs, d_weights);
}
crate::dispatch! {
    fn run_gradients(
        winners: Winners<'_>,
        input: RowStarts<'_>,
        rows: &[u32],
        weights: &Strips,
        shape: MaxoutShape,
        d_input: &mut [f32],
        d_weights: &mut [f32],
    ) -> () = gradients_body;
}

for_every_isa! {
    fn products_are_those_of_plain_loops(isa) {
        for (n_rows, depth) in [(1, 1), (3, 5), (11, 64), (20, 600), (300, 2)] {
            for columns in WIDTHS {
                let left = numbers(n_rows * depth, 1, 1.0);
                let right = numbers(depth * columns, 2, 1.0);
                let expected = reference::product(&wide(&left), &wide(&right), depth, columns);
                let mut out = vec![f32::NAN; n_rows * columns];
                let (a, b) = (Matrix::new(&left, n_rows, depth), Matrix::new(&right, depth, columns));
                product(isa, Threads::One, a, b, &[], &mut out).unwrap();
                assert_close(&out, &expected, SUM, 1e-5);

                let transpose = |m: &[f32], rows: usize, columns: usize| -> Vec<f32> {
                    (0..rows * columns).map(|i| m[i % rows * columns + i / rows]).collect()
                };
                let (lt, rt) = (transpose(&left, n_rows, depth), transpose(&right, depth, columns));
                let (at, bt) = (Matrix::new(&lt, depth, n_rows).t(), Matrix::new(&rt, columns, depth).t());
                let straight = out.clone();
                product(isa, Threads::One, at, bt, &[], &mut out).unwrap();
                assert_eq!(out, straight, "the layout changes no bit");
            }
        }
    }

    fn a_bias_is_added_and_no_depth_leaves_it_alone(isa) {
        let bias = numbers(50, 3, 1.0);
        let mut out = vec![f32::NAN; 100];
        product(isa, Threads::One, Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 50), &bias, &mut out).unwrap();
        assert_eq!(out, [bias.clone(), bias].concat());
    }

    fn sizes_that_do_not_fit_are_refused(isa) {
        let x = [0.0; 6];
        let result = product(isa, Threads::One, Matrix::new(&x, 2, 3), Matrix::new(&x, 2, 3), &[], &mut [0.0; 6]);
        assert!(matches!(result, Err(KernelError::Shape { .. })));
        let result = product(isa, Threads::One, Matrix::new(&x, 2, 3), Matrix::new(&x, 3, 2), &[], &mut [0.0; 5]);
        assert!(matches!(result, Err(KernelError::Shape { .. })));
    }

    fn maxout_takes_the_largest_piece_of_overlapping_rows(isa) {
        for outputs in WIDTHS {
            for pieces in 1..=3 {
                let (depth, n_rows) = (30, 13);
                let weights = numbers(outputs * pieces * depth, 4, 1.0);
                let bias = numbers(outputs * pieces, 5, 1.0);
                let input = numbers(n_rows * 10 + 20, 6, 1.0);
                let starts: Vec<u32> = (0..n_rows as u32).map(|row| row * 10).collect();
                let panels = Panels::for_maxout(isa, &weights, &bias, pieces);
                let rows = RowStarts { numbers: &input, starts: &starts };
                let mut best = vec![f32::NAN; n_rows * outputs];
                let mut which = vec![9; best.len()];
                run_maxout(isa, rows, &panels, &mut best, &mut which);
                let mut again = best.clone();
                run_maxout(isa, rows, &panels, &mut again, &mut []);
                assert_eq!(best, again);
                for (row, &start) in starts.iter().enumerate() {
                    let row_input = wide(&input[start as usize..][..depth]);
                    let (expected, winners) = reference::maxout(&row_input, &wide(&weights), &wide(&bias), pieces);
                    assert_close(&best[row * outputs..][..outputs], &expected, SUM, 1e-5);
                    assert_eq!(which[row * outputs..][..outputs], winners);
                }
            }
        }
    }

    fn of_equal_pieces_the_first_wins(isa) {
        let panels = Panels::for_maxout(isa, &[0.0; 15], &[1.0; 15], 3);
        let (mut best, mut which) = ([0.0; 5], [9; 5]);
        run_maxout(isa, RowStarts { numbers: &[2.0], starts: &[0] }, &panels, &mut best, &mut which);
        assert_eq!((best, which), ([1.0; 5], [0; 5]));
    }

    fn windows_in_fours_are_windows_one_by_one(isa) {
        for (outputs, width) in [(1, 1), (7, 5), (16, 16), (33, 20), (96, 96)] {
            for n_rows in [1, 2, 3, 4, 6, 19, 33, 65] {
                let weights = numbers(outputs * 9 * width, 7, 1.0);
                let bias = numbers(outputs * 3, 8, 1.0);
                let input = numbers((n_rows + 2) * width, 9, 1.0);
                let packed = WindowWeights::new(isa, &weights, &bias, 3);
                let mut blocks = Blocks::default();
                // Two documents, the second without rows of its own between them.
                let first = n_rows / 3;
                blocks.add(0, 0, first, width);
                blocks.add(first * width, first, n_rows - first, width);
                let mut best = vec![f32::NAN; n_rows * outputs];
                let mut which = vec![9; best.len()];
                run_windows(isa, &input, &blocks, &packed, &mut best, &mut which);
                let mut again = best.clone();
                run_windows(isa, &input, &blocks, &packed, &mut again, &mut []);
                assert_eq!(best, again);
                for row in 0..n_rows {
                    let window = wide(&input[row * width..][..3 * width]);
                    let (expected, winners) = reference::maxout(&window, &wide(&weights), &wide(&bias), 3);
                    assert_close(&best[row * outputs..][..outputs], &expected, 2.0 * SUM, 2e-5);
                    assert_eq!(which[row * outputs..][..outputs], winners);
                }
            }
        }
    }

    fn gradients_of_winners_are_those_of_dense_products(isa) {
        for depth in [1, 5, 16, 30, 96, 131, 288] {
            let shape = MaxoutShape { outputs: 27, pieces: 3, depth };
            let n_rows = 70;
            let weights = numbers(shape.outputs * 3 * depth, 1, 1.0);
            let input = numbers(n_rows * 2 + depth, 2, 1.0);
            let starts: Vec<u32> = (0..n_rows as u32).map(|row| row * 2).collect();
            let d_best = numbers(n_rows * shape.outputs, 3, 1.0);
            let which: Vec<u8> = (0..d_best.len()).map(|i| (i * 7 % 11 % 3) as u8).collect();
            // Something to add to.
            let mut d_input = numbers(input.len(), 4, 1.0);
            let mut d_weights = numbers(weights.len(), 5, 1.0);
            let (mut expected_input, mut expected_weights) = (wide(&d_input), wide(&d_weights));
            // All but a few, as where a window has nothing in it.
            let rows: Vec<u32> = (0..n_rows as u32).filter(|row| row % 5 != 1).collect();
            for row in rows.iter().map(|&row| row as usize) {
                for output in 0..shape.outputs {
                    let d = f64::from(d_best[row * shape.outputs + output]);
                    let at = (output * 3 + which[row * shape.outputs + output] as usize) * depth;
                    for k in 0..depth {
                        expected_input[row * 2 + k] += d * f64::from(weights[at + k]);
                        expected_weights[at + k] += d * f64::from(input[row * 2 + k]);
                    }
                }
            }
            let winners = Winners { d_best: &d_best, which: &which };
            let all = RowStarts { numbers: &input, starts: &starts };
            let strips = Strips::new(&weights, shape);
            run_gradients(isa, winners, all, &rows, &strips, shape, &mut d_input, &mut d_weights);
            assert_close(&d_input, &expected_input, 10.0 * SUM, 1e-5);
            assert_close(&d_weights, &expected_weights, 10.0 * SUM, 1e-5);
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let pool = crate::Pool::new(3).unwrap();
    let (left, right) = (numbers(700 * 90, 1, 1.0), numbers(90 * 60, 2, 1.0));
    let run = |threads| {
        let mut out = vec![0.0; 700 * 60];
        let (a, b) = (Matrix::new(&left, 700, 90), Matrix::new(&right, 90, 60));
        product(Isa::best(), threads, a, b, &[], &mut out).unwrap();
        out
    };
    assert_eq!(run(Threads::One), run(Threads::Pool(&pool)));
}
