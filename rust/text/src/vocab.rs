//! The vocabulary: a string store and one lexeme a word type.
//!
//! Lexemes are numbered in the order they come and only added, so a document can hold bare indices. A memory zone
//! remembers how long the table was and cuts it there when it ends; [`Vocab::zone`] tells documents of an ended
//! zone from live ones.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockReadGuard};
use rayon::ThreadPool;

use crate::hash::IdMap;
use crate::lexeme::Lexeme;
use crate::lexical::{Lexicon, WordForms};
use crate::strings::{StringStore, Texts, string_id};

/// Changes the attributes of each new lexeme: what a caller's own attribute getters say of its string.
pub trait LexemeHook: Send + Sync {
    /// Called once a word type, without a lock held.
    fn adjust(&self, text: &str, lexeme: &mut Lexeme, strings: &StringStore) -> Result<(), HookError>;
}

/// An error of a caller's own attribute getter, as it came.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// Why a memory zone could not be opened or closed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("memory_zone: a zone is open on this vocabulary already; end it before opening another")]
pub struct ZoneOpen;

/// Room for so many lexemes is made with the first.
const FIRST_LEXEMES: usize = 1 << 10;
/// From this many new words on another thread keeps their strings.
const WORTH_A_THREAD: usize = 256;

#[derive(Default)]
struct LexemeTable {
    lexemes: Vec<Lexeme>,
    texts: Texts,
    by_orth: IdMap<u32>,
    /// Word types whose 64-bit id another word type has already. Hashes of that kind do not happen by chance,
    /// but a text can be made to hold them, and must still come back as it was.
    colliding: HashMap<Box<str>, u32>,
}

impl LexemeTable {
    fn find(&self, orth: u64, text: &str) -> Option<u32> {
        let index = *self.by_orth.get(&orth)?;
        if self.texts.get(index) == Some(text) { Some(index) } else { self.colliding.get(text).copied() }
    }

    /// The index of the word type with this id. Where it is new, `lexeme` becomes its lexeme.
    fn find_or_push(&mut self, orth: u64, text: &str, lexeme: &Lexeme) -> u32 {
        let index = u32::try_from(self.lexemes.len()).expect("a vocabulary holds fewer than 2^32 lexemes");
        match self.by_orth.entry(orth) {
            Entry::Vacant(free) => {
                free.insert(index);
            }
            Entry::Occupied(taken) if self.texts.get(*taken.get()) == Some(text) => {
                return *taken.get();
            }
            Entry::Occupied(_) => match self.colliding.get(text) {
                Some(&index) => return index,
                None => {
                    self.colliding.insert(text.into(), index);
                }
            },
        }
        if self.lexemes.len() == self.lexemes.capacity() {
            // Memory that is not written to costs nothing, and moving lexemes is felt in a cold start.
            self.lexemes.reserve(3 * self.lexemes.len() + FIRST_LEXEMES);
        }
        self.lexemes.push(*lexeme);
        self.texts.push(text);
        index
    }

    /// The index of each word type that was looked up, added where it is new still.
    fn number(&mut self, LookedUp { indices, forms }: &LookedUp) -> Vec<u32> {
        let mut forms = forms.iter();
        let mut push = || forms.next().map(|form| self.find_or_push(form.orth, form.text(), &form.lexeme));
        indices.iter().filter_map(|known| known.or_else(&mut push)).collect()
    }

    fn truncate(&mut self, len: usize) {
        for index in len as u32..self.lexemes.len() as u32 {
            let Some(text) = self.texts.get(index) else { continue };
            let orth = string_id(text);
            if self.by_orth.get(&orth) == Some(&index) {
                self.by_orth.remove(&orth);
            } else {
                self.colliding.remove(text);
            }
        }
        self.lexemes.truncate(len);
        self.texts.truncate(len);
        self.lexemes.shrink_to(2 * len);
        self.texts.shrink();
        self.by_orth.shrink_to(2 * len);
    }
}

