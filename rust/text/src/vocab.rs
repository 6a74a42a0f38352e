//! The vocabulary: a string store and one lexeme a word type.
//!
//! Lexemes are numbered in the order they come and only added, so a document can hold bare indices. A memory zone
//! remembers how long the table was and cuts it there when it ends; [`Vocab::zone`] tells documents of an ended
//! zone from live ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockReadGuard};
use rayon::ThreadPool;

use crate::lexeme::Lexeme;
use crate::lexeme_table::{LexemeTable, NewWord, Turn, in_order};
pub use crate::lexeme_table::{LookedUp, Word};
use crate::lexical::{EVERY_STRING, Lexicon};
use crate::strings::{StringStore, string_id};

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

/// From this many new words on another thread does its share of what is done after looking them up.
pub(crate) const WORTH_A_THREAD: usize = 256;

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
        let words: Vec<Word> = texts.iter().map(|text| Word::new(text)).collect();
        Ok(self.settle(&[self.look_up(&words, &lexicon)], &lexicon, None)?.swap_remove(0))
    }

    /// The first half of [`lexemes`](Self::lexemes), which changes nothing: several threads can do it side by side,
    /// and one settles for all of them. `lexicon` is this vocabulary's.
    pub fn look_up<'x>(&self, words: &[Word<'x>], lexicon: &'x Lexicon) -> LookedUp<'x> {
        let known: Vec<Option<u32>> = {
            let table = self.table.read();
            words.iter().map(|word| table.find(word.orth, word.text)).collect()
        };
        let mut new = Vec::with_capacity(known.iter().filter(|index| index.is_none()).count());
        for (nth, word) in words.iter().enumerate().filter(|(nth, _)| known[*nth].is_none()) {
            let form = lexicon.forms_of(word.text, word.orth);
            new.push(NewWord { form, word: nth as u32, place: word.place, strings: 0 });
        }
        let strings = self.strings.read();
        for NewWord { form, strings: which, .. } in &mut new {
            *which = form.strings_where(|id| !strings.contains(id));
        }
        let indices = known.into_iter().map(Option::unwrap_or_default).collect();
        LookedUp { indices, new, losses: strings.losses() }
    }

    /// The second half of [`lexemes`](Self::lexemes): makes the lexemes that are not there yet, of all that was looked
    /// up, in the order of the texts. With a pool another thread keeps their strings meanwhile.
    ///
    /// # Errors
    /// As [`lexemes`](Self::lexemes).
    pub fn settle(
        &self,
        looked_up: &[LookedUp],
        lexicon: &Lexicon,
        pool: Option<&ThreadPool>,
    ) -> Result<Vec<Vec<u32>>, HookError> {
        let order = in_order(looked_up);
        let hook = self.hook.read().clone();
        if let Some(hook) = hook {
            return self.settle_adjusted(looked_up, &order, lexicon, &*hook);
        }
        let table = &mut *self.table.write();
        let keep = || self.keep_strings(looked_up, &order);
        Ok(match pool.filter(|_| order.len() > WORTH_A_THREAD) {
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn(|_| keep());
                table.number(looked_up, &order)
            }),
            None => {
                keep();
                table.number(looked_up, &order)
            }
        })
    }

    fn keep_strings(&self, looked_up: &[LookedUp], order: &[Turn]) {
        let mut strings = self.strings.write();
        let losses = strings.losses();
        strings.reserve(order.len());
        for turn in order {
            let found = &looked_up[turn.thread as usize];
            let NewWord { form, strings: new, .. } = &found.new[turn.nth as usize];
            // What was there may have gone since, with a memory zone or a load that failed.
            let all_if_lost = if losses == found.losses { 0 } else { EVERY_STRING };
            form.each_string(new | all_if_lost, |id, string| strings.add_transient(id, string));
        }
    }

    /// A hook may ask this vocabulary for anything, so its lexemes are made one by one.
    fn settle_adjusted(
        &self,
        looked_up: &[LookedUp],
        order: &[Turn],
        lexicon: &Lexicon,
        hook: &dyn LexemeHook,
    ) -> Result<Vec<Vec<u32>>, HookError> {
        let mut indices: Vec<Vec<u32>> = looked_up.iter().map(|found| found.indices.clone()).collect();
        for Turn { thread, nth } in order {
            let new = &looked_up[*thread as usize].new[*nth as usize];
            let (orth, text) = (new.form.lexeme().orth, new.form.text());
            let made = self.table.read().find(orth, text);
            indices[*thread as usize][new.word as usize] = match made {
                Some(index) => index,
                None => self.make_adjusted(text, lexicon, hook)?,
            };
        }
        Ok(indices)
    }

    /// Makes a lexeme with what a hook says of it, where another thread has not made it meanwhile.
    fn make_adjusted(&self, text: &str, lexicon: &Lexicon, hook: &dyn LexemeHook) -> Result<u32, HookError> {
        loop {
            let zone = self.zone();
            let form = lexicon.forms(text);
            // The hook finds the strings of the lexeme in the store.
            {
                let mut strings = self.strings.write();
                form.each_string(EVERY_STRING, |id, string| strings.add_transient(id, string));
            }
            let mut lexeme = *form.lexeme();
            hook.adjust(text, &mut lexeme, &self.strings)?;
            let mut table = self.table.write();
            // Another thread may have ended the zone that held the strings a hook has just added.
            if zone == self.zone() {
                return Ok(table.find_or_push(form.lexeme().orth, text, &lexeme));
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
}
