//! Walking through a batch while learning: what each state scored, and what it should have.

use super::network::Network;
use super::score::Scratch;
use super::{TransitionSystem, best_valid};
use crate::Threads;
use crate::layers::dropout::Dropout;

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
    pub(super) contexts: Vec<i32>,
    pub(super) hidden: Vec<f32>,
    pub(super) which: Vec<u8>,
    pub(super) d_scores: Vec<f32>,
    /// The row of each state's dropout mask.
    pub(super) mask_rows: Vec<u64>,
    pub(super) dropout: Option<Dropout>,
}

impl Trace {
    fn append(&mut self, mut other: Trace) {
        self.loss += other.loss;
        self.n_states += other.n_states;
        self.contexts.append(&mut other.contexts);
        self.hidden.append(&mut other.hidden);
        self.which.append(&mut other.which);
        self.d_scores.append(&mut other.d_scores);
        self.mask_rows.append(&mut other.mask_rows);
    }
}

const SEGMENTS_PER_TASK: usize = 4;

/// Takes every segment through its actions, all independent of each other, and keeps what each state taught.
pub fn follow<T: TransitionSystem, L: Lesson<T>>(
    threads: Threads<'_>,
    network: &Network,
    system: &T,
    lesson: &L,
    segments: Vec<Segment<T::State>>,
    dropout: Option<Dropout>,
) -> Trace {
    let mut pieces: Vec<_> = segments.into_iter().map(|segment| (segment, Trace::default())).collect();
    let tasks: Vec<_> = pieces.chunks_mut(SEGMENTS_PER_TASK).enumerate().collect();
    threads.each(tasks, |(task, pieces)| {
        let mut scratch = Scratch::new(network, system.n_actions());
        let mut room = lesson.room(system);
        for (index, (segment, trace)) in pieces.iter_mut().enumerate() {
            let first_row = ((task * SEGMENTS_PER_TASK + index) as u64) << 32;
            walk(network, system, lesson, (segment, first_row), dropout, (&mut scratch, &mut room), trace);
        }
    });
    let mut whole = Trace { dropout, ..Trace::default() };
    pieces.into_iter().for_each(|(_, trace)| whole.append(trace));
    whole
}

fn walk<T: TransitionSystem, L: Lesson<T>>(
    network: &Network,
    system: &T,
    lesson: &L,
    (segment, first_row): (&mut Segment<T::State>, u64),
    dropout: Option<Dropout>,
    (scratch, room): (&mut Scratch, &mut L::Room),
    trace: &mut Trace,
) {
    let state = &mut segment.state;
    let mut factors = vec![0.0; if dropout.is_some() { network.hidden } else { 0 }];
    for step in 0..segment.n_steps {
        if system.is_final(state) {
            return;
        }
        let mask_row = first_row + step as u64;
        if let Some(dropout) = dropout {
            dropout.fill_row(mask_row, &mut factors);
        }
        system.context(state, &mut scratch.context);
        network.score(&factors, scratch);
        system.set_valid(state, &mut scratch.valid);
        scratch.d_scores.fill(0.0);
        let step = Step {
            scores: &scratch.scores,
            valid: &scratch.valid,
            context: &scratch.context,
            costs: &mut scratch.costs,
            d_scores: &mut scratch.d_scores,
        };
        let (loss, action) = lesson.grade(room, system, state, step);
        trace.loss += loss;
        trace.n_states += 1;
        trace.contexts.extend_from_slice(&scratch.context);
        trace.hidden.extend_from_slice(&scratch.hidden);
        trace.which.extend_from_slice(&scratch.which);
        trace.d_scores.extend_from_slice(&scratch.d_scores);
        trace.mask_rows.push(mask_row);
        match action {
            Some(action) => system.apply(state, action),
            None => return,
        }
    }
}
