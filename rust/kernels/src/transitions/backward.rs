//! From the gradients of the scores to those of the weights and the tokens.

use std::ops::Range;

use super::follow::{Trace, TracePart};
use super::network::Network;
use super::winners::{Read, add_to, to_bias, to_rows, to_weights};
use crate::aligned::Aligned;
use crate::gemm::shape::MaxoutShape;
use crate::gemm::sparse::Winners;
use crate::layers::dropout::Dropout;
use crate::simd::Simd;
use crate::{KernelError, Threads};

/// Gradients of a batch, each of the shape of what it belongs to.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    /// (n_tokens, width)
    pub tokens: Vec<f32>,
    /// (nF, nO, nP, nI)
    pub weights: Vec<f32>,
    /// (nO, nP)
    pub bias: Vec<f32>,
    /// (nF, nO, nP)
    pub padding: Vec<f32>,
    /// (n_actions, nO); empty without an upper layer.
    pub upper_weights: Vec<f32>,
    /// (n_actions,)
    pub upper_bias: Vec<f32>,
}

/// Neighbouring parts of a trace whose gradients one task sums: enough that its own sums cost little.
const PARTS_PER_TASK: usize = 4;

/// What a task sums. Bias and padding have the pieces in front, unlike the parameters.
struct Sums {
    /// Those that its states show, which `tokens` begins with and ends behind.
    range: Range<usize>,
    tokens: Aligned,
    weights: Aligned,
    bias: Vec<f32>,
    padding: Vec<f32>,
    upper_weights: Aligned,
    upper_bias: Vec<f32>,
}

impl Network {
    /// The gradients of what `trace` holds, times `scale`.
    ///
    /// A token that a state shows twice gets both gradients. Where a state shows none, only the padding learns.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the trace is of another network.
    pub fn backprop(
        &self,
        threads: Threads<'_>,
        trace: &Trace,
        scale: f32,
    ) -> Result<Gradients, KernelError> {
        for part in &trace.parts {
            let n = part.n_states;
            KernelError::expect_len("transitions: the hidden numbers", n * self.hidden, part.hidden.len())?;
            KernelError::expect_len("transitions: the scores", n * self.n_actions, part.d_scores.len())?;
            KernelError::expect_len("transitions: the contexts", n * self.n_features, part.contexts.len())?;
        }
        let mut found: Vec<_> = trace.parts.chunks(PARTS_PER_TASK).map(|parts| (parts, None)).collect();
        threads.each(found.iter_mut().collect(), |(parts, sums)| {
            let sums = sums.insert(self.no_sums(shown_tokens(parts)));
            parts.iter().for_each(|part| self.backprop_part(part, trace.dropout, scale, sums));
        });
        let mut grads = self.no_gradients();
        for sums in found.iter().filter_map(|(_, sums)| sums.as_ref()) {
            self.add_sums(sums, &mut grads);
        }
        Ok(grads)
    }

    fn no_gradients(&self) -> Gradients {
        let upper = self.upper.as_ref();
        Gradients {
            tokens: vec![0.0; self.tokens.len()],
            weights: vec![0.0; self.weights.len()],
            bias: vec![0.0; self.bias.len()],
            padding: vec![0.0; self.padding.len()],
            upper_weights: vec![0.0; upper.map_or(0, |upper| upper.weights.len())],
            upper_bias: vec![0.0; upper.map_or(0, |upper| upper.bias.len())],
        }
    }

    fn no_sums(&self, tokens: Range<usize>) -> Sums {
        let upper = self.upper.as_ref();
        Sums {
            tokens: Aligned::zeros(tokens.len() * self.width),
            range: tokens,
            weights: Aligned::zeros(self.weights.len()),
            bias: vec![0.0; self.bias.len()],
            padding: vec![0.0; self.padding.len()],
            upper_weights: Aligned::zeros(upper.map_or(0, |upper| upper.weights.len())),
            upper_bias: vec![0.0; upper.map_or(0, |upper| upper.bias.len())],
        }
    }

    fn add_sums(&self, sums: &Sums, grads: &mut Gradients) {
        let size = self.hidden * self.pieces;
        let range = sums.range.start * self.width..sums.range.end * self.width;
        add_to(self.isa, &mut grads.tokens[range], &sums.tokens);
        add_to(self.isa, &mut grads.weights, &sums.weights);
        add_to(self.isa, &mut grads.upper_weights, &sums.upper_weights);
        add_to(self.isa, &mut grads.upper_bias, &sums.upper_bias);
        let of_places = grads.padding.chunks_exact_mut(size).zip(sums.padding.chunks_exact(size));
        for (to, sums) in of_places.chain([(&mut *grads.bias, &*sums.bias)]) {
            for (piece, sums) in sums.chunks_exact(self.hidden).enumerate() {
                let to = to.iter_mut().skip(piece).step_by(self.pieces);
                to.zip(sums).for_each(|(to, sum)| *to += sum);
            }
        }
    }

