//! The layers of a network, forward and backward, one file each.

pub mod dropout;
pub mod hash_embed;
pub mod layer_norm;
pub(crate) mod rowwise;
