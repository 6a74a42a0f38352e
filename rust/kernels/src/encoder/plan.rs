//! Prediction with weights packed once.

use super::batch::{Batch, Layout};
use super::fingerprint::fingerprint;
use super::forward::{encode_group, mix_types};
use super::level::PackedMaxout;
use super::params::{EmbedTable, EncoderParams};
use crate::KernelError;
use crate::simd::Isa;
use crate::threads::Threads;

/// Packed weights of the encoder. A copy: it does not follow later changes of the parameters.
#[derive(Clone, Debug)]
pub struct EncoderPlan {
    isa: Isa,
    tables: Vec<OwnedTable>,
    mix: PackedMaxout,
    layers: Vec<PackedMaxout>,
    window: usize,
    width: usize,
    n_columns: usize,
    /// Where the parameters lay and a sample of them.
    fingerprint: u64,
    addresses: Vec<usize>,
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
        Ok(EncoderPlan {
            fingerprint: fingerprint(params),
            addresses: params.arrays().map(|array| array.as_ptr().addr()).collect(),
            isa,
            tables: tables.collect(),
            mix: PackedMaxout::new(isa, &params.mix),
            layers: params.layers.iter().map(|layer| PackedMaxout::new(isa, layer)).collect(),
            window: params.window,
            width: params.width(),
            n_columns: params.tables.iter().map(|table| table.column + 1).max().unwrap_or(0),
        })
    }

    /// Whether the parameters are still the arrays that were packed, with the same numbers where they are sampled: all
    /// numbers of small arrays, some of large ones. The arrays must have been kept alive since.
    #[must_use]
    pub fn is_current(&self, params: &EncoderParams<'_>) -> bool {
        params.arrays().map(|array| array.as_ptr().addr()).eq(self.addresses.iter().copied())
            && fingerprint(params) == self.fingerprint
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
        batch.check()?;
        check_columns(self.n_columns, batch)?;
        KernelError::expect_len("encoder: the output", batch.types.len() * self.width, out.len())?;
        let tables: Vec<_> = self.tables.iter().map(OwnedTable::view).collect();
        let vectors = mix_types(self.isa, threads, &tables, &self.mix, batch);
        let layout = Layout::new(batch.lengths, self.width, self.layers.len(), self.window)?;
        let mut tasks = Vec::with_capacity(layout.groups.len());
        let mut rest = out;
        for group in &layout.groups {
            let (rows, next) = rest.split_at_mut(group.tokens.len() * self.width);
            tasks.push((group, rows));
            rest = next;
        }
        threads.each(tasks, |(group, rows)| {
            encode_group(self.isa, &self.layers, &layout, group, batch.types, &vectors, rows);
        });
        Ok(())
    }
}

impl OwnedTable {
    fn view(&self) -> EmbedTable<'_> {
        EmbedTable { rows: &self.rows, width: self.width, seed: self.seed, column: self.column }
    }
}

/// Refuses a batch whose feature rows are too short.
pub(crate) fn check_columns(needed: usize, batch: &Batch<'_>) -> Result<(), KernelError> {
    if batch.n_columns >= needed {
        return Ok(());
    }
    Err(KernelError::Shape {
        what: "encoder: the columns of the feature rows",
        expected: format!("at least {needed}"),
        found: batch.n_columns.to_string(),
    })
}
