//! What chunks became when they were tokenized last, so that a chunk is taken apart once.
//!
//! Entries that name lexemes of an open memory zone live in a part of their own, which the zone's end empties.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::split::Chunk;
use crate::numbered::Numbered;

/// From this many entries on a part is emptied and begun anew, so that a stream of rare words cannot fill memory.
const MAX_ENTRIES: usize = 1 << 18;
/// Chunks of at most this many bytes are keyed by a number, which is compared without following a pointer.
const SHORT: usize = 15;

/// A token without its place: its lexeme, its length in characters, and the string id of a normal form of its own,
/// 0 where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CachedToken {
    pub(super) lexeme: u32,
    pub(super) length: u32,
    pub(super) norm: u64,
}

/// A chunk as it is looked up: what tells it from every other chunk.
#[derive(Clone, Copy)]
pub(super) enum Key<'x> {
    /// The bytes, zeros, and the length in the last byte.
    Short(u128),
    Long(&'x str),
}

impl<'x> Key<'x> {
    pub(super) fn new(text: &'x str, chunk: &Chunk) -> Self {
        let Chunk { start, end, .. } = *chunk;
        let n_bytes = end - start;
        if n_bytes > SHORT {
            return Self::Long(&text[start..end]);
        }
        let bytes = text.as_bytes();
        let window = match bytes.get(start..start + 16).and_then(|window| window.try_into().ok()) {
            Some(window) => u128::from_le_bytes(window) & !(u128::MAX << (8 * n_bytes)),
            None => {
                let mut window = [0; 16];
                window[..n_bytes].copy_from_slice(&bytes[start..end]);
                u128::from_le_bytes(window)
            }
        };
        Self::Short(window | (n_bytes as u128) << (8 * SHORT))
    }
}

/// Where the tokens of a chunk are: most chunks are one token without a normal form of its own.
#[derive(Clone, Copy)]
enum Slot {
    One { lexeme: u32, length: u32 },
    Several { start: u32, end: u32 },
}

/// The tokens of a chunk.
pub(super) enum Found<'c> {
    One(CachedToken),
    Several(&'c [CachedToken]),
}

impl Found<'_> {
    pub(super) fn tokens(&self) -> &[CachedToken] {
        match self {
            Self::One(token) => std::slice::from_ref(token),
            Self::Several(tokens) => tokens,
        }
    }
}

/// Short chunks in the order they came, found by their keys.
#[derive(Default)]
struct ShortChunks {
    chunks: Numbered<(u128, Slot)>,
    fold: Fold,
}

impl ShortChunks {
    fn get(&self, key: u128) -> Option<Slot> {
        let number = self.chunks.find(self.fold.hash(key), |(other, _)| *other == key)?;
        Some(self.chunks.entries()[number as usize].1)
    }

    fn insert(&mut self, key: u128, slot: Slot) {
        let Self { chunks, fold } = self;
        if let Some(known) =
            chunks.push_new((key, slot), |(other, _)| *other == key, |(key, _)| fold.hash(*key))
        {
            known.1 = slot;
        }
    }

    fn reserve(&mut self, n_more: usize) {
        let Self { chunks, fold } = self;
        chunks.reserve(n_more, |(key, _)| fold.hash(*key));
    }
}

/// Tokens by chunk, in one part of the cache or not yet in it.
#[derive(Default)]
pub(super) struct Part {
    short: ShortChunks,
    long: HashMap<Box<str>, Slot>,
    tokens: Vec<CachedToken>,
}

