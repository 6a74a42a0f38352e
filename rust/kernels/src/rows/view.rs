//! A matrix as rows in one slice.

use crate::KernelError;

/// `n_rows` rows of `width` numbers, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T = f32> {
    data: &'a [T],
    n_rows: usize,
    width: usize,
}

/// [`Rows`] to write to.
#[derive(Debug)]
pub struct RowsMut<'a, T = f32> {
    data: &'a mut [T],
    n_rows: usize,
    width: usize,
}

fn check(found: usize, n_rows: usize, width: usize) -> Result<(), KernelError> {
    if n_rows.checked_mul(width) == Some(found) {
        return Ok(());
    }
    Err(KernelError::Shape {
        what: "rows",
        expected: format!("{n_rows} × {width} numbers"),
        found: format!("{found} numbers"),
    })
}

impl<'a, T> Rows<'a, T> {
    /// Looks at `data` as `n_rows` rows of `width`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `data` does not hold `n_rows * width` numbers.
    pub fn new(data: &'a [T], n_rows: usize, width: usize) -> Result<Self, KernelError> {
        check(data.len(), n_rows, width)?;
        Ok(Self { data, n_rows, width })
    }

    /// How many rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many numbers in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All numbers, row after row.
    #[must_use]
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [T] {
        &self.data[row * self.width..][..self.width]
    }

    /// The rows of a range, as a view.
    ///
    /// # Panics
    /// If the range goes past the last row.
    #[inline(always)]
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Rows<'a, T> {
        Rows {
            data: &self.data[rows.start * self.width..rows.end * self.width],
            n_rows: rows.len(),
            width: self.width,
        }
    }
}

impl<'a, T> RowsMut<'a, T> {
    /// Looks at `data` as `n_rows` rows of `width`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `data` does not hold `n_rows * width` numbers.
    pub fn new(data: &'a mut [T], n_rows: usize, width: usize) -> Result<Self, KernelError> {
        check(data.len(), n_rows, width)?;
        Ok(Self { data, n_rows, width })
    }

    /// How many rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many numbers in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The same rows to read.
    #[must_use]
    pub fn as_rows(&self) -> Rows<'_, T> {
        Rows { data: self.data, n_rows: self.n_rows, width: self.width }
    }

    /// The same rows for a shorter time.
    #[must_use]
    pub fn reborrow(&mut self) -> RowsMut<'_, T> {
        RowsMut { data: self.data, n_rows: self.n_rows, width: self.width }
    }

    /// All numbers, row after row.
    #[must_use]
    pub fn into_data(self) -> &'a mut [T] {
        self.data
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    #[must_use]
    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.data[row * self.width..][..self.width]
    }

    /// The numbers of a range of rows.
    ///
    /// # Panics
    /// If the range goes past the last row.
    #[inline(always)]
    #[must_use]
    pub fn rows_mut(&mut self, rows: std::ops::Range<usize>) -> &mut [T] {
        &mut self.data[rows.start * self.width..rows.end * self.width]
    }

    /// The first `row` rows and the rest.
    ///
    /// # Panics
    /// If there are fewer rows.
    #[must_use]
    pub fn split_at(self, row: usize) -> (RowsMut<'a, T>, RowsMut<'a, T>) {
        let (head, tail) = self.data.split_at_mut(row * self.width);
        (
            RowsMut { data: head, n_rows: row, width: self.width },
            RowsMut { data: tail, n_rows: self.n_rows - row, width: self.width },
        )
    }
}
