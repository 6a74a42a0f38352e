//! Matrix products of any shape.

use super::panels::{Panels, Strided, lanes};
use super::tile::{for_row_blocks, tile};
use crate::KernelError;
use crate::simd::{Isa, Simd};
use crate::threads::Threads;

/// Steps in depth for which a panel is packed at a time: 48 columns of it stay in the second cache.
const DEPTH_BLOCK: usize = 512;
/// Rows that one task multiplies.
const ROWS_PER_TASK: usize = 256;
/// Vectors a panel is wide, at most: with eight rows they fill the registers.
const VECTORS: usize = 3;

/// A row-major matrix, to be read as it is or transposed.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The numbers, row after row.
    pub numbers: &'a [f32],
    /// How many rows are stored.
    pub n_rows: usize,
    /// How many columns are stored.
    pub n_columns: usize,
    /// Whether the product is with the transpose.
    pub transposed: bool,
}

impl<'a> Matrix<'a> {
    /// A matrix of `n_rows` rows of `n_columns` numbers.
    #[must_use]
    pub fn new(numbers: &'a [f32], n_rows: usize, n_columns: usize) -> Matrix<'a> {
        Matrix { numbers, n_rows, n_columns, transposed: false }
    }

    /// The same numbers, read as the transpose.
    #[must_use]
    pub fn t(self) -> Matrix<'a> {
        Matrix { transposed: !self.transposed, ..self }
    }

    /// Rows and columns as the product sees them.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        if self.transposed { (self.n_columns, self.n_rows) } else { (self.n_rows, self.n_columns) }
    }

    /// Packed as the right side of a product, for [`multiply_panels`].
    pub(crate) fn panels(&self, isa: Isa) -> Panels {
        let ((depth, n_columns), (by_depth, by_column)) = (self.shape(), self.strides());
        let matrix = Strided { numbers: self.numbers, by_depth, by_column };
        Panels::for_columns(isa, matrix, depth, n_columns, &[], panel_vectors(isa, n_columns))
    }

    /// The panels of [`DEPTH_BLOCK`] steps in depth, or as many as there are, from `first` on, for [`product`]; the first
    /// of them have the bias.
    fn block(&self, isa: Isa, bias: &[f32], first: usize) -> Panels {
        let ((depth, n_columns), (by_depth, by_column)) = (self.shape(), self.strides());
        let numbers = self.numbers.get(first * by_depth..).unwrap_or(&[]);
        let bias = if first == 0 { bias } else { &[] };
        let steps = DEPTH_BLOCK.min(depth - first);
        let block = Strided { numbers, by_depth, by_column };
        Panels::for_columns(isa, block, steps, n_columns, bias, panel_vectors(isa, n_columns))
    }

    fn strides(&self) -> (usize, usize) {
        if self.transposed { (1, self.n_columns) } else { (self.n_columns, 1) }
    }
}

/// `left @ right + bias`, into `out` (row-major). `bias` has a number for each column, or is empty.
///
/// Sums run over the depth in order: the same bits for every number of threads, and for a row whatever rows are beside
/// it.
///
/// # Errors
/// [`KernelError::Shape`] if the matrices do not fit together, or `out` or `bias` not to them.
pub fn product(
    isa: Isa,
    threads: Threads<'_>,
    left: Matrix<'_>,
    right: Matrix<'_>,
    bias: &[f32],
    out: &mut [f32],
) -> Result<(), KernelError> {
    let (n_rows, depth) = left.shape();
    let (right_depth, n_columns) = right.shape();
    KernelError::expect_len("product: the left matrix", left.n_rows * left.n_columns, left.numbers.len())?;
    KernelError::expect_len(
        "product: the right matrix",
        right.n_rows * right.n_columns,
        right.numbers.len(),
    )?;
    KernelError::expect_len("product: the rows of the right matrix", depth, right_depth)?;
    KernelError::expect_len("product: the output", n_rows * n_columns, out.len())?;
    if !bias.is_empty() {
        KernelError::expect_len("product: the bias", n_columns, bias.len())?;
    }
    if out.is_empty() {
        return Ok(());
    }
    let (by_row, by_depth) = left.strides();
    let copied;
    let rows = if by_depth == 1 {
        left.numbers
    } else {
        copied = transpose(left.numbers, n_rows, depth, by_row, by_depth);
        &copied
    };
    let mut first = 0;
    loop {
        let panels = right.block(isa, bias, first);
        let tasks: Vec<_> = out.chunks_mut(ROWS_PER_TASK * n_columns).enumerate().collect();
        threads.each(tasks, |(task, out)| {
            let rows = &rows[task * ROWS_PER_TASK * depth + first..];
            multiply_panels(isa, rows, depth, &panels, out.len() / n_columns, first > 0, out);
        });
        first += panels.depth();
        if first >= depth {
            return Ok(());
        }
    }
}

/// The right side of a product, packed once for many, and a bias.
#[derive(Clone, Debug)]
pub(crate) struct PackedMatrix {
    /// One after the other in depth.
    blocks: Vec<Panels>,
    depth: usize,
}

impl PackedMatrix {
    /// Packs `right`; `bias` has a number for each of its columns.
    pub fn new(isa: Isa, right: Matrix<'_>, bias: &[f32]) -> PackedMatrix {
        let depth = right.shape().0;
        let firsts = (0..depth.max(1)).step_by(DEPTH_BLOCK);
        PackedMatrix { blocks: firsts.map(|first| right.block(isa, bias, first)).collect(), depth }
    }

