//! The gradients of an affine layer under a maxout: only the winning piece of each output has one.
//!
//! That is a third of the multiply-adds of the dense products with three pieces. Sums run over outputs (for the input)
//! and over rows (for the weights) in order, however the work is cut.

/// Gradient rows and which piece won in each of their numbers (both rows × outputs).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Winners<'a> {
    pub d_best: &'a [f32],
    pub which: &'a [u8],
}

/// Adds a row's gradient to that of the biases: `d_bias` is pieces × outputs.
#[inline(always)]
pub(crate) fn bias_gradient(d_best: &[f32], which: &[u8], d_bias: &mut [f32]) {
    let n_outputs = d_best.len().max(1);
    for (piece, d_bias) in d_bias.chunks_exact_mut(n_outputs).enumerate() {
        for ((sum, &d), &which) in d_bias.iter_mut().zip(d_best).zip(which) {
            *sum += if usize::from(which) == piece { d } else { 0.0 };
        }
    }
}
