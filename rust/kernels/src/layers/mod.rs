//! The layers of a network, forward and backward, one file each.

pub mod activation;
pub mod attention;
pub mod dropout;
pub(crate) mod four_rows;
pub mod gather;
pub mod hash_embed;
pub mod layer_norm;
pub mod maxout;
pub mod piecewise;
mod pointwise;
pub mod ragged;
pub(crate) mod rowwise;
pub mod windows;

#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
