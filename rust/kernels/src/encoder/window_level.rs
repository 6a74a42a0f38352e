//! The second and later window layers, when predicting.

use super::batch::{Group, Layout};
use super::level::{Extras, PackedMaxout, Record, run_level};
use crate::gemm::byte_pairs::Pair;
use crate::gemm::maxout::RowStarts;
use crate::gemm::winograd::Blocks;
use crate::simd::Isa;

/// Buffers for one group, used for level after level.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub starts: Vec<u32>,
    pub normalized: Vec<f32>,
    scales: Vec<f32>,
    blocks: Blocks,
    pub pairs: Vec<Pair>,
    pub bytes: Vec<u8>,
}

/// Writes the rows of a level to `above`, from those of the level below.
pub(crate) fn run_window_level(
    isa: Isa,
    layer: &PackedMaxout,
    layout: &Layout,
    (level, group): (usize, &Group),
    below: &[f32],
    scratch: &mut Scratch,
    above: &mut [f32],
) {
    layout.starts(level, group.docs.clone(), &mut scratch.starts);
    layout.blocks(level, group.docs.clone(), &mut scratch.blocks);
    let calculated = layout.calculated(level, group.docs.clone());
    scratch.normalized.resize(above.len(), 0.0);
    scratch.scales.resize(scratch.starts.len(), 0.0);
    let record = Record { normalized: &mut scratch.normalized, scales: &mut scratch.scales, which: &mut [] };
    let residual = Some(layout.window * layout.width);
    let extras = Extras { calculated: &calculated, residual, ..Extras::default() };
    let rows = RowStarts { numbers: below, starts: &scratch.starts };
    run_level(isa, rows, &scratch.blocks, layer, extras, record, above);
}
