//! Marginals and beams against adding up every analysis there is.

use std::collections::BTreeMap;

use super::biluo::{Action, Biluo, Move, NO_LABEL, State, Token};
use super::distribution::log_probabilities;
use super::score::Scratch;
use super::tests::{Weights, actions};
use super::*;
use crate::Threads;
use crate::simd::Isa;

/// Sums of products of float64 in another order.
const TOLERANCE: f64 = 1e-12;
/// Far below every analysis of these small documents.
const NO_FLOOR: f64 = 1e-300;
const TEMPERATURE: f64 = 1.7;

type Spans = BTreeMap<(u32, u32, u32), f64>;

fn system(tokens: Vec<Token>) -> Biluo {
    let length = tokens.len() as u32;
    Biluo::new(actions(), tokens, &[length]).unwrap()
}

fn network(n_tokens: usize, n_features: usize) -> Network {
    Weights::new(n_tokens, 2, true, n_features).network(Isa::active().unwrap(), false)
}

/// Every analysis of the only document, with the logarithm of its probability.
fn every_analysis(network: &Network, system: &Biluo) -> Vec<Analysis> {
    let (mut open, mut done) = (vec![(system.starts()[0], Vec::new(), 0.0)], Vec::new());
    let mut scratch = Scratch::new(network, system.n_actions());
    let mut logs = vec![0.0; system.n_actions()];
    while let Some((state, history, log_probability)) = open.pop() {
        if system.is_final(&state) {
            done.push(Analysis { history, log_probability });
            continue;
        }
        system.context(&state, &mut scratch.context);
        network.score(None, &mut scratch);
        system.set_valid(&state, &mut scratch.valid);
        log_probabilities(&scratch, TEMPERATURE, &mut logs);
        for (action, log) in logs.iter().enumerate().filter(|(_, log)| log.is_finite()) {
            let (mut after, mut longer): (State, Vec<u32>) = (state, history.clone());
            system.apply(&mut after, action);
            longer.push(action as u32);
            open.push((after, longer, log_probability + log));
        }
    }
    done
}

fn documents() -> Vec<Vec<Token>> {
    let token = |iob, label| Token { iob, label, ..Token::default() };
    let plain = token(0, 0);
    let space = Token { is_space: true, ..plain };
    let sentence = Token { starts_sentence: true, ..plain };
    vec![
        vec![plain; 5],
        vec![plain],
        vec![plain, space, plain, sentence, plain],
        vec![plain, token(3, 2), token(1, 2), plain, token(3, 0), plain],
    ]
}

#[test]
fn entity_probabilities_are_sums_over_all_analyses() {
    let settings = MarginalSettings { temperature: TEMPERATURE, floor: NO_FLOOR };
    for (tokens, n_features) in documents().into_iter().zip([3, 6, 6, 3]) {
        let (network, system) = (network(tokens.len(), n_features), system(tokens));
        let mut expected = Spans::new();
        for analysis in every_analysis(&network, &system) {
            for entity in system.entities(0, &analysis.history) {
                *expected.entry((entity.start, entity.end, entity.label)).or_default() +=
                    analysis.log_probability.exp();
            }
        }
        let found = entity_probabilities(Threads::One, &network, &system, settings).unwrap();
        let found: Spans = found[0].iter().map(|(e, p)| ((e.start, e.end, e.label), *p)).collect();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (span, probability) in &expected {
            assert!((found[span] - probability).abs() < TOLERANCE, "{span:?}");
        }
    }
}

#[test]
fn a_floor_leaves_out_what_is_below_it_and_no_more_than_that() {
    let (network, system) = (network(9, 3), system(vec![Token::default(); 9]));
    let with = |floor| {
        let settings = MarginalSettings { temperature: 1.0, floor };
        entity_probabilities(Threads::One, &network, &system, settings).unwrap().remove(0)
    };
    let (all, some) = (with(NO_FLOOR), with(1e-2));
    assert!(some.len() < all.len() && !some.is_empty());
    for (entity, probability) in all {
        let kept = some.iter().find(|(other, _)| *other == entity).map_or(0.0, |(_, kept)| *kept);
        // Each of nine tokens may lose a way of less than the floor.
        assert!((0.0..9e-2).contains(&(probability - kept)), "{entity:?}: {kept} of {probability}");
    }
}

