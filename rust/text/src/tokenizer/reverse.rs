//! Suffix alternatives run from the end of the text backwards, so that peeling off one suffix after the other
//! never reads the middle of a word again.
//!
//! An alternative is `(?<=X)Y$` or `Y$`. Python's look-behind has a fixed width, so `(?<=X)Y` is searched backwards
//! as the automaton of `XY`, and the suffix begins that width after the start of the match. Alternatives of the same
//! width share an automaton; its longest match backwards is the leftmost start, which is what Python's search finds.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input, MatchKind};

use super::cost;
use super::per_thread::PerThread;
use super::python_regex::Node;
use super::screen::{Screen, Tied};

/// Bytes of states an automaton keeps before it starts over.
const CACHE_CAPACITY: usize = 1 << 24;

struct Automaton {
    screen: Screen,
    dfa: DFA,
    caches: PerThread<Cache>,
    /// Characters of look-behind at the start of a match.
    width: usize,
}

/// Suffix alternatives, by the width of their look-behind.
pub(super) struct ReverseSearch {
    automata: Vec<Automaton>,
}

impl ReverseSearch {
    /// Takes the alternatives it can run and hands back the others.
    pub(super) fn new(alternatives: Vec<&Node>) -> (Self, Vec<Node>) {
        let mut by_width: Vec<(usize, Vec<String>, Vec<Node>)> = Vec::new();
        let mut rest = Vec::new();
        for alternative in alternatives {
            match backward_pattern(alternative) {
                Some((width, pattern)) => match by_width.iter_mut().find(|(known, ..)| *known == width) {
                    Some((_, patterns, nodes)) => {
                        patterns.push(pattern);
                        nodes.push(alternative.clone());
                    }
                    None => by_width.push((width, vec![pattern], vec![alternative.clone()])),
                },
                None => rest.push(alternative.clone()),
            }
        }
        let automata = by_width.into_iter().filter_map(|(width, patterns, nodes)| {
            let screen = Screen::new(&Node::Alternation(nodes), Tied::ToEnd);
            Automaton::new(width, &patterns.join("|"), screen)
        });
        (Self { automata: automata.collect() }, rest)
    }

    /// Where the longest suffix begins.
    pub(super) fn leftmost_start(&self, text: &str) -> Option<usize> {
        self.automata.iter().filter_map(|automaton| automaton.leftmost_start(text)).min()
    }
}

impl Automaton {
    /// None where the pattern is too large for an automaton.
    fn new(width: usize, pattern: &str, screen: Screen) -> Option<Self> {
        let nfa = thompson::Config::new().reverse(true);
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_CAPACITY)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).thompson(nfa).build(pattern).ok()?;
        Some(Self { screen, dfa, caches: PerThread::default(), width })
    }

    fn leftmost_start(&self, text: &str) -> Option<usize> {
        if !self.screen.lets_pass(text) {
            return None;
        }
        self.caches.with(|| self.dfa.create_cache(), |cache| self.leftmost_start_with(cache, text))
    }

    fn leftmost_start_with(&self, cache: &mut Cache, text: &str) -> Option<usize> {
        let input = Input::new(text).anchored(Anchored::Yes);
        cost::read(|| {
            let start = self.dfa.start_state_reverse(cache, &input);
            start.map_or(text.len(), |start| cost::until_dead(&self.dfa, cache, start, text.bytes().rev()))
        });
        let found = self.dfa.try_search_rev(cache, &input).ok()??;
        let behind = text[found.offset()..].chars().take(self.width).map(char::len_utf8).sum::<usize>();
        Some(found.offset() + behind)
    }
}

/// The width of the look-behind and the pattern of `XY` for an alternative `(?<=X)Y$`.
fn backward_pattern(alternative: &Node) -> Option<(usize, String)> {
    let (_end, parts) = alternative.parts().split_last()?;
    let (behind, body) = match parts.split_first() {
        Some((Node::Look { ahead: false, negated: false, node }, body)) => (Some(node), body),
        _ => (None, parts),
    };
    let regular = |node: &Node| node.is_regular() && !matches!(node, Node::Start);
    if !body.iter().all(regular) || !behind.is_none_or(|node| regular(node)) {
        return None;
    }
    let width = behind.map_or(Some(0), |node| node.width())?;
    let behind = behind.map(|node| node.exact()).unwrap_or_default();
    let body: String = body.iter().map(Node::exact).collect();
    Some((width, format!("(?:{behind}{body})")))
}
