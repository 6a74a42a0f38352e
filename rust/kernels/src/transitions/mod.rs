//! Analyses built action by action: what a transition system is, the network that scores its actions, greedy decoding,
//! a beam of analyses, the probability of every entity, and what a batch learns from gold annotation or from a teacher.
//!
//! [`TransitionSystem`] says what a state is and which actions it allows, [`Oracle`] what an action costs against gold.
//! Scoring, decoding and learning know only these two, so another system (arcs of a dependency tree, say) is one more
//! file beside [`biluo`].

use crate::KernelError;

mod backward;
mod beam;
pub mod biluo;
mod biluo_gold;
mod decode;
mod distribution;
mod follow;
mod lessons;
mod marginals;
mod network;
mod score;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_another_system;
#[cfg(test)]
mod tests_of_probabilities;
mod winners;

pub use backward::Gradients;
pub use beam::{Analysis, BeamSettings, beam};
pub use biluo_gold::{BiluoGold, NegativeSpan};
pub use decode::{decode, decode_with_scores};
pub use follow::{Segment, Trace, follow};
pub use lessons::{GoldLesson, TaughtBy, TeacherLesson};
pub use marginals::{MarginalSettings, entity_probabilities};
pub use network::{Network, NetworkParams};

/// States and actions. Tokens are counted through the whole batch.
pub trait TransitionSystem: Sync {
    /// A half-built analysis of one document.
    type State: Clone + Send + Sync;

    /// How many actions there are. The network may score fewer: those behind its last output are taken only where
    /// nothing else is allowed.
    fn n_actions(&self) -> usize;
    /// How many tokens the batch has.
    fn n_tokens(&self) -> usize;
    /// How many tokens a state may be asked to show.
    fn n_shown(&self) -> &[usize];
    /// Whether the analysis is complete.
    fn is_final(&self, state: &Self::State) -> bool;
    /// Writes the tokens that the network looks at; -1 where there is none.
    fn context(&self, state: &Self::State, tokens: &mut [i32]);
    /// Writes which actions are allowed. There may be none, which ends the analysis.
    fn set_valid(&self, state: &Self::State, valid: &mut [bool]);
    /// The token, counted through the batch, that the next action is about.
    fn next_token(&self, state: &Self::State) -> usize;
    /// Takes an action.
    fn apply(&self, state: &mut Self::State, action: usize);
}

/// What gold annotation says about actions.
pub trait Oracle<T: TransitionSystem>: Sync {
    /// Writes what each allowed action costs: how many mistakes it makes certain.
    fn set_costs(&self, system: &T, state: &T::State, valid: &[bool], costs: &mut [f32]);
}

/// The cost of an action that is not allowed.
pub const NOT_ALLOWED: f32 = 9000.0;

/// The allowed action with the highest score, the first of several.
pub(crate) fn best_valid(scores: &[f32], valid: &[bool]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (action, _) in valid.iter().enumerate().filter(|&(_, &allowed)| allowed) {
        let score = scores.get(action).copied().unwrap_or(f32::NEG_INFINITY);
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((action, score));
        }
    }
    best.map(|(action, _)| action)
}

/// The numbers of tokens of a batch's documents as ranges.
pub(crate) fn ranges(lengths: &[u32], n_tokens: usize) -> Result<Vec<std::ops::Range<u32>>, KernelError> {
    let total: u64 = lengths.iter().map(|&length| u64::from(length)).sum();
    KernelError::expect_len("transitions: the sum of the lengths", n_tokens, total as usize)?;
    let mut first = 0;
    Ok(lengths
        .iter()
        .map(|&length| {
            first += length;
            first - length..first
        })
        .collect())
}
