//! Windows, ragged reductions, maxout, scatter-add, dropout and piecewise activations against plain loops.

use super::dropout::{self, Dropout};
use super::gather::scatter_add;
use super::maxout::{backprop_maxout, maxout};
use super::piecewise::{Piecewise, activate, backprop_activation};
use super::ragged::{Reduction, backprop_reduce, backprop_reduce_max, reduce, reduce_max};
use super::windows::{backprop_windows, windows};
use crate::KernelError;
use crate::reference::ragged as reference;
use crate::rows::{Rows, RowsMut};
use crate::testing::{WIDTHS, assert_close, for_every_isa, numbers, wide};

/// `f32` against `f64` over sums of some rows.
const CLOSE: f64 = 2e-6;
const LENGTHS: [i32; 5] = [3, 0, 1, 7, 2];
const N_ROWS: usize = 13;
const ALL: [Piecewise; 6] = [
    Piecewise::Relu,
    Piecewise::ClippedLinear { slope: 0.2, offset: 0.5, low: 0.0, high: 1.0 },
    Piecewise::ClippedLinear { slope: 1.0, offset: 0.0, low: -1.0, high: 1.0 },
    Piecewise::HardSwish,
    Piecewise::HardSwishMobilenet,
    Piecewise::Dish,
];

fn sequences(x: &[f32], lengths: &[i32], width: usize) -> Vec<Vec<Vec<f64>>> {
    let mut rows = x.chunks_exact(width).map(wide);
    lengths.iter().map(|&length| rows.by_ref().take(length as usize).collect()).collect()
}

