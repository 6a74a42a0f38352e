//! Prediction with weights packed once.

use std::slice::from_ref;

use super::first_level::{FirstLevel, TypeRow, run_first_level};
use super::head::{Head, PackedHead};
use super::mix::{TYPES_PER_TASK, mix_types};
use super::quantized::{QuantizedLevel, RangeFinder, check_window, quantized_levels, run_quantized_level};
use super::type_cache::TypeCache;
use super::window_level::{Scratch, run_window_level};
use crate::KernelError;
use crate::aligned::Aligned;
use crate::encoder::batch::{Batch, Beyond, Group, Layout, cut};
use crate::encoder::fingerprint::Sample;
use crate::encoder::level::PackedMaxout;
use crate::encoder::params::{EmbedTable, EncoderParams};
use crate::simd::Isa;
use crate::threads::Threads;

/// Word types that are looked up together.
const TYPES_PER_SEARCH: usize = 128;

/// Packed weights of the encoder. A copy: it does not follow later changes of the parameters.
#[derive(Debug)]
pub struct EncoderPlan {
    isa: Isa,
    tables: Vec<OwnedTable>,
    mix: PackedMaxout,
    first: FirstLevel,
    later: Vec<PackedMaxout>,
    /// The same in bytes, where that was asked for; else empty.
    quantized: Vec<QuantizedLevel>,
    padding: Padding,
    known: TypeCache,
    window: usize,
    beyond: Beyond,
    width: usize,
    n_columns: usize,
    /// Of the parameters.
    sample: Sample,
}

/// Rows of zeros beside a document.
#[derive(Debug)]
struct Padding {
    /// What one is to the first layer.
    row: TypeRow,
    /// What the first layer makes of a window of nothing else.
    above: Vec<f32>,
}

#[derive(Clone, Debug)]
struct OwnedTable {
    rows: Vec<f32>,
    width: usize,
    seed: u32,
    column: usize,
}

impl EncoderPlan {
    /// Packs the parameters for an instruction set.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the parameters do not fit together.
    pub fn new(isa: Isa, params: &EncoderParams<'_>) -> Result<EncoderPlan, KernelError> {
        params.check()?;
        let tables = params.tables.iter().map(|table| OwnedTable {
            rows: table.rows.to_vec(),
            width: table.width,
            seed: table.seed,
            column: table.column,
        });
        let first = FirstLevel::new(isa, &params.layers[0], params.window);
        let padding = Padding::new(isa, &first);
        let later =
            params.layers[1..].iter().map(|layer| PackedMaxout::for_window(isa, layer, params.window));
        Ok(EncoderPlan {
            later: later.collect(),
            quantized: Vec::new(),
            first,
            padding,
            known: TypeCache::default(),
            sample: Sample::of(params.arrays()),
            isa,
            tables: tables.collect(),
            mix: PackedMaxout::new(isa, &params.mix),
            window: params.window,
            beyond: params.beyond,
            width: params.width(),
            n_columns: params.n_columns(),
        })
    }

    /// The same with the window layers above the first in bytes: `ranges` as [`ranges`](EncoderPlan::ranges) found them.
    ///
    /// # Errors
    /// [`KernelError`] if the parameters do not fit together or with the ranges, or windows have more than one token on
    /// either side.
    pub fn quantized(
        isa: Isa,
        params: &EncoderParams<'_>,
        ranges: &[f32],
    ) -> Result<EncoderPlan, KernelError> {
        let plan = EncoderPlan::new(isa, params)?;
        let quantized = quantized_levels(isa, params, ranges)?;
        let first = plan.first.with_halves();
        Ok(EncoderPlan { quantized, padding: Padding::new(isa, &first), first, ..plan })
    }

