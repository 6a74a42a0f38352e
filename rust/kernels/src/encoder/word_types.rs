//! Rows of feature ids that occur more than once, found.

use rustc_hash::{FxBuildHasher, FxHashMap};

/// The different rows, in order of first appearance, and which of them each row is.
///
/// ```
/// use ferrule_kernels::encoder::word_types;
/// let (rows, types) = word_types(&[7, 8, 5, 6, 7, 8], 2);
/// assert_eq!(rows, [7, 8, 5, 6]);
/// assert_eq!(types, [0, 1, 0]);
/// ```
#[must_use]
pub fn word_types(features: &[u64], n_columns: usize) -> (Vec<u64>, Vec<u32>) {
    if n_columns == 0 {
        return (Vec::new(), Vec::new());
    }
    let n_tokens = features.len() / n_columns;
    let mut rows = Vec::new();
    let mut types = Vec::with_capacity(n_tokens);
    let mut seen = FxHashMap::with_capacity_and_hasher(n_tokens, FxBuildHasher);
    for row in features.chunks_exact(n_columns) {
        let next = seen.len() as u32;
        let index = *seen.entry(row).or_insert(next);
        if index == next {
            rows.extend_from_slice(row);
        }
        types.push(index);
    }
    (rows, types)
}
