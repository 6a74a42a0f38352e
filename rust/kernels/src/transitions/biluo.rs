//! Named entities, a token an action: begin, go on, close, an entity of one token, or outside of all.

use std::ops::Range;

use super::{TransitionSystem, ranges};
use crate::KernelError;

/// What an action does, or what gold annotation says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing is known of the token; never an action.
    Missing,
    /// The first token of an entity.
    Begin,
    /// A token inside.
    In,
    /// The last token of an entity.
    Last,
    /// An entity of one token; without a label, a token that must not be in an entity.
    Unit,
    /// A token outside of all entities.
    Out,
}

impl Move {
    /// The move with spaCy's number: 0 missing, 1 B, 2 I, 3 L, 4 U, 5 O.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Move> {
        [Move::Missing, Move::Begin, Move::In, Move::Last, Move::Unit, Move::Out]
            .get(number as usize)
            .copied()
    }
}

/// The label of actions and tokens that have none.
pub const NO_LABEL: u32 = 0;

/// A move with its label, an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it does.
    pub kind: Move,
    /// The entity's label; [`NO_LABEL`] for none.
    pub label: u32,
}

/// What is known of a token beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// spaCy's coding: 0 nothing known, 1 inside an entity, 2 outside, 3 beginning one.
    pub iob: u8,
    /// The label of the entity it is in; begun without a label it is blocked.
    pub label: u32,
    /// Whether a sentence begins with it.
    pub starts_sentence: bool,
    /// Whether it is white space.
    pub is_space: bool,
}

/// An analysis up to its next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The next token, counted through the batch.
    pub next: u32,
    /// Where the document ends.
    pub end: u32,
    /// The entity that is open.
    pub open: Option<Open>,
}

/// An entity that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its first token.
    pub start: u32,
    /// Its label.
    pub label: u32,
}

/// An entity of a finished analysis: tokens `start..end` of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its first token.
    pub start: u32,
    /// Behind its last token.
    pub end: u32,
    /// Its label.
    pub label: u32,
}

/// The actions of an entity recognizer, and what is known of a batch's tokens.
#[derive(Clone, Debug)]
pub struct Biluo {
    actions: Vec<Action>,
    tokens: Vec<Token>,
    docs: Vec<Range<u32>>,
}

/// Which labels an action of some kind may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    None,
    Any,
    Only(u32),
}

impl Allowed {
    fn permits(self, label: u32) -> bool {
        label != NO_LABEL
            && match self {
                Allowed::None => false,
                Allowed::Any => true,
                Allowed::Only(only) => label == only,
            }
    }
}

impl Biluo {
    /// A batch of documents of `lengths` tokens.
    ///
    /// # Errors
    /// [`KernelError::Shape`] if the lengths do not add up to the tokens, [`KernelError::Value`] if there is no action.
    pub fn new(actions: Vec<Action>, tokens: Vec<Token>, lengths: &[u32]) -> Result<Biluo, KernelError> {
        if actions.is_empty() {
            return Err(KernelError::Value {
                what: "transitions: the number of actions",
                expected: "one or more; add a label first".into(),
                found: "0".into(),
            });
        }
        let docs = ranges(lengths, tokens.len())?;
        Ok(Biluo { actions, tokens, docs })
    }

    /// The tokens of each document.
    #[must_use]
    pub fn docs(&self) -> &[Range<u32>] {
        &self.docs
    }

    /// The actions, in the order of the network's outputs.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Where each document's analysis begins.
    #[must_use]
    pub fn starts(&self) -> Vec<State> {
        self.docs.iter().map(|doc| State { next: doc.start, end: doc.end, open: None }).collect()
    }

    /// The entities that a document's actions make. One that is never closed is none.
    #[must_use]
    pub fn entities(&self, doc: usize, history: &[u32]) -> Vec<Entity> {
        let range = &self.docs[doc];
        let mut state = State { next: range.start, end: range.end, open: None };
        let mut found = Vec::new();
        for &action in history {
            let Action { kind, label } = self.actions[action as usize];
            match (kind, state.open) {
                (Move::Unit, _) if label != NO_LABEL => {
                    found.push(Entity { start: state.next, end: state.next + 1, label });
                }
                (Move::Last, Some(open)) => {
                    found.push(Entity { start: open.start, end: state.next + 1, label: open.label });
                }
                _ => {}
            }
            self.apply(&mut state, action as usize);
        }
        found
    }

