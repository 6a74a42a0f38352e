//! The table of lexemes, and what becomes of words that are not in it yet.

use std::collections::HashMap;

use crate::id_index::IdIndex;
use crate::lexeme::Lexeme;
use crate::lexical::WordForms;
use crate::strings::{Texts, string_id};

/// Room for so many lexemes is made with the first.
const FIRST_LEXEMES: usize = 1 << 10;

/// Lexemes by number, found by their strings.
#[derive(Default)]
pub(crate) struct LexemeTable {
    pub(crate) lexemes: Vec<Lexeme>,
    pub(crate) texts: Texts,
    pub(crate) by_orth: IdIndex,
    /// Word types whose 64-bit id another word type has already. Hashes of that kind do not happen by chance,
    /// but a text can be made to hold them, and must still come back as it was.
    colliding: HashMap<Box<str>, u32>,
}

impl LexemeTable {
    pub(crate) fn find(&self, orth: u64, text: &str) -> Option<u32> {
        let index = self.by_orth.find(orth)?;
        if self.texts.get(index) == Some(text) { Some(index) } else { self.colliding.get(text).copied() }
    }

    /// The index of the word type with this id. Where it is new, `lexeme` becomes its lexeme.
    pub(crate) fn find_or_push(&mut self, orth: u64, text: &str, lexeme: &Lexeme) -> u32 {
        if let Some(index) = self.by_orth.find(orth) {
            if self.texts.get(index) == Some(text) {
                return index;
            }
            if let Some(&index) = self.colliding.get(text) {
                return index;
            }
            self.colliding.insert(text.into(), self.by_orth.len() as u32);
        }
        if self.lexemes.len() == self.lexemes.capacity() {
            // Memory that is not written to costs nothing, and moving lexemes is felt in a cold start.
            self.lexemes.reserve(3 * self.lexemes.len() + FIRST_LEXEMES);
        }
        self.lexemes.push(*lexeme);
        self.texts.push(text);
        self.by_orth.push(orth)
    }

    /// The index of each word type that was looked up, by thread; those that are new still are added in `order`.
    pub(crate) fn number(&mut self, looked_up: &[LookedUp], order: &[Turn]) -> Vec<Vec<u32>> {
        let mut indices: Vec<Vec<u32>> = looked_up.iter().map(|found| found.indices.clone()).collect();
        self.by_orth.reserve(order.len());
        for turn in order {
            let found = &looked_up[turn.thread as usize];
            let new = &found.new[turn.nth as usize];
            indices[turn.thread as usize][new.word as usize] =
                self.find_or_push(new.form.lexeme().orth, new.form.text(), new.form.lexeme());
        }
        indices
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.colliding.retain(|_, index| (*index as usize) < len);
        self.by_orth.truncate(len);
        self.lexemes.truncate(len);
        self.texts.truncate(len);
        self.lexemes.shrink_to(2 * len);
        self.texts.shrink();
    }
}

/// A word to be looked up.
pub struct Word<'x> {
    pub(crate) text: &'x str,
    pub(crate) orth: u64,
    /// The number of the text it is first in: words that several threads find get their lexemes in this order.
    pub(crate) place: usize,
}

impl<'x> Word<'x> {
    /// A word by itself.
    pub fn new(text: &'x str) -> Self {
        Self { text, orth: string_id(text), place: 0 }
    }
}

/// A word that has no lexeme yet.
pub(crate) struct NewWord<'x> {
    pub(crate) form: WordForms<'x>,
    /// Its number among the words that were looked up.
    pub(crate) word: u32,
    pub(crate) place: usize,
    /// Which of its strings are new, as [`WordForms::each_string`] wants it.
    pub(crate) strings: u8,
}

/// Word types that one thread looked up: the index of each, 0 for a new one, and what becomes the lexemes of those.
#[derive(Default)]
pub struct LookedUp<'x> {
    pub(crate) indices: Vec<u32>,
    pub(crate) new: Vec<NewWord<'x>>,
    /// How often the string store had lost strings when it was asked which are new.
    pub(crate) losses: u64,
}

/// A new word of one of several threads.
pub(crate) struct Turn {
    pub(crate) thread: u32,
    pub(crate) nth: u32,
}

/// The new words of all threads in the order of their texts, so that lexemes do not depend on who came first.
pub(crate) fn in_order(looked_up: &[LookedUp]) -> Vec<Turn> {
    let turns = |(thread, found): (usize, &LookedUp)| {
        let thread = thread as u32;
        (0..found.new.len() as u32).map(move |nth| Turn { thread, nth })
    };
    let mut order: Vec<Turn> = looked_up.iter().enumerate().flat_map(turns).collect();
    if looked_up.len() > 1 {
        order.sort_by_key(|turn| looked_up[turn.thread as usize].new[turn.nth as usize].place);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::Lexicon;

    #[test]
    fn colliding_word_types_keep_their_strings() {
        let mut table = LexemeTable::default();
        let lexeme = *Lexicon::default().forms("one").lexeme();
        let mut push = |text: &str| table.find_or_push(lexeme.orth, text, &lexeme);
        let (one, other) = (push("one"), push("other"));
        assert_eq!((push("one"), push("other")), (one, other));
        assert_eq!(table.find(lexeme.orth, "one"), Some(one));
        assert_eq!(table.find(lexeme.orth, "other"), Some(other));
        table.truncate(1);
        assert_eq!(table.find(lexeme.orth, "other"), None);
    }

    #[test]
    fn words_are_numbered_in_the_order_of_their_texts() {
        let lexicon = Lexicon::default();
        let thread = |words: &[(&'static str, usize)]| {
            let new = (0..).zip(words).map(|(word, &(text, place))| NewWord {
                form: lexicon.forms(text),
                word,
                place,
                strings: 0,
            });
            LookedUp { indices: vec![0; words.len()], new: new.collect(), losses: 0 }
        };
        let found = [thread(&[("c", 1), ("d", 1), ("f", 3)]), thread(&[("a", 0), ("b", 0), ("d", 2)])];
        let numbers = LexemeTable::default().number(&found, &in_order(&found));
        assert_eq!(numbers, [vec![2, 3, 4], vec![0, 1, 3]]);
    }
}
