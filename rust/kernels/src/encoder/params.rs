//! What an encoder consists of, as views of somebody else's arrays.

use super::batch::Beyond;
use crate::KernelError;
use crate::gemm::shape::{MAX_PIECES, MaxoutShape};

/// A hash embedding table.
#[derive(Clone, Copy, Debug)]
pub struct EmbedTable<'a> {
    /// The vectors, row after row.
    pub rows: &'a [f32],
    /// How long a vector is.
    pub width: usize,
    /// The seed of its hash function.
    pub seed: u32,
    /// Which column of the feature rows holds its ids.
    pub column: usize,
}

impl EmbedTable<'_> {
    pub(crate) fn n_rows(&self) -> u32 {
        u32::try_from(self.rows.len() / self.width.max(1)).unwrap_or(u32::MAX)
    }
}

/// Maxout with layer normalization: `weights` outputs × pieces × inputs, `bias` outputs × pieces, `gain` and `shift` a
/// number for each output.
#[derive(Clone, Copy, Debug)]
pub struct MaxoutParams<'a> {
    /// outputs × pieces × inputs
    pub weights: &'a [f32],
    /// outputs × pieces
    pub bias: &'a [f32],
    /// The layer norm's scale, one number an output.
    pub gain: &'a [f32],
    /// What the layer norm adds, one number an output.
    pub shift: &'a [f32],
}

impl MaxoutParams<'_> {
    pub(crate) fn shape(&self) -> MaxoutShape {
        let outputs = self.gain.len();
        MaxoutShape {
            outputs,
            pieces: self.bias.len() / outputs.max(1),
            depth: self.weights.len() / self.bias.len().max(1),
        }
    }

    fn check(&self, outputs: usize, depth: usize) -> Result<(), KernelError> {
        let shape = self.shape();
        if shape.pieces == 0 || shape.pieces > MAX_PIECES {
            return Err(KernelError::Shape {
                what: "encoder: the pieces of a maxout layer",
                expected: format!("1 to {MAX_PIECES}"),
                found: shape.pieces.to_string(),
            });
        }
        KernelError::expect_len("encoder: the outputs of a maxout layer", outputs, self.gain.len())?;
        KernelError::expect_len("encoder: the shift of a layer norm", outputs, self.shift.len())?;
        KernelError::expect_len("encoder: a maxout bias", outputs * shape.pieces, self.bias.len())?;
        KernelError::expect_len("encoder: maxout weights", outputs * shape.pieces * depth, self.weights.len())
    }
}

/// `MultiHashEmbed` and `MaxoutWindowEncoder`: tables side by side, mixed to a vector, then residual window layers.
#[derive(Clone, Debug)]
pub struct EncoderParams<'a> {
    /// The embedding tables, in the order in which their vectors are put side by side.
    pub tables: Vec<EmbedTable<'a>>,
    /// From all tables' vectors to one.
    pub mix: MaxoutParams<'a>,
    /// The window layers, first to last.
    pub layers: Vec<MaxoutParams<'a>>,
    /// How many tokens a window has on either side.
    pub window: usize,
    /// What a window reads beyond the ends of a document.
    pub beyond: Beyond,
}

impl EncoderParams<'_> {
    /// How long a token's vector is.
    #[must_use]
    pub fn width(&self) -> usize {
        self.mix.gain.len()
    }

    /// How long all tables' vectors are, side by side.
    pub(crate) fn embed_width(&self) -> usize {
        self.tables.iter().map(|table| table.width).sum()
    }

    /// How many columns a feature row must have.
    pub(crate) fn n_columns(&self) -> usize {
        self.tables.iter().map(|table| table.column + 1).max().unwrap_or(0)
    }

    /// All arrays, in a fixed order.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = &[f32]> {
        let layers = self.layers.iter().chain([&self.mix]);
        let tables = self.tables.iter().map(|table| table.rows);
        tables.chain(layers.flat_map(|layer| [layer.weights, layer.bias, layer.gain, layer.shift]))
    }

    /// Checks that all sizes fit together.
    ///
    /// # Errors
    /// [`KernelError::Shape`], naming the part that does not.
    pub fn check(&self) -> Result<(), KernelError> {
        let width = self.width();
        let needs_parts = |what, found: usize| {
            if found > 0 {
                return Ok(());
            }
            Err(KernelError::Shape { what, expected: "at least 1".to_owned(), found: "0".to_owned() })
        };
        needs_parts("encoder: the embedding tables", self.tables.len())?;
        needs_parts("encoder: the width", width)?;
        needs_parts("encoder: the window layers", self.layers.len())?;
        needs_parts("encoder: the window", self.window)?;
        for table in &self.tables {
            needs_parts("encoder: the rows of an embedding table", table.n_rows() as usize)?;
            KernelError::expect_len(
                "encoder: the numbers of an embedding table",
                table.n_rows() as usize * table.width,
                table.rows.len(),
            )?;
        }
        self.mix.check(width, self.embed_width())?;
        for layer in &self.layers {
            layer.check(width, (2 * self.window + 1) * width)?;
        }
        Ok(())
    }
}
