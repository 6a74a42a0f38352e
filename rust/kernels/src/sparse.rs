//! A linear layer over hashed sparse features, and an optimizer step for the weights a batch touched.
//!
//! Numbers, hashing and the order of the weights are those of thinc's `SparseLinear.v2`: each key is hashed twice, to
//! two *columns* of a table of `length`, and output `o` of column `c` is `weights[o * length + c]`. A batch touches few
//! columns, so they are copied once into *rows* (n_columns, n_outputs) that lie together, and all work is done on those.

use crate::KernelError;

/// The columns of a batch's keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Distinct columns, rising.
    pub columns: Vec<u32>,
    /// For each key, where its two columns stand in `columns`.
    pub positions: Vec<[u32; 2]>,
}

/// MurmurHash3, the 32-bit variant, of the eight bytes of `key`.
///
/// Source: Austin Appleby, MurmurHash3_x86_32 (public domain).
pub fn hash_key(key: u64, seed: u32) -> u32 {
    let mut hash = seed;
    for word in [key as u32, (key >> 32) as u32] {
        let mixed = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        hash = (hash ^ mixed).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= 8;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The two columns of each of `keys` in a table of `length`.
///
/// # Errors
/// [`KernelError::Value`] if `length` is 0.
pub fn hashed(keys: &[u64], length: u32) -> Result<Vec<[u32; 2]>, KernelError> {
    if length == 0 {
        return Err(KernelError::Value {
            what: "sparse_columns: length",
            expected: "1 or more".into(),
            found: "0".into(),
        });
    }
    Ok(keys.iter().map(|&key| [hash_key(key, 0) % length, hash_key(key, 1) % length]).collect())
}

/// The distinct columns of `keys` in a table of `length`.
///
/// # Errors
/// [`KernelError::Value`] if `length` is 0.
pub fn columns_of(keys: &[u64], length: u32) -> Result<Columns, KernelError> {
    let mut of_keys = hashed(keys, length)?;
    // A bit and a running count for each column are quicker than sorting.
    let mut words = vec![0u64; (length as usize).div_ceil(64)];
    for &column in of_keys.as_flattened() {
        words[column as usize / 64] |= 1 << (column % 64);
    }
    let mut before = Vec::with_capacity(words.len());
    let mut columns = Vec::new();
    for (index, &word) in words.iter().enumerate() {
        before.push(columns.len() as u32);
        let mut rest = word;
        while rest != 0 {
            columns.push(index as u32 * 64 + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
    for column in of_keys.as_flattened_mut() {
        let at = *column as usize / 64;
        let lower = words[at] & ((1 << (*column % 64)) - 1);
        *column = before[at] + lower.count_ones();
    }
    Ok(Columns { columns, positions: of_keys })
}

/// Copies the weights of `columns` into `rows` (n_columns, n_outputs).
///
/// # Errors
/// As [`scatter`].
pub fn gather(weights: &[f32], columns: &[u32], rows: &mut [f32]) -> Result<(), KernelError> {
    let (n_outputs, length) = sizes(weights.len(), columns, rows.len())?;
    for output in 0..n_outputs {
        let from = &weights[output * length..][..length];
        for (row, &column) in columns.iter().enumerate() {
            rows[row * n_outputs + output] = from[column as usize];
        }
    }
    Ok(())
}

/// Copies `rows` (n_columns, n_outputs) into the weights of `columns`.
///
/// # Errors
/// [`KernelError::Shape`] if the sizes do not fit, [`KernelError::Index`] if there is no such column.
pub fn scatter(weights: &mut [f32], columns: &[u32], rows: &[f32]) -> Result<(), KernelError> {
    let (n_outputs, length) = sizes(weights.len(), columns, rows.len())?;
    for output in 0..n_outputs {
        let to = &mut weights[output * length..][..length];
        for (row, &column) in columns.iter().enumerate() {
            to[column as usize] = rows[row * n_outputs + output];
        }
    }
    Ok(())
}

/// The number of outputs, and of columns of the whole table.
fn sizes(n_weights: usize, columns: &[u32], n_numbers: usize) -> Result<(usize, usize), KernelError> {
    if columns.is_empty() {
        KernelError::expect_len("sparse rows without columns", 0, n_numbers)?;
        return Ok((0, 0));
    }
    let n_outputs = n_numbers / columns.len();
    KernelError::expect_len("sparse rows", n_outputs * columns.len(), n_numbers)?;
    if n_outputs == 0 {
        return Ok((0, 0));
    }
    let length = n_weights / n_outputs;
    KernelError::expect_len("sparse weights", n_outputs * length, n_weights)?;
    for (position, &column) in columns.iter().enumerate() {
        if column as usize >= length {
            return Err(KernelError::Index {
                what: "sparse columns",
                position,
                found: i64::from(column),
                expected: format!("0 to {}", length.saturating_sub(1)),
            });
        }
    }
    Ok((n_outputs, length))
}

/// A batch's features: for each key its two positions among the columns and its value, and how many keys a document has.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// Positions among the rows.
    pub positions: &'a [[u32; 2]],
    /// A number for each key.
    pub values: &'a [f32],
    /// Keys of each document.
    pub lengths: &'a [i32],
}

impl Features<'_> {
    fn check(&self, n_rows: usize, n_scores: usize, n_outputs: usize) -> Result<(), KernelError> {
        KernelError::expect_len("sparse_linear: values", self.positions.len(), self.values.len())?;
        let total: i64 = self.lengths.iter().map(|&length| i64::from(length.max(0))).sum();
        KernelError::expect_len("sparse_linear: the sum of lengths", self.values.len(), total as usize)?;
        KernelError::expect_len("sparse_linear: scores", self.lengths.len() * n_outputs, n_scores)?;
        match self.positions.as_flattened().iter().position(|&at| at as usize >= n_rows) {
            None => Ok(()),
            Some(position) => Err(KernelError::Index {
                what: "sparse_linear: positions",
                position,
                found: i64::from(self.positions.as_flattened()[position]),
                expected: format!("below {n_rows}"),
            }),
        }
    }

    /// Calls `visit(document, row, value)` for each feature and each of its two rows, in order.
    #[inline(always)]
    fn each(&self, mut visit: impl FnMut(usize, usize, f32)) {
        let mut at = 0;
        for (document, &length) in self.lengths.iter().enumerate() {
            for _ in 0..length.max(0) {
                for row in self.positions[at] {
                    visit(document, row as usize, self.values[at]);
                }
                at += 1;
            }
        }
    }
}

/// `positions` among a batch's columns, as positions among rows of which `places` says where each column's is.
///
/// # Errors
/// [`KernelError::Index`] if there is no such column.
pub fn placed(positions: &[[u32; 2]], places: &[u32]) -> Result<Vec<[u32; 2]>, KernelError> {
    let place = |at: u32| places.get(at as usize).copied();
    positions
        .iter()
        .enumerate()
        .map(|(position, &[one, other])| match (place(one), place(other)) {
            (Some(one), Some(other)) => Ok([one, other]),
            _ => Err(KernelError::Index {
                what: "sparse_linear: positions",
                position,
                found: i64::from(one.max(other)),
                expected: format!("below {}", places.len()),
            }),
        })
        .collect()
}

/// Writes `scores` (n_docs, n_outputs): the bias, and the rows of each document's features times their values.
///
/// # Errors
/// [`KernelError::Shape`] or [`KernelError::Index`] if the sizes do not fit.
pub fn scores(
    rows: &[f32],
    bias: &[f32],
    features: Features<'_>,
    scores: &mut [f32],
) -> Result<(), KernelError> {
    let n_outputs = bias.len();
    if n_outputs == 0 {
        return KernelError::expect_len("sparse_linear: scores", 0, scores.len());
    }
    features.check(rows.len() / n_outputs, scores.len(), n_outputs)?;
    for row in scores.chunks_exact_mut(n_outputs) {
        row.copy_from_slice(bias);
    }
    features.each(|document, row, value| {
        let scores = &mut scores[document * n_outputs..][..n_outputs];
        for (score, weight) in scores.iter_mut().zip(&rows[row * n_outputs..][..n_outputs]) {
            *score += weight * value;
        }
    });
    Ok(())
}

/// Adds to `d_rows` (n_columns, n_outputs) the gradient of the rows, given that of the scores.
///
/// # Errors
/// As [`scores`].
pub fn gradient(
    d_scores: &[f32],
    n_outputs: usize,
    features: Features<'_>,
    d_rows: &mut [f32],
) -> Result<(), KernelError> {
    if n_outputs == 0 {
        return Ok(());
    }
    features.check(d_rows.len() / n_outputs, d_scores.len(), n_outputs)?;
    features.each(|document, row, value| {
        let d_scores = &d_scores[document * n_outputs..][..n_outputs];
        for (d_weight, d_score) in d_rows[row * n_outputs..][..n_outputs].iter_mut().zip(d_scores) {
            *d_weight += d_score * value;
        }
    });
    Ok(())
}

/// The numbers of one lazy step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LazyStep {
    /// The number of this step, from 1.
    pub step: i64,
    /// How far: the learning rate, with the corrections of the moments.
    pub rate: f32,
    /// How much of the moments stays each step; (0, 0) is a step along the gradient.
    pub keep: (f32, f32),
    /// What keeps Adam's quotient finite.
    pub eps: f32,
    /// The gradient is scaled to this norm if its own is as large or larger; 0 is never.
    pub clip: f32,
    /// So much of the weights is taken off them each step.
    pub decay: f32,
}

/// What is kept of the touched columns; a column's row number is its *slot*.
#[derive(Debug)]
pub struct Moments<'a> {
    /// The slot of each column of the batch.
    pub slots: &'a [u32],
    /// (n_slots, n_outputs)
    pub first: &'a mut [f32],
    /// (n_slots, n_outputs)
    pub second: &'a mut [f32],
    /// For each slot the number of the step that last touched it, 0 for none.
    pub last: &'a mut [i64],
}

/// Steps the weights of `columns` along `d_rows` (n_columns, n_outputs), and leaves all others alone.
///
/// The lazy form of Adam: moments fade, and weights decay, by as many steps as have passed since the column was last
/// touched; the drift of a weight without gradient along its old first moment is left out. Where every column is
/// touched by every step, and for plain gradient descent without decay, the result is that of the dense step.
///
/// # Errors
/// [`KernelError::Shape`] or [`KernelError::Index`] if the sizes do not fit. Nothing is changed then.
pub fn lazy_step(
    weights: &mut [f32],
    columns: &[u32],
    d_rows: &[f32],
    step: LazyStep,
    moments: Moments<'_>,
) -> Result<(), KernelError> {
    let (n_outputs, _) = sizes(weights.len(), columns, d_rows.len())?;
    let mut rows = vec![0.0; d_rows.len()];
    gather(weights, columns, &mut rows)?;
    let places: Vec<u32> = (0..columns.len() as u32).collect();
    step_rows(&mut rows, &places, d_rows, n_outputs, step, moments)?;
    scatter(weights, columns, &rows)
}

/// [`lazy_step`] for weights that are rows already: those at `places` move along `d_rows`.
///
/// # Errors
/// As [`lazy_step`].
pub(crate) fn step_rows(
    rows: &mut [f32],
    places: &[u32],
    d_rows: &[f32],
    n_outputs: usize,
    step: LazyStep,
    moments: Moments<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("lazy_step: slots", places.len(), moments.slots.len())?;
    let n_slots = moments.last.len();
    KernelError::expect_len("lazy_step: the first moment", n_slots * n_outputs, moments.first.len())?;
    KernelError::expect_len("lazy_step: the second moment", n_slots * n_outputs, moments.second.len())?;
    if let Some(position) = moments.slots.iter().position(|&slot| slot as usize >= n_slots) {
        return Err(KernelError::Index {
            what: "lazy_step: slots",
            position,
            found: i64::from(moments.slots[position]),
            expected: format!("below {n_slots}"),
        });
    }
    if n_outputs == 0 {
        return Ok(());
    }
    let scale = clip_scale(d_rows, step.clip);
    for ((&place, &slot), d_row) in places.iter().zip(moments.slots).zip(d_rows.chunks_exact(n_outputs)) {
        let (place, slot) = (place as usize * n_outputs, slot as usize);
        let passed = (step.step - moments.last[slot]).clamp(1, i64::from(i32::MAX)) as i32;
        moments.last[slot] = step.step;
        step_row(
            &mut rows[place..place + n_outputs],
            d_row,
            &mut moments.first[slot * n_outputs..][..n_outputs],
            &mut moments.second[slot * n_outputs..][..n_outputs],
            step,
            passed,
            scale,
        );
    }
    Ok(())
}

/// One row: `passed` steps since it was last moved, gradient times `scale`.
#[inline]
fn step_row(
    row: &mut [f32],
    d_row: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    step: LazyStep,
    passed: i32,
    scale: f32,
) {
    let missed = (1.0 - step.decay).powi(passed - 1);
    if step.keep == (0.0, 0.0) {
        for (weight, d_weight) in row.iter_mut().zip(d_row) {
            let moved = *weight * missed - step.rate * (d_weight * scale);
            *weight = moved - step.decay * moved;
        }
        return;
    }
    let fade = (step.keep.0.powi(passed), step.keep.1.powi(passed));
    let new = (1.0 - step.keep.0, 1.0 - step.keep.1);
    for (((weight, d_weight), first), second) in row.iter_mut().zip(d_row).zip(first).zip(second) {
        let gradient = d_weight * scale;
        *first = *first * fade.0 + gradient * new.0;
        *second = *second * fade.1 + gradient * gradient * new.1;
        let moved = *weight * missed - step.rate * (*first / (second.sqrt() + step.eps));
        *weight = moved - step.decay * moved;
    }
}

fn clip_scale(gradient: &[f32], clip: f32) -> f32 {
    if clip == 0.0 {
        return 1.0;
    }
    let norm = gradient
        .chunks(1 << 10)
        .map(|part| f64::from(part.iter().map(|number| number * number).sum::<f32>()))
        .sum::<f64>()
        .sqrt();
    if norm >= f64::from(clip) { (f64::from(clip) / norm) as f32 } else { 1.0 }
}

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
