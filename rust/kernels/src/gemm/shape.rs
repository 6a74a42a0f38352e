//! The sizes of a maxout layer.

/// The sizes of a maxout layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxoutShape {
    pub outputs: usize,
    pub pieces: usize,
    pub depth: usize,
}

/// The most pieces that the fused layers take.
pub(crate) const MAX_PIECES: usize = 3;
