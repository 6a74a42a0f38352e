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
    /// A token that a state shows twice gets both gradients. Where a state shows none, only the padding learns; spaCy
    /// gives the weights the batch's last token there, by an index of -1, which is not kept.
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

    /// Adds up the gradient of each token in each place, then multiplies once.
    fn features(
        &self,
        threads: Threads<'_>,
        trace: &Trace,
        d_hidden: &[f32],
        grads: &mut Gradients,
    ) -> Result<(), KernelError> {
        let size = self.hidden * self.pieces;
        let row = self.n_features * size;
        grads.bias = vec![0.0; size];
        // The padding first, as in the forward pass.
        let mut d_features = vec![0.0; self.features.len()];
        let states = d_hidden.chunks_exact(self.hidden).zip(trace.which.chunks_exact(self.hidden));
        let mut d_sums = vec![0.0; size];
        for ((d_hidden, which), context) in states.zip(trace.contexts.chunks_exact(self.n_features)) {
            spread(d_hidden, which, self.pieces, &mut d_sums);
            add_to_places(self.isa, &d_sums, context, &mut d_features, &mut grads.bias);
        }
        let n_tokens = self.n_tokens();
        let d_tokens = Matrix::new(&d_features[row..], n_tokens, row);
        grads.tokens = vec![0.0; self.tokens.len()];
        let weights = Matrix::new(&self.weights, row, self.width);
        product(self.isa, threads, d_tokens, weights, &[], &mut grads.tokens)?;
        grads.weights = vec![0.0; self.weights.len()];
        let tokens = Matrix::new(&self.tokens, n_tokens, self.width);
        product(self.isa, threads, d_tokens.t(), tokens, &[], &mut grads.weights)?;
        d_features.truncate(row);
        grads.padding = d_features;
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
fn add_to_places_body<S: Simd>(
    _simd: S,
    d_sums: &[f32],
    context: &[i32],
    d_features: &mut [f32],
    d_bias: &mut [f32],
) {
    let size = d_sums.len();
    for (place, &token) in context.iter().enumerate() {
        let first = ((token + 1) as usize * context.len() + place) * size;
        let feature = &mut d_features[first..first + size];
        feature.iter_mut().zip(d_sums).for_each(|(sum, d)| *sum += d);
    }
    d_bias.iter_mut().zip(d_sums).for_each(|(sum, d)| *sum += d);
}

crate::dispatch! {
    fn add_to_places(d_sums: &[f32], context: &[i32], d_features: &mut [f32], d_bias: &mut [f32]) -> ()
        = add_to_places_body;
}

fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    for row in rows.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
    }
    sums
}
