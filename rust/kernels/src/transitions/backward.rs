//! From the gradients of the scores to those of the weights and the tokens.

use std::ops::Range;

use super::follow::{Trace, TracePart};
use super::network::Network;
use crate::gemm::{Matrix, product};
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
        let mut backward: Vec<_> =
            trace.parts.iter().map(|part| (part, Ok(Gradients::default()), 0)).collect();
        threads.each(backward.iter_mut().collect(), |(part, grads, first_token)| {
            let tokens = shown_tokens(part);
            *first_token = tokens.start;
            *grads = self.backprop_part(part, trace.dropout, scale, tokens);
        });
        let mut sums = self.no_gradients(0..self.n_tokens());
        for (_, grads, first_token) in backward {
            let grads = grads?;
            add_to(self.isa, &grads.tokens, &mut sums.tokens[first_token * self.width..]);
            add_to(self.isa, &grads.weights, &mut sums.weights);
            add_to(self.isa, &grads.bias, &mut sums.bias);
            add_to(self.isa, &grads.padding, &mut sums.padding);
            add_to(self.isa, &grads.upper_weights, &mut sums.upper_weights);
            add_to(self.isa, &grads.upper_bias, &mut sums.upper_bias);
        }
        Ok(sums)
    }

    fn no_gradients(&self, tokens: Range<usize>) -> Gradients {
        let upper = self.upper.as_ref();
        Gradients {
            tokens: vec![0.0; tokens.len() * self.width],
            weights: vec![0.0; self.weights.len()],
            bias: vec![0.0; self.bias.len()],
            padding: vec![0.0; self.padding.len()],
            upper_weights: vec![0.0; upper.map_or(0, |upper| upper.weights.len())],
            upper_bias: vec![0.0; upper.map_or(0, |upper| upper.bias.len())],
        }
    }

    /// The gradients of a part's states; those of the tokens only of `tokens`, which are all that the states show.
    fn backprop_part(
        &self,
        part: &TracePart,
        dropout: Option<Dropout>,
        scale: f32,
        tokens: Range<usize>,
    ) -> Result<Gradients, KernelError> {
        let n = part.n_states;
        let mut grads = self.no_gradients(tokens.clone());
        if n == 0 {
            return Ok(grads);
        }
        let d_scores: Vec<f32> = part.d_scores.iter().map(|d_score| d_score * scale).collect();
        let mut d_hidden = match &self.upper {
            None => d_scores,
            Some(upper) => {
                let by_state = Matrix::new(&d_scores, n, self.n_actions);
                let hidden = Matrix::new(&part.hidden, n, self.hidden);
                product(self.isa, Threads::One, by_state.t(), hidden, &[], &mut grads.upper_weights)?;
                d_scores.chunks_exact(self.n_actions).for_each(|row| {
                    grads.upper_bias.iter_mut().zip(row).for_each(|(sum, d_score)| *sum += d_score);
                });
                let mut d_hidden = vec![0.0; n * self.hidden];
                let weights = Matrix::new(&upper.weights, self.n_actions, self.hidden);
                product(self.isa, Threads::One, by_state, weights, &[], &mut d_hidden)?;
                d_hidden
            }
        };
        if self.rectified {
            let dead = part.hidden.iter().map(|&hidden| hidden <= 0.0);
            d_hidden.iter_mut().zip(dead).filter(|(_, dead)| *dead).for_each(|(d, _)| *d = 0.0);
        }
        if let Some(dropout) = dropout {
            drop_rows(self.isa, dropout, &part.mask_rows, self.hidden, &mut d_hidden);
        }
        let size = self.hidden * self.pieces;
        let mut d_sums = vec![0.0; n * size];
        spread(self.isa, &d_hidden, &part.which, self.pieces, &mut d_sums);
        d_sums.chunks_exact(size).for_each(|row| add_to(self.isa, row, &mut grads.bias));
        for place in 0..self.n_features {
            self.backprop_place(place, part, &d_sums, tokens.start, &mut grads)?;
        }
        Ok(grads)
    }

    /// The gradients by what the states show in one place: its weights, its padding, and the tokens.
    fn backprop_place(
        &self,
        place: usize,
        part: &TracePart,
        d_sums: &[f32],
        first_token: usize,
        grads: &mut Gradients,
    ) -> Result<(), KernelError> {
        let (width, size) = (self.width, self.hidden * self.pieces);
        let padding = &mut grads.padding[place * size..][..size];
        let mut tokens = Vec::with_capacity(part.n_states);
        let (mut shown, mut d_shown) = (Vec::new(), Vec::new());
        for (context, d_sums) in part.contexts.chunks_exact(self.n_features).zip(d_sums.chunks_exact(size)) {
            let Ok(token) = usize::try_from(context[place]) else {
                add_to(self.isa, d_sums, padding);
                continue;
            };
            tokens.push(token);
            shown.extend_from_slice(&self.tokens[token * width..][..width]);
            d_shown.extend_from_slice(d_sums);
        }
        if tokens.is_empty() {
            return Ok(());
        }
        let d_rows = Matrix::new(&d_shown, tokens.len(), size);
        let shown = Matrix::new(&shown, tokens.len(), width);
        let span = place * size * width..(place + 1) * size * width;
        product(self.isa, Threads::One, d_rows.t(), shown, &[], &mut grads.weights[span.clone()])?;
        let mut d_tokens = vec![0.0; tokens.len() * width];
        let weights = Matrix::new(&self.weights[span], size, width);
        product(self.isa, Threads::One, d_rows, weights, &[], &mut d_tokens)?;
        for (d_token, token) in d_tokens.chunks_exact(width).zip(tokens) {
            add_to(self.isa, d_token, &mut grads.tokens[(token - first_token) * width..][..width]);
        }
        Ok(())
    }
}

