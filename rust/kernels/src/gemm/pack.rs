//! Weights turned around: rows by output become panels by step, a square of lanes at a time.

use super::panels::{Panels, Place};
use super::shape::MaxoutShape;
use crate::simd::{Isa, MOST_LANES, Simd};

/// Maxout weights (outputs × pieces × depth).
#[derive(Clone, Copy)]
pub(crate) struct MaxoutWeights<'a> {
    pub numbers: &'a [f32],
    pub shape: MaxoutShape,
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

#[inline(always)]
fn pack_maxout_body<S: Simd>(simd: S, weights: MaxoutWeights<'_>, panels: &mut Panels) {
    let depth = weights.shape.depth;
    for at in panels.places() {
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
    fn pack_maxout(weights: MaxoutWeights<'_>, panels: &mut Panels) -> () = pack_maxout_body;
}

impl Panels {
    /// Packs maxout weights `(outputs, pieces, depth)` and their bias `(outputs, pieces)`: vector `p` of a panel holds
    /// piece `p` of `LANES` outputs, so the largest piece is found between registers.
    #[must_use]
    pub fn for_maxout(isa: Isa, weights: &[f32], bias: &[f32], pieces: usize) -> Panels {
        let outputs = bias.len() / pieces.max(1);
        let depth = weights.len() / bias.len().max(1);
        let shape = MaxoutShape { outputs, pieces, depth };
        let mut panels = Panels::empty_maxout(isa, shape);
        panels.set_starts(bias);
        pack_maxout(isa, MaxoutWeights { numbers: weights, shape }, &mut panels);
        panels
    }
}
