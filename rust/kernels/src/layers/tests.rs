//! Layers against plain loops, for every instruction set.

use super::activation::{Activation, activate, backprop_activation};
use super::dropout::Dropout;
use super::gather::gather_add;
use super::hash_embed::{hash_id, rows_of};
use super::layer_norm::{backprop_layer_norm, layer_norm};
use crate::KernelError;
use crate::reference::layers as reference;
use crate::rows::{Rows, RowsMut};
use crate::testing::{WIDTHS, assert_close, for_every_isa, numbers, wide};

/// `f32` against `f64` over rows of up to 129.
const CLOSE: f64 = 2e-5;

for_every_isa! {
    fn layer_norm_and_its_gradient_are_those_of_plain_loops(isa) {
        for width in WIDTHS.into_iter().filter(|&width| width > 1) {
            let n_rows = 3;
            let x = numbers(n_rows * width, 1, 3.0);
            let (gain, shift) = (numbers(width, 2, 1.0), numbers(width, 3, 1.0));
            let rows = Rows::new(&x, n_rows, width).unwrap();
            let (mut normalized, mut out) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            let mut scales = vec![0.0; n_rows];
            layer_norm(isa, rows, &gain, &shift, &mut normalized, &mut scales, &mut out).unwrap();
            let d_out = numbers(x.len(), 4, 1.0);
            let mut d = d_out.clone();
            let (mut d_gain, mut d_shift) = (vec![0.0; width], vec![0.0; width]);
            let rows = Rows::new(&normalized, n_rows, width).unwrap();
            let d_rows = RowsMut::new(&mut d, n_rows, width).unwrap();
            backprop_layer_norm(isa, d_rows, rows, &scales, &gain, &mut d_gain, &mut d_shift).unwrap();
            let mut expected_gain = vec![0.0; width];
            let mut expected_shift = vec![0.0; width];
            for row in 0..n_rows {
                let cells = row * width..(row + 1) * width;
                let (expected, scale) = reference::normalize(&wide(&x[cells.clone()]));
                assert_close(&normalized[cells.clone()], &expected, CLOSE, CLOSE);
                let scaled: Vec<f64> =
                    (0..width).map(|k| expected[k] * f64::from(gain[k]) + f64::from(shift[k])).collect();
                assert_close(&out[cells.clone()], &scaled, CLOSE, CLOSE);
                let d_row = wide(&d_out[cells.clone()]);
                let d_normalized: Vec<f64> = (0..width).map(|k| d_row[k] * f64::from(gain[k])).collect();
                let expected_d = reference::backprop_normalize(&d_normalized, &expected, scale);
                // Where a row has hardly any variance, 1 / deviation makes rounding large.
                assert_close(&d[cells], &expected_d, 1e-4 * (1.0 + scale), 1e-4);
                for k in 0..width {
                    expected_gain[k] += d_row[k] * expected[k];
                    expected_shift[k] += d_row[k];
                }
            }
            assert_close(&d_gain, &expected_gain, CLOSE, CLOSE);
            assert_close(&d_shift, &expected_shift, CLOSE, CLOSE);
        }
    }

    fn gradients_of_activations_are_those_of_finite_differences(isa) {
        for kind in [Activation::Sigmoid, Activation::Swish, Activation::Gelu, Activation::Mish] {
            for width in WIDTHS {
                let x = numbers(width, 1, 4.0);
                let d_y = numbers(width, 2, 1.0);
                let mut d_x = vec![f32::NAN; width];
                backprop_activation(isa, kind, &d_y, &x, &mut d_x).unwrap();
                let at = |offset: f32| {
                    let moved: Vec<f32> = x.iter().map(|x| x + offset).collect();
                    let mut y = vec![f32::NAN; width];
                    activate(isa, kind, &moved, &mut y).unwrap();
                    wide(&y)
                };
                let (above, below) = (at(1e-2), at(-1e-2));
                let expected: Vec<f64> =
                    (0..width).map(|k| f64::from(d_y[k]) * (above[k] - below[k]) / 2e-2).collect();
                assert_close(&d_x, &expected, 3e-4, 1e-3);
            }
        }
    }

    fn gather_add_sums_rows_and_refuses_those_that_are_not_there(isa) {
        for width in WIDTHS {
            let table = numbers(5 * width, 1, 1.0);
            let table = Rows::new(&table, 5, width).unwrap();
            let indices = [0_u32, 4, 4, 2];
            let mut out = vec![f32::NAN; 2 * width];
            let rows = RowsMut::new(&mut out, 2, width).unwrap();
            gather_add(isa, table, Rows::new(&indices, 2, 2).unwrap(), rows).unwrap();
            for (row, pair) in indices.chunks(2).enumerate() {
                for k in 0..width {
                    assert_eq!(out[row * width + k], pair.iter().map(|&i| table.row(i as usize)[k]).sum());
                }
            }
            let rows = RowsMut::new(&mut out[..width], 1, width).unwrap();
            let result = gather_add(isa, table, Rows::new(&[5_u32], 1, 1).unwrap(), rows);
            assert!(matches!(result, Err(KernelError::Index { position: 0, found: 5, .. })));
        }
    }
}

#[test]
fn hashes_are_those_of_murmurhash3_with_a_seed() {
    // From `thinc.api.NumpyOps().hash`.
    assert_eq!(hash_id(0, 0), [0xcc57_c3cb, 0x28df_63b7, 0xc4e8_fe52, 0xf255_7dfc]);
    assert_eq!(hash_id(18_446_744_073_709_551_615, 8), [0x9457_286e, 0xb150_a455, 0x5e82_bca5, 0x89f8_f680]);
    assert!(rows_of(12_345, 8, 500).iter().all(|&row| row < 500));
}

#[test]
fn dropout_drops_its_share_of_each_row_and_column() {
    let dropout = Dropout::new(0.25, 7, 1).unwrap();
    let (n_rows, width) = (400, 96);
    let mut columns = vec![0; width];
    let mut factors = vec![0.0; width];
    let mut rows = Vec::new();
    for row in 0..n_rows {
        dropout.fill_row(row, &mut factors);
        assert!(factors.iter().all(|&factor| factor == 0.0 || factor == 1.0 / 0.75));
        for (count, &factor) in columns.iter_mut().zip(&factors) {
            *count += usize::from(factor == 0.0);
        }
        rows.push(factors.clone());
    }
    let total: usize = columns.iter().sum();
    assert!((total as f64 / 38_400.0 - 0.25).abs() < 0.01, "{total}");
    assert!(columns.iter().all(|count| (60..140).contains(count)), "{columns:?}");
    rows.dedup();
    assert_eq!(rows.len(), n_rows as usize, "rows differ");
    let mut other = vec![0.0; width];
    Dropout::new(0.25, 8, 1).unwrap().fill_row(0, &mut other);
    assert_ne!(other, rows[0], "seeds differ");
    Dropout::new(0.25, 7, 2).unwrap().fill_row(0, &mut other);
    assert_ne!(other, rows[0], "layers differ");
}

#[test]
fn no_rate_drops_nothing_and_a_whole_rate_everything() {
    assert!(Dropout::new(0.0, 1, 1).is_none() && Dropout::new(f32::NAN, 1, 1).is_none());
    let mut factors = vec![1.0; 20];
    Dropout::new(1.0, 1, 1).unwrap().fill_row(0, &mut factors);
    assert_eq!(factors, [0.0; 20]);
}
