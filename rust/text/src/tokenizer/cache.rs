//! What chunks became when they were tokenized last, so that a chunk is taken apart once.
//!
//! Entries that name lexemes of an open memory zone live in a part of their own, which the zone's end empties.

use rustc_hash::FxHashMap;

/// From this many entries on a part is emptied and begun anew, so that a stream of rare words cannot fill memory.
const MAX_ENTRIES: usize = 1 << 18;

/// A token without its place: its lexeme, its length in characters, and the string id of a normal form of its own,
/// 0 where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CachedToken {
    pub(super) lexeme: u32,
    pub(super) length: u32,
    pub(super) norm: u64,
}

/// Tokens by chunk, in one part of the cache or not yet in it.
#[derive(Default)]
pub(super) struct Part {
    chunks: FxHashMap<Box<str>, (u32, u32)>,
    tokens: Vec<CachedToken>,
}

impl Part {
    pub(super) fn get(&self, chunk: &str) -> Option<&[CachedToken]> {
        let &(start, end) = self.chunks.get(chunk)?;
        Some(&self.tokens[start as usize..end as usize])
    }

    /// How many chunks there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// All chunks with their tokens, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[CachedToken])> {
        let tokens = |&(start, end): &(u32, u32)| &self.tokens[start as usize..end as usize];
        self.chunks.iter().map(move |(chunk, range)| (&**chunk, tokens(range)))
    }

    pub(super) fn insert(&mut self, chunk: &str, tokens: &[CachedToken]) {
        if self.chunks.len() >= MAX_ENTRIES || self.tokens.len() >= 8 * MAX_ENTRIES {
            *self = Self::default();
        }
        let start = self.tokens.len() as u32;
        self.tokens.extend_from_slice(tokens);
        self.chunks.insert(chunk.into(), (start, self.tokens.len() as u32));
    }
}

/// Tokens by chunk.
#[derive(Default)]
pub(super) struct ChunkCache {
    kept: Part,
    transient: Part,
    zone: u64,
}

impl ChunkCache {
    /// The tokens of a chunk that was seen before.
    pub(super) fn get(&self, chunk: &str) -> Option<&[CachedToken]> {
        match self.kept.get(chunk) {
            None if self.zone != 0 => self.transient.get(chunk),
            found => found,
        }
    }

    /// The memory zone the transient part belongs to, 0 for none.
    pub(super) fn zone(&self) -> u64 {
        self.zone
    }

    /// Empties the transient part and gives it to another memory zone.
    pub(super) fn enter_zone(&mut self, zone: u64) {
        if self.zone != zone {
            self.transient = Part::default();
            self.zone = zone;
        }
    }

    pub(super) fn insert(&mut self, chunk: &str, tokens: &[CachedToken], kept: bool) {
        let part = if kept { &mut self.kept } else { &mut self.transient };
        part.insert(chunk, tokens);
    }
}
