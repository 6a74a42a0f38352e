//! What a training step makes before it looks at documents: packed weights and mixed word types.

use std::slice::from_ref;
use std::sync::OnceLock;

use super::trace::{KeptMaxout, LevelTrace, TYPES_AT_A_TIME};
use crate::aligned::Aligned;
use crate::encoder::embed::embed_types;
use crate::encoder::level::{Extras, PackedMaxout, Record, run_level};
use crate::encoder::params::{EncoderParams, MaxoutParams};
use crate::gemm::maxout::RowStarts;
use crate::gemm::winograd::Blocks;
use crate::simd::Isa;
use crate::threads::Threads;

/// The weights in the forms in which the two passes read them, and the mixed vectors of the word types.
pub(crate) struct Prepared {
    /// The window layers, first to last.
    pub layers: Vec<PackedMaxout>,
    /// The window layers, first to last, and the mix layer.
    pub kept: Vec<KeptMaxout>,
    /// n_types × width, without the mix layer's dropout, which differs from token to token.
    pub vectors: Aligned,
}

/// The word types of a batch.
pub(crate) struct Types<'a> {
    /// For each type, for each table, four rows.
    pub hashed: &'a [[u32; 4]],
    /// By which the columns of the embedded vectors are multiplied; empty without dropout.
    pub factors: &'a [f32],
}

enum Task<'a> {
    Mix { hashed: &'a [[u32; 4]], embedded: &'a mut [f32], record: Record<'a>, out: &'a mut [f32] },
    Pack { layer: &'a MaxoutParams<'a>, to: &'a mut Option<PackedMaxout> },
    Keep { layer: &'a MaxoutParams<'a>, to: &'a mut Option<KeptMaxout> },
}

/// Packs the weights, and embeds and mixes the word types; `embedded` and `trace` get what is needed of that later.
pub(crate) fn prepare(
    isa: Isa,
    threads: Threads<'_>,
    params: &EncoderParams<'_>,
    types: &Types<'_>,
    embedded: &mut [f32],
    trace: &mut LevelTrace,
) -> Prepared {
    let (width, depth, n_tables) = (params.width(), params.embed_width(), params.tables.len());
    // Packed by the first who needs it, while other threads pack other layers.
    let mix = OnceLock::new();
    let n_types = types.hashed.len() / n_tables;
    let mut vectors = Aligned::any(n_types * width);
    let starts: Vec<u32> = (0..TYPES_AT_A_TIME).map(|row| (row * depth) as u32).collect();
    let sizes = (0..n_types).step_by(TYPES_AT_A_TIME).map(|first| TYPES_AT_A_TIME.min(n_types - first));
    let mut layers: Vec<_> = params.layers.iter().map(|_| None).collect();
    let mut kept: Vec<_> = (0..=layers.len()).map(|_| None).collect();

    let mut tasks: Vec<_> =
        params.layers.iter().zip(&mut layers).map(|(layer, to)| Task::Pack { layer, to }).collect();
    let all_layers = params.layers.iter().chain([&params.mix]);
    tasks.extend(all_layers.zip(&mut kept).map(|(layer, to)| Task::Keep { layer, to }));
    let parts = (types.hashed.chunks(TYPES_AT_A_TIME * n_tables))
        .zip(embedded.chunks_mut(TYPES_AT_A_TIME * depth))
        .zip(trace.records(width, sizes))
        .zip(vectors.chunks_mut(TYPES_AT_A_TIME * width));
    tasks.extend(parts.map(|(((hashed, embedded), record), out)| Task::Mix {
        hashed,
        embedded,
        record,
        out,
    }));
    threads.each(tasks, |task| match task {
        Task::Pack { layer, to } => *to = Some(PackedMaxout::for_window(isa, layer, params.window)),
        Task::Keep { layer, to } => *to = Some(KeptMaxout::new(layer)),
        Task::Mix { hashed, embedded, record, out } => {
            embed_types(isa, &params.tables, hashed, types.factors, embedded);
            let rows = RowStarts { numbers: embedded, starts: &starts[..out.len() / width] };
            let all = 0..out.len() / width;
            let extras = Extras { calculated: from_ref(&all), ..Extras::default() };
            let mix = mix.get_or_init(|| PackedMaxout::new(isa, &params.mix));
            run_level(isa, rows, &Blocks::default(), mix, extras, record, out);
        }
    });
    Prepared {
        layers: layers.into_iter().flatten().collect(),
        kept: kept.into_iter().flatten().collect(),
        vectors,
    }
}
