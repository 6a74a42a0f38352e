//! From the gradients of the scores to those of the weights and the tokens.

use super::follow::Trace;
use super::network::Network;
use crate::gemm::{Matrix, product};
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
        let n = trace.n_states;
        KernelError::expect_len("transitions: the hidden numbers", n * self.hidden, trace.hidden.len())?;
        KernelError::expect_len("transitions: the scores", n * self.n_actions, trace.d_scores.len())?;
        KernelError::expect_len("transitions: the contexts", n * self.n_features, trace.contexts.len())?;
        let d_scores: Vec<f32> = trace.d_scores.iter().map(|d_score| d_score * scale).collect();
        let mut grads = Gradients::default();
        let mut d_hidden = match &self.upper {
            None => d_scores,
            Some(upper) => {
                let by_state = Matrix::new(&d_scores, n, self.n_actions);
                let hidden = Matrix::new(&trace.hidden, n, self.hidden);
                grads.upper_weights = vec![0.0; self.n_actions * self.hidden];
                product(self.isa, threads, by_state.t(), hidden, &[], &mut grads.upper_weights)?;
                grads.upper_bias = column_sums(&d_scores, self.n_actions);
                let mut d_hidden = vec![0.0; n * self.hidden];
                let weights = Matrix::new(&upper.weights, self.n_actions, self.hidden);
                product(self.isa, threads, by_state, weights, &[], &mut d_hidden)?;
                d_hidden
            }
        };
        self.mask(trace, &mut d_hidden);
        self.features(threads, trace, &d_hidden, &mut grads)?;
        Ok(grads)
    }

    fn mask(&self, trace: &Trace, d_hidden: &mut [f32]) {
        if self.rectified {
            let dead = trace.hidden.iter().map(|&hidden| hidden <= 0.0);
            d_hidden.iter_mut().zip(dead).filter(|(_, dead)| *dead).for_each(|(d, _)| *d = 0.0);
        }
        let Some(dropout) = trace.dropout else { return };
        let mut factors = vec![0.0; self.hidden];
        for (row, &mask_row) in d_hidden.chunks_exact_mut(self.hidden).zip(&trace.mask_rows) {
            dropout.fill_row(mask_row, &mut factors);
            row.iter_mut().zip(&factors).for_each(|(d, factor)| *d *= factor);
        }
    }

    /// Adds up the gradient of each token in each place, then multiplies once a place.
    ///
    /// All tokens come first in some state, but few are inside an entity: the other places have few rows.
    fn features(
        &self,
        threads: Threads<'_>,
        trace: &Trace,
        d_hidden: &[f32],
        grads: &mut Gradients,
    ) -> Result<(), KernelError> {
        let size = self.hidden * self.pieces;
        grads.bias = vec![0.0; size];
        let mut places = vec![Place::new(self.n_tokens()); self.n_features];
        let states = d_hidden.chunks_exact(self.hidden).zip(trace.which.chunks_exact(self.hidden));
        let mut d_sums = vec![0.0; size];
        for ((d_hidden, which), context) in states.zip(trace.contexts.chunks_exact(self.n_features)) {
            spread(d_hidden, which, self.pieces, &mut d_sums);
            add_to(self.isa, &d_sums, &mut grads.bias);
            for (place, &token) in places.iter_mut().zip(context) {
                add_to(self.isa, &d_sums, place.row(token, size));
            }
        }
        grads.tokens = vec![0.0; self.tokens.len()];
        grads.weights = vec![0.0; self.weights.len()];
        let blocks = self.weights.chunks_exact(size * self.width);
        let d_blocks = grads.weights.chunks_exact_mut(size * self.width);
        for ((mut place, weights), d_weights) in places.into_iter().zip(blocks).zip(d_blocks) {
            grads.padding.extend_from_slice(place.row(NO_TOKEN, size));
            place.backprop(self, threads, (weights, d_weights), &mut grads.tokens)?;
        }
        Ok(())
    }
}

/// What stands in a state's place that shows no token.
const NO_TOKEN: i32 = -1;
const NO_ROW: u32 = u32::MAX;

/// The gradients of the tokens that states show in one place.
#[derive(Clone, Debug)]
struct Place {
    /// Of each token, [`NO_TOKEN`] first.
    row_of: Vec<u32>,
    /// The tokens that have a row, in the order of their rows.
    tokens: Vec<i32>,
    /// (tokens.len(), nO × nP)
    rows: Vec<f32>,
}

impl Place {
    fn new(n_tokens: usize) -> Place {
        Place { row_of: vec![NO_ROW; n_tokens + 1], tokens: Vec::new(), rows: Vec::new() }
    }

    /// The row of `token`, made with zeros if it is new.
    fn row(&mut self, token: i32, size: usize) -> &mut [f32] {
        let row = &mut self.row_of[(token + 1) as usize];
        if *row == NO_ROW {
            *row = self.tokens.len() as u32;
            self.tokens.push(token);
            self.rows.resize(self.rows.len() + size, 0.0);
        }
        let first = *row as usize * size;
        &mut self.rows[first..first + size]
    }

    /// Writes the gradient of the place's weights, and adds those of its tokens.
    fn backprop(
        mut self,
        network: &Network,
        threads: Threads<'_>,
        (weights, d_weights): (&[f32], &mut [f32]),
        d_tokens: &mut [f32],
    ) -> Result<(), KernelError> {
        let (width, size) = (network.width, network.hidden * network.pieces);
        // The padding is no product of weights: its row counts nothing here.
        self.row(NO_TOKEN, size).fill(0.0);
        let n = self.tokens.len();
        let range = |token: i32| token as usize * width..(token as usize + 1) * width;
        let mut shown = vec![0.0; n * width];
        let shown_rows = shown.chunks_exact_mut(width).zip(&self.tokens);
        shown_rows
            .filter(|(_, token)| **token != NO_TOKEN)
            .for_each(|(row, &token)| row.copy_from_slice(&network.tokens[range(token)]));
        let d_rows = Matrix::new(&self.rows, n, size);
        product(network.isa, threads, d_rows.t(), Matrix::new(&shown, n, width), &[], d_weights)?;
        let mut d_shown = shown;
        let weights = Matrix::new(weights, size, width);
        product(network.isa, threads, d_rows, weights, &[], &mut d_shown)?;
        for (d_row, &token) in d_shown.chunks_exact(width).zip(&self.tokens) {
            if token != NO_TOKEN {
                add_to(network.isa, d_row, &mut d_tokens[range(token)]);
            }
        }
        Ok(())
    }
}

/// Writes the gradient of each hidden number to the piece it came from.
fn spread(d_hidden: &[f32], which: &[u8], pieces: usize, d_sums: &mut [f32]) {
    d_sums.fill(0.0);
    for ((&d, &piece), row) in d_hidden.iter().zip(which).zip(d_sums.chunks_exact_mut(pieces)) {
        row[piece as usize] = d;
    }
}

#[inline(always)]
fn add_to_body<S: Simd>(_simd: S, numbers: &[f32], sums: &mut [f32]) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
}

crate::dispatch! {
    fn add_to(numbers: &[f32], sums: &mut [f32]) -> () = add_to_body;
}

fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
    }
    sums
}