    /// How far the numbers go that [`quantized`](EncoderPlan::quantized) makes bytes of, in the rows of these documents:
    /// for each window layer above the first, each of four mixtures of neighbouring rows, the lower limit of each column
    /// and then the upper one.
    ///
    /// # Errors
    /// [`KernelError`] if the batch does not hold together, or not fit the plan, or windows have more than one token on
    /// either side.
    pub fn ranges(&self, threads: Threads<'_>, batch: &Batch<'_>) -> Result<Vec<f32>, KernelError> {
        batch.check(self.n_columns)?;
        check_window(self.window)?;
        let rows = self.type_rows(threads, batch);
        let layout = self.layout(batch)?;
        let mut found = RangeFinder::new(self.width, self.later.len());
        for group in &layout.groups {
            let (mut below, mut scratch) = self.first_rows(GroupOf {
                layout: &layout,
                group,
                types: &batch.types[group.tokens.clone()],
                rows: &rows,
            });
            for (index, layer) in self.later.iter().enumerate() {
                let at = (index + 2, group);
                let mut above = Aligned::any(layout.group_rows(at.0, group) * self.width);
                run_window_level(self.isa, layer, &layout, at, &below, &mut scratch, &mut above);
                layout.pairs(at.0, group.docs.clone(), &mut scratch.pairs);
                found.see(index, &below, &scratch.pairs);
                below = above;
            }
        }
        Ok(found.ranges())
    }

