//! Several analyses of a document, the most probable ones that a beam finds.

use super::TransitionSystem;
use super::distribution::{check_temperature, log_probabilities};
use super::network::Network;
use super::score::Scratch;
use crate::{KernelError, Threads};

/// How wide the search is.
#[derive(Clone, Copy, Debug)]
pub struct BeamSettings {
    /// Analyses that are kept at every step. 1 is greedy decoding.
    pub width: usize,
    /// Analyses less probable than this share of the best one are dropped at every step; 0 drops none.
    pub density: f64,
    /// Divides the scores.
    pub temperature: f64,
}

/// A whole analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Its actions.
    pub history: Vec<u32>,
    /// The sum of the logarithms of its actions' probabilities, each among the allowed actions of its state.
    pub log_probability: f64,
}

const DOCS_PER_TASK: usize = 2;
/// What the first analysis has in place of a last action.
const NOWHERE: usize = usize::MAX;

/// The analyses of each document, the most probable first; never none.
///
/// # Errors
/// [`KernelError::Value`] for a width of 0, a density that is no share, or a temperature that is none.
pub fn beam<T: TransitionSystem>(
    threads: Threads<'_>,
    network: &Network,
    system: &T,
    starts: Vec<T::State>,
    settings: BeamSettings,
) -> Result<Vec<Vec<Analysis>>, KernelError> {
    check_temperature(settings.temperature)?;
    if settings.width == 0 || !(0.0..=1.0).contains(&settings.density) {
        return Err(KernelError::Value {
            what: "transitions: the beam",
            expected: "a width of 1 or more and a density from 0 to 1".into(),
            found: format!("width {}, density {}", settings.width, settings.density),
        });
    }
    let mut searches: Vec<_> = starts.into_iter().map(|state| (state, Vec::new())).collect();
    threads.each(searches.chunks_mut(DOCS_PER_TASK).collect(), |searches| {
        let mut scratch = Scratch::new(network, system.n_actions());
        for (state, found) in searches {
            *found = Search::new(state.clone()).run(network, system, settings, &mut scratch);
        }
    });
    Ok(searches.into_iter().map(|(_, found)| found).collect())
}

/// A half-built analysis: its actions are a chain of links.
struct Hypothesis<S> {
    state: S,
    last: usize,
    log_probability: f64,
    /// Complete, or without an allowed action.
    is_done: bool,
}

struct Link {
    before: usize,
    action: u32,
}

/// A hypothesis that might be kept: the one it goes on from, and by which action, if any.
struct Candidate {
    from: usize,
    action: Option<u32>,
    log_probability: f64,
}

struct Search<S> {
    beam: Vec<Hypothesis<S>>,
    links: Vec<Link>,
}

impl<S: Clone> Search<S> {
    fn new(state: S) -> Search<S> {
        let first = Hypothesis { state, last: NOWHERE, log_probability: 0.0, is_done: false };
        Search { beam: vec![first], links: Vec::new() }
    }

    fn run<T: TransitionSystem<State = S>>(
        mut self,
        network: &Network,
        system: &T,
        settings: BeamSettings,
        scratch: &mut Scratch,
    ) -> Vec<Analysis> {
        let mut logs = vec![0.0; system.n_actions()];
        loop {
            let mut candidates = Vec::new();
            for (from, hypothesis) in self.beam.iter_mut().enumerate() {
                let log_probability = hypothesis.log_probability;
                hypothesis.is_done |= system.is_final(&hypothesis.state);
                if !hypothesis.is_done {
                    system.context(&hypothesis.state, &mut scratch.context);
                    network.score(None, scratch);
                    system.set_valid(&hypothesis.state, &mut scratch.valid);
                    hypothesis.is_done = !scratch.valid.contains(&true);
                }
                if hypothesis.is_done {
                    candidates.push(Candidate { from, action: None, log_probability });
                    continue;
                }
                log_probabilities(scratch, settings.temperature, &mut logs);
                let allowed = logs.iter().enumerate().filter(|(_, log)| log.is_finite());
                candidates.extend(allowed.map(|(action, log)| Candidate {
                    from,
                    action: Some(action as u32),
                    log_probability: log_probability + log,
                }));
            }
            if self.beam.iter().all(|hypothesis| hypothesis.is_done) {
                return self.analyses();
            }
            self.keep_best(system, candidates, settings);
        }
    }

    fn keep_best<T: TransitionSystem<State = S>>(
        &mut self,
        system: &T,
        mut candidates: Vec<Candidate>,
        settings: BeamSettings,
    ) {
        // Stable: of equals the first action of the better hypothesis, as in greedy decoding.
        candidates.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        candidates.truncate(settings.width);
        let lowest = candidates.first().map_or(0.0, |best| best.log_probability) + settings.density.ln();
        candidates.retain(|candidate| candidate.log_probability >= lowest);
        let mut kept = Vec::with_capacity(candidates.len());
        for Candidate { from, action, log_probability } in candidates {
            let Hypothesis { state, last, is_done, .. } = &self.beam[from];
            let (mut state, mut last) = (state.clone(), *last);
            if let Some(action) = action {
                system.apply(&mut state, action as usize);
                self.links.push(Link { before: last, action });
                last = self.links.len() - 1;
            }
            kept.push(Hypothesis { state, last, log_probability, is_done: *is_done });
        }
        self.beam = kept;
    }

    fn analyses(mut self) -> Vec<Analysis> {
        self.beam.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        let history = |mut last: usize| {
            let mut history = Vec::new();
            while last != NOWHERE {
                history.push(self.links[last].action);
                last = self.links[last].before;
            }
            history.reverse();
            history
        };
        let analysis = |found: &Hypothesis<S>| Analysis {
            history: history(found.last),
            log_probability: found.log_probability,
        };
        self.beam.iter().map(analysis).collect()
    }
}
