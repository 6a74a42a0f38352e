//! Matrix products for layers: packed weights, sums in registers, and what follows the product done before they leave.
//!
//! See `docs/decisions/0004-own-gemm.md` for what this was compared with.
//!
//! Each module uses those that stand before it only: `shape`; `tile`, the inner loop; `panels`, weights in the order in which
//! it reads them; `pack`, which fills them from maxout weights; then the kernels: `product` (plain, any activation),
//! `maxout` (the largest piece in registers), `window_weights` and `winograd` (the same over windows of three rows),
//! `byte_weights` and `byte_pairs` (in bytes); and the way back of a maxout, `sparse`, `sparse_input` and
//! `sparse_weights`, which read no panels.

pub(crate) mod byte_pairs;
pub(crate) mod byte_weights;
pub(crate) mod maxout;
mod pack;
pub(crate) mod panels;
pub(crate) mod product;
pub(crate) mod shape;
pub(crate) mod sparse;
pub(crate) mod sparse_input;
pub(crate) mod sparse_weights;
mod tile;
pub(crate) mod window_weights;
pub(crate) mod winograd;

pub use panels::Panels;
pub use product::{Matrix, product};

#[cfg(test)]
mod tests;
