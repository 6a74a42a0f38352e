//! The machinery under a system that is nothing like entities: arcs of a dependency tree, eight tokens a state.

use super::tests::Weights;
use super::*;
use crate::Threads;
use crate::simd::Isa;

const SHIFT: usize = 0;
const LEFT: usize = 1;
const RIGHT: usize = 2;
const N_SHOWN: usize = 8;

/// Arc-standard parsing of one sentence.
struct ArcStandard {
    n_tokens: usize,
}

#[derive(Clone)]
struct Parse {
    stack: Vec<usize>,
    next: usize,
    heads: Vec<Option<usize>>,
}

impl Parse {
    /// The `depth`th token from the top of the stack.
    fn top(&self, depth: usize) -> Option<usize> {
        self.stack.iter().rev().nth(depth).copied()
    }

    fn children(&self, head: Option<usize>) -> impl Iterator<Item = usize> {
        let is_child = move |&(_, of): &(usize, &Option<usize>)| head.is_some() && *of == head;
        self.heads.iter().enumerate().filter(is_child).map(|(child, _)| child)
    }
}

impl ArcStandard {
    fn start(&self) -> Parse {
        Parse { stack: Vec::new(), next: 0, heads: vec![None; self.n_tokens] }
    }

    fn heads(&self, history: &[u32]) -> Vec<Option<usize>> {
        let mut state = self.start();
        history.iter().for_each(|&action| self.apply(&mut state, action as usize));
        state.heads
    }
}

impl TransitionSystem for ArcStandard {
    type State = Parse;

    fn n_actions(&self) -> usize {
        3
    }

    fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    fn n_shown(&self) -> &[usize] {
        &[N_SHOWN]
    }

    fn is_final(&self, state: &Parse) -> bool {
        state.next == self.n_tokens && state.stack.len() == 1
    }

    fn context(&self, state: &Parse, tokens: &mut [i32]) {
        let ahead = |by: usize| Some(state.next + by).filter(|&token| token < self.n_tokens);
        let (first, second) = (state.top(0), state.top(1));
        let shown = [
            ahead(0),
            ahead(1),
            first,
            second,
            state.top(2),
            state.children(first).next(),
            state.children(first).last(),
            state.children(second).last(),
        ];
        let numbers = shown.map(|token| token.map_or(-1, |token| token as i32));
        tokens.copy_from_slice(&numbers);
    }

    fn set_valid(&self, state: &Parse, valid: &mut [bool]) {
        valid[SHIFT] = state.next < self.n_tokens;
        valid[LEFT] = state.stack.len() > 1;
        valid[RIGHT] = state.stack.len() > 1;
    }

    fn next_token(&self, state: &Parse) -> usize {
        state.next.min(self.n_tokens - 1)
    }

    fn apply(&self, state: &mut Parse, action: usize) {
        if action == SHIFT {
            state.stack.push(state.next);
            state.next += 1;
            return;
        }
        let (Some(first), Some(second)) = (state.stack.pop(), state.stack.pop()) else { return };
        let (head, child) = if action == LEFT { (first, second) } else { (second, first) };
        state.heads[child] = Some(head);
        state.stack.push(head);
    }
}

struct GoldHeads(Vec<Option<usize>>);

impl Oracle<ArcStandard> for GoldHeads {
    fn set_costs(&self, _: &ArcStandard, state: &Parse, valid: &[bool], costs: &mut [f32]) {
        let is_complete = |token: usize| {
            self.0.iter().zip(&state.heads).all(|(gold, found)| *gold != Some(token) || found.is_some())
        };
        let good = match (state.top(0), state.top(1)) {
            (Some(first), Some(second)) if self.0[second] == Some(first) && is_complete(second) => LEFT,
            (Some(first), Some(second)) if self.0[first] == Some(second) && is_complete(first) => RIGHT,
            _ => SHIFT,
        };
        for (action, (cost, &valid)) in costs.iter_mut().zip(valid).enumerate() {
            *cost = if valid { f32::from(u8::from(action != good)) } else { NOT_ALLOWED };
        }
    }
}

fn descend(weights: &mut [f32], gradient: &[f32]) {
    weights.iter_mut().zip(gradient).for_each(|(weight, slope)| *weight -= 0.1 * slope);
}

#[test]
fn a_parser_learns_decodes_and_searches_with_the_same_machinery() {
    // "The old dog barked at me", heads of the tokens.
    let gold = vec![Some(2), Some(2), Some(3), None, Some(3), Some(4)];
    let (system, oracle) = (ArcStandard { n_tokens: gold.len() }, GoldHeads(gold.clone()));
    let mut weights = Weights::of(system.n_actions(), gold.len(), 2, true, N_SHOWN);
    let isa = Isa::active().unwrap();
    let decoded = |network: &Network| decode(Threads::One, network, &system, vec![system.start()]).remove(0);
    let before = decoded(&weights.network(isa, false));
    assert_ne!(system.heads(&before), gold, "nothing to learn");
    for _ in 0..100 {
        let network = weights.network(isa, true);
        network.check(&system).unwrap();
        let segments = vec![Segment { state: system.start(), n_steps: 2 * gold.len() }];
        let trace = follow(Threads::One, &network, &system, &GoldLesson(&oracle), segments, None);
        let grads = network.backprop(Threads::One, &trace, 1.0).unwrap();
        descend(&mut weights.weights, &grads.weights);
        descend(&mut weights.bias, &grads.bias);
        descend(&mut weights.padding, &grads.padding);
        descend(&mut weights.tokens, &grads.tokens);
        let (upper, bias) = weights.upper.as_mut().unwrap();
        descend(upper, &grads.upper_weights);
        descend(bias, &grads.upper_bias);
    }
    let network = weights.network(isa, false);
    let history = decoded(&network);
    assert_eq!(system.heads(&history), gold);
    let settings = BeamSettings { width: 8, density: 0.0, temperature: 1.0 };
    let analyses = beam(Threads::One, &network, &system, vec![system.start()], settings).unwrap().remove(0);
    assert_eq!((analyses.len(), &analyses[0].history), (8, &history));
    assert!(analyses.iter().all(|analysis| analysis.history.len() == 2 * gold.len() - 1));
}
