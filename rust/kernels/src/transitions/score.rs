//! The scores of one state.

use super::network::{LANES, Network};
use crate::gemm::product::multiply_panels;
use crate::layers::dropout::Dropout;
use crate::simd::Simd;

/// Room for what is calculated of a state, all of them of one network.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    /// The tokens that the state shows.
    pub context: Vec<i32>,
    shown: Shown,
    sums: Vec<f32>,
    factors: Vec<f32>,
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
        let size = network.hidden * network.pieces;
        Scratch {
            context: vec![-1; network.n_features],
            shown: Shown::new(network.other_places.len(), size),
            sums: vec![0.0; size],
            factors: vec![0.0; network.hidden],
            hidden: vec![0.0; network.hidden],
            which: vec![0; network.hidden],
            scores: vec![0.0; network.n_actions],
            valid: vec![false; n_actions],
            costs: vec![0.0; n_actions],
            d_scores: vec![0.0; network.n_actions],
        }
    }
}

/// Which row of which dropout a state's hidden numbers have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    pub dropout: Dropout,
    pub row: u64,
}

/// What the tokens shown last gave in the places behind the first one: a state shows mostly what the one before showed.
#[derive(Clone, Debug)]
struct Shown {
    /// (places, SLOTS), -1 where there is none yet; a token has the slot of its number, modulo SLOTS.
    tokens: Vec<i32>,
    /// (places, SLOTS, nO, nP)
    rows: Vec<f32>,
}

/// Entities are seldom longer, and an open one shows its tokens again and again.
const SLOTS: usize = 16;

impl Shown {
    fn new(n_places: usize, size: usize) -> Shown {
        Shown { tokens: vec![-1; n_places * SLOTS], rows: vec![0.0; n_places * SLOTS * size] }
    }

    fn slot(place: usize, token: i32) -> usize {
        place * SLOTS + token as usize % SLOTS
    }

    /// Multiplies the tokens of `context`, which leaves out the first place, with the weights of their places.
    fn show(&mut self, network: &Network, context: &[i32]) {
        let size = network.hidden * network.pieces;
        for (place, (&token, panels)) in context.iter().zip(&network.other_places).enumerate() {
            if token < 0 {
                continue;
            }
            let slot = Shown::slot(place, token);
            if self.tokens[slot] != token {
                self.tokens[slot] = token;
                let vector = &network.tokens[token as usize * network.width..][..network.width];
                let row = &mut self.rows[slot * size..][..size];
                multiply_panels(network.isa, vector, network.width, panels, 1, false, row);
            }
        }
    }
}

impl Network {
    /// Calculates the scores of the state that shows `scratch.context`.
    pub(crate) fn score(&self, mask: Option<Mask>, scratch: &mut Scratch) {
        scratch.shown.show(self, &scratch.context[1..]);
        score_state(self.isa, self, mask, scratch);
    }
}

// Plain loops: compiled for each instruction set they come out as vector code, with the same sums in the same order.
#[inline(always)]
fn score_body<S: Simd>(_simd: S, network: &Network, mask: Option<Mask>, scratch: &mut Scratch) {
    sum_features(network, scratch);
    let Scratch { sums, factors, hidden, which, scores, .. } = scratch;
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
    if let Some(Mask { dropout, row }) = mask {
        dropout.fill_row(row, factors);
        hidden.iter_mut().zip(factors).for_each(|(hidden, factor)| *hidden *= *factor);
    }
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

/// Adds up, place by place, what the tokens of a state give there, and the bias last.
#[inline(always)]
fn sum_features(network: &Network, scratch: &mut Scratch) {
    let Scratch { context, shown, sums, .. } = scratch;
    let size = sums.len();
    let padding = network.padding.chunks_exact(size);
    sums.fill(0.0);
    for (place, (&token, padding)) in context.iter().zip(padding).enumerate() {
        let feature = match (token, place) {
            (..0, _) => padding,
            (_, 0) => &network.first_place[token as usize * size..][..size],
            _ => &shown.rows[Shown::slot(place - 1, token) * size..][..size],
        };
        sums.iter_mut().zip(feature).for_each(|(sum, number)| *sum += number);
    }
    sums.iter_mut().zip(&network.bias).for_each(|(sum, bias)| *sum += bias);
}

crate::dispatch! {
    fn score_state(network: &Network, mask: Option<Mask>, scratch: &mut Scratch) -> () = score_body;
}
