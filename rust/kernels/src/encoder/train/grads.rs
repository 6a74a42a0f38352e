//! Where the encoder's gradients are added.

use super::trace::Trace;
use crate::KernelError;
use crate::gemm::shape::MaxoutShape;

/// Where a maxout layer's gradients are added.
#[derive(Debug)]
pub struct MaxoutGrads<'a> {
    /// Like [`MaxoutParams::weights`](crate::encoder::MaxoutParams::weights).
    pub weights: &'a mut [f32],
    /// Like [`MaxoutParams::bias`](crate::encoder::MaxoutParams::bias).
    pub bias: &'a mut [f32],
    /// Like [`MaxoutParams::gain`](crate::encoder::MaxoutParams::gain).
    pub gain: &'a mut [f32],
    /// Like [`MaxoutParams::shift`](crate::encoder::MaxoutParams::shift).
    pub shift: &'a mut [f32],
}

/// Where the encoder's gradients are added.
#[derive(Debug)]
pub struct EncoderGrads<'a> {
    /// One slice a table.
    pub tables: Vec<&'a mut [f32]>,
    /// The mix layer's.
    pub mix: MaxoutGrads<'a>,
    /// The window layers', first to last.
    pub layers: Vec<MaxoutGrads<'a>>,
}

impl EncoderGrads<'_> {
    /// Checks that they are of the parameters of a forward pass.
    ///
    /// # Errors
    /// [`KernelError::Shape`], naming the one that is not.
    pub(crate) fn check(&self, trace: &Trace) -> Result<(), KernelError> {
        KernelError::expect_len("encoder: the tables' gradients", trace.tables.len(), self.tables.len())?;
        for (table, grad) in trace.tables.iter().zip(&self.tables) {
            KernelError::expect_len("encoder: a table's gradient", table.n_numbers, grad.len())?;
        }
        KernelError::expect_len("encoder: the layers' gradients", trace.layout.depth, self.layers.len())?;
        for (kept, grads) in trace.kept.iter().zip(self.layers.iter().chain([&self.mix])) {
            let MaxoutShape { outputs, pieces, .. } = kept.shape;
            KernelError::expect_len("encoder: a weight gradient", kept.weights.len(), grads.weights.len())?;
            KernelError::expect_len("encoder: a bias gradient", outputs * pieces, grads.bias.len())?;
            KernelError::expect_len("encoder: a gain gradient", outputs, grads.gain.len())?;
            KernelError::expect_len("encoder: a shift gradient", outputs, grads.shift.len())?;
        }
        Ok(())
    }
}

/// Gradients of a layer's small parameters over some rows.
pub(crate) struct RowGrads {
    pub gain: Vec<f32>,
    pub shift: Vec<f32>,
    /// pieces × outputs, unlike the parameter
    pub bias: Vec<f32>,
}

impl RowGrads {
    pub fn new(shape: MaxoutShape) -> RowGrads {
        let MaxoutShape { outputs, pieces, .. } = shape;
        RowGrads { gain: vec![0.0; outputs], shift: vec![0.0; outputs], bias: vec![0.0; outputs * pieces] }
    }

    /// Adds them to the parameters' gradients.
    pub fn add_to(&self, grads: &mut MaxoutGrads<'_>) {
        let outputs = self.gain.len();
        add(grads.gain.iter_mut(), &self.gain);
        add(grads.shift.iter_mut(), &self.shift);
        for (piece, sums) in self.bias.chunks_exact(outputs).enumerate() {
            add(grads.bias.iter_mut().skip(piece).step_by(self.bias.len() / outputs), sums);
        }
    }
}

fn add<'a>(to: impl Iterator<Item = &'a mut f32>, sums: &[f32]) {
    for (to, sum) in to.zip(sums) {
        *to += sum;
    }
}
