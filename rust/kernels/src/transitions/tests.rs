//! Scores and gradients against plain loops, decoding against the rules, the oracle against gold.

use super::biluo::{Action, Biluo, Move, NO_LABEL, State, Token};
use super::follow::{Lesson, Step};
use super::score::Scratch;
use super::*;
use crate::Threads;
use crate::reference::transitions as reference;
use crate::simd::Isa;
use crate::testing::{assert_close, for_every_isa, numbers};

/// Float32 sums of some dozen numbers against float64.
const TOLERANCE: f64 = 1e-5;
/// Central differences of a float32 loss.
const DIFFERENCE_TOLERANCE: f64 = 5e-3;
/// Of those differences; small enough that no maxout changes its piece within one, as happens at 1e-3.
const STEP: f32 = 2e-4;
const WIDTH: usize = 5;
const LABELS: u32 = 2;

pub(super) struct Weights {
    n_features: usize,
    hidden: usize,
    pieces: usize,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) padding: Vec<f32>,
    pub(super) upper: Option<(Vec<f32>, Vec<f32>)>,
    pub(super) tokens: Vec<f32>,
}

impl Weights {
    pub(super) fn new(n_tokens: usize, pieces: usize, has_upper: bool, n_features: usize) -> Weights {
        Weights::of(actions().len(), n_tokens, pieces, has_upper, n_features)
    }

    pub(super) fn of(
        n_actions: usize,
        n_tokens: usize,
        pieces: usize,
        has_upper: bool,
        n_features: usize,
    ) -> Weights {
        let hidden = if has_upper { 7 } else { n_actions };
        let size = n_features * hidden * pieces;
        Weights {
            n_features,
            hidden,
            pieces,
            weights: numbers(size * WIDTH, 1, 1.0),
            bias: numbers(hidden * pieces, 2, 1.0),
            padding: numbers(size, 3, 1.0),
            upper: has_upper.then(|| (numbers(n_actions * hidden, 4, 1.0), numbers(n_actions, 5, 1.0))),
            tokens: numbers(n_tokens * WIDTH, 6, 1.0),
        }
    }

    fn params(&self) -> NetworkParams<'_> {
        NetworkParams {
            n_features: self.n_features,
            hidden: self.hidden,
            pieces: self.pieces,
            width: WIDTH,
            weights: &self.weights,
            bias: &self.bias,
            padding: &self.padding,
            upper: self.upper.as_ref().map(|(weights, bias)| (&weights[..], &bias[..])),
        }
    }

    pub(super) fn network(&self, isa: Isa, is_train: bool) -> Network {
        Network::new(isa, Threads::One, &self.params(), &self.tokens, is_train).unwrap()
    }
}

pub(super) fn actions() -> Vec<Action> {
    let mut actions: Vec<_> = [Move::Begin, Move::In, Move::Last, Move::Unit]
        .into_iter()
        .flat_map(|kind| (1..=LABELS).map(move |label| Action { kind, label }))
        .collect();
    actions.push(Action { kind: Move::Unit, label: NO_LABEL });
    actions.push(Action { kind: Move::Out, label: NO_LABEL });
    actions
}

fn plain_batch(lengths: &[u32]) -> Biluo {
    let n_tokens = lengths.iter().sum::<u32>() as usize;
    Biluo::new(actions(), vec![Token::default(); n_tokens], lengths).unwrap()
}

/// Entities at random, as moves; every fourth token or so unknown.
fn random_gold(lengths: &[u32], seed: u64) -> Vec<Action> {
    let mut draws = numbers(10_000, seed, 1.0).into_iter();
    let mut gold = Vec::new();
    for &length in lengths {
        let mut left = length;
        while left > 0 {
            let (kind, label) = (draws.next().unwrap(), if draws.next().unwrap() > 0.0 { 1 } else { 2 });
            let size = if kind > 0.4 && left > 2 { 3 } else { 1 };
            let moves = match (size, kind > -0.3, kind > -0.6) {
                (3, ..) => vec![Move::Begin, Move::In, Move::Last],
                (_, true, _) => vec![Move::Unit],
                (_, _, true) => vec![Move::Out],
                _ => vec![Move::Missing],
            };
            let has_label = |kind| !matches!(kind, Move::Out | Move::Missing);
            gold.extend(
                moves
                    .into_iter()
                    .map(|kind| Action { kind, label: if has_label(kind) { label } else { NO_LABEL } }),
            );
            left -= size;
        }
    }
    gold
}

