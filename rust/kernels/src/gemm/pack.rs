//! Weights turned around: rows by output become panels by step, a square of lanes at a time.

use super::panels::Panels;
use super::sparse::MaxoutShape;
use super::winograd::mix_weights;
use crate::simd::{MOST_LANES, Simd};

/// Maxout weights (outputs × pieces × depth).
#[derive(Clone, Copy)]
pub(crate) struct MaxoutWeights<'a> {
    pub numbers: &'a [f32],
    pub shape: MaxoutShape,
}

/// A piece of the outputs that share a panel.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub panel: usize,
    pub piece: usize,
}

impl MaxoutWeights<'_> {
    /// The weights of the steps `first..last`, at most as many as lanes: a vector a step, an output a lane.
    #[inline(always)]
    pub fn square<S: Simd>(&self, simd: S, at: Place, first: usize, last: usize) -> [S::F32; MOST_LANES] {
        let MaxoutShape { outputs, pieces, depth } = self.shape;
        let mut square = [simd.splat(0.0); MOST_LANES];
        let first_output = at.panel * S::LANES;
        let lanes = S::LANES.min(outputs - first_output);
        for (output, vector) in (first_output..).zip(&mut square[..lanes]) {
            let row = &self.numbers[(output * pieces + at.piece) * depth..][first..last];
            *vector = if row.len() == S::LANES { simd.load_at(row, 0) } else { simd.load_partial(row, 0.0) };
        }
        simd.transpose(&mut square[..S::LANES]);
        square
    }
}

/// All places of some panels.
pub(crate) fn places(panels: &Panels) -> impl Iterator<Item = Place> + use<> {
    let pieces = panels.vectors();
    (0..panels.n_panels() * pieces).map(move |index| Place { panel: index / pieces, piece: index % pieces })
}

#[inline(always)]
fn pack_maxout_body<S: Simd>(simd: S, weights: MaxoutWeights<'_>, panels: &mut Panels) {
    let depth = weights.shape.depth;
    for at in places(panels) {
        for first in (0..depth).step_by(S::LANES) {
            let last = depth.min(first + S::LANES);
            let square = weights.square(simd, at, first, last);
            for (step, &vector) in (first..last).zip(&square) {
                panels.set(simd, at, step, vector);
            }
        }
    }
}

crate::dispatch! {
    /// Fills panels, which must be made for these sizes and lanes.
    pub(crate) fn pack_maxout(weights: MaxoutWeights<'_>, panels: &mut Panels) -> () = pack_maxout_body;
}

#[inline(always)]
fn pack_windows_body<S: Simd>(simd: S, weights: MaxoutWeights<'_>, panels: &mut [Panels; 6]) {
    let width = weights.shape.depth / 3;
    for at in places(&panels[0]) {
        for first in (0..width).step_by(S::LANES) {
            let last = width.min(first + S::LANES);
            let w0 = weights.square(simd, at, first, last);
            let w1 = weights.square(simd, at, width + first, width + last);
            let w2 = weights.square(simd, at, 2 * width + first, 2 * width + last);
            for (step, ((&w0, &w1), &w2)) in (first..last).zip(w0.iter().zip(&w1).zip(&w2)) {
                let mixed = mix_weights(simd, [w0, w1, w2]);
                for (panels, &vector) in panels.iter_mut().zip(&mixed) {
                    panels.set(simd, at, step, vector);
                }
            }
        }
    }
}

crate::dispatch! {
    /// Fills the panels of the six products of windows of three rows; see [`winograd`](super::winograd).
    pub(crate) fn pack_windows(weights: MaxoutWeights<'_>, panels: &mut [Panels; 6]) -> () = pack_windows_body;
}
