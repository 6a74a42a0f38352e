//! What taking a text apart costs, counted instead of timed, so that a test can show it to be linear.
//!
//! Counting is off, and costs a look at a thread's flag, except within [`counted`].

use std::cell::Cell;

use parking_lot::Mutex;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::{Anchored, Input, MatchKind};

thread_local! {
    static BYTES: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The result of `work`, and how many bytes of text its searches read in this thread.
pub(super) fn counted<R>(work: impl FnOnce() -> R) -> (R, u64) {
    BYTES.set(Some(0));
    let result = work();
    (result, BYTES.take().unwrap_or(0))
}

/// Adds the bytes that a search reads, where somebody counts.
pub(super) fn read(bytes: impl FnOnce() -> usize) {
    if let Some(count) = BYTES.get() {
        BYTES.set(Some(count + bytes() as u64));
    }
}

/// Tells how far the search of a pattern tied to the start of the text reads.
pub(super) struct Reach(Option<(DFA, Mutex<Cache>)>);

impl Reach {
    pub(super) fn new(pattern: &str) -> Self {
        // All alternatives, also those of lower rank: an exact pattern tries them where look-around fails.
        let config = DFA::config().match_kind(MatchKind::All).skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build(pattern).ok();
        Self(dfa.map(|dfa| (dfa.clone(), Mutex::new(dfa.create_cache()))))
    }

    /// How many bytes are read until nothing can match any more.
    pub(super) fn bytes(&self, text: &str) -> usize {
        let Some((dfa, cache)) = &self.0 else { return text.len() };
        let cache = &mut cache.lock();
        let start = dfa.start_state_forward(cache, &Input::new(text).anchored(Anchored::Yes));
        start.map_or(text.len(), |start| until_dead(dfa, cache, start, text.bytes()))
    }
}

/// How many of the bytes an automaton reads until nothing can match any more.
pub(super) fn until_dead(
    dfa: &DFA,
    cache: &mut Cache,
    start: LazyStateID,
    bytes: impl ExactSizeIterator<Item = u8>,
) -> usize {
    let (mut state, n_bytes) = (start, bytes.len());
    for (at, byte) in bytes.enumerate() {
        match dfa.next_state(cache, state, byte) {
            Ok(next) if !next.is_dead() => state = next,
            _ => return at + 1,
        }
    }
    n_bytes
}
