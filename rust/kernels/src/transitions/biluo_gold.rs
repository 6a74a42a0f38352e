//! What gold entities make an action cost.

use super::biluo::{Action, Biluo, Move, Open, State};
use super::{NOT_ALLOWED, Oracle, Segment, TransitionSystem, best_valid};
use crate::KernelError;

/// A span that is known not to be an entity of that label: tokens `start..end` of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NegativeSpan {
    /// Its first token.
    pub start: u32,
    /// Behind its last token.
    pub end: u32,
    /// The label it does not have.
    pub label: u32,
}

/// The gold annotation of a batch.
///
/// The costs are those of Goldberg and Nivre's dynamic oracle as spaCy's entity recognizer defines them: an action costs
/// one if it loses a gold entity that could still be found, or makes a wrong one certain.
#[derive(Clone, Debug)]
pub struct BiluoGold {
    tokens: Vec<Action>,
    /// Sorted by their last token.
    negatives: Vec<NegativeSpan>,
}

impl BiluoGold {
    /// The gold moves of all tokens of the batch.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if there is not one for each token.
    pub fn new(
        system: &Biluo,
        tokens: Vec<Action>,
        negatives: Vec<NegativeSpan>,
    ) -> Result<BiluoGold, KernelError> {
        KernelError::expect_len("transitions: the gold moves", system.n_tokens(), tokens.len())?;
        Ok(BiluoGold { tokens, negatives })
    }

    /// The pieces of documents to learn from: whole documents, or, from `longest` tokens on, pieces of that length that
    /// begin where gold actions lead. Pieces without any annotation are left out. `longest` 0 cuts nothing.
    #[must_use]
    pub fn segments(&self, system: &Biluo, longest: usize) -> Vec<Segment<State>> {
        let mut segments = Vec::new();
        for mut state in system.starts() {
            let n_tokens = (state.end - state.next) as usize;
            let cut = longest > 0 && n_tokens >= longest;
            while !system.is_final(&state) {
                let from = state;
                if cut {
                    (0..longest).for_each(|_| self.follow_gold(system, &mut state));
                } else {
                    state.next = state.end;
                }
                if self.says_something(from.next, state.next) {
                    // One more than the length, as in spaCy: neighbouring pieces share a state.
                    let n_steps = if cut { longest + 1 } else { n_tokens };
                    segments.push(Segment { state: from, n_steps });
                }
            }
        }
        segments
    }

    fn follow_gold(&self, system: &Biluo, state: &mut State) {
        if system.is_final(state) {
            return;
        }
        let mut valid = vec![false; system.n_actions()];
        let mut costs = vec![0.0; system.n_actions()];
        system.set_valid(state, &mut valid);
        self.set_costs(system, state, &valid, &mut costs);
        costs.iter_mut().for_each(|cost| *cost = -*cost);
        match best_valid(&costs, &valid) {
            Some(action) => system.apply(state, action),
            None => state.next = state.end,
        }
    }

    fn says_something(&self, first: u32, end: u32) -> bool {
        self.tokens[first as usize..end as usize].iter().any(|token| token.kind != Move::Missing)
            || self.negatives.iter().any(|span| span.start >= first && span.end <= end)
    }

    /// Whether the open entity is wrong already, so that nothing is lost by going on with it.
    fn is_sunk(&self, open: Open) -> bool {
        let gold = self.tokens[open.start as usize];
        !matches!(gold.kind, Move::Begin | Move::Unit) || gold.label != open.label
    }

    fn is_negative(&self, is_it: impl Fn(&NegativeSpan) -> bool) -> u8 {
        u8::from(self.negatives.iter().any(is_it))
    }

    fn cost(&self, state: &State, action: Action) -> u8 {
        let here = self.tokens[state.next as usize];
        let label = action.label;
        match (action.kind, state.open) {
            (Move::Begin, _) => {
                let wrong = here.kind != Move::Missing && here != action;
                // Nothing but a close can follow when two tokens are left, so the whole entity is known.
                let denied = state.end - state.next < 3
                    && self.is_negative(|span| span.label == label && span.start == state.next) > 0;
                u8::from(wrong) + u8::from(denied)
            }
            (Move::Unit, _) => {
                let wrong = here.kind != Move::Missing && here != action;
                let this = NegativeSpan { start: state.next, end: state.next + 1, label };
                u8::from(wrong) + self.is_negative(|&span| span == this)
            }
            (Move::Out, _) => u8::from(matches!(here.kind, Move::Begin | Move::Unit)),
            (Move::In, Some(open)) => u8::from(self.going_on_is_wrong(state, open)),
            (Move::Last, Some(open)) => {
                let wrong = here.kind == Move::In && !self.is_sunk(open);
                let this = NegativeSpan { start: open.start, end: state.next + 1, label };
                u8::from(wrong) + self.is_negative(|&span| span == this)
            }
            _ => 1,
        }
    }

    fn going_on_is_wrong(&self, state: &State, open: Open) -> bool {
        let next =
            if state.next + 1 < state.end { self.tokens[state.next as usize + 1].kind } else { Move::Out };
        let nothing_next = matches!(next, Move::Out | Move::Missing);
        match self.tokens[state.next as usize].kind {
            Move::Missing | Move::Begin | Move::In => false,
            Move::Last => !(self.is_sunk(open) && nothing_next),
            Move::Out => !nothing_next,
            Move::Unit => next != Move::Out,
        }
    }
}

impl Oracle<Biluo> for BiluoGold {
    fn set_costs(&self, system: &Biluo, state: &State, valid: &[bool], costs: &mut [f32]) {
        for ((cost, &valid), &action) in costs.iter_mut().zip(valid).zip(system.actions()) {
            *cost = if valid { f32::from(self.cost(state, action)) } else { NOT_ALLOWED };
        }
    }
}
