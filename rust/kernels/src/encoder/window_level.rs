//! The second and later window layers, when predicting.

use super::batch::{Group, Layout};
use super::level::{Extras, PackedMaxout, Record, run_level};
use super::params::MaxoutParams;
use crate::gemm::maxout::RowStarts;
use crate::gemm::winograd::{Pair, WindowPairs, maxout_pairs};
use crate::layers::layer_norm::{normalize, rescale};
use crate::layers::rowwise::add_row;
use crate::simd::{Isa, Simd};

/// A window layer, packed in the way that suits its window.
#[derive(Clone, Debug)]
pub(crate) enum WindowLevel {
    /// One token on either side: two windows at a time.
    Pairs { weights: WindowPairs, gain: Vec<f32>, shift: Vec<f32> },
    /// Any window.
    Plain(PackedMaxout),
}

/// Buffers for one group, used for level after level.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub starts: Vec<u32>,
    normalized: Vec<f32>,
    scales: Vec<f32>,
    pairs: Vec<Pair>,
    mixed: Vec<f32>,
}

impl WindowLevel {
    pub fn new(isa: Isa, params: &MaxoutParams<'_>, window: usize) -> WindowLevel {
        if window != 1 {
            return WindowLevel::Plain(PackedMaxout::new(isa, params));
        }
        WindowLevel::Pairs {
            weights: WindowPairs::new(isa, params.weights, params.bias, params.shape().pieces),
            gain: params.gain.to_vec(),
            shift: params.shift.to_vec(),
        }
    }

    /// Writes the rows of a level to `above`, from those of the level below.
    pub fn run(
        &self,
        isa: Isa,
        layout: &Layout,
        (level, group): (usize, &Group),
        below: &[f32],
        scratch: &mut Scratch,
        above: &mut [f32],
    ) {
        layout.starts(level, group.docs.clone(), &mut scratch.starts);
        scratch.normalized.resize(above.len(), 0.0);
        match self {
            WindowLevel::Pairs { weights, gain, shift } => {
                layout.pairs(level, group.docs.clone(), &mut scratch.pairs);
                run_pairs(isa, weights, (gain, shift), below, scratch, above);
            }
            WindowLevel::Plain(layer) => {
                scratch.scales.resize(scratch.starts.len(), 0.0);
                let record = Record {
                    normalized: &mut scratch.normalized,
                    scales: &mut scratch.scales,
                    which: &mut [],
                };
                let extras = Extras { residual: Some(layout.window * layout.width), ..Extras::default() };
                let rows = RowStarts { numbers: below, starts: &scratch.starts };
                run_level(isa, rows, layer, extras, record, above);
            }
        }
    }
}

#[inline(always)]
fn run_pairs_body<S: Simd>(
    simd: S,
    weights: &WindowPairs,
    norm: (&Vec<f32>, &Vec<f32>),
    below: &[f32],
    scratch: &mut Scratch,
    above: &mut [f32],
) {
    let (gain, shift) = norm;
    let width = gain.len();
    maxout_pairs(simd, below, &scratch.pairs, weights, &mut scratch.normalized, &mut scratch.mixed);
    let rows = scratch.normalized.chunks_exact_mut(width).zip(above.chunks_exact_mut(width));
    for ((row, out), &start) in rows.zip(&scratch.starts) {
        normalize(simd, row);
        rescale(simd, row, gain, shift, out);
        add_row(simd, out, &below[start as usize + width..][..width]);
    }
}

crate::dispatch! {
    fn run_pairs(
        weights: &WindowPairs,
        norm: (&Vec<f32>, &Vec<f32>),
        below: &[f32],
        scratch: &mut Scratch,
        above: &mut [f32],
    ) -> () = run_pairs_body;
}
