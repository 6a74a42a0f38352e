//! Prediction, with weights that are packed once.
//!
//! 1. `plan` packs the weights and cuts a batch into groups of documents.
//! 2. Word types that are new are embedded and mixed (`mix`), and multiplied with the parts of the first level's window
//!    (`first_level`); both is kept for the next batch (`type_cache`).
//! 3. Group by group the levels run from the first to the last: `first_level`, then `window_level`, or `quantized` where the
//!    weights are in bytes. `head` goes on to the best label, where nobody asks for the rows.

mod first_level;
mod head;
mod mix;
mod plan;
mod quantized;
mod type_cache;
mod window_level;

pub use head::Head;
pub use plan::EncoderPlan;
