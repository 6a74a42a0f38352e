//! The layers of a network, forward and backward, one file each.

pub mod activation;
pub mod dropout;
pub mod gather;
pub mod hash_embed;
pub mod layer_norm;
pub(crate) mod rowwise;

#[cfg(test)]
mod tests;
