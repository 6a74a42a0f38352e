//! The probability of every entity that a document may have, over all analyses together.

use std::ops::Range;

use super::TransitionSystem;
use super::biluo::{Biluo, Entity, Open, State};
use super::distribution::{check_temperature, log_probabilities};
use super::network::Network;
use super::score::Scratch;
use crate::{KernelError, Threads};

/// What [`entity_probabilities`] is asked.
#[derive(Clone, Copy, Debug)]
pub struct MarginalSettings {
    /// Divides the scores; 1 leaves the distribution as it was trained.
    pub temperature: f64,
    /// Ways less probable than this are not followed.
    pub floor: f64,
}

const DOCS_PER_TASK: usize = 4;

/// The entities of each document with their probabilities, those below `floor` left out.
///
/// The network gives each allowed action of a state a probability, so an analysis has the product of its actions', and an
/// entity the sum over all analyses that have it. What comes after an entity has a total of 1, and a state depends only on
/// its position, where the open entity began, and its label. So one pass from left to right finds the sums: the
/// probability of being outside before a token, times that of the actions that make the entity. Exact but for the floor.
///
/// # Errors
/// [`KernelError::Shape`] for a batch of another size, [`KernelError::Value`] for a temperature or floor that is not one.
pub fn entity_probabilities(
    threads: Threads<'_>,
    network: &Network,
    system: &Biluo,
    settings: MarginalSettings,
) -> Result<Vec<Vec<(Entity, f64)>>, KernelError> {
    network.check(system)?;
    check_temperature(settings.temperature)?;
    if !(settings.floor > 0.0 && settings.floor < 1.0) {
        return Err(KernelError::Value {
            what: "transitions: the floor of probabilities",
            expected: "above 0 and below 1".into(),
            found: settings.floor.to_string(),
        });
    }
    let mut found: Vec<_> = system.docs().iter().map(|doc| (doc.clone(), Vec::new())).collect();
    threads.each(found.chunks_mut(DOCS_PER_TASK).collect(), |docs| {
        let mut pass = Pass::new(network, system, settings);
        docs.iter_mut().for_each(|(doc, entities)| pass.run(doc.clone(), entities));
    });
    Ok(found.into_iter().map(|(_, entities)| entities).collect())
}

struct Pass<'a> {
    network: &'a Network,
    system: &'a Biluo,
    settings: MarginalSettings,
    scratch: Scratch,
    log_probabilities: Vec<f64>,
    /// The probability of being outside of all entities before each token of the document.
    outside: Vec<f64>,
    /// Labels of the entities that may be open, with the probability of each.
    open: Vec<(u32, f64)>,
}

impl<'a> Pass<'a> {
    fn new(network: &'a Network, system: &'a Biluo, settings: MarginalSettings) -> Pass<'a> {
        Pass {
            network,
            system,
            settings,
            scratch: Scratch::new(network, system.n_actions()),
            log_probabilities: vec![0.0; system.n_actions()],
            outside: Vec::new(),
            open: Vec::new(),
        }
    }

    fn run(&mut self, doc: Range<u32>, entities: &mut Vec<(Entity, f64)>) {
        self.outside.clear();
        self.outside.resize(doc.len() + 1, 0.0);
        self.outside[0] = 1.0;
        for next in doc.clone() {
            if self.outside[(next - doc.start) as usize] < self.settings.floor {
                continue;
            }
            self.leave_outside(State { next, end: doc.end, open: None }, doc.start, entities);
            for position in next + 1..doc.end {
                if self.open.is_empty() {
                    break;
                }
                self.go_on(next, position, doc.clone(), entities);
            }
        }
    }

    /// Takes every action from outside: to the next token, to an entity of one token, or into an open one.
    fn leave_outside(&mut self, state: State, first: u32, entities: &mut Vec<(Entity, f64)>) {
        let before = self.outside[(state.next - first) as usize];
        self.network_scores(&state);
        self.system.set_valid(&state, &mut self.scratch.valid);
        log_probabilities(&self.scratch, self.settings.temperature, &mut self.log_probabilities);
        self.open.clear();
        let mut stays = 0.0;
        for (action, log_probability) in self.log_probabilities.iter().enumerate() {
            let probability = before * log_probability.exp();
            if probability == 0.0 {
                continue;
            }
            let mut after = state;
            self.system.apply(&mut after, action);
            let Some(open) = after.open else {
                stays += probability;
                let entity = self.system.entity_of_unit(action, state.next);
                entities
                    .extend(entity.filter(|_| probability >= self.settings.floor).map(|e| (e, probability)));
                continue;
            };
            if probability >= self.settings.floor {
                self.open.push((open.label, probability));
            }
        }
        self.outside[(state.next + 1 - first) as usize] += stays;
    }

    /// Goes on with, or closes, the entities that began at `start` and are open before `position`.
    fn go_on(&mut self, start: u32, position: u32, doc: Range<u32>, entities: &mut Vec<(Entity, f64)>) {
        let state = |label| State { next: position, end: doc.end, open: Some(Open { start, label }) };
        // What a state shows does not depend on the label, so its scores are those of all labels.
        self.network_scores(&state(self.open[0].0));
        let mut closed = 0.0;
        for index in (0..self.open.len()).rev() {
            let (label, before) = self.open[index];
            self.system.set_valid(&state(label), &mut self.scratch.valid);
            log_probabilities(&self.scratch, self.settings.temperature, &mut self.log_probabilities);
            let mut stays_open = 0.0;
            for (action, log_probability) in self.log_probabilities.iter().enumerate() {
                if *log_probability == f64::NEG_INFINITY {
                    continue;
                }
                let probability = before * log_probability.exp();
                let mut after = state(label);
                self.system.apply(&mut after, action);
                if after.open.is_some() {
                    stays_open += probability;
                } else {
                    closed += probability;
                    if probability >= self.settings.floor {
                        entities.push((Entity { start, end: position + 1, label }, probability));
                    }
                }
            }
            if stays_open >= self.settings.floor {
                self.open[index].1 = stays_open;
            } else {
                self.open.remove(index);
            }
        }
        self.outside[(position + 1 - doc.start) as usize] += closed;
    }

    fn network_scores(&mut self, state: &State) {
        self.system.context(state, &mut self.scratch.context);
        self.network.score(None, &mut self.scratch);
    }
}
