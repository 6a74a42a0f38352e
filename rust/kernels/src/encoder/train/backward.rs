//! The encoder backward.
//!
//! Two passes. The first goes down the levels, a group of documents at a time, and leaves the gradient of every maxout
//! output; the second sums the weights' gradients over all rows, a few outputs at a time. Each sum is made by one task
//! in row order, and tasks do not depend on the number of threads, so neither do the bits.

use std::slice::from_ref;

use super::grads::{EncoderGrads, MaxoutGrads, RowGrads};
use super::step_down::{Reads, Step, step_down};
use super::tokens::{Tokens, mask_tokens, scatter_tokens};
use super::trace::{TYPES_AT_A_TIME, Trace};
use crate::KernelError;
use crate::aligned::Aligned;
use crate::encoder::batch::{Group, cut};
use crate::threads::Threads;

impl Trace {
    /// Adds the gradients of all parameters, given that of the tokens' rows (n_tokens × width).
    ///
    /// The weights are those of the forward pass, whatever has become of them since.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if `d_out` or `grads` do not fit the forward pass. Nothing is added then.
    pub fn backprop(
        &self,
        threads: Threads<'_>,
        d_out: &[f32],
        grads: &mut EncoderGrads<'_>,
    ) -> Result<(), KernelError> {
        grads.check(self)?;
        let width = self.layout.width;
        KernelError::expect_len(
            "encoder: the gradient of the output",
            self.types.len() * width,
            d_out.len(),
        )?;
        let n_types = self.mix.scales.len();
        let mut d_levels: Vec<Aligned> =
            (1..=self.layout.depth).map(|level| Aligned::any(self.layout.n_rows(level) * width)).collect();
        let mut d_tokens = Aligned::any(d_out.len());
        self.down_levels(threads, d_out, &mut d_levels, &mut d_tokens, &mut grads.layers);

        let mut d_types = Aligned::zeros(n_types * width);
        scatter_tokens(self.isa, &self.types, &d_tokens, width, &mut d_types);
        let mut d_embedded = Aligned::any(self.embedded.len());
        self.down_mix(threads, &mut d_types, &mut d_embedded, &mut grads.mix);

        self.sum_parameters(threads, &d_levels, &d_types, &d_embedded, grads);
        Ok(())
    }

    /// Level after level, so that its weights stay in the second cache for all groups.
    fn down_levels(
        &self,
        threads: Threads<'_>,
        d_out: &[f32],
        d_levels: &mut [Aligned],
        d_tokens: &mut [f32],
        grads: &mut [MaxoutGrads<'_>],
    ) {
        let layout = &self.layout;
        let width = layout.width;
        let mut bottom = Aligned::any(layout.n_rows(0) * width);
        for (index, grads) in grads.iter_mut().enumerate().rev() {
            let level = index + 1;
            let (below, above) = d_levels.split_at_mut(index);
            let mut d_below = below.last_mut().map_or(&mut *bottom, |rows| &mut **rows);
            let mut d = &mut *above[0];
            let mut d_tokens = &mut *d_tokens;
            let mut row_grads: Vec<_> =
                layout.groups.iter().map(|_| RowGrads::new(self.kept[index].shape)).collect();
            let mut first_row = 0;
            let mut tasks = Vec::with_capacity(layout.groups.len());
            for (group, row_grads) in layout.groups.iter().zip(&mut row_grads) {
                let n_rows = layout.group_rows(level, group);
                let d = cut(&mut d, n_rows * width);
                let d_below = cut(&mut d_below, layout.group_rows(level - 1, group) * width);
                let d_tokens = (level == 1).then(|| cut(&mut d_tokens, group.tokens.len() * width));
                tasks.push((group, first_row, d, d_below, d_tokens, row_grads));
                first_row += n_rows;
            }
            threads.each(tasks, |(group, first_row, d, d_below, d_tokens, row_grads)| {
                if level == layout.depth {
                    d.copy_from_slice(&d_out[group.tokens.start * width..group.tokens.end * width]);
                }
                self.down_group(level, group, first_row, d, d_below, row_grads);
                if let Some(d_tokens) = d_tokens {
                    let rows: Vec<_> = layout.token_rows(0, group.docs.clone()).collect();
                    let types = &self.types[group.tokens.clone()];
                    let tokens = Tokens { types, first: group.tokens.start, rows: &rows };
                    mask_tokens(self.isa, tokens, d_below, width, self.mix.dropout, d_tokens);
                }
            });
            for sums in &row_grads {
                sums.add_to(grads);
            }
        }
    }

    /// A group's gradient of what a level read, from that of the level's output.
    fn down_group(
        &self,
        level: usize,
        group: &Group,
        first_row: usize,
        d: &mut [f32],
        d_below: &mut [f32],
        row_grads: &mut RowGrads,
    ) {
        let layout = &self.layout;
        let mut starts = Vec::new();
        layout.starts(level, group.docs.clone(), &mut starts);
        let step = Step {
            kept: &self.kept[level - 1],
            dropout: self.levels[level - 1].dropout,
            first_row: first_row as u64,
            residual: Some(layout.window * layout.width),
        };
        let rows = self.levels[level - 1].rows(layout.width, first_row..first_row + starts.len());
        let reads = Reads {
            calculated: &layout.calculated(level, group.docs.clone()),
            rows: &layout.read(level, group.docs.clone()),
            starts: &starts,
        };
        step_down(self.isa, &step, rows, reads, d, d_below, row_grads);
    }

    fn down_mix(
        &self,
        threads: Threads<'_>,
        d_types: &mut [f32],
        d_embedded: &mut [f32],
        grads: &mut MaxoutGrads<'_>,
    ) {
        let mix = &self.kept[self.layout.depth];
        let shape = mix.shape;
        let all_rows: Vec<u32> = (0..TYPES_AT_A_TIME as u32).collect();
        let starts: Vec<u32> = all_rows.iter().map(|row| row * shape.depth as u32).collect();
        let mut row_grads: Vec<_> =
            d_types.chunks(TYPES_AT_A_TIME * shape.outputs).map(|_| RowGrads::new(shape)).collect();
        let tasks: Vec<_> = (d_types.chunks_mut(TYPES_AT_A_TIME * shape.outputs))
            .zip(d_embedded.chunks_mut(TYPES_AT_A_TIME * shape.depth))
            .zip(&mut row_grads)
            .enumerate()
            .collect();
        threads.each(tasks, |(index, ((d, d_below), row_grads))| {
            let first = index * TYPES_AT_A_TIME;
            let n_rows = d.len() / shape.outputs;
            let step = Step { kept: mix, dropout: None, first_row: 0, residual: None };
            let rows = self.mix.rows(shape.outputs, first..first + n_rows);
            let all = 0..n_rows;
            let reads =
                Reads { calculated: from_ref(&all), rows: &all_rows[..n_rows], starts: &starts[..n_rows] };
            step_down(self.isa, &step, rows, reads, d, d_below, row_grads);
        });
        for sums in &row_grads {
            sums.add_to(grads);
        }
    }
}