    /// The entity that `action` makes of the token `next` alone, if it does.
    pub(super) fn entity_of_unit(&self, action: usize, next: u32) -> Option<Entity> {
        let Action { kind, label } = self.actions[action];
        let is_one = kind == Move::Unit && label != NO_LABEL;
        is_one.then_some(Entity { start: next, end: next + 1, label })
    }

    pub(super) fn token(&self, state: &State, ahead: u32) -> Token {
        if state.next + ahead < state.end {
            self.tokens[(state.next + ahead) as usize]
        } else {
            Token::default()
        }
    }

    fn may_begin(&self, state: &State) -> Allowed {
        let (here, behind) = (self.token(state, 0), self.token(state, 1));
        if state.next + 2 > state.end || here.iob == 1 {
            Allowed::None
        } else if here.iob == 3 {
            // An entity that is set already is kept, whatever sentence or white space it crosses.
            if behind.iob == 1 { Allowed::Only(here.label) } else { Allowed::None }
        } else if behind.iob == 3 || behind.starts_sentence || here.is_space {
            Allowed::None
        } else {
            Allowed::Any
        }
    }

    fn may_be_unit(&self, state: &State) -> Allowed {
        let (here, behind) = (self.token(state, 0), self.token(state, 1));
        if behind.iob == 1 {
            Allowed::None
        } else if here.iob == 3 {
            Allowed::Only(here.label)
        } else if here.is_space {
            Allowed::None
        } else {
            Allowed::Any
        }
    }

    fn may_go_on(&self, state: &State, open: Open) -> Allowed {
        let (here, behind) = (self.token(state, 0), self.token(state, 1));
        if state.next + 2 > state.end || here.iob == 3 || behind.iob == 3 {
            return Allowed::None;
        }
        let goes_on =
            if here.iob == 1 { behind.iob == 1 && open.label == here.label } else { !behind.starts_sentence };
        if goes_on { Allowed::Only(open.label) } else { Allowed::None }
    }

    fn may_close(&self, state: &State, open: Open) -> Allowed {
        let (here, behind) = (self.token(state, 0), self.token(state, 1));
        match (here.iob == 1, behind.iob == 1) {
            (true, false) => Allowed::Only(here.label),
            (_, true) => Allowed::None,
            (false, false) => Allowed::Only(open.label),
        }
    }
}

impl TransitionSystem for Biluo {
    type State = State;

    fn n_actions(&self) -> usize {
        self.actions.len()
    }

    fn n_tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Without and with spaCy's `extra_state_tokens`.
    fn n_shown(&self) -> &[usize] {
        &[3, 6]
    }

    fn is_final(&self, state: &State) -> bool {
        state.next >= state.end
    }

    /// The next token; then, inside an entity, its first and its last one so far, or, where more than three tokens are
    /// asked for, its first ones.
    fn context(&self, state: &State, tokens: &mut [i32]) {
        tokens.fill(-1);
        if state.next >= state.end {
            return;
        }
        tokens[0] = state.next as i32;
        let Some(open) = state.open else { return };
        if tokens.len() == 3 {
            (tokens[1], tokens[2]) = (open.start as i32, state.next as i32 - 1);
        } else {
            for (slot, token) in tokens[1..].iter_mut().zip(open.start..state.next) {
                *slot = token as i32;
            }
        }
    }

    fn set_valid(&self, state: &State, valid: &mut [bool]) {
        let here = self.token(state, 0);
        let blocked = here.iob == 3 && here.label == NO_LABEL;
        let (begin, go_on, close, unit, out) = match state.open {
            None => {
                let out = here.iob != 1 && here.iob != 3;
                (self.may_begin(state), Allowed::None, Allowed::None, self.may_be_unit(state), out)
            }
            Some(open) => {
                let (go_on, close) = (self.may_go_on(state, open), self.may_close(state, open));
                (Allowed::None, go_on, close, Allowed::None, false)
            }
        };
        for (valid, action) in valid.iter_mut().zip(&self.actions) {
            *valid = match action.kind {
                Move::Missing => false,
                Move::Begin => begin.permits(action.label),
                Move::In => go_on.permits(action.label),
                Move::Last => close.permits(action.label),
                Move::Unit if action.label == NO_LABEL => blocked && state.open.is_none(),
                Move::Unit => unit.permits(action.label),
                Move::Out => out,
            };
        }
    }

    fn next_token(&self, state: &State) -> usize {
        state.next as usize
    }

    fn apply(&self, state: &mut State, action: usize) {
        let Action { kind, label } = self.actions[action];
        match kind {
            Move::Begin => state.open = Some(Open { start: state.next, label }),
            Move::Last => state.open = None,
            _ => {}
        }
        state.next += 1;
    }
}