for_every_isa! {
    fn scores_are_those_of_the_plain_loops(isa) {
        for (pieces, has_upper, n_features) in [(1, true, 3), (2, true, 3), (3, true, 6), (2, false, 3), (2, true, 13), (2, true, 1)] {
            let weights = Weights::new(4, pieces, has_upper, n_features);
            for is_train in [false, true] {
                let network = weights.network(isa, is_train);
                let mut scratch = Scratch::new(&network, actions().len());
                for context in [[0, -1, -1, -1, -1, -1], [3, 1, 2, -1, -1, -1], [2, 0, 1, 1, 3, 0]] {
                    let shown = context.into_iter().cycle().take(n_features).collect::<Vec<_>>();
                    scratch.context.copy_from_slice(&shown);
                    network.score(None, &mut scratch);
                    let rectified = is_train && pieces == 1;
                    let expected =
                        reference::scores(&weights.params(), &weights.tokens, &scratch.context, rectified);
                    assert_close(&scratch.scores, &expected, TOLERANCE, TOLERANCE);
                }
            }
        }
    }

    fn gradients_are_those_of_central_differences(isa) {
        for (pieces, has_upper) in [(1, true), (2, true), (3, false)] {
            check_gradients(isa, pieces, has_upper);
        }
    }
}

/// The states are fixed by a teacher, so that a small change of the weights changes no action.
fn check_gradients(isa: Isa, pieces: usize, has_upper: bool) {
    // More documents than one task takes.
    let (lengths, own) = ([3, 1, 2, 1, 2, 1], (0..actions().len() as i32).collect::<Vec<_>>());
    let system = plain_batch(&lengths);
    let mut teacher = Weights::new(10, 2, true, 3);
    teacher.tokens.iter_mut().for_each(|x| *x = -*x);
    let teacher = teacher.network(isa, false);
    let trace_of = |weights: &Weights| {
        let network = weights.network(isa, true);
        let lesson = TeacherLesson::new(TaughtBy::Network(&teacher), &network, &own, 1.5).unwrap();
        let segments =
            system.starts().into_iter().map(|state| Segment { state, n_steps: 9 }).collect::<Vec<_>>();
        let trace = follow(Threads::One, &network, &system, &lesson, segments, None);
        (network, trace)
    };
    let mut weights = Weights::new(10, pieces, has_upper, 3);
    let (network, trace) = trace_of(&weights);
    let grads = network.backprop(Threads::One, &trace, 1.0).unwrap();
    let mut check = |name: &str, found: &[f32], pick: &dyn Fn(&mut Weights) -> &mut Vec<f32>| {
        for index in (0..found.len()).step_by(7) {
            let mut loss_at = |change: f32| {
                pick(&mut weights)[index] += change;
                let loss = trace_of(&weights).1.loss;
                pick(&mut weights)[index] -= change;
                loss
            };
            let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * f64::from(STEP));
            let close = (slope - f64::from(found[index])).abs() < DIFFERENCE_TOLERANCE * (1.0 + slope.abs());
            assert!(close, "{name}[{index}]: {} for {slope}", found[index]);
        }
    };
    check("tokens", &grads.tokens, &|w| &mut w.tokens);
    check("weights", &grads.weights, &|w| &mut w.weights);
    check("bias", &grads.bias, &|w| &mut w.bias);
    check("padding", &grads.padding, &|w| &mut w.padding);
    if has_upper {
        check("upper weights", &grads.upper_weights, &|w| &mut w.upper.as_mut().unwrap().0);
        check("upper bias", &grads.upper_bias, &|w| &mut w.upper.as_mut().unwrap().1);
    }
}

#[test]
fn rows_kept_from_a_teacher_teach_what_it_teaches_itself() {
    let lengths = [4, 1, 7];
    let system = plain_batch(&lengths);
    let isa = Isa::best();
    let mut teacher = Weights::new(12, 2, true, 6);
    teacher.tokens.iter_mut().for_each(|x| *x = -*x);
    let teacher = teacher.network(isa, false);
    let student = Weights::new(12, 2, true, 3).network(isa, true);
    let kept: Vec<f32> = decode_with_scores(Threads::One, &teacher, &system, system.starts())
        .into_iter()
        .flat_map(|(_, rows)| rows)
        .collect();
    let columns: Vec<i32> = (0..10).collect();
    let trace_of = |taught_by| {
        let lesson = TeacherLesson::new(taught_by, &student, &columns, 2.0).unwrap();
        let segments = system.starts().into_iter().map(|state| Segment { state, n_steps: 9 }).collect();
        follow(Threads::One, &student, &system, &lesson, segments, None)
    };
    let live = trace_of(TaughtBy::Network(&teacher));
    let stored = trace_of(TaughtBy::Rows(&kept, 10));
    assert!(live.loss > 0.0);
    assert_eq!((live.loss, live.n_states, &live.parts), (stored.loss, stored.n_states, &stored.parts));
    assert!(TeacherLesson::new(TaughtBy::Rows(&kept[1..], 10), &student, &columns, 2.0).is_err());
    assert!(TeacherLesson::new(TaughtBy::Rows(&kept, 9), &student, &columns, 2.0).is_err());
}

