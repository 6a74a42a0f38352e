//! The standard encoder in one call: hash embeddings mixed by a maxout layer, then residual window layers.
//!
//! The same numbers as thinc's `MultiHashEmbed` + `MaxoutWindowEncoder` trees, up to rounding, boundary rows included;
//! or, faster, with zeros beyond the ends of documents at every level.
//! Work is saved where word types repeat, and cut into groups of documents that stay in the second cache.
//! See `docs/decisions/0005-fused-encoder.md`.

mod backward;
mod batch;
mod embed;
mod fingerprint;
mod first_level;
mod forward;
mod head;
mod level;
mod params;
mod plan;
mod prepare;
mod quantized;
mod train;
mod type_cache;
mod window_level;
mod word_types;

pub use backward::{EncoderGrads, MaxoutGrads};
pub use batch::{Batch, Beyond};
pub use fingerprint::fingerprint;
pub use head::Head;
pub use params::{EmbedTable, EncoderParams, MaxoutParams};
pub use plan::EncoderPlan;
pub use train::{DropRates, Trace, begin_update};
pub use word_types::word_types;
