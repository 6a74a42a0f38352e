//! The scores of one state.

use super::network::{LANES, Network};
use crate::simd::Simd;

/// Room for what is calculated of a state.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    /// The tokens that the state shows.
    pub context: Vec<i32>,
    sums: Vec<f32>,
    /// Behind the dropout.
    pub hidden: Vec<f32>,
    /// The piece that made each hidden number.
    pub which: Vec<u8>,
    pub scores: Vec<f32>,
    pub valid: Vec<bool>,
    pub costs: Vec<f32>,
    pub d_scores: Vec<f32>,
}

impl Scratch {
    pub fn new(network: &Network, n_actions: usize) -> Scratch {
        Scratch {
            context: vec![-1; network.n_features],
            sums: vec![0.0; network.hidden * network.pieces],
            hidden: vec![0.0; network.hidden],
            which: vec![0; network.hidden],
            scores: vec![0.0; network.n_actions],
            valid: vec![false; n_actions],
            costs: vec![0.0; n_actions],
            d_scores: vec![0.0; network.n_actions],
        }
    }
}

impl Network {
    /// Calculates the scores of the state that shows `scratch.context`. `factors` are those of the dropout, or empty.
    pub(crate) fn score(&self, factors: &[f32], scratch: &mut Scratch) {
        score_state(self.isa, self, factors, scratch);
    }
}

// Plain loops: compiled for each instruction set they come out as vector code, with the same sums in the same order.
#[inline(always)]
fn score_body<S: Simd>(_simd: S, network: &Network, factors: &[f32], scratch: &mut Scratch) {
    let Scratch { context, sums, hidden, which, scores, .. } = scratch;
    sum_features(network, context, sums);
    match network.pieces {
        1 => {
            for (hidden, &sum) in hidden.iter_mut().zip(sums.iter()) {
                *hidden = if network.rectified && sum < 0.0 { 0.0 } else { sum };
            }
        }
        2 => {
            for ((hidden, which), pair) in hidden.iter_mut().zip(which.iter_mut()).zip(sums.chunks_exact(2)) {
                *which = u8::from(pair[1] > pair[0]);
                *hidden = if pair[1] > pair[0] { pair[1] } else { pair[0] };
            }
        }
        pieces => {
            let rows = sums.chunks_exact(pieces);
            for ((hidden, which), row) in hidden.iter_mut().zip(which.iter_mut()).zip(rows) {
                (*hidden, *which) = (row[0], 0);
                for (piece, &sum) in row.iter().enumerate().skip(1) {
                    if sum > *hidden {
                        (*hidden, *which) = (sum, piece as u8);
                    }
                }
            }
        }
    }
    hidden.iter_mut().zip(factors).for_each(|(hidden, factor)| *hidden *= factor);
    let Some(upper) = &network.upper else {
        scores.copy_from_slice(hidden);
        return;
    };
    let blocks = upper.blocks.chunks_exact(network.hidden * LANES);
    for ((scores, bias), block) in scores.chunks_mut(LANES).zip(upper.bias.chunks(LANES)).zip(blocks) {
        let mut sums = [0.0; LANES];
        for (&hidden, row) in hidden.iter().zip(block.chunks_exact(LANES)) {
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += hidden * weight);
        }
        scores.iter_mut().zip(bias).zip(&sums).for_each(|((score, bias), sum)| *score = sum + bias);
    }
}

#[inline(always)]
fn sum_features(network: &Network, context: &[i32], sums: &mut [f32]) {
    let size = sums.len();
    let row = network.n_features * size;
    sums.fill(0.0);
    for (place, &token) in context.iter().enumerate() {
        let first = (token + 1) as usize * row + place * size;
        let feature = &network.features[first..first + size];
        sums.iter_mut().zip(feature).for_each(|(sum, number)| *sum += number);
    }
    sums.iter_mut().zip(&network.bias).for_each(|(sum, bias)| *sum += bias);
}

crate::dispatch! {
    fn score_state(network: &Network, factors: &[f32], scratch: &mut Scratch) -> () = score_body;
}
