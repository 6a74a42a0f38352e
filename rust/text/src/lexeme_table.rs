//! The table of lexemes, and what becomes of words that are not in it yet.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::hash::IdMap;
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
    pub(crate) by_orth: IdMap<u32>,
    /// Word types whose 64-bit id another word type has already. Hashes of that kind do not happen by chance,
    /// but a text can be made to hold them, and must still come back as it was.
    colliding: HashMap<Box<str>, u32>,
}

impl LexemeTable {
    pub(crate) fn find(&self, orth: u64, text: &str) -> Option<u32> {
        let index = *self.by_orth.get(&orth)?;
        if self.texts.get(index) == Some(text) { Some(index) } else { self.colliding.get(text).copied() }
    }

    /// The index of the word type with this id. Where it is new, `lexeme` becomes its lexeme.
    pub(crate) fn find_or_push(&mut self, orth: u64, text: &str, lexeme: &Lexeme) -> u32 {
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
    pub(crate) fn number(&mut self, LookedUp { indices, forms, .. }: &LookedUp) -> Vec<u32> {
        let mut forms = forms.iter();
        let mut push = || forms.next().map(|form| self.find_or_push(form.orth, form.text(), &form.lexeme));
        indices.iter().filter_map(|known| known.or_else(&mut push)).collect()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
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
    pub(crate) indices: Vec<Option<u32>>,
    pub(crate) forms: Vec<WordForms<'x>>,
    /// Which strings of each of the forms are new, as [`WordForms::each_string`] wants it.
    pub(crate) new_strings: Vec<u8>,
    /// How often the string store had lost strings when it was asked for those.
    pub(crate) losses: u64,
}

impl LookedUp<'_> {
    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexical::Lexicon;

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
