//! Training: a forward pass that keeps what the backward pass needs.
//!
//! 1. `forward` hashes and embeds the word types, mixes them and packs this step's weights (`prepare`), copies the types'
//!    vectors to the tokens' rows (`tokens`) and runs the levels, one by one, over all groups of documents.
//! 2. `trace` is what it leaves.
//! 3. `backward` goes down the levels (`step_down`), adds up the tokens of each type, goes back through the mix, and at
//!    last sums the gradients of weights and tables over all rows (`weight_sums`), into `grads`.

mod backward;
mod forward;
mod grads;
mod prepare;
mod step_down;
mod tokens;
mod trace;
mod weight_sums;

pub use forward::{DropRates, begin_update};
pub use grads::{EncoderGrads, MaxoutGrads};
pub use trace::Trace;