#[test]
fn a_wide_beam_holds_every_analysis_with_its_probability() {
    for tokens in documents() {
        let (network, system) = (network(tokens.len(), 3), system(tokens));
        let settings = BeamSettings { width: 100_000, density: 0.0, temperature: TEMPERATURE };
        let found = beam(Threads::One, &network, &system, system.starts(), settings).unwrap().remove(0);
        let mut expected = every_analysis(&network, &system);
        assert!(found.windows(2).all(|two| two[0].log_probability >= two[1].log_probability));
        let total: f64 = found.iter().map(|one| one.log_probability.exp()).sum();
        assert!((total - 1.0).abs() < TOLERANCE);
        assert_eq!(found.len(), expected.len());
        expected.retain(|one| !found.contains(one));
        assert_eq!(expected, []);
    }
}

#[test]
fn a_beam_of_one_decodes_greedily() {
    let lengths: Vec<u32> = (0..30).map(|n| n % 7).collect();
    let n_tokens = lengths.iter().sum::<u32>() as usize;
    let network = network(n_tokens, 3);
    let system = Biluo::new(actions(), vec![Token::default(); n_tokens], &lengths).unwrap();
    let pool = crate::Pool::new(3).unwrap();
    let settings = BeamSettings { width: 1, density: 0.0, temperature: 1.0 };
    let found = beam(Threads::Pool(&pool), &network, &system, system.starts(), settings).unwrap();
    let greedy = decode(Threads::One, &network, &system, system.starts());
    assert!(found.iter().all(|analyses| analyses.len() == 1));
    let histories: Vec<_> = found.into_iter().map(|mut analyses| analyses.remove(0).history).collect();
    assert_eq!(histories, greedy);
}

#[test]
fn a_dense_beam_drops_improbable_analyses() {
    let (network, system) = (network(5, 3), system(vec![Token::default(); 5]));
    let with = |density| {
        let settings = BeamSettings { width: 1000, density, temperature: 1.0 };
        beam(Threads::One, &network, &system, system.starts(), settings).unwrap().remove(0)
    };
    let (all, dense) = (with(0.0), with(0.5));
    assert!(dense.len() < all.len());
    let lowest = dense[0].log_probability + 0.5_f64.ln();
    assert!(dense.iter().all(|analysis| analysis.log_probability >= lowest));
}

#[test]
fn a_teachers_outputs_for_one_action_add_up() {
    let teacher = network(3, 3);
    let student = network(3, 3);
    let system = system(vec![Token::default(); 3]);
    // What the teacher calls by the second label is outside for the student.
    let folded: Vec<i32> = system
        .actions()
        .iter()
        .enumerate()
        .map(|(index, action)| match action {
            Action { kind: Move::Begin | Move::Unit, label: 2 } => 9,
            Action { kind: Move::In | Move::Last, label: 2 } => -1,
            _ => index as i32,
        })
        .collect();
    let lesson = TeacherLesson::new(TaughtBy::Network(&teacher), &student, &folded, 1.0).unwrap();
    let segments = vec![Segment { state: system.starts()[0], n_steps: 1 }];
    let trace = follow(Threads::One, &student, &system, &lesson, segments, None);
    let mut scratch = Scratch::new(&teacher, system.n_actions());
    system.context(&system.starts()[0], &mut scratch.context);
    teacher.score(None, &mut scratch);
    let power = |action: usize| f64::from(scratch.scores[action]).exp();
    let of_teacher: f64 = (0..10).filter(|&action| folded[action] >= 0).map(power).sum();
    let of_student: f64 = (0..10).filter(|&action| folded.contains(&(action as i32))).map(power).sum();
    let outside = power(1) + power(7) + power(9);
    let q = |action: usize| power(action) / of_student;
    let expected: f64 = (0..10)
        .filter(|&action| folded.contains(&(action as i32)))
        .map(|action| {
            let p = if action == 9 { outside } else { power(action) } / of_teacher;
            p * (p / q(action)).ln()
        })
        .sum();
    assert!(expected > 0.01, "{expected}");
    assert!((trace.loss - expected).abs() < 1e-5, "{} for {expected}", trace.loss);
    assert_eq!(system.actions()[9], Action { kind: Move::Out, label: NO_LABEL });
}

#[test]
fn settings_that_are_none_are_refused() {
    let (network, system) = (network(2, 3), system(vec![Token::default(); 2]));
    for (width, density, temperature) in [(0, 0.0, 1.0), (1, 1.5, 1.0), (1, 0.0, 0.0), (1, f64::NAN, 1.0)] {
        let settings = BeamSettings { width, density, temperature };
        assert!(beam(Threads::One, &network, &system, system.starts(), settings).is_err());
    }
    for (temperature, floor) in [(f64::NAN, 0.1), (1.0, 0.0), (1.0, 1.0)] {
        let settings = MarginalSettings { temperature, floor };
        assert!(entity_probabilities(Threads::One, &network, &system, settings).is_err());
    }
}
