//! A linear layer over hashed sparse features, and an optimizer step for the weights a batch touched.
//!
//! Numbers, hashing and the order of the weights are those of thinc's `SparseLinear.v2`: each key is hashed twice, to
//! two *columns* of a table of `length`, and output `o` of column `c` is `weights[o * length + c]`. A batch touches few
//! columns, so they are copied once into *rows* (n_columns, n_outputs) that lie together, and all work is done on those.
//!
//! `columns` finds the columns of keys and copies their weights to rows and back, `linear` goes from rows to scores and
//! from their gradient to that of the rows, `lazy_step` moves rows along it.

mod columns;
mod lazy_step;
mod linear;

pub use columns::{Columns, columns_of, gather, hash_key, hashed, scatter};
pub(crate) use lazy_step::step_rows;
pub use lazy_step::{LazyStep, Moments, lazy_step};
pub use linear::{Features, gradient, placed, scores};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_distinct_rising_and_found_again() {
        let keys = [7, 9, 7, u64::MAX, 1 << 40];
        let found = columns_of(&keys, 64 + 5).unwrap();
        assert!(found.columns.is_sorted_by(|a, b| a < b));
        for (key, at) in keys.iter().zip(&found.positions) {
            for seed in 0..2 {
                assert_eq!(found.columns[at[seed as usize] as usize], hash_key(*key, seed) % 69);
            }
        }
        assert!(columns_of(&keys, 0).is_err());
    }

    #[test]
    fn scatter_undoes_gather() {
        let weights: Vec<f32> = (0..12).map(|n| n as f32).collect();
        let mut rows = vec![0.0; 6];
        gather(&weights, &[1, 3], &mut rows).unwrap();
        assert_eq!(rows, [1.0, 5.0, 9.0, 3.0, 7.0, 11.0]);
        let mut back = vec![0.0; 12];
        scatter(&mut back, &[1, 3], &rows).unwrap();
        assert_eq!(back[5], 5.0);
        assert!(scatter(&mut back, &[1, 4], &rows).is_err());
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let features = Features { positions: &[[0, 2]], values: &[1.0], lengths: &[1] };
        assert!(scores(&[0.0; 4], &[0.0; 2], features, &mut [0.0; 2]).is_err());
        let features = Features { positions: &[[0, 1]], values: &[1.0], lengths: &[2] };
        assert!(gradient(&[0.0; 2], 2, features, &mut [0.0; 4]).is_err());
    }
}
