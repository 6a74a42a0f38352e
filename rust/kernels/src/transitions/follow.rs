//! Walking through a batch while learning: what each state scored, and what it should have.

use super::network::Network;
use super::score::{Mask, Scratch};
use super::{TransitionSystem, best_valid};
use crate::Threads;
use crate::layers::dropout::Dropout;
use crate::simd::Isa;

/// A piece of a document to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Segment<S> {
    /// Where it begins.
    pub state: S,
    /// How many actions are taken at most.
    pub n_steps: usize,
}

/// Grades a state's scores and says how to go on.
pub trait Lesson<T: TransitionSystem>: Sync {
    /// Room it needs, made once a task.
    type Room;
    /// Makes that room.
    fn room(&self, system: &T) -> Self::Room;
    /// Writes the gradient by the scores, and returns the loss in nats and the action to take next, if any. Invalid
    /// actions are known; the gradient may be left zero.
    fn grade(
        &self,
        room: &mut Self::Room,
        system: &T,
        state: &T::State,
        step: Step<'_>,
    ) -> (f64, Option<usize>);
}

/// A scored state.
#[derive(Debug)]
pub struct Step<'a> {
    /// Of each action of the network.
    pub scores: &'a [f32],
    /// Whether each action is allowed.
    pub valid: &'a [bool],
    /// The tokens that the state shows.
    pub context: &'a [i32],
    /// Room for costs.
    pub costs: &'a mut [f32],
    /// The gradient by the scores; zeros before.
    pub d_scores: &'a mut [f32],
    /// What to calculate with.
    pub isa: Isa,
}

impl Step<'_> {
    /// The allowed action with the highest score.
    #[must_use]
    pub fn best(&self) -> Option<usize> {
        best_valid(self.scores, self.valid)
    }
}

/// What the backward pass needs of all states of a batch.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Summed over the states, in nats.
    pub loss: f64,
    /// How many states there were.
    pub n_states: usize,
    pub(super) parts: Vec<TracePart>,
    pub(super) dropout: Option<Dropout>,
}

/// The states of some neighbouring segments, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TracePart {
    pub loss: f64,
    pub n_states: usize,
    /// (n_states, nF)
    pub contexts: Vec<i32>,
    /// (n_states, nO)
    pub hidden: Vec<f32>,
    /// (n_states, nO)
    pub which: Vec<u8>,
    /// (n_states, n_actions)
    pub d_scores: Vec<f32>,
    /// The row of each state's dropout mask.
    pub mask_rows: Vec<u64>,
}

impl TracePart {
    fn reserve(&mut self, network: &Network, n_states: usize) {
        self.contexts.reserve(n_states * network.n_features);
        self.hidden.reserve(n_states * network.hidden);
        self.which.reserve(n_states * network.hidden);
        self.d_scores.reserve(n_states * network.n_actions);
        self.mask_rows.reserve(n_states);
    }

    fn push(&mut self, scratch: &Scratch, mask_row: u64, loss: f64) {
        self.loss += loss;
        self.n_states += 1;
        self.contexts.extend_from_slice(&scratch.context);
        self.hidden.extend_from_slice(&scratch.hidden);
        self.which.extend_from_slice(&scratch.which);
        self.d_scores.extend_from_slice(&scratch.d_scores);
        self.mask_rows.push(mask_row);
    }
}

const SEGMENTS_PER_TASK: usize = 4;

/// Takes every segment through its actions, all independent of each other, and keeps what each state taught.
pub fn follow<T: TransitionSystem, L: Lesson<T>>(
    threads: Threads<'_>,
    network: &Network,
    system: &T,
    lesson: &L,
    mut segments: Vec<Segment<T::State>>,
    dropout: Option<Dropout>,
) -> Trace {
    let mut parts = vec![TracePart::default(); segments.len().div_ceil(SEGMENTS_PER_TASK)];
    let tasks: Vec<_> = segments.chunks_mut(SEGMENTS_PER_TASK).zip(&mut parts).enumerate().collect();
    threads.each(tasks, |(task, (segments, part))| {
        let mut scratch = Scratch::new(network, system.n_actions());
        let mut room = lesson.room(system);
        for (index, segment) in segments.iter_mut().enumerate() {
            let first_row = ((task * SEGMENTS_PER_TASK + index) as u64) << 32;
            walk(network, system, lesson, (segment, first_row), dropout, (&mut scratch, &mut room), part);
        }
    });
    let loss = parts.iter().map(|part| part.loss).sum();
    let n_states = parts.iter().map(|part| part.n_states).sum();
    Trace { loss, n_states, parts, dropout }
}

fn walk<T: TransitionSystem, L: Lesson<T>>(
    network: &Network,
    system: &T,
    lesson: &L,
    (segment, first_row): (&mut Segment<T::State>, u64),
    dropout: Option<Dropout>,
    (scratch, room): (&mut Scratch, &mut L::Room),
    part: &mut TracePart,
) {
    let state = &mut segment.state;
    part.reserve(network, segment.n_steps);
    for step in 0..segment.n_steps {
        if system.is_final(state) {
            return;
        }
        let mask_row = first_row + step as u64;
        system.context(state, &mut scratch.context);
        network.score(dropout.map(|dropout| Mask { dropout, row: mask_row }), scratch);
        system.set_valid(state, &mut scratch.valid);
        scratch.d_scores.fill(0.0);
        let step = Step {
            scores: &scratch.scores,
            valid: &scratch.valid,
            context: &scratch.context,
            costs: &mut scratch.costs,
            d_scores: &mut scratch.d_scores,
            isa: network.isa,
        };
        let (loss, action) = lesson.grade(room, system, state, step);
        part.push(scratch, mask_row, loss);
        match action {
            Some(action) => system.apply(state, action),
            None => return,
        }
    }
}
