//! The weights of the columns that training has touched, kept together until somebody wants the whole table.
//!
//! A column's weights lie `length` numbers apart in the table: to read or write one is a cache miss for each output. Here
//! they are a row. The table itself is behind until [`KeptRows::write_back`].

use crate::KernelError;
use crate::sparse::{self, LazyStep, Moments};

/// Marks a column that is not kept.
const ABSENT: u32 = u32::MAX;

/// Rows of a table of `length` columns.
#[derive(Clone, Debug)]
pub struct KeptRows {
    n_outputs: usize,
    row_of: Vec<u32>,
    columns: Vec<u32>,
    rows: Vec<f32>,
}

impl KeptRows {
    /// None kept yet, of a table of `length` columns with `n_outputs` numbers each.
    pub fn new(length: usize, n_outputs: usize) -> Self {
        KeptRows { n_outputs, row_of: vec![ABSENT; length], columns: Vec::new(), rows: Vec::new() }
    }

    /// Numbers in a row.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// All rows that are kept, (n_kept, n_outputs).
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// The places of `columns` among the rows; those not kept yet are copied from the table `weights`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `weights` is of another size, [`KernelError::Index`] if there is no such column.
    pub fn places(&mut self, weights: &[f32], columns: &[u32]) -> Result<Vec<u32>, KernelError> {
        self.check(weights, columns)?;
        let n_before = self.columns.len();
        let mut places = Vec::with_capacity(columns.len());
        for &column in columns {
            let place = &mut self.row_of[column as usize];
            if *place == ABSENT {
                *place = self.columns.len() as u32;
                self.columns.push(column);
            }
            places.push(*place);
        }
        let new = &self.columns[n_before..];
        let start = self.rows.len();
        self.rows.resize(start + new.len() * self.n_outputs, 0.0);
        sparse::gather(weights, new, &mut self.rows[start..])?;
        Ok(places)
    }

    /// [`sparse::lazy_step`] on the rows of `columns`; the table is not touched.
    ///
    /// # Errors
    /// As [`KeptRows::places`] and [`sparse::lazy_step`]. No weight or moment is changed then.
    pub fn step(
        &mut self,
        weights: &[f32],
        columns: &[u32],
        d_rows: &[f32],
        step: LazyStep,
        moments: Moments<'_>,
    ) -> Result<(), KernelError> {
        let places = self.places(weights, columns)?;
        KernelError::expect_len("lazy_step: d_rows", columns.len() * self.n_outputs, d_rows.len())?;
        sparse::step_rows(&mut self.rows, &places, d_rows, self.n_outputs, step, moments)
    }

    /// Copies all rows into the table `weights`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `weights` is of another size.
    pub fn write_back(&self, weights: &mut [f32]) -> Result<(), KernelError> {
        self.check(weights, &[])?;
        sparse::scatter(weights, &self.columns, &self.rows)
    }

    fn check(&self, weights: &[f32], columns: &[u32]) -> Result<(), KernelError> {
        let length = self.row_of.len();
        KernelError::expect_len("kept rows: weights", length * self.n_outputs, weights.len())?;
        match columns.iter().position(|&column| column as usize >= length) {
            None => Ok(()),
            Some(position) => Err(KernelError::Index {
                what: "sparse columns",
                position,
                found: i64::from(columns[position]),
                expected: format!("below {length}"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> LazyStep {
        LazyStep { step: 1, rate: 0.1, keep: (0.9, 0.99), eps: 1e-8, clip: 0.5, decay: 0.01 }
    }

    /// Weights and second moments after two steps, in the table or kept.
    fn stepped(kept: bool) -> (Vec<f32>, Vec<f32>) {
        let (length, n_outputs) = (512, 3);
        let mut weights: Vec<f32> = (0..length * n_outputs).map(|n| (n % 17) as f32 - 8.0).collect();
        let n_columns = 300;
        let (mut first, mut second, mut last) =
            (vec![0.0; n_columns * 3], vec![0.0; n_columns * 3], vec![0; n_columns]);
        let mut rows = KeptRows::new(length, n_outputs);
        for number in 1..3 {
            let columns: Vec<u32> = (0..n_columns as u32).map(|n| n + number as u32).collect();
            let slots: Vec<u32> = (0..n_columns as u32).collect();
            let d_rows: Vec<f32> = (0..n_columns * 3).map(|n| (n % 7) as f32 - 3.0).collect();
            let moments = Moments { slots: &slots, first: &mut first, second: &mut second, last: &mut last };
            let step = LazyStep { step: number, ..step() };
            if kept {
                rows.step(&weights, &columns, &d_rows, step, moments).unwrap();
            } else {
                sparse::lazy_step(&mut weights, &columns, &d_rows, step, moments).unwrap();
            }
        }
        rows.write_back(&mut weights).unwrap();
        (weights, second)
    }

    #[test]
    fn steps_of_kept_rows_have_the_bits_of_steps_in_the_table() {
        assert_eq!(stepped(true), stepped(false));
    }

    #[test]
    fn a_table_of_another_size_and_columns_out_of_range_are_refused() {
        let mut rows = KeptRows::new(4, 2);
        assert!(rows.places(&[0.0; 7], &[0]).is_err());
        assert!(rows.places(&[0.0; 8], &[4]).is_err());
        assert_eq!(rows.places(&[0.0; 8], &[3, 0, 3]).unwrap(), [0, 1, 0]);
        assert!(rows.write_back(&mut [0.0; 6]).is_err());
    }
}