#[test]
fn the_oracle_costs_nothing_on_gold() {
    for seed in 0..40 {
        let lengths = [1, 2, 3, 9, 17];
        let system = plain_batch(&lengths);
        let gold = random_gold(&lengths, seed);
        let oracle = BiluoGold::new(&system, gold.clone(), Vec::new()).unwrap();
        let (mut valid, mut costs) = (vec![false; 10], vec![0.0; 10]);
        for mut state in system.starts() {
            while !system.is_final(&state) {
                system.set_valid(&state, &mut valid);
                oracle.set_costs(&system, &state, &valid, &mut costs);
                let known = system.actions().iter().position(|action| *action == gold[state.next as usize]);
                let action = known.unwrap_or(9);
                assert!(valid[action], "seed {seed}: {state:?} does not allow the gold action {action}");
                assert_eq!(costs[action], 0.0, "seed {seed}: {state:?}, action {action}");
                system.apply(&mut state, action);
            }
        }
    }
}

#[test]
fn from_every_state_some_allowed_action_makes_no_new_mistake() {
    for seed in 0..40 {
        let lengths = [1, 2, 3, 9, 17];
        let system = plain_batch(&lengths);
        let oracle = BiluoGold::new(&system, random_gold(&lengths, seed), Vec::new()).unwrap();
        let (mut valid, mut costs) = (vec![false; 10], vec![0.0; 10]);
        let mut draws = numbers(1000, seed + 100, 1.0).into_iter();
        for mut state in system.starts() {
            while !system.is_final(&state) {
                system.set_valid(&state, &mut valid);
                oracle.set_costs(&system, &state, &valid, &mut costs);
                assert!(costs.contains(&0.0), "seed {seed}: {state:?} costs {costs:?}");
                let scores: Vec<f32> = costs.iter().map(|_| draws.next().unwrap_or(0.0)).collect();
                system.apply(&mut state, best_valid(&scores, &valid).unwrap());
            }
        }
    }
}

#[test]
fn decoded_actions_are_allowed_and_do_not_depend_on_the_batch_or_the_threads() {
    let pool = crate::Pool::new(3).unwrap();
    let lengths: Vec<u32> = (0..30).map(|n| n % 7).collect();
    let n_tokens = lengths.iter().sum::<u32>() as usize;
    let draws = numbers(n_tokens, 9, 1.0);
    let tokens: Vec<Token> = draws
        .iter()
        .map(|draw| Token { starts_sentence: *draw > 0.6, is_space: *draw < -0.7, ..Token::default() })
        .collect();
    let weights = Weights::new(n_tokens, 2, true, 3);
    let network = weights.network(Isa::active().unwrap(), false);
    let system = Biluo::new(actions(), tokens.clone(), &lengths).unwrap();
    let histories = decode(Threads::One, &network, &system, system.starts());
    assert_eq!(histories, decode(Threads::Pool(&pool), &network, &system, system.starts()));
    let mut valid = vec![false; 10];
    let mut n_entities = 0;
    for (doc, (mut state, history)) in system.starts().into_iter().zip(&histories).enumerate() {
        for &action in history {
            system.set_valid(&state, &mut valid);
            assert!(valid[action as usize]);
            system.apply(&mut state, action as usize);
        }
        assert!(system.is_final(&state));
        for entity in system.entities(doc, history) {
            n_entities += 1;
            assert!(!tokens[entity.start as usize].is_space);
            assert!((entity.start + 1..entity.end).all(|token| !tokens[token as usize].starts_sentence));
        }
    }
    assert!(n_entities > 5, "only {n_entities} entities");
}

#[test]
fn a_states_gradient_adds_up_to_nothing_however_far_apart_good_actions_are() {
    let system = plain_batch(&[3]);
    let missing = Action { kind: Move::Missing, label: NO_LABEL };
    let oracle = BiluoGold::new(&system, vec![missing; 3], Vec::new()).unwrap();
    let state = system.starts()[0];
    let mut valid = vec![false; 10];
    system.set_valid(&state, &mut valid);
    // Every allowed action is good.
    for apart in [1.0, 30.0, 400.0] {
        let scores: Vec<f32> = (0..10).map(|action| apart * (9 - action) as f32 / 9.0).collect();
        let (mut costs, mut d_scores) = (vec![0.0; 10], vec![0.0; 10]);
        let step = Step {
            scores: &scores,
            valid: &valid,
            context: &[0, -1, -1],
            costs: &mut costs,
            d_scores: &mut d_scores,
            isa: Isa::best(),
        };
        GoldLesson(&oracle).grade(&mut Vec::new(), &system, &state, step);
        assert!(d_scores.iter().sum::<f32>().abs() < 1e-5, "{apart}: {d_scores:?}");
    }
}