impl Part {
    pub(super) fn get(&self, key: Key) -> Option<Found<'_>> {
        self.slot(key).map(|slot| self.found(&slot))
    }

    fn slot(&self, key: Key) -> Option<Slot> {
        match key {
            Key::Short(number) => self.short.get(number),
            Key::Long(string) => self.long.get(string).copied(),
        }
    }

    fn found(&self, slot: &Slot) -> Found<'_> {
        match *slot {
            Slot::One { lexeme, length } => Found::One(CachedToken { lexeme, length, norm: 0 }),
            Slot::Several { start, end } => Found::Several(&self.tokens[start as usize..end as usize]),
        }
    }

    /// How many chunks there are.
    pub(super) fn len(&self) -> usize {
        self.short.chunks.len() + self.long.len()
    }

    /// All chunks with their tokens.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key<'_>, Found<'_>)> {
        let short =
            self.short.chunks.entries().iter().map(|(number, slot)| (Key::Short(*number), self.found(slot)));
        short.chain(self.long.iter().map(|(string, slot)| (Key::Long(string), self.found(slot))))
    }

    pub(super) fn insert(&mut self, key: Key, tokens: &[CachedToken]) {
        if self.len() >= MAX_ENTRIES || self.tokens.len() >= 8 * MAX_ENTRIES {
            *self = Self::default();
        }
        let slot = match *tokens {
            [CachedToken { lexeme, length, norm: 0 }] => Slot::One { lexeme, length },
            _ => {
                let start = self.tokens.len() as u32;
                self.tokens.extend_from_slice(tokens);
                Slot::Several { start, end: self.tokens.len() as u32 }
            }
        };
        match key {
            Key::Short(number) => self.short.insert(number, slot),
            Key::Long(string) => {
                self.long.insert(string.into(), slot);
            }
        }
    }
}

/// Hashes short keys by one wide multiplication, with secrets of the process, so that no text is made to collide.
struct Fold([u64; 2]);

impl Default for Fold {
    fn default() -> Self {
        let secrets = RandomState::new();
        Self([secrets.hash_one(0), secrets.hash_one(1)])
    }
}

impl Fold {
    fn hash(&self, key: u128) -> u64 {
        let [low, high] = [key as u64 ^ self.0[0], (key >> 64) as u64 ^ self.0[1]];
        let product = u128::from(low) * u128::from(high);
        product as u64 ^ (product >> 64) as u64
    }
}

/// Tokens by chunk.
#[derive(Default)]
pub(super) struct ChunkCache {
    kept: Part,
    transient: Part,
    zone: u64,
}

/// Where the tokens of a chunk are in a cache, as long as that does not change.
#[derive(Clone, Copy)]
pub(super) struct Place {
    slot: Slot,
    transient: bool,
}

impl ChunkCache {
    /// The place of a chunk that was seen before.
    pub(super) fn place(&self, key: Key) -> Option<Place> {
        match self.kept.slot(key) {
            Some(slot) => Some(Place { slot, transient: false }),
            None if self.zone == 0 => None,
            None => self.transient.slot(key).map(|slot| Place { slot, transient: true }),
        }
    }

    /// The tokens of a chunk.
    pub(super) fn tokens(&self, Place { slot, transient }: &Place) -> Found<'_> {
        if *transient { self.transient.found(slot) } else { self.kept.found(slot) }
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

    /// Takes over all chunks of `fresh`, their words as `lexeme_of` numbers them; `is_kept` tells which lexemes
    /// outlive the memory zone.
    pub(super) fn extend(
        &mut self,
        fresh: &Part,
        lexeme_of: impl Fn(u32) -> u32,
        is_kept: impl Fn(u32) -> bool,
    ) {
        if self.zone == 0 {
            self.kept.short.reserve(fresh.short.chunks.len());
        }
        let mut tokens = Vec::new();
        for (key, found) in fresh.iter() {
            tokens.clear();
            let numbered = |token: &CachedToken| CachedToken { lexeme: lexeme_of(token.lexeme), ..*token };
            tokens.extend(found.tokens().iter().map(numbered));
            let kept = tokens.iter().all(|token| is_kept(token.lexeme));
            let part = if kept { &mut self.kept } else { &mut self.transient };
            part.insert(key, &tokens);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key<'_> {
        Key::new(text, &Chunk { start: 0, end: text.len(), space: false })
    }

    #[test]
    fn chunks_of_every_length_are_found_and_told_apart() {
        let token = |lexeme| CachedToken { lexeme, length: 1, norm: 0 };
        let text = "a\0b".repeat(20);
        let mut part = Part::default();
        for length in 1..text.len() {
            assert!(part.get(key(&text[..length])).is_none());
            part.insert(key(&text[..length]), &vec![token(length as u32); 1 + length % 2]);
        }
        for length in 1..text.len() {
            // The rest of the text behind the chunk must not matter.
            let within = Key::new(&text, &Chunk { start: 0, end: length, space: true });
            let found = part.get(within).expect("it was put in");
            assert_eq!(found.tokens(), vec![token(length as u32); 1 + length % 2]);
        }
    }
}
