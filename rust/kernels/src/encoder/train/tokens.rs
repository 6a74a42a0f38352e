//! From the vectors of word types to the rows of tokens, and back.

use crate::layers::dropout::Dropout;
use crate::layers::rowwise::{add_row, multiply_row};
use crate::simd::Simd;

/// Consecutive tokens, with the row that each has in the group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    pub types: &'a [u32],
    pub first: usize,
    pub rows: &'a [usize],
}

#[inline(always)]
fn gather_tokens_body<S: Simd>(
    simd: S,
    tokens: Tokens<'_>,
    vectors: &[f32],
    width: usize,
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    let mut factors = vec![0.0; width];
    for (token, (&index, &row)) in tokens.types.iter().zip(tokens.rows).enumerate() {
        let out = &mut out[row * width..][..width];
        out.copy_from_slice(&vectors[index as usize * width..][..width]);
        if let Some(dropout) = dropout {
            dropout.fill_row((tokens.first + token) as u64, &mut factors);
            multiply_row(simd, out, &factors);
        }
    }
}

crate::dispatch! {
    /// Copies each token's type vector to its row, with the token's dropout.
    pub(crate) fn gather_tokens(
        tokens: Tokens<'_>,
        vectors: &[f32],
        width: usize,
        dropout: Option<Dropout>,
        out: &mut [f32],
    ) -> () = gather_tokens_body;
}

#[inline(always)]
fn mask_tokens_body<S: Simd>(
    simd: S,
    tokens: Tokens<'_>,
    d_rows: &[f32],
    width: usize,
    dropout: Option<Dropout>,
    d_tokens: &mut [f32],
) {
    let mut factors = vec![0.0; width];
    for (token, (&row, d)) in tokens.rows.iter().zip(d_tokens.chunks_exact_mut(width)).enumerate() {
        d.copy_from_slice(&d_rows[row * width..][..width]);
        if let Some(dropout) = dropout {
            dropout.fill_row((tokens.first + token) as u64, &mut factors);
            multiply_row(simd, d, &factors);
        }
    }
}

crate::dispatch! {
    /// The way back of [`gather_tokens`]: each token's gradient from its row, with the token's dropout.
    pub(crate) fn mask_tokens(
        tokens: Tokens<'_>,
        d_rows: &[f32],
        width: usize,
        dropout: Option<Dropout>,
        d_tokens: &mut [f32],
    ) -> () = mask_tokens_body;
}

#[inline(always)]
fn scatter_tokens_body<S: Simd>(
    simd: S,
    types: &[u32],
    d_tokens: &[f32],
    width: usize,
    d_vectors: &mut [f32],
) {
    for (&index, d) in types.iter().zip(d_tokens.chunks_exact(width)) {
        add_row(simd, &mut d_vectors[index as usize * width..][..width], d);
    }
}

crate::dispatch! {
    /// Adds each token's gradient to that of its type, token by token.
    pub(crate) fn scatter_tokens(types: &[u32], d_tokens: &[f32], width: usize, d_vectors: &mut [f32]) -> () =
        scatter_tokens_body;
}