fn allowed(system: &Biluo, state: &State) -> Vec<(Move, u32)> {
    let mut valid = vec![false; system.n_actions()];
    system.set_valid(state, &mut valid);
    let chosen = system.actions().iter().zip(&valid).filter(|(_, valid)| **valid);
    chosen.map(|(action, _)| (action.kind, action.label)).collect()
}

#[test]
fn entities_that_are_set_are_kept_and_blocked_tokens_stay_out() {
    let token = |iob, label| Token { iob, label, ..Token::default() };
    // Free, an entity of two tokens with label 2, blocked, free.
    let tokens = vec![token(0, 0), token(3, 2), token(1, 2), token(3, 0), token(0, 0)];
    let system = Biluo::new(actions(), tokens, &[5]).unwrap();
    let mut state = system.starts()[0];
    assert_eq!(allowed(&system, &state), [(Move::Unit, 1), (Move::Unit, 2), (Move::Out, 0)]);
    system.apply(&mut state, 9);
    assert_eq!(allowed(&system, &state), [(Move::Begin, 2)]);
    system.apply(&mut state, 1);
    assert_eq!(allowed(&system, &state), [(Move::Last, 2)]);
    system.apply(&mut state, 5);
    assert_eq!(allowed(&system, &state), [(Move::Unit, NO_LABEL)]);
    system.apply(&mut state, 8);
    assert_eq!(allowed(&system, &state), [(Move::Unit, 1), (Move::Unit, 2), (Move::Out, 0)]);
}

#[test]
fn closing_a_span_known_to_be_wrong_costs_one() {
    let system = plain_batch(&[3]);
    let missing = Action { kind: Move::Missing, label: NO_LABEL };
    let span = NegativeSpan { start: 0, end: 3, label: 1 };
    let oracle = BiluoGold::new(&system, vec![missing; 3], vec![span]).unwrap();
    let mut state = system.starts()[0];
    let (mut valid, mut costs) = (vec![false; 10], vec![0.0; 10]);
    for action in [0, 2] {
        system.apply(&mut state, action);
    }
    system.set_valid(&state, &mut valid);
    oracle.set_costs(&system, &state, &valid, &mut costs);
    assert_eq!(costs[4], 1.0);
    assert_eq!(oracle.segments(&system, 0).len(), 1);
}

#[test]
fn long_documents_are_cut_and_pieces_without_annotation_left_out() {
    let system = plain_batch(&[6, 2]);
    let out = Action { kind: Move::Out, label: NO_LABEL };
    let missing = Action { kind: Move::Missing, label: NO_LABEL };
    let mut gold = vec![out; 8];
    gold[2..4].fill(missing);
    let oracle = BiluoGold::new(&system, gold, Vec::new()).unwrap();
    let starts = |longest| -> Vec<u32> {
        oracle.segments(&system, longest).iter().map(|segment| segment.state.next).collect()
    };
    assert_eq!(starts(0), [0, 6]);
    assert_eq!(starts(2), [0, 4, 6]);
    assert_eq!(starts(7), [0, 6]);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let weights = Weights::new(4, 2, true, 3);
    let isa = Isa::active().unwrap();
    let short = NetworkParams { bias: &weights.bias[1..], ..weights.params() };
    let found = Network::new(isa, Threads::One, &short, &weights.tokens, false).unwrap_err();
    assert_eq!(found.to_string(), "transitions: the lower bias: expected 14, found 13");
    let tokens = vec![Token::default(); 3];
    assert!(Biluo::new(actions(), tokens.clone(), &[2]).is_err());
    assert!(Biluo::new(Vec::new(), tokens, &[3]).is_err());
    let none = NetworkParams { n_features: 0, weights: &[], padding: &[], ..weights.params() };
    assert!(Network::new(isa, Threads::One, &none, &weights.tokens, false).is_err());
    let wide = Weights::new(4, 2, true, 8).network(isa, false);
    assert_eq!(
        wide.check(&plain_batch(&[4])).unwrap_err().to_string(),
        "transitions: the tokens that a state shows is 8; expected 3 or 6"
    );
    assert!(wide.check(&plain_batch(&[3])).is_err());
    let network = weights.network(isa, false);
    assert!(TeacherLesson::new(TaughtBy::Network(&network), &network, &[99; 10], 1.0).is_err());
    assert!(TeacherLesson::new(TaughtBy::Network(&network), &network, &[0; 10], 0.0).is_err());
}
