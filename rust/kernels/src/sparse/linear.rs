//! Rows of weights to scores, and back.

use crate::KernelError;

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