for_every_isa! {
    fn windows_and_their_gradient_are_those_of_plain_loops(isa) {
        for width in WIDTHS {
            for reach in [0, 1, 2, 5] {
                let x = numbers(N_ROWS * width, 1, 1.0);
                let rows = Rows::new(&x, N_ROWS, width).unwrap();
                let wider = (2 * reach + 1) * width;
                let mut out = vec![f32::NAN; N_ROWS * wider];
                windows(rows, &LENGTHS, reach, RowsMut::new(&mut out, N_ROWS, wider).unwrap()).unwrap();
                let expected = reference::windows(&sequences(&x, &LENGTHS, width), width, reach as isize);
                assert_close(&out, &expected, 0.0, 0.0);
                let d_y = numbers(out.len(), 2, 1.0);
                let mut d_x = vec![f32::NAN; x.len()];
                let d_rows = Rows::new(&d_y, N_ROWS, wider).unwrap();
                backprop_windows(isa, d_rows, &LENGTHS, reach, RowsMut::new(&mut d_x, N_ROWS, width).unwrap())
                    .unwrap();
                let expected = reference::backprop_windows(&wide(&d_y), &LENGTHS, width, reach);
                assert_close(&d_x, &expected, CLOSE, CLOSE);
            }
        }
    }

    fn sums_and_means_and_their_gradients_are_those_of_plain_loops(isa) {
        for width in WIDTHS {
            let x = numbers(N_ROWS * width, 1, 1.0);
            let d_y = numbers(LENGTHS.len() * width, 2, 1.0);
            for kind in [Reduction::Sum, Reduction::Mean] {
                let (mut out, mut d_x) = (vec![f32::NAN; d_y.len()], vec![f32::NAN; x.len()]);
                let rows = Rows::new(&x, N_ROWS, width).unwrap();
                reduce(isa, kind, rows, &LENGTHS, RowsMut::new(&mut out, 5, width).unwrap()).unwrap();
                let d_rows = Rows::new(&d_y, 5, width).unwrap();
                let d_out = RowsMut::new(&mut d_x, N_ROWS, width).unwrap();
                backprop_reduce(isa, kind, d_rows, &LENGTHS, d_out).unwrap();
                let (mut expected, mut d_expected) = (Vec::new(), Vec::new());
                for (i, rows) in sequences(&x, &LENGTHS, width).iter().enumerate() {
                    let by = if kind == Reduction::Mean { rows.len().max(1) as f64 } else { 1.0 };
                    expected.extend(reference::sum(rows, width).iter().map(|sum| sum / by));
                    for _ in rows {
                        d_expected.extend(wide(&d_y[i * width..][..width]).iter().map(|d| d / by));
                    }
                }
                assert_close(&out, &expected, CLOSE, CLOSE);
                assert_close(&d_x, &d_expected, CLOSE, CLOSE);
            }
        }
    }

    fn the_first_last_and_largest_rows_are_those_of_plain_loops(isa) {
        let lengths = [3, 1, 7, 2];
        for width in WIDTHS {
            let x = numbers(N_ROWS * width, 1, 1.0);
            let rows = Rows::new(&x, N_ROWS, width).unwrap();
            let d_y = numbers(4 * width, 2, 1.0);
            let d_rows = Rows::new(&d_y, 4, width).unwrap();
            let parts = sequences(&x, &lengths, width);
            for (kind, is_last) in [(Reduction::First, false), (Reduction::Last, true)] {
                let (mut out, mut d_x) = (vec![f32::NAN; d_y.len()], vec![f32::NAN; x.len()]);
                reduce(isa, kind, rows, &lengths, RowsMut::new(&mut out, 4, width).unwrap()).unwrap();
                let d_out = RowsMut::new(&mut d_x, N_ROWS, width).unwrap();
                backprop_reduce(isa, kind, d_rows, &lengths, d_out).unwrap();
                let (mut start, mut d_expected) = (0, vec![0.0; x.len()]);
                for (i, part) in parts.iter().enumerate() {
                    let row = if is_last { part.len() - 1 } else { 0 };
                    assert_close(&out[i * width..][..width], &part[row], 0.0, 0.0);
                    d_expected[(start + row) * width..][..width]
                        .copy_from_slice(&wide(&d_y[i * width..][..width]));
                    start += part.len();
                }
                assert_close(&d_x, &d_expected, 0.0, 0.0);
            }
            let (mut out, mut which) = (vec![f32::NAN; d_y.len()], vec![-1; d_y.len()]);
            reduce_max(isa, rows, &lengths, RowsMut::new(&mut out, 4, width).unwrap(), &mut which).unwrap();
            let mut d_x = vec![f32::NAN; x.len()];
            let d_out = RowsMut::new(&mut d_x, N_ROWS, width).unwrap();
            backprop_reduce_max(d_rows, &which, &lengths, d_out).unwrap();
            let (mut start, mut d_expected) = (0, vec![0.0; x.len()]);
            for (i, part) in parts.iter().enumerate() {
                let (largest, at) = reference::largest(part, width);
                assert_close(&out[i * width..][..width], &largest, 0.0, 0.0);
                assert_eq!(which[i * width..][..width], at);
                for (column, &row) in at.iter().enumerate() {
                    d_expected[(start + row as usize) * width + column] = f64::from(d_y[i * width + column]);
                }
                start += part.len();
            }
            assert_close(&d_x, &d_expected, 0.0, 0.0);
        }
    }

    fn nan_is_the_largest_only_in_the_first_place(isa) {
        let x = [f32::NAN, 1.0, 2.0, f32::NAN, 5.0, 5.0];
        let (mut out, mut which) = ([0.0; 2], [9; 2]);
        let rows = Rows::new(&x, 3, 2).unwrap();
        reduce_max(isa, rows, &[3], RowsMut::new(&mut out, 1, 2).unwrap(), &mut which).unwrap();
        assert!(out[0].is_nan() && out[1] == 5.0 && which == [0, 2]);
        maxout(isa, 3, &[f32::NAN, 1.0, 2.0, 4.0, f32::NAN, 5.0], &mut out, &mut which).unwrap();
        assert!(out[0].is_nan() && out[1] == 5.0 && which == [0, 2]);
    }

    fn lengths_that_do_not_fit_are_refused(isa) {
        let x = [0.0; 6];
        let mut out = [0.0; 6];
        let rows = Rows::new(&x, 3, 2).unwrap();
        for (kind, length, is_index) in
            [(Reduction::Sum, -1, false), (Reduction::First, 0, false), (Reduction::Mean, 4, true)]
        {
            let result = reduce(isa, kind, rows, &[length], RowsMut::new(&mut out[..2], 1, 2).unwrap());
            assert_eq!(matches!(result, Err(KernelError::Index { .. })), is_index);
            assert_eq!(matches!(result, Err(KernelError::Value { .. })), !is_index);
        }
        assert!(windows(rows, &[2], 0, RowsMut::new(&mut out, 3, 2).unwrap()).is_err());
        assert!(windows(rows, &[3], usize::MAX, RowsMut::new(&mut out, 3, 2).unwrap()).is_err());
        let d_y = Rows::new(&x[..2], 1, 2).unwrap();
        let result = backprop_reduce_max(d_y, &[0, 3], &[3], RowsMut::new(&mut out, 3, 2).unwrap());
        assert!(matches!(result, Err(KernelError::Index { position: 1, found: 3, .. })));
    }

    fn maxout_takes_the_first_largest_piece(isa) {
        for n_pieces in 1..7 {
            for n_outputs in WIDTHS {
                // Few different numbers, so that there are ties.
                let x: Vec<f32> = numbers(n_outputs * n_pieces, 1, 3.0).iter().map(|x| x.round()).collect();
                let (mut out, mut which) = (vec![f32::NAN; n_outputs], vec![-1; n_outputs]);
                maxout(isa, n_pieces, &x, &mut out, &mut which).unwrap();
                let mut d_x = vec![f32::NAN; x.len()];
                let d_y = numbers(n_outputs, 2, 1.0);
                backprop_maxout(n_pieces, &d_y, &which, &mut d_x).unwrap();
                for (i, pieces) in x.chunks(n_pieces).enumerate() {
                    let column: Vec<_> = pieces.iter().map(|&x| vec![f64::from(x)]).collect();
                    let (best, at) = reference::largest(&column, 1);
                    assert_eq!((f64::from(out[i]), which[i]), (best[0], at[0]));
                    for (piece, &d) in d_x[i * n_pieces..][..n_pieces].iter().enumerate() {
                        assert_eq!(d, if piece as i32 == at[0] { d_y[i] } else { 0.0 });
                    }
                }
            }
        }
        assert!(maxout(isa, 0, &[], &mut [], &mut []).is_err());
        assert!(matches!(backprop_maxout(2, &[1.0], &[2], &mut [0.0; 2]), Err(KernelError::Index { .. })));
    }

    fn scatter_add_adds_repeated_rows_and_refuses_those_that_are_not_there(isa) {
        for width in WIDTHS {
            let before = numbers(5 * width, 1, 1.0);
            let (values, indices) = (numbers(4 * width, 2, 1.0), [4_u32, 0, 4, 4]);
            let mut table = before.clone();
            let rows = Rows::new(&values, 4, width).unwrap();
            scatter_add(isa, RowsMut::new(&mut table, 5, width).unwrap(), &indices, rows).unwrap();
            let mut expected = wide(&before);
            for (row, &index) in indices.iter().enumerate() {
                for k in 0..width {
                    expected[index as usize * width + k] += f64::from(values[row * width + k]);
                }
            }
            assert_close(&table, &expected, CLOSE, CLOSE);
            let result = scatter_add(isa, RowsMut::new(&mut table, 5, width).unwrap(), &[0, 1, 5, 0], rows);
            assert!(matches!(result, Err(KernelError::Index { position: 2, .. })));
            assert_close(&table, &expected, CLOSE, CLOSE);
        }
    }

    fn piecewise_activations_are_those_of_plain_loops(isa) {
        for kind in ALL {
            for width in WIDTHS {
                let mut x = numbers(width, 1, 6.0);
                x[0] = 0.0;
                let mut out = vec![f32::NAN; width];
                activate(isa, kind, &x, &mut out).unwrap();
                let expected: Vec<f64> = x.iter().map(|&x| reference::activate(kind, f64::from(x))).collect();
                assert_close(&out, &expected, CLOSE, CLOSE);
            }
            let mut out = [0.0; 2];
            activate(isa, kind, &[f32::NAN, 1.0], &mut out).unwrap();
            assert!(out[0].is_nan() && !out[1].is_nan());
        }
    }

    fn gradients_of_smooth_pieces_are_those_of_finite_differences(isa) {
        // thinc's hard Swish gradients are right for |x| up to the edges; the kinks are left out.
        for kind in ALL {
            for width in WIDTHS {
                let kinks = [0.0, 1.0, -1.0, 2.5, -2.5, 3.0, -3.0];
                let x: Vec<f32> = numbers(width, 3, 6.0)
                    .into_iter()
                    .map(|x| if kinks.iter().any(|kink: &f32| (x - kink).abs() < 0.01) { x + 0.05 } else { x })
                    .collect();
                let d_y = numbers(width, 4, 1.0);
                let mut d_x = vec![f32::NAN; width];
                backprop_activation(isa, kind, &d_y, &x, &mut d_x).unwrap();
                let step = 1e-4;
                let expected: Vec<f64> = x
                    .iter()
                    .zip(&d_y)
                    .map(|(&x, &d)| {
                        let (x, at) = (f64::from(x), |x| reference::activate(kind, x));
                        f64::from(d) * (at(x + step) - at(x - step)) / (2.0 * step)
                    })
                    .collect();
                assert_close(&d_x, &expected, 1e-5, 1e-5);
            }
        }
    }

    fn dropout_is_the_product_with_its_factors(isa) {
        for width in WIDTHS {
            let x = numbers(3 * width, 1, 1.0);
            let dropout = Dropout::new(0.3, 5, 0).unwrap();
            let mut out = vec![f32::NAN; x.len()];
            let rows = Rows::new(&x, 3, width).unwrap();
            dropout::apply(isa, &dropout, rows, RowsMut::new(&mut out, 3, width).unwrap()).unwrap();
            let mut factors = vec![0.0; width];
            for row in 0..3 {
                dropout.fill_row(row as u64, &mut factors);
                for column in 0..width {
                    assert_eq!(out[row * width + column], x[row * width + column] * factors[column]);
                }
            }
        }
    }
}

#[test]
fn a_mask_is_made_of_flips_as_thinc_does_it() {
    let mut mask = [9.0; 3];
    dropout::mask_of_flips(&[0.1, 0.2, 0.9], 0.2, &mut mask).unwrap();
    assert_eq!(mask, [0.0, 1.25, 1.25]);
    assert!(dropout::mask_of_flips(&[0.1], 0.2, &mut mask).is_err());
}
