//! The standard encoder in one call: hash embeddings mixed by a maxout layer, then residual window layers.
//!
//! The same numbers as thinc's `MultiHashEmbed` + `MaxoutWindowEncoder` trees, up to rounding, boundary rows included;
//! or, faster, with zeros beyond the ends of documents at every level.
//! Work is saved where word types repeat, and cut into groups of documents that stay in the second cache.
//! See `docs/decisions/0005-fused-encoder.md`.
//!
//! ```text
//! documents ─word_types→ types, feature ids ─embed→ table vectors ─level (the mix)→ a vector a type
//!           ─batch (which rows each level has)→ the tokens' rows ─level, once for each window layer→ a vector a token
//! ```
//!
//! `predict` and `train` run that, and know nothing of each other; the modules beside them know neither. `params` is what
//! all of them are given, `fingerprint` says whether it has changed.

mod batch;
mod embed;
mod fingerprint;
mod level;
mod params;
mod predict;
mod train;
mod word_types;

pub use batch::{Batch, Beyond};
pub use fingerprint::fingerprint;
pub use params::{EmbedTable, EncoderParams, MaxoutParams};
pub use predict::{EncoderPlan, Head};
pub use train::{DropRates, EncoderGrads, MaxoutGrads, Trace, begin_update};
pub use word_types::word_types;
