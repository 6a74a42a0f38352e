//! One row for each sequence of rows: its sum, mean, largest numbers, first or last row; and the gradients.
//!
//! Sequences lie one after the other and `lengths` says how many rows each has. Rows after the last sequence are left
//! out, as in thinc. A sequence of no rows has sum and mean 0, and no largest, first or last row.

use super::rowwise::add_row;
use crate::KernelError;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Isa, Simd};

/// A reduction of sequences that keeps nothing for its gradient but the lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The sum of the rows.
    Sum,
    /// Their mean.
    Mean,
    /// The first row.
    First,
    /// The last row.
    Last,
}

impl Reduction {
    /// How many rows a sequence must have.
    fn least(self) -> i32 {
        match self {
            Reduction::Sum | Reduction::Mean => 0,
            Reduction::First | Reduction::Last => 1,
        }
    }
}

/// The sum of the lengths, if none is below `least`.
pub(super) fn check_lengths(what: &'static str, lengths: &[i32], least: i32) -> Result<usize, KernelError> {
    match lengths.iter().find(|&&length| length < least) {
        Some(found) => Err(KernelError::Value {
            what,
            expected: format!("all sequence lengths >= {least}"),
            found: found.to_string(),
        }),
        None => Ok(lengths.iter().map(|&length| length as usize).sum()),
    }
}

/// Refuses lengths that do not sum up to the rows.
pub(super) fn check_total(what: &'static str, total: usize, n_rows: usize) -> Result<(), KernelError> {
    if total == n_rows {
        return Ok(());
    }
    Err(KernelError::Shape {
        what,
        expected: format!("a sum of {n_rows}, the number of rows"),
        found: total.to_string(),
    })
}

/// Refuses sequences that go past the last row; an `IndexError` in Python, as in thinc.
fn check_end(what: &'static str, lengths: &[i32], n_rows: usize) -> Result<(), KernelError> {
    let mut end = 0;
    for (position, &length) in lengths.iter().enumerate() {
        end += length as usize;
        if end > n_rows {
            return Err(KernelError::Index {
                what,
                position,
                found: i64::from(length),
                expected: format!("lengths that sum up to the number of rows, {n_rows}"),
            });
        }
    }
    Ok(())
}

#[inline(always)]
fn scale_row<S: Simd>(simd: S, row: &mut [f32], factor: f32) {
    let factors = simd.splat(factor);
    let (chunks, rest) = simd.chunks_mut(row);
    for chunk in chunks {
        simd.store(chunk, simd.mul(simd.load(chunk), factors));
    }
    simd.store_partial(rest, simd.mul(simd.load_partial(rest, 0.0), factors));
}

#[inline(always)]
fn reduce_body<S: Simd>(simd: S, kind: Reduction, x: Rows<'_>, lengths: &[i32], mut out: RowsMut<'_>) {
    let mut start = 0;
    for (i, &length) in lengths.iter().enumerate() {
        let (end, to) = (start + length as usize, out.row_mut(i));
        match kind {
            Reduction::First => to.copy_from_slice(x.row(start)),
            Reduction::Last => to.copy_from_slice(x.row(end - 1)),
            Reduction::Sum | Reduction::Mean => {
                to.fill(0.0);
                for row in start..end {
                    add_row(simd, to, x.row(row));
                }
                if kind == Reduction::Mean && length > 1 {
                    scale_row(simd, to, 1.0 / length as f32);
                }
            }
        }
        start = end;
    }
}

#[inline(always)]
fn backprop_body<S: Simd>(simd: S, kind: Reduction, d_y: Rows<'_>, lengths: &[i32], mut out: RowsMut<'_>) {
    let mut start = 0;
    for (i, &length) in lengths.iter().enumerate() {
        let (end, d) = (start + length as usize, d_y.row(i));
        for row in start..end {
            let to = out.row_mut(row);
            let takes_part = match kind {
                Reduction::First => row == start,
                Reduction::Last => row + 1 == end,
                Reduction::Sum | Reduction::Mean => true,
            };
            if takes_part {
                to.copy_from_slice(d);
            } else {
                to.fill(0.0);
            }
            if kind == Reduction::Mean && length > 1 {
                scale_row(simd, to, 1.0 / length as f32);
            }
        }
        start = end;
    }
}

/// The first largest number of each column and in which row of its sequence it stands. As in thinc a NaN is the largest
/// in the first row and never in another.
#[inline(always)]
fn max_body<S: Simd>(_simd: S, x: Rows<'_>, lengths: &[i32], mut out: RowsMut<'_>, which: &mut [i32]) {
    let width = x.width();
    let mut start = 0;
    for (i, &length) in lengths.iter().enumerate() {
        let end = start + length as usize;
        let (best, at) = (out.row_mut(i), &mut which[i * width..][..width]);
        best.copy_from_slice(x.row(start));
        at.fill(0);
        for row in start + 1..end {
            // Without a branch: the compiler makes vectors of it.
            for ((best, at), &x) in best.iter_mut().zip(at.iter_mut()).zip(x.row(row)) {
                let larger = x > *best;
                *at = if larger { (row - start) as i32 } else { *at };
                *best = if larger { x } else { *best };
            }
        }
        start = end;
    }
}

