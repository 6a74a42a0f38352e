//! Windows of rows: each row beside its neighbours, and the way back. thinc calls it `seq2col`.
//!
//! Sequences lie one after the other; beyond the ends of one there are zeros, never rows of the next.

use super::ragged::{check_lengths, check_total};
use super::rowwise::add_row;
use crate::KernelError;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Isa, Simd};

/// The numbers of a window `reach` rows to each side.
///
/// # Errors
/// [`KernelError::Value`] if there are too many to count.
pub fn window_width(width: usize, reach: usize) -> Result<usize, KernelError> {
    let pieces = reach.checked_mul(2).and_then(|sides| sides.checked_add(1));
    pieces.and_then(|pieces| pieces.checked_mul(width)).ok_or_else(|| KernelError::Value {
        what: "seq2col: nW",
        expected: "a window that fits in memory".to_owned(),
        found: reach.to_string(),
    })
}

/// Writes each row of `x` with the `reach` rows before and after it, in their order.
///
/// # Errors
/// [`KernelError::Shape`] if `out` does not have `2 * reach + 1` times the width, or if the lengths do not sum up to
/// the rows; [`KernelError::Value`] for a negative length.
pub fn windows(x: Rows<'_>, lengths: &[i32], reach: usize, mut out: RowsMut<'_>) -> Result<(), KernelError> {
    let width = x.width();
    KernelError::expect_len("seq2col: the rows of out", x.n_rows(), out.n_rows())?;
    KernelError::expect_len("seq2col: the width of out", window_width(width, reach)?, out.width())?;
    check_total("seq2col: lengths", check_lengths("seq2col: lengths", lengths, 0)?, x.n_rows())?;
    if width == 0 {
        return Ok(());
    }
    let mut start = 0;
    for &length in lengths {
        let end = start + length as usize;
        for row in start..end {
            for (piece, cells) in out.row_mut(row).chunks_exact_mut(width).enumerate() {
                match (row + piece).checked_sub(reach).filter(|neighbour| (start..end).contains(neighbour)) {
                    Some(neighbour) => cells.copy_from_slice(x.row(neighbour)),
                    None => cells.fill(0.0),
                }
            }
        }
        start = end;
    }
    Ok(())
}

#[inline(always)]
fn backprop_body<S: Simd>(simd: S, d_y: Rows<'_>, lengths: &[i32], reach: usize, mut out: RowsMut<'_>) {
    let width = out.width();
    let mut start = 0;
    for &length in lengths {
        let end = start + length as usize;
        for row in start..end {
            let sum = out.row_mut(row);
            sum.fill(0.0);
            // A row is piece `reach + row - other` of the window of row `other`.
            for other in row.saturating_sub(reach).max(start)..row.saturating_add(reach + 1).min(end) {
                let piece = reach + row - other;
                add_row(simd, sum, &d_y.row(other)[piece * width..][..width]);
            }
        }
        start = end;
    }
}

crate::dispatch! {
    fn run_backprop(d_y: Rows<'_>, lengths: &[i32], reach: usize, out: RowsMut<'_>) -> () = backprop_body;
}

/// Writes the gradient of the rows, given `d_y`, that of their [`windows`].
///
/// # Errors
/// As for [`windows`].
pub fn backprop_windows(
    isa: Isa,
    d_y: Rows<'_>,
    lengths: &[i32],
    reach: usize,
    out: RowsMut<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("backprop_seq2col: the rows of out", d_y.n_rows(), out.n_rows())?;
    let expected = window_width(out.width(), reach)?;
    KernelError::expect_len("backprop_seq2col: the width of dY", expected, d_y.width())?;
    let total = check_lengths("backprop_seq2col: lengths", lengths, 0)?;
    check_total("backprop_seq2col: lengths", total, d_y.n_rows())?;
    run_backprop(isa, d_y, lengths, reach, out);
    Ok(())
}