    /// Whether these are the numbers that were packed, as far as they are sampled: all of small arrays, some of large ones.
    ///
    /// arrays: tables, then weights, bias, gain and shift of each window layer, first to last, and of the mix layer.
    pub fn is_current<'a>(&self, arrays: impl Iterator<Item = &'a [f32]>) -> bool {
        self.sample.is_of(arrays)
    }

    /// How long a token's vector is.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Writes the vector of each token to `out`, n_tokens × width.
    ///
    /// The same bits for every number of threads, and for a document whatever the rest of the batch.
    ///
    /// # Errors
    /// [`KernelError`] if the batch does not hold together, or not fit the plan or `out`.
    pub fn predict(
        &self,
        threads: Threads<'_>,
        batch: &Batch<'_>,
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        KernelError::expect_len("encoder: the output", batch.types.len() * self.width, out.len())?;
        self.each_group(threads, batch, out, |group, out| {
            self.encode(group, out);
            Ok(())
        })
    }

    /// Writes the best label of each token to `out`: that of the largest number of `head`'s outputs given the token's
    /// vector, the first of those that are alike.
    ///
    /// The same as that of the vectors that [`predict`](EncoderPlan::predict) gives, which are not kept.
    ///
    /// # Errors
    /// [`KernelError`] if the batch does not hold together, or not fit the plan or `out`, or the head the plan.
    pub fn best_labels(
        &self,
        threads: Threads<'_>,
        batch: &Batch<'_>,
        head: &Head<'_>,
        out: &mut [i32],
    ) -> Result<(), KernelError> {
        let head = PackedHead::new(self.isa, head, self.width)?;
        KernelError::expect_len("encoder: the output", batch.types.len(), out.len())?;
        self.each_group(threads, batch, out, |group, out| {
            let mut vectors = Aligned::any(out.len() * self.width);
            self.encode(group, &mut vectors);
            head.best(self.isa, &vectors, out)
        })
    }

    /// Runs `run` for each group of documents, with as much of `out` as its tokens have.
    fn each_group<T: Send>(
        &self,
        threads: Threads<'_>,
        batch: &Batch<'_>,
        out: &mut [T],
        run: impl Fn(GroupOf<'_>, &mut [T]) -> Result<(), KernelError> + Send + Sync,
    ) -> Result<(), KernelError> {
        batch.check(self.n_columns)?;
        let rows = self.type_rows(threads, batch);
        let mut layout = self.layout(batch)?;
        layout.group_for(threads.count());
        let per_token = out.len() / batch.types.len().max(1);
        let mut tasks = Vec::with_capacity(layout.groups.len());
        let mut rest = out;
        for group in &layout.groups {
            let of =
                GroupOf { layout: &layout, group, types: &batch.types[group.tokens.clone()], rows: &rows };
            tasks.push((of, cut(&mut rest, group.tokens.len() * per_token)));
        }
        threads.map(tasks, |(group, out)| run(group, out)).into_iter().collect()
    }

    fn layout(&self, batch: &Batch<'_>) -> Result<Layout, KernelError> {
        Layout::new(batch.lengths, self.width, self.later.len() + 1, (self.window, self.beyond))
    }

    /// The rows of all word types: known ones, and new ones, which are kept.
    fn type_rows(&self, threads: Threads<'_>, batch: &Batch<'_>) -> Vec<TypeRow> {
        let ids = |index: usize| &batch.features[index * batch.n_columns..][..batch.n_columns];
        let parts = batch.features.chunks(TYPES_PER_SEARCH * batch.n_columns.max(1)).collect();
        let search = |part: &[u64]| self.known.find(part.chunks_exact(batch.n_columns));
        let mut found: Vec<_> = threads.map(parts, search).into_iter().flatten().collect();
        let new: Vec<usize> = (0..found.len()).filter(|&index| found[index].is_none()).collect();
        if !new.is_empty() {
            let features: Vec<u64> = new.iter().flat_map(|&index| ids(index)).copied().collect();
            let tables: Vec<_> = self.tables.iter().map(OwnedTable::view).collect();
            let vectors = mix_types(self.isa, threads, &tables, &self.mix, &features, batch.n_columns);
            let mut made: Vec<Vec<TypeRow>> = Vec::new();
            let parts: Vec<_> = vectors.chunks(TYPES_PER_TASK * self.width).collect();
            made.resize_with(parts.len(), Vec::new);
            threads.each(parts.into_iter().zip(&mut made).collect(), |(vectors, made)| {
                *made = self.first.type_rows(self.isa, vectors);
            });
            for (&index, row) in new.iter().zip(made.into_iter().flatten()) {
                found[index] = Some(row);
            }
            let kept: Vec<_> =
                new.iter().filter_map(|&index| Some((ids(index), found[index].clone()?))).collect();
            self.known.keep(kept.into_iter());
        }
        found.into_iter().flatten().collect()
    }

    /// The rows of the first level of a group.
    fn first_rows(&self, of: GroupOf<'_>) -> (Aligned, Scratch) {
        let GroupOf { layout, group, types, rows } = of;
        let mut below: Vec<&[f32]> = vec![&self.padding.row; layout.group_rows(0, group)];
        for (row, &index) in layout.token_rows(0, group.docs.clone()).zip(types) {
            below[row] = &rows[index as usize];
        }
        let mut scratch = Scratch::default();
        layout.window_rows(1, group.docs.clone(), &mut scratch.starts);
        let mut rows = Aligned::any(layout.group_rows(1, group) * self.width);
        let read = layout.read_ranges(1, group.docs.clone());
        run_first_level(self.isa, &self.first, &below, &scratch.starts, &read, &mut rows);
        for row in layout.blank(1, group.docs.clone()) {
            rows[row as usize * self.width..][..self.width].copy_from_slice(&self.padding.above);
        }
        (rows, scratch)
    }

    /// Runs the window layers over a group; `out` gets the tokens' rows.
    fn encode(&self, of: GroupOf<'_>, out: &mut [f32]) {
        let (mut below, mut scratch) = self.first_rows(of);
        let Some(last) = self.later.len().checked_sub(1) else {
            return out.copy_from_slice(&below);
        };
        for index in 0..last {
            let mut above = Aligned::any(of.layout.group_rows(index + 2, of.group) * self.width);
            self.run_later(index, of, &below, &mut scratch, &mut above);
            below = above;
        }
        // The last level has the tokens' rows and no others.
        self.run_later(last, of, &below, &mut scratch, out);
    }

    /// Runs a window layer above the first.
    fn run_later(
        &self,
        index: usize,
        of: GroupOf<'_>,
        below: &[f32],
        scratch: &mut Scratch,
        above: &mut [f32],
    ) {
        let at = (index + 2, of.group);
        match self.quantized.get(index) {
            Some(layer) => run_quantized_level(self.isa, layer, of.layout, at, below, scratch, above),
            None => run_window_level(self.isa, &self.later[index], of.layout, at, below, scratch, above),
        }
    }
}

/// A group of documents of a batch.
#[derive(Clone, Copy)]
struct GroupOf<'a> {
    layout: &'a Layout,
    group: &'a Group,
    /// The word type of each of its tokens.
    types: &'a [u32],
    /// What is known of all word types.
    rows: &'a [TypeRow],
}

impl Padding {
    fn new(isa: Isa, first: &FirstLevel) -> Padding {
        let row = first.type_rows(isa, &vec![0.0; first.width()]).swap_remove(0);
        let below = vec![&row[..]; 2 * first.window() + 1];
        let mut above = vec![0.0; first.width()];
        run_first_level(isa, first, &below, &[0], from_ref(&(0..1)), &mut above);
        Padding { row, above }
    }
}

impl OwnedTable {
    fn view(&self) -> EmbedTable<'_> {
        EmbedTable { rows: &self.rows, width: self.width, seed: self.seed, column: self.column }
    }
}