/// Word types that were looked up: the index of each known one, and in order what becomes the lexemes of the others.
#[derive(Default)]
pub struct LookedUp<'x> {
    indices: Vec<Option<u32>>,
    forms: Vec<WordForms<'x>>,
}

impl LookedUp<'_> {
    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

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
        self.0.by_orth.get(&orth).copied()
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

    /// The index of the lexeme of `text`, made where the word type is new.
    ///
    /// # Errors
    /// Those of the [`LexemeHook`]; without one there are none.
    pub fn lexeme(&self, text: &str) -> Result<u32, HookError> {
        Ok(self.lexemes(&[text])?[0])
    }

    /// The indices of the lexemes of several strings, with fewer locks taken than one by one.
    ///
    /// # Errors
    /// As [`lexeme`](Self::lexeme), for the first string that has one; those before it are made.
    pub fn lexemes(&self, texts: &[&str]) -> Result<Vec<u32>, HookError> {
        let lexicon = self.lexicon();
        let looked_up = self.look_up(texts, &lexicon)?;
        Ok(self.settle(&[looked_up], None).swap_remove(0))
    }

    /// The first half of [`lexemes`](Self::lexemes), which changes nothing without a hook: several threads can do it
    /// side by side, and one settles for all of them. `lexicon` is this vocabulary's.
    ///
    /// # Errors
    /// As [`lexemes`](Self::lexemes).
    pub fn look_up<'x>(&self, texts: &[&'x str], lexicon: &'x Lexicon) -> Result<LookedUp<'x>, HookError> {
        let hook = self.hook.read().clone();
        let mut indices: Vec<Option<u32>> = {
            let table = self.table.read();
            texts.iter().map(|text| table.find(string_id(text), text)).collect()
        };
        let n_new = indices.iter().filter(|index| index.is_none()).count();
        let new = texts.iter().zip(&mut indices).filter(|(_, index)| index.is_none());
        let mut forms = Vec::new();
        match hook {
            None => {
                forms.reserve_exact(n_new);
                forms.extend(new.map(|(text, _)| lexicon.forms(text)));
            }
            // A hook may ask this vocabulary for anything, so its lexemes are made one by one.
            Some(hook) => {
                for (text, index) in new {
                    *index = Some(self.make_adjusted(text, lexicon, &*hook)?);
                }
            }
        }
        Ok(LookedUp { indices, forms })
    }

    /// The second half of [`lexemes`](Self::lexemes): makes the lexemes that are not there yet, of all that was looked
    /// up. With a pool another thread keeps their strings meanwhile.
    pub fn settle(&self, looked_up: &[LookedUp], pool: Option<&ThreadPool>) -> Vec<Vec<u32>> {
        let table = &mut *self.table.write();
        let keep = || self.keep_strings(looked_up.iter().flat_map(|found| &found.forms));
        let mut number = || looked_up.iter().map(|found| table.number(found)).collect();
        match pool.filter(|_| looked_up.iter().any(|found| found.forms.len() > WORTH_A_THREAD)) {
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn(|_| keep());
                number()
            }),
            None => {
                keep();
                number()
            }
        }
    }

    fn keep_strings<'f>(&self, forms: impl IntoIterator<Item = &'f WordForms<'f>>) {
        let mut strings = self.strings.write();
        for form in forms {
            form.each_string(|id, string| strings.add_transient(id, string));
        }
    }

    /// Makes a lexeme with what a hook says of it, where another thread has not made it meanwhile.
    fn make_adjusted(&self, text: &str, lexicon: &Lexicon, hook: &dyn LexemeHook) -> Result<u32, HookError> {
        loop {
            let zone = self.zone();
            let mut form = lexicon.forms(text);
            // The hook finds the strings of the lexeme in the store.
            self.keep_strings([&form]);
            hook.adjust(text, &mut form.lexeme, &self.strings)?;
            let mut table = self.table.write();
            // Another thread may have ended the zone that held the strings a hook has just added.
            if zone == self.zone() {
                return Ok(table.find_or_push(form.orth, text, &form.lexeme));
            }
        }
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

    /// The number of the open memory zone, 0 where none is open. Numbers are never used twice.
    ///
    /// A document takes this number when it is made. It is alive while [`is_alive`](Self::is_alive) holds for it.
    pub fn zone(&self) -> u64 {
        self.zone.load(Ordering::Acquire)
    }

    /// Whether what was made in this zone still exists: outside any (0), or in the one that is open.
    pub fn is_alive(&self, zone: u64) -> bool {
        zone == 0 || zone == self.zone()
    }

    /// Whether the lexeme outlives the open memory zone.
    pub fn is_kept(&self, index: u32) -> bool {
        self.zone() == 0 || (index as usize) < *self.zone_start.read()
    }

    /// Opens a memory zone and returns its number: lexemes and their strings last until its end.
    ///
    /// # Errors
    /// [`ZoneOpen`] where one is open already.
    pub fn begin_zone(&self) -> Result<u64, ZoneOpen> {
        let table = self.table.write();
        if self.zone() != 0 {
            return Err(ZoneOpen);
        }
        let zone = self.zones_begun.fetch_add(1, Ordering::AcqRel) + 1;
        *self.zone_start.write() = table.lexemes.len();
        self.strings.begin_zone();
        self.zone.store(zone, Ordering::Release);
        Ok(zone)
    }

    /// Ends the open memory zone and lets go of its lexemes and strings. Does nothing where none is open.
    pub fn end_zone(&self) {
        let mut table = self.table.write();
        if self.zone() == 0 {
            return;
        }
        self.zone.store(0, Ordering::Release);
        table.truncate(*self.zone_start.read());
        self.strings.end_zone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocab() -> Vocab {
        Vocab::new(Arc::default(), Lexicon { lang: "en".into(), ..Lexicon::default() })
    }

    #[test]
    fn a_word_type_has_one_lexeme() {
        let vocab = vocab();
        let index = vocab.lexeme("Apple").unwrap();
        assert_eq!(vocab.lexeme("Apple").unwrap(), index);
        let lexeme = vocab.lexeme_record(index).unwrap();
        let text = |id| vocab.strings().get(id).unwrap();
        let strings = [lexeme.lower, lexeme.prefix, lexeme.suffix, lexeme.shape, lexeme.lang].map(text);
        assert_eq!(strings, ["apple", "A", "ple", "Xxxxx", "en"]);
        assert_eq!(lexeme.length, 5);
    }

    #[test]
    fn the_end_of_a_zone_cuts_the_table() {
        let vocab = vocab();
        let kept = vocab.lexeme("kept").unwrap();
        let zone = vocab.begin_zone().unwrap();
        let brought = vocab.lexeme("brought").unwrap();
        assert!(vocab.is_kept(kept) && !vocab.is_kept(brought));
        assert!(vocab.is_alive(zone) && vocab.begin_zone() == Err(ZoneOpen));
        vocab.end_zone();
        assert!(!vocab.is_alive(zone) && vocab.is_alive(0));
        assert_eq!(vocab.read().len(), 1);
        assert_eq!(vocab.read().find("brought"), None);
        assert_eq!(vocab.lexeme_record(brought), None);
        assert_eq!(vocab.strings().get(string_id("brought")), None);
        assert!(vocab.begin_zone().unwrap() > zone);
    }

    #[test]
    fn colliding_word_types_keep_their_strings() {
        let mut table = LexemeTable::default();
        let lexeme = Lexicon::default().forms("one").lexeme;
        let mut push = |text: &str| table.find_or_push(lexeme.orth, text, &lexeme);
        let (one, other) = (push("one"), push("other"));
        assert_eq!((push("one"), push("other")), (one, other));
        assert_eq!(table.find(lexeme.orth, "one"), Some(one));
        assert_eq!(table.find(lexeme.orth, "other"), Some(other));
        table.truncate(1);
        assert_eq!(table.find(lexeme.orth, "other"), None);
    }
}
