//! The weights of windows of three rows in the form that [`winograd`](super::winograd) reads.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::pack::MaxoutWeights;
use super::panels::Panels;
use super::shape::MaxoutShape;
use crate::simd::{Isa, Simd};

/// The points at which the products are taken: ±√½ and ±√2.
pub(crate) const A: f32 = FRAC_1_SQRT_2;
pub(crate) const B: f32 = SQRT_2;

/// The products by their number.
pub(crate) const M0: usize = 0;
pub(crate) const M1: usize = 1;
pub(crate) const M2: usize = 2;
pub(crate) const M3: usize = 3;
pub(crate) const M4: usize = 4;
pub(crate) const M5: usize = 5;

/// The weights of the six products, packed.
#[derive(Clone, Debug)]
pub(crate) struct WindowWeights {
    pub panels: Box<[Panels; 6]>,
    /// How long a row of a window is.
    pub width: usize,
}

impl WindowWeights {
    /// Packs maxout weights `(outputs, pieces, 3 * width)` and their bias.
    pub fn new(isa: Isa, weights: &[f32], bias: &[f32], pieces: usize) -> WindowWeights {
        let width = weights.len() / bias.len().max(1) / 3;
        let shape = MaxoutShape { outputs: bias.len() / pieces.max(1), pieces, depth: width };
        let mut panels = Box::new([(); 6].map(|()| Panels::empty_maxout(isa, shape)));
        panels[M0].set_starts(bias);
        let shape = MaxoutShape { depth: 3 * width, ..shape };
        pack_windows(isa, MaxoutWeights { numbers: weights, shape }, &mut panels);
        WindowWeights { panels, width }
    }
}

/// What the weights of the products are made with, from `w0`, `w1` and `w2`.
#[inline(always)]
fn mix_weights<S: Simd>(simd: S, [w0, w1, w2]: [S::F32; 3]) -> [S::F32; 6] {
    let (even, odd) = (simd.mul_add(simd.splat(0.5), w2, w0), simd.mul(simd.splat(A), w1));
    let (even_b, odd_b) = (simd.mul_add(simd.splat(2.0), w2, w0), simd.mul(simd.splat(B), w1));
    let (by_a, by_b) = (simd.splat(-2.0 / 3.0), simd.splat(1.0 / 6.0));
    [
        w0,
        simd.mul(by_a, simd.add(even, odd)),
        simd.mul(by_a, simd.sub(even, odd)),
        simd.mul(by_b, simd.add(even_b, odd_b)),
        simd.mul(by_b, simd.sub(even_b, odd_b)),
        w2,
    ]
}

#[inline(always)]
fn pack_windows_body<S: Simd>(simd: S, weights: MaxoutWeights<'_>, panels: &mut [Panels; 6]) {
    let width = weights.shape.depth / 3;
    for at in panels[0].places() {
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
    /// Fills the panels of the six products.
    fn pack_windows(weights: MaxoutWeights<'_>, panels: &mut [Panels; 6]) -> () = pack_windows_body;
}