crate::dispatch! {
    fn run_reduce(kind: Reduction, x: Rows<'_>, lengths: &[i32], out: RowsMut<'_>) -> () = reduce_body;
}
crate::dispatch! {
    fn run_backprop(kind: Reduction, d_y: Rows<'_>, lengths: &[i32], out: RowsMut<'_>) -> () = backprop_body;
}
crate::dispatch! {
    fn run_max(x: Rows<'_>, lengths: &[i32], out: RowsMut<'_>, which: &mut [i32]) -> () = max_body;
}

/// Writes a row for each sequence.
///
/// # Errors
/// [`KernelError::Shape`] if `out` does not fit, [`KernelError::Value`] for a length that is negative, or 0 where there
/// must be a row, [`KernelError::Index`] for lengths that go past the last row.
pub fn reduce(
    isa: Isa,
    kind: Reduction,
    x: Rows<'_>,
    lengths: &[i32],
    out: RowsMut<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("reduce: the rows of out", lengths.len(), out.n_rows())?;
    KernelError::expect_len("reduce: the width of out", x.width(), out.width())?;
    check_lengths("reduce: lengths", lengths, kind.least())?;
    check_end("reduce: lengths", lengths, x.n_rows())?;
    run_reduce(isa, kind, x, lengths, out);
    Ok(())
}

/// Writes the gradient of the rows, given `d_y`, that of their [`reduce`]d ones.
///
/// # Errors
/// As for [`reduce`]; [`KernelError::Shape`] if `out` does not have as many rows as the sequences together.
pub fn backprop_reduce(
    isa: Isa,
    kind: Reduction,
    d_y: Rows<'_>,
    lengths: &[i32],
    out: RowsMut<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("backprop_reduce: lengths", d_y.n_rows(), lengths.len())?;
    KernelError::expect_len("backprop_reduce: the width of out", d_y.width(), out.width())?;
    let total = check_lengths("backprop_reduce: lengths", lengths, kind.least())?;
    check_total("backprop_reduce: lengths", total, out.n_rows())?;
    run_backprop(isa, kind, d_y, lengths, out);
    Ok(())
}

/// Writes the largest number of each column of each sequence and, to `which`, in which of its rows that stands.
///
/// # Errors
/// As for [`reduce`]; a sequence must have a row.
pub fn reduce_max(
    isa: Isa,
    x: Rows<'_>,
    lengths: &[i32],
    out: RowsMut<'_>,
    which: &mut [i32],
) -> Result<(), KernelError> {
    KernelError::expect_len("reduce_max: the rows of out", lengths.len(), out.n_rows())?;
    KernelError::expect_len("reduce_max: the width of out", x.width(), out.width())?;
    KernelError::expect_len("reduce_max: which", lengths.len() * x.width(), which.len())?;
    check_lengths("reduce_max: lengths", lengths, 1)?;
    check_end("reduce_max: lengths", lengths, x.n_rows())?;
    run_max(isa, x, lengths, out, which);
    Ok(())
}

/// Writes the gradient of the rows, given `d_y`, that of [`reduce_max`], which also said `which`.
///
/// # Errors
/// As for [`backprop_reduce`]; [`KernelError::Index`] for a row that a sequence does not have.
pub fn backprop_reduce_max(
    d_y: Rows<'_>,
    which: &[i32],
    lengths: &[i32],
    mut out: RowsMut<'_>,
) -> Result<(), KernelError> {
    let width = d_y.width();
    KernelError::expect_len("backprop_reduce_max: lengths", d_y.n_rows(), lengths.len())?;
    KernelError::expect_len("backprop_reduce_max: which", d_y.data().len(), which.len())?;
    KernelError::expect_len("backprop_reduce_max: the width of out", width, out.width())?;
    let total = check_lengths("backprop_reduce_max: lengths", lengths, 1)?;
    check_total("backprop_reduce_max: lengths", total, out.n_rows())?;
    out.reborrow().into_data().fill(0.0);
    let mut start = 0;
    for (i, &length) in lengths.iter().enumerate() {
        for (column, &d) in d_y.row(i).iter().enumerate() {
            let (position, row) = (i * width + column, which[i * width + column]);
            if !(0..length).contains(&row) {
                return Err(KernelError::Index {
                    what: "backprop_reduce_max: which",
                    position,
                    found: i64::from(row),
                    expected: format!("0 to {}, a row of the sequence", length - 1),
                });
            }
            out.row_mut(start + row as usize)[column] = d;
        }
        start += length as usize;
    }
    Ok(())
}
