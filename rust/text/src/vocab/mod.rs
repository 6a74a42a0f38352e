//! The vocabulary: a string store and one lexeme a word type.
//!
//! Lexemes are numbered in the order they come and only added, so a document can hold bare indices. A memory zone
//! remembers how long the table was and cuts it there when it ends; [`Vocab::zone`] tells documents of an ended
//! zone from live ones.

mod new_words;
mod zones;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::{RwLock, RwLockReadGuard};

use crate::lexeme::Lexeme;
use crate::lexeme_table::LexemeTable;
pub use crate::lexeme_table::{LookedUp, Word};
use crate::lexical::Lexicon;
use crate::strings::{StringStore, string_id};
pub(crate) use new_words::WORTH_A_THREAD;
pub use new_words::{HookError, LexemeHook};
pub use zones::ZoneOpen;

/// Read access to the lexeme table for many look-ups under one lock.
pub struct VocabRead<'a>(RwLockReadGuard<'a, LexemeTable>);

impl VocabRead<'_> {
    /// All lexemes, by index.
    pub fn lexemes(&self) -> &[Lexeme] {
        &self.0.lexemes
    }

    /// The lexeme with this index, `None` where a memory zone has let go of it.
    pub fn lexeme(&self, index: u32) -> Option<&Lexeme> {
        self.0.lexemes.get(index as usize)
    }

    /// The string of the lexeme with this index.
    pub fn text(&self, index: u32) -> Option<&str> {
        self.0.texts.get(index)
    }

    /// The index of a word type's lexeme, where it has been seen.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.0.find(string_id(text), text)
    }

    /// The index of the lexeme whose string has this id.
    pub fn find_orth(&self, orth: u64) -> Option<u32> {
        self.0.by_orth.find(orth)
    }

    /// How many lexemes there are.
    pub fn len(&self) -> usize {
        self.0.lexemes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.lexemes.is_empty()
    }
}

/// Strings and lexemes, safe to share between threads.
pub struct Vocab {
    strings: Arc<StringStore>,
    table: RwLock<LexemeTable>,
    lexicon: RwLock<Arc<Lexicon>>,
    hook: RwLock<Option<Arc<dyn LexemeHook>>>,
    /// Number of the open zone, 0 where none is open.
    zone: AtomicU64,
    zones_begun: AtomicU64,
    /// Length of the table when the open zone began.
    zone_start: RwLock<usize>,
}

impl Vocab {
    /// A vocabulary of the language of `lexicon`, on `strings`.
    pub fn new(strings: Arc<StringStore>, lexicon: Lexicon) -> Self {
        Self {
            strings,
            table: RwLock::default(),
            lexicon: RwLock::new(Arc::new(lexicon)),
            hook: RwLock::new(None),
            zone: AtomicU64::new(0),
            zones_begun: AtomicU64::new(0),
            zone_start: RwLock::new(0),
        }
    }

    /// The string store.
    pub fn strings(&self) -> &Arc<StringStore> {
        &self.strings
    }

    /// What the language knows of its words.
    pub fn lexicon(&self) -> Arc<Lexicon> {
        self.lexicon.read().clone()
    }

    /// Lets the language know other things of its words from here on; lexemes that exist stay as they are.
    pub fn set_lexicon(&self, lexicon: Lexicon) {
        *self.lexicon.write() = Arc::new(lexicon);
    }

    /// Has `hook` adjust each lexeme made from here on.
    pub fn set_hook(&self, hook: Option<Arc<dyn LexemeHook>>) {
        *self.hook.write() = hook;
    }

    /// A copy of the lexeme with this index, `None` where a memory zone has let go of it.
    pub fn lexeme_record(&self, index: u32) -> Option<Lexeme> {
        self.table.read().lexemes.get(index as usize).copied()
    }

    /// Changes the lexeme with this index in place; `None` where there is none.
    pub fn change_lexeme<R>(&self, index: u32, change: impl FnOnce(&mut Lexeme) -> R) -> Option<R> {
        self.table.write().lexemes.get_mut(index as usize).map(change)
    }

    /// Changes every lexeme in place, with its string.
    pub fn change_lexemes(&self, mut change: impl FnMut(&str, &mut Lexeme)) {
        let table = &mut *self.table.write();
        for (text, lexeme) in table.texts.iter().zip(&mut table.lexemes) {
            change(text, lexeme);
        }
    }

    /// Holds the lexeme table still for reading. Making lexemes from the same thread meanwhile would deadlock.
    pub fn read(&self) -> VocabRead<'_> {
        VocabRead(self.table.read())
    }
}
