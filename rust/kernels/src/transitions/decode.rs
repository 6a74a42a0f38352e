//! The best action at every step.

use super::network::Network;
use super::score::Scratch;
use super::{TransitionSystem, best_valid};
use crate::Threads;

/// The actions of each document, each time the allowed one with the highest score.
///
/// A document depends on no other one, so the batch and the threads make no difference to it.
pub fn decode<T: TransitionSystem>(
    threads: Threads<'_>,
    network: &Network,
    system: &T,
    starts: Vec<T::State>,
) -> Vec<Vec<u32>> {
    run(threads, network, system, starts, |_, _| {}).into_iter().map(|path| path.history).collect()
}

/// The same with the scores of all actions at every step, a row for each action taken.
pub fn decode_with_scores<T: TransitionSystem>(
    threads: Threads<'_>,
    network: &Network,
    system: &T,
    starts: Vec<T::State>,
) -> Vec<(Vec<u32>, Vec<f32>)> {
    let keep = |path: &mut Path<T::State>, scratch: &Scratch| path.scores.extend_from_slice(&scratch.scores);
    run(threads, network, system, starts, keep).into_iter().map(|path| (path.history, path.scores)).collect()
}

struct Path<S> {
    state: S,
    history: Vec<u32>,
    scores: Vec<f32>,
}

/// Documents that a task analyses: enough to make starting it worth while.
const DOCS_PER_TASK: usize = 8;

fn run<T: TransitionSystem>(
    threads: Threads<'_>,
    network: &Network,
    system: &T,
    starts: Vec<T::State>,
    keep: impl Fn(&mut Path<T::State>, &Scratch) + Send + Sync,
) -> Vec<Path<T::State>> {
    let new_path = |state| Path { state, history: Vec::new(), scores: Vec::new() };
    let mut paths: Vec<_> = starts.into_iter().map(new_path).collect();
    let tasks: Vec<_> = paths.chunks_mut(DOCS_PER_TASK).collect();
    threads.each(tasks, |paths| {
        let mut scratch = Scratch::new(network, system.n_actions());
        for path in paths {
            while !system.is_final(&path.state) {
                system.context(&path.state, &mut scratch.context);
                network.score(None, &mut scratch);
                system.set_valid(&path.state, &mut scratch.valid);
                let Some(action) = best_valid(&scratch.scores, &scratch.valid) else { break };
                keep(path, &scratch);
                path.history.push(action as u32);
                system.apply(&mut path.state, action);
            }
        }
    });
    paths
}
