//! Sums of table rows.

use super::rowwise::add_row;
use crate::KernelError;
use crate::rows::{Rows, RowsMut};
use crate::simd::{Isa, Simd};

#[inline(always)]
fn gather_add_body<S: Simd>(simd: S, table: Rows<'_>, indices: Rows<'_, u32>, mut out: RowsMut<'_>) {
    for row in 0..indices.n_rows() {
        let to = out.row_mut(row);
        to.fill(0.0);
        for &index in indices.row(row) {
            add_row(simd, to, table.row(index as usize));
        }
    }
}

crate::dispatch! {
    fn run_gather_add(table: Rows<'_>, indices: Rows<'_, u32>, out: RowsMut<'_>) -> () = gather_add_body;
}

/// Writes the sum of the table rows that each row of `indices` names, first to last.
///
/// # Errors
/// [`KernelError::Index`] for a row that the table does not have, [`KernelError::Shape`] if sizes do not fit.
pub fn gather_add(
    isa: Isa,
    table: Rows<'_>,
    indices: Rows<'_, u32>,
    out: RowsMut<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("gather_add: the rows of out", indices.n_rows(), out.n_rows())?;
    KernelError::expect_len("gather_add: the width of out", table.width(), out.width())?;
    if let Some(position) = indices.data().iter().position(|&index| index as usize >= table.n_rows()) {
        return Err(KernelError::Index {
            what: "gather_add: indices",
            position,
            found: i64::from(indices.data()[position]),
            expected: format!("less than {}, the rows of the table", table.n_rows()),
        });
    }
    run_gather_add(isa, table, indices, out);
    Ok(())
}