/// The tokens from the first to the last one that the states of a part show.
fn shown_tokens(part: &TracePart) -> Range<usize> {
    let shown = || part.contexts.iter().filter_map(|&token| usize::try_from(token).ok());
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

/// The gradient of each hidden number goes to the piece it came from, the others get none.
#[inline(always)]
fn spread_body<S: Simd>(_simd: S, d_hidden: &[f32], which: &[u8], pieces: usize, d_sums: &mut [f32]) {
    match pieces {
        1 => d_sums.copy_from_slice(d_hidden),
        2 => spread_over::<2>(d_hidden, which, d_sums),
        3 => spread_over::<3>(d_hidden, which, d_sums),
        _ => {
            for ((&d, &piece), row) in d_hidden.iter().zip(which).zip(d_sums.chunks_exact_mut(pieces)) {
                row[piece as usize] = d;
            }
        }
    }
}

#[inline(always)]
fn spread_over<const PIECES: usize>(d_hidden: &[f32], which: &[u8], d_sums: &mut [f32]) {
    for ((&d, &which), row) in d_hidden.iter().zip(which).zip(d_sums.as_chunks_mut::<PIECES>().0) {
        for (piece, d_sum) in row.iter_mut().enumerate() {
            *d_sum = if usize::from(which) == piece { d } else { 0.0 };
        }
    }
}

#[inline(always)]
fn add_to_body<S: Simd>(_simd: S, numbers: &[f32], sums: &mut [f32]) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
}

crate::dispatch! {
    fn add_to(numbers: &[f32], sums: &mut [f32]) -> () = add_to_body;
}
crate::dispatch! {
    fn drop_rows(dropout: Dropout, mask_rows: &[u64], width: usize, d_hidden: &mut [f32]) -> () = drop_rows_body;
}
crate::dispatch! {
    fn spread(d_hidden: &[f32], which: &[u8], pieces: usize, d_sums: &mut [f32]) -> () = spread_body;
}
