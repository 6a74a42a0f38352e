//! Sums of table rows, and rows added to a table.

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
    check_indices("gather_add: indices", indices.data(), table.n_rows())?;
    run_gather_add(isa, table, indices, out);
    Ok(())
}

fn check_indices(what: &'static str, indices: &[u32], n_rows: usize) -> Result<(), KernelError> {
    match indices.iter().position(|&index| index as usize >= n_rows) {
        None => Ok(()),
        Some(position) => Err(KernelError::Index {
            what,
            position,
            found: i64::from(indices[position]),
            expected: format!("less than {n_rows}, the rows of the table"),
        }),
    }
}

#[inline(always)]
fn scatter_add_body<S: Simd>(simd: S, mut table: RowsMut<'_>, indices: &[u32], values: Rows<'_>) {
    for (row, &index) in indices.iter().enumerate() {
        add_row(simd, table.row_mut(index as usize), values.row(row));
    }
}

crate::dispatch! {
    fn run_scatter_add(table: RowsMut<'_>, indices: &[u32], values: Rows<'_>) -> () = scatter_add_body;
}

/// Adds each row of `values` to the table row that its index names, first to last. On an error nothing is added.
///
/// # Errors
/// [`KernelError::Index`] for a row that the table does not have, [`KernelError::Shape`] if sizes do not fit.
pub fn scatter_add(
    isa: Isa,
    table: RowsMut<'_>,
    indices: &[u32],
    values: Rows<'_>,
) -> Result<(), KernelError> {
    KernelError::expect_len("scatter_add: indices", values.n_rows(), indices.len())?;
    KernelError::expect_len("scatter_add: the width of values", table.width(), values.width())?;
    check_indices("scatter_add: indices", indices, table.n_rows())?;
    run_scatter_add(isa, table, indices, values);
    Ok(())
}