    /// Adds the gradients of a part's states.
    fn backprop_part(&self, part: &TracePart, dropout: Option<Dropout>, scale: f32, sums: &mut Sums) {
        let mut d_scores = Aligned::any(part.d_scores.len());
        d_scores.iter_mut().zip(&part.d_scores).for_each(|(to, d_score)| *to = d_score * scale);
        let states: Vec<u32> = (0..part.n_states as u32).collect();
        let mut d_hidden = self.backprop_upper(part, d_scores, &states, sums);
        if self.rectified {
            let dead = part.hidden.iter().map(|&hidden| hidden <= 0.0);
            d_hidden.iter_mut().zip(dead).filter(|(_, dead)| *dead).for_each(|(d, _)| *d = 0.0);
        }
        if let Some(dropout) = dropout {
            drop_rows(self.isa, dropout, &part.mask_rows, self.hidden, &mut d_hidden);
        }
        let winners = Winners { d_best: &d_hidden, which: &part.which };
        to_bias(self.isa, winners, self.hidden, &states, &mut sums.bias);
        let (mut reads, mut nothing) = (Vec::with_capacity(part.n_states), Vec::new());
        for place in 0..self.n_features {
            reads.clear();
            nothing.clear();
            for (&state, shown) in states.iter().zip(part.contexts.chunks_exact(self.n_features)) {
                match u32::try_from(shown[place]) {
                    Ok(token) => reads.push((state, token)),
                    Err(_) => nothing.push(state),
                }
            }
            self.backprop_place(place, winners, &mut reads, &nothing, sums);
        }
    }

    /// The gradient of the hidden numbers, from that of the scores.
    fn backprop_upper(
        &self,
        part: &TracePart,
        d_scores: Aligned,
        states: &[u32],
        sums: &mut Sums,
    ) -> Aligned {
        let Some(upper) = &self.upper else { return d_scores };
        let shape = MaxoutShape { outputs: self.n_actions, pieces: 1, depth: self.hidden };
        let winners = Winners { d_best: &d_scores, which: &vec![0; d_scores.len()] };
        let reads: Vec<Read> = states.iter().map(|&state| (state, state)).collect();
        let mut d_hidden = Aligned::zeros(part.hidden.len());
        to_rows(self.isa, winners, &upper.weights, shape, &reads, &mut d_hidden);
        to_weights(self.isa, winners, &part.hidden, shape, &reads, &mut sums.upper_weights);
        to_bias(self.isa, winners, self.n_actions, states, &mut sums.upper_bias);
        d_hidden
    }

    /// Adds the gradients by what states show in one place: its weights and the tokens, or, for the states that show
    /// nothing there, its padding.
    fn backprop_place(
        &self,
        place: usize,
        winners: Winners<'_>,
        reads: &mut [Read],
        nothing: &[u32],
        sums: &mut Sums,
    ) {
        let shape = MaxoutShape { outputs: self.hidden, pieces: self.pieces, depth: self.width };
        let size = self.hidden * self.pieces;
        let weights = place * size * self.width..(place + 1) * size * self.width;
        to_bias(self.isa, winners, self.hidden, nothing, &mut sums.padding[place * size..][..size]);
        to_weights(self.isa, winners, &self.tokens, shape, reads, &mut sums.weights[weights.clone()]);
        reads.iter_mut().for_each(|(_, token)| *token -= sums.range.start as u32);
        to_rows(self.isa, winners, &self.weights[weights], shape, reads, &mut sums.tokens);
    }
}

/// The tokens from the first to the last one that the states of some parts show.
fn shown_tokens(parts: &[TracePart]) -> Range<usize> {
    let shown =
        || parts.iter().flat_map(|part| &part.contexts).filter_map(|&token| usize::try_from(token).ok());
    shown().min().map_or(0..0, |first| first..shown().max().unwrap_or(first) + 1)
}

#[inline(always)]
fn drop_rows_body<S: Simd>(
    _simd: S,
    dropout: Dropout,
    mask_rows: &[u64],
    width: usize,
    d_hidden: &mut [f32],
) {
    let mut factors = vec![0.0; width];
    for (row, &mask_row) in d_hidden.chunks_exact_mut(width).zip(mask_rows) {
        dropout.fill_row(mask_row, &mut factors);
        row.iter_mut().zip(&factors).for_each(|(d, factor)| *d *= factor);
    }
}

crate::dispatch! {
    fn drop_rows(dropout: Dropout, mask_rows: &[u64], width: usize, d_hidden: &mut [f32]) -> () = drop_rows_body;
}
