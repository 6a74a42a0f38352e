//! The weights of the columns that training has touched, kept together until somebody wants the whole table.
//!
//! A column's weights lie `length` numbers apart in the table: to read or write one is a cache miss for each output. Here
//! they are a row. The table itself is behind until [`KeptRows::write_back`].

use crate::sparse::{self, Features, LazyStep, Moments};
use crate::{KernelError, Threads};

/// Marks a column that is not kept.
const ABSENT: u32 = u32::MAX;

/// Keys and values of some documents, one after the other, and how many keys each has.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'a> {
    /// Hashed to columns here.
    pub keys: &'a [u64],
    /// A number for each key.
    pub values: &'a [f32],
    /// Keys of each document.
    pub lengths: &'a [i32],
}

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

    /// Writes `scores` (n_docs, n_outputs) of the documents of all `parts`, as [`sparse::scores`] of their columns.
    ///
    /// # Errors
    /// As [`KeptRows::places`] and [`sparse::scores`].
    pub fn scores(
        &mut self,
        threads: Threads<'_>,
        weights: &[f32],
        bias: &[f32],
        parts: &[Keyed<'_>],
        scores: &mut [f32],
    ) -> Result<(), KernelError> {
        let n_docs: usize = parts.iter().map(|part| part.lengths.len()).sum();
        KernelError::expect_len("kept rows: bias", self.n_outputs, bias.len())?;
        KernelError::expect_len("kept rows: scores", n_docs * self.n_outputs, scores.len())?;
        let length = self.row_of.len() as u32;
        let hashed = threads.map(parts.iter().collect(), |part| sparse::hashed(part.keys, length));
        let mut tasks = Vec::with_capacity(parts.len());
        let mut rest = scores;
        for (part, columns) in parts.iter().zip(hashed) {
            let places = self.places(weights, columns?.as_flattened())?;
            let (scores, others) = rest.split_at_mut(part.lengths.len() * self.n_outputs);
            tasks.push((part, places, scores));
            rest = others;
        }
        let rows = self.rows();
        let done = threads.map(tasks, |(part, places, scores)| {
            let positions = places.as_chunks::<2>().0;
            sparse::scores(
                rows,
                bias,
                Features { positions, values: part.values, lengths: part.lengths },
                scores,
            )
        });
        done.into_iter().collect()
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
    fn scores_of_parts_have_the_bits_of_those_in_the_table() {
        let (length, n_outputs) = (64u32, 3);
        let weights: Vec<f32> = (0..length * 3).map(|n| (n % 17) as f32 / 7.0).collect();
        let keys: Vec<u64> = (0..40).map(|n| n * 977 % 31).collect();
        let values: Vec<f32> = (0..40).map(|n| n as f32 / 3.0).collect();
        let (lengths, bias) = ([7, 0, 13, 20], [0.5, -1.0, 2.0]);
        let columns = sparse::columns_of(&keys, length).unwrap();
        let mut rows = vec![0.0; columns.columns.len() * n_outputs];
        sparse::gather(&weights, &columns.columns, &mut rows).unwrap();
        let whole = Features { positions: &columns.positions, values: &values, lengths: &lengths };
        let mut expected = vec![0.0; 12];
        sparse::scores(&rows, &bias, whole, &mut expected).unwrap();
        let pool = crate::Pool::new(2).unwrap();
        for threads in [Threads::One, Threads::Pool(&pool)] {
            let mut kept = KeptRows::new(length as usize, n_outputs);
            let parts = [
                Keyed { keys: &keys[..7], values: &values[..7], lengths: &lengths[..2] },
                Keyed { keys: &keys[7..], values: &values[7..], lengths: &lengths[2..] },
            ];
            let mut found = vec![0.0; 12];
            kept.scores(threads, &weights, &bias, &parts, &mut found).unwrap();
            assert_eq!(found, expected);
            assert!(kept.scores(threads, &weights, &bias, &parts, &mut found[..9]).is_err());
            assert!(kept.scores(threads, &weights, &bias[..2], &parts, &mut found).is_err());
        }
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
