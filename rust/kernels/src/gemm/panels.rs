//! Weights in the order in which [`tile`](super::tile::tile) reads them.

use super::shape::MaxoutShape;
use crate::aligned::Aligned;
use crate::simd::{Isa, Simd};

/// A matrix cut into panels, each a start row (a bias, or zeros) and then a row of vectors for each step in depth.
///
/// Columns that the last panel lacks are zeros. Packed for the lanes of one instruction set.
#[derive(Clone, Debug)]
pub struct Panels {
    numbers: Aligned,
    depth: usize,
    columns: usize,
    vectors: usize,
    lanes: usize,
    columns_per_panel: usize,
}

/// Where the numbers of a matrix lie: entry `(k, column)` is `numbers[k * by_depth + column * by_column]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strided<'a> {
    pub numbers: &'a [f32],
    pub by_depth: usize,
    pub by_column: usize,
}

/// A piece of the outputs that share a panel.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub panel: usize,
    pub piece: usize,
}

impl Panels {
    /// Panels in the order of [`for_maxout`](Panels::for_maxout) whose starts are zeros and whose weights are to be set,
    /// all of them.
    pub(crate) fn empty_maxout(isa: Isa, shape: MaxoutShape) -> Panels {
        let MaxoutShape { outputs, pieces, depth } = shape;
        let lanes = lanes(isa);
        let row = pieces * lanes;
        let mut numbers = Aligned::any(outputs.div_ceil(lanes) * (depth + 1) * row);
        for panel in numbers.chunks_exact_mut(((depth + 1) * row).max(1)) {
            panel[..row].fill(0.0);
        }
        Panels { numbers, depth, columns: outputs, vectors: pieces, lanes, columns_per_panel: lanes }
    }

    /// Sets the bias (outputs × pieces) of maxout weights.
    pub(crate) fn set_starts(&mut self, bias: &[f32]) {
        for (column, &number) in bias.iter().enumerate() {
            let at = self.maxout_column(column);
            self.numbers[at] = number;
        }
    }

    /// All places of maxout weights.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let pieces = self.vectors;
        (0..self.n_panels() * pieces).map(move |index| Place { panel: index / pieces, piece: index % pieces })
    }

    /// Sets the weights of a piece of the outputs of a panel for one step.
    ///
    /// # Panics
    /// If there is no such place or step, or the panels are for another number of lanes.
    #[inline(always)]
    pub(crate) fn set<S: Simd>(&mut self, simd: S, at: Place, step: usize, weights: S::F32) {
        assert!(self.lanes == S::LANES && at.piece < self.vectors && step < self.depth);
        let row = at.panel * (self.depth + 1) + 1 + step;
        simd.store_at(&mut self.numbers, (row * self.vectors + at.piece) * S::LANES, weights);
    }

    /// Where a column of maxout weights has its start.
    fn maxout_column(&self, column: usize) -> usize {
        let (output, piece) = (column / self.vectors, column % self.vectors);
        let (panel, lane) = (output / self.lanes, output % self.lanes);
        (panel * (self.depth + 1) * self.vectors + piece) * self.lanes + lane
    }

    /// Packs the `columns` columns of a matrix of `depth` rows, `vectors` vectors of them a panel; `bias` has one number
    /// a column, or is empty.
    pub(crate) fn for_columns(
        isa: Isa,
        matrix: Strided<'_>,
        depth: usize,
        columns: usize,
        bias: &[f32],
        vectors: usize,
    ) -> Panels {
        let lanes = lanes(isa);
        let mut panels = Panels::zeros(depth, columns, vectors, lanes, vectors * lanes);
        if matrix.by_column == 1 && matrix.by_depth >= columns && depth > 0 {
            panels.copy_rows(matrix, bias);
            return panels;
        }
        for column in 0..columns {
            let start = bias.get(column).copied().unwrap_or(0.0);
            panels.fill(column / (vectors * lanes), column % (vectors * lanes), start, matrix, column);
        }
        panels
    }

    fn zeros(depth: usize, columns: usize, vectors: usize, lanes: usize, columns_per_panel: usize) -> Panels {
        let numbers = Aligned::zeros(columns.div_ceil(columns_per_panel) * (depth + 1) * vectors * lanes);
        Panels { numbers, depth, columns, vectors, lanes, columns_per_panel }
    }

    /// Packs a matrix whose rows are contiguous: a panel's part of each at once.
    fn copy_rows(&mut self, matrix: Strided<'_>, bias: &[f32]) {
        let width = self.columns_per_panel;
        for (index, panel) in self.numbers.chunks_exact_mut((self.depth + 1) * width).enumerate() {
            let first = index * width;
            let used = width.min(self.columns - first);
            let (start, steps) = panel.split_at_mut(width);
            start.iter_mut().zip(bias.iter().skip(first)).for_each(|(to, from)| *to = *from);
            let rows = matrix.numbers[first..].chunks(matrix.by_depth);
            for (step, row) in steps.chunks_exact_mut(width).zip(rows) {
                step[..used].copy_from_slice(&row[..used]);
            }
        }
    }

    fn fill(&mut self, panel: usize, to: usize, start: f32, source: Strided<'_>, column: usize) {
        let width = self.vectors * self.lanes;
        let size = (self.depth + 1) * width;
        let panel = &mut self.numbers[panel * size..][..size];
        panel[to] = start;
        if self.depth > 0 {
            let numbers = source.numbers[column * source.by_column..].iter().step_by(source.by_depth);
            for (row, number) in panel[width..].chunks_exact_mut(width).zip(numbers) {
                row[to] = *number;
            }
        }
    }

    /// How many steps a sum has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How many columns there are; for maxout, how many outputs.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many vectors a panel is wide; for maxout, how many pieces an output has.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.vectors
    }

    /// How many columns (for maxout, outputs) a panel has.
    pub(crate) fn columns_per_panel(&self) -> usize {
        self.columns_per_panel
    }

    /// How many panels there are.
    pub(crate) fn n_panels(&self) -> usize {
        self.columns.div_ceil(self.columns_per_panel)
    }

    /// How many numbers the sums of a row are, the columns that only fill up a panel included.
    pub(crate) fn raw_columns(&self) -> usize {
        self.n_panels() * self.vectors * self.lanes
    }

    /// The start row and the rest of a panel.
    ///
    /// # Panics
    /// If the panels were packed for another number of lanes or vectors.
    #[inline(always)]
    pub(crate) fn panel<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        index: usize,
    ) -> ([S::F32; VECTORS], &[S::Chunk]) {
        assert!(
            self.lanes == S::LANES && self.vectors == VECTORS,
            "panels of {} × {} lanes read as {VECTORS} × {}",
            self.vectors,
            self.lanes,
            S::LANES,
        );
        let size = (self.depth + 1) * VECTORS * S::LANES;
        let (chunks, _) = simd.chunks(&self.numbers[index * size..][..size]);
        let (first, rest) = chunks.split_at(VECTORS);
        let mut start = [simd.splat(0.0); VECTORS];
        for (start, chunk) in start.iter_mut().zip(first) {
            *start = simd.load(chunk);
        }
        (start, rest)
    }
}

#[inline(always)]
fn lanes_body<S: Simd>(_simd: S) -> usize {
    S::LANES
}

crate::dispatch! {
    /// How many lanes the vectors of an instruction set have.
    pub fn lanes() -> usize = lanes_body;
}
