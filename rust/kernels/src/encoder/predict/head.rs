//! A linear layer on top of the encoder of which nothing is wanted but the best label of each token.

use crate::KernelError;
use crate::aligned::Aligned;
use crate::gemm::product::{Matrix, PackedMatrix};
use crate::rows::{Machine, RowKernels, Rows};
use crate::simd::Isa;

/// A linear layer: `weights` labels × width, `bias` a number a label.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// labels × width
    pub weights: &'a [f32],
    /// A number a label.
    pub bias: &'a [f32],
}

/// The same, packed.
#[derive(Debug)]
pub(crate) struct PackedHead {
    weights: PackedMatrix,
    n_labels: usize,
}

impl PackedHead {
    /// Packs a layer over vectors of `width`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if it has another width or no labels.
    pub fn new(isa: Isa, head: &Head<'_>, width: usize) -> Result<PackedHead, KernelError> {
        let n_labels = head.bias.len();
        if n_labels == 0 {
            return Err(KernelError::Shape {
                what: "encoder: the labels",
                expected: "at least 1".to_owned(),
                found: "0".to_owned(),
            });
        }
        KernelError::expect_len("encoder: the weights of the labels", n_labels * width, head.weights.len())?;
        let weights = PackedMatrix::new(isa, Matrix::new(head.weights, n_labels, width).t(), head.bias);
        Ok(PackedHead { weights, n_labels })
    }

    /// Writes the best label of each vector, the first of those that are alike.
    ///
    /// # Errors
    /// [`KernelError`] if there are not as many vectors as `out` has room for.
    pub fn best(&self, isa: Isa, vectors: &[f32], out: &mut [i32]) -> Result<(), KernelError> {
        let mut scores = Aligned::any(out.len() * self.n_labels);
        self.weights.multiply(isa, vectors, out.len(), &mut scores);
        let mut best = vec![0_i64; out.len()];
        let machine = Machine::single(isa);
        f32::argmax(machine, Rows::new(&scores, out.len(), self.n_labels)?, &mut best)?;
        for (out, best) in out.iter_mut().zip(best) {
            *out = best as i32;
        }
        Ok(())
    }
}