    /// Writes the product of contiguous rows with it to `out`: the bits that [`product`] gives.
    pub fn multiply(&self, isa: Isa, rows: &[f32], n_rows: usize, out: &mut [f32]) {
        for (index, panels) in self.blocks.iter().enumerate() {
            let rows = &rows[index * DEPTH_BLOCK..];
            multiply_panels(isa, rows, self.depth, panels, n_rows, index > 0, out);
        }
    }
}

/// How many vectors a panel should be wide, so that the last one has few columns that only fill it up: two for 64
/// columns, three for 96.
fn panel_vectors(isa: Isa, n_columns: usize) -> usize {
    let padded = |vectors: usize| n_columns.next_multiple_of(vectors * lanes(isa));
    if padded(VECTORS - 1) < padded(VECTORS) { VECTORS - 1 } else { VECTORS }
}

/// Copies a strided matrix to one whose rows are contiguous.
fn transpose(numbers: &[f32], n_rows: usize, depth: usize, by_row: usize, by_depth: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut rows = vec![0.0; n_rows * depth];
    for first_row in (0..n_rows).step_by(BLOCK) {
        for first_step in (0..depth).step_by(BLOCK) {
            for row in first_row..n_rows.min(first_row + BLOCK) {
                for step in first_step..depth.min(first_step + BLOCK) {
                    rows[row * depth + step] = numbers[row * by_row + step * by_depth];
                }
            }
        }
    }
    rows
}

#[inline(always)]
fn multiply_panels_body<S: Simd>(
    simd: S,
    input: &[f32],
    stride: usize,
    panels: &Panels,
    n_rows: usize,
    accumulate: bool,
    out: &mut [f32],
) {
    match panels.vectors() {
        2 => multiply_wide::<S, 2>(simd, input, stride, panels, n_rows, accumulate, out),
        3 => multiply_wide::<S, 3>(simd, input, stride, panels, n_rows, accumulate, out),
        n => panic!("multiply_panels: 2 or 3 vectors a panel, not {n}"),
    }
}

#[inline(always)]
fn multiply_wide<S: Simd, const WIDE: usize>(
    simd: S,
    input: &[f32],
    stride: usize,
    panels: &Panels,
    n_rows: usize,
    accumulate: bool,
    out: &mut [f32],
) {
    let columns = panels.columns();
    for index in 0..panels.n_panels() {
        let (bias, panel) = panels.panel::<S, WIDE>(simd, index);
        let first = index * panels.columns_per_panel();
        let used = panels.columns_per_panel().min(columns - first);
        for_row_blocks!(S::LANES, n_rows, row, ROWS => {
            let mut rows = [&input[..0]; ROWS];
            let mut start = [bias; ROWS];
            for (offset, (slice, start)) in rows.iter_mut().zip(&mut start).enumerate() {
                *slice = &input[(row + offset) * stride..];
                if accumulate {
                    let sums = &out[(row + offset) * columns + first..][..used];
                    for (sum, sums) in start.iter_mut().zip(sums.chunks(S::LANES)) {
                        *sum = simd.load_partial(sums, 0.0);
                    }
                }
            }
            let sums = tile::<S, ROWS, WIDE>(simd, &rows, panel, start);
            for (offset, sums) in sums.iter().enumerate() {
                let to = &mut out[(row + offset) * columns + first..][..used];
                for (to, &sum) in to.chunks_mut(S::LANES).zip(sums) {
                    simd.store_partial(to, sum);
                }
            }
        });
    }
}

crate::dispatch! {
    /// Multiplies `n_rows` rows, `stride` numbers apart, with the panels; adds to `out` or overwrites it.
    pub(crate) fn multiply_panels(
        input: &[f32],
        stride: usize,
        panels: &Panels,
        n_rows: usize,
        accumulate: bool,
        out: &mut [f32],
    ) -> () = multiply_panels_body;
}

#[inline(always)]
fn raw_sums_body<S: Simd>(simd: S, input: &[f32], panels: &Panels, n_rows: usize, out: &mut [f32]) {
    match panels.vectors() {
        1 => raw_panels::<S, 1>(simd, input, panels, n_rows, out),
        2 => raw_panels::<S, 2>(simd, input, panels, n_rows, out),
        3 => raw_panels::<S, 3>(simd, input, panels, n_rows, out),
        n => panic!("raw_sums: 1 to 3 vectors a panel, not {n}"),
    }
}

#[inline(always)]
fn raw_panels<S: Simd, const WIDE: usize>(
    simd: S,
    input: &[f32],
    panels: &Panels,
    n_rows: usize,
    out: &mut [f32],
) {
    let depth = panels.depth();
    for index in 0..panels.n_panels() {
        let (start, panel) = panels.panel::<S, WIDE>(simd, index);
        for_row_blocks!(S::LANES, n_rows, row, ROWS => {
            let mut rows = [&input[..0]; ROWS];
            for (offset, slice) in rows.iter_mut().enumerate() {
                *slice = &input[(row + offset) * depth..];
            }
            let sums = tile::<S, ROWS, WIDE>(simd, &rows, panel, [start; ROWS]);
            for (offset, sums) in sums.iter().enumerate() {
                let at = (row + offset) * panels.raw_columns() + index * WIDE * S::LANES;
                for (vector, &sum) in sums.iter().enumerate() {
                    simd.store_at(out, at + vector * S::LANES, sum);
                }
            }
        });
    }
}

crate::dispatch! {
    /// The sums of each row in the order of the panels, `raw_columns` a row.
    pub(crate) fn raw_sums(input: &[f32], panels: &Panels, n_rows: usize, out: &mut [f32]) -> () = raw_sums_body;
}
