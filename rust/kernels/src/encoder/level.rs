//! One maxout layer of the encoder over the rows of a group: window, maxout, layer norm, dropout, residual.

use std::ops::Range;

use super::params::MaxoutParams;
use crate::gemm::Panels;
use crate::gemm::maxout::{RowStarts, maxout_rows};
use crate::gemm::window_weights::WindowWeights;
use crate::gemm::winograd::{Blocks, maxout_windows};
use crate::layers::dropout::Dropout;
use crate::layers::four_rows::normalize_rows;
use crate::layers::layer_norm::rescale;
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::{Isa, Simd};

/// A maxout layer with its weights packed.
#[derive(Clone, Debug)]
pub(crate) struct PackedMaxout {
    pub weights: PackedWeights,
    of_zeros: OfZeros,
    pub norm: Norm,
}

/// A layer norm's scale and what it adds, a number for each column.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    pub gain: Vec<f32>,
    pub shift: Vec<f32>,
}

impl Norm {
    pub fn new(params: &MaxoutParams<'_>) -> Norm {
        Norm { gain: params.gain.to_vec(), shift: params.shift.to_vec() }
    }
}

/// The maxout of a window of nothing but zeros: the largest bias of each output, and which piece's it is.
#[derive(Clone, Debug)]
struct OfZeros {
    best: Vec<f32>,
    which: Vec<u8>,
}

impl OfZeros {
    fn new(params: &MaxoutParams<'_>) -> OfZeros {
        let (mut best, mut which) = (Vec::new(), Vec::new());
        for biases in params.bias.chunks_exact(params.shape().pieces) {
            let mut winner = 0;
            for (piece, &bias) in biases.iter().enumerate() {
                if bias > biases[winner] {
                    winner = piece;
                }
            }
            best.push(biases[winner]);
            which.push(winner as u8);
        }
        OfZeros { best, which }
    }
}

/// Weights in the order of the kernel that reads them.
#[derive(Clone, Debug)]
pub(crate) enum PackedWeights {
    /// Any rows.
    Plain(Panels),
    /// Windows of three rows, four at a time; the rows come in blocks.
    Windows(WindowWeights),
}

impl PackedMaxout {
    pub fn new(isa: Isa, params: &MaxoutParams<'_>) -> PackedMaxout {
        PackedMaxout {
            weights: PackedWeights::Plain(Panels::for_maxout(
                isa,
                params.weights,
                params.bias,
                params.shape().pieces,
            )),
            of_zeros: OfZeros::new(params),
            norm: Norm::new(params),
        }
    }

    /// A window layer, packed for four windows at a time if these have one token on either side.
    pub fn for_window(isa: Isa, params: &MaxoutParams<'_>, window: usize) -> PackedMaxout {
        if window == 1 { PackedMaxout::for_blocks(isa, params) } else { PackedMaxout::new(isa, params) }
    }

    /// How long a row of the result is.
    pub fn width(&self) -> usize {
        self.norm.gain.len()
    }

    fn for_blocks(isa: Isa, params: &MaxoutParams<'_>) -> PackedMaxout {
        let weights = WindowWeights::new(isa, params.weights, params.bias, params.shape().pieces);
        PackedMaxout {
            weights: PackedWeights::Windows(weights),
            of_zeros: OfZeros::new(params),
            norm: Norm::new(params),
        }
    }
}

/// What the backward pass needs of a level, or scratch space of the same size.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The rows after normalization, before gain and shift.
    pub normalized: &'a mut [f32],
    /// 1 / standard deviation of each row.
    pub scales: &'a mut [f32],
    /// The winning pieces; empty when nobody asks.
    pub which: &'a mut [u8],
}

/// What a level adds to the plain layer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras<'a> {
    /// Rows that are calculated; the others become zeros.
    pub calculated: &'a [Range<usize>],
    /// Those of them that read nothing but zeros; `blocks` are without them.
    pub blank: &'a [u32],
    /// Where in a row's window the residual begins.
    pub residual: Option<usize>,
    pub dropout: Option<Dropout>,
    /// The number of the first row, for the dropout mask.
    pub first_row: u64,
}

#[inline(always)]
fn run_level_body<S: Simd>(
    simd: S,
    rows: RowStarts<'_>,
    blocks: &Blocks,
    layer: &PackedMaxout,
    extras: Extras<'_>,
    record: Record<'_>,
    out: &mut [f32],
) {
    let width = layer.norm.gain.len();
    let Record { normalized, scales, which } = record;
    match &layer.weights {
        PackedWeights::Plain(panels) => maxout_rows(simd, rows, panels, normalized, which),
        PackedWeights::Windows(weights) => {
            maxout_windows(simd, rows.numbers, blocks, weights, normalized, which);
        }
    }
    for &row in extras.blank {
        let numbers = row as usize * width..(row as usize + 1) * width;
        normalized[numbers.clone()].copy_from_slice(&layer.of_zeros.best);
        which[numbers].copy_from_slice(&layer.of_zeros.which);
    }
    let mut factors = vec![0.0; if extras.dropout.is_some() { width } else { 0 }];
    fill_gaps(extras.calculated, width, out);
    for four in fours(extras.calculated) {
        let numbers = four.start * width..four.end * width;
        normalize_rows(simd, &mut normalized[numbers], width, &mut scales[four.clone()]);
        for row in four {
            let numbers = row * width..(row + 1) * width;
            let (normalized, out) = (&normalized[numbers.clone()], &mut out[numbers]);
            rescale(simd, normalized, &layer.norm.gain, &layer.norm.shift, out);
            if let Some(dropout) = extras.dropout {
                dropout.fill_row(extras.first_row + row as u64, &mut factors);
                multiply_row(simd, out, &factors);
            }
            if let Some(offset) = extras.residual {
                add_row(simd, out, &rows.numbers[rows.starts[row] as usize + offset..][..width]);
            }
        }
    }
}

/// Rows four by four, for work that pays so; those of neighbouring ranges go together.
pub(crate) fn fours(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    let cut = |range: Range<usize>| {
        let end = range.end;
        range.step_by(4).map(move |first| first..end.min(first + 4))
    };
    joined.into_iter().flat_map(cut).collect()
}

/// Fills the rows that are not calculated with zeros.
pub(crate) fn fill_gaps(calculated: &[Range<usize>], width: usize, rows: &mut [f32]) {
    let mut end = 0;
    for range in calculated {
        rows[end * width..range.start * width].fill(0.0);
        end = range.end;
    }
    rows[end * width..].fill(0.0);
}

crate::dispatch! {
    /// Runs a layer over rows, into `out`. `blocks` has the same rows in blocks, for weights that are packed so.
    pub(crate) fn run_level(
        rows: RowStarts<'_>,
        blocks: &Blocks,
        layer: &PackedMaxout,
        extras: Extras<'_>,
        record: Record<'_>,
        out: &mut [f32],
    ) -> () = run_level_body;
}
