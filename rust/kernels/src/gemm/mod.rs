//! Matrix products for layers: packed weights, sums in registers, and what follows the product done before they leave.
//!
//! See `docs/decisions/0004-own-gemm.md` for what this was compared with.

pub(crate) mod byte_pairs;
pub(crate) mod maxout;
mod pack;
pub(crate) mod panels;
pub(crate) mod product;
pub(crate) mod sparse;
pub(crate) mod sparse_input;
pub(crate) mod sparse_weights;
mod tile;
pub(crate) mod winograd;

pub use panels::Panels;
pub use product::{Matrix, product};

#[cfg(test)]
mod tests;
