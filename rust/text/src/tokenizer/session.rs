//! Tokenizing texts in one thread: known chunks are read from the shared cache; new chunks and words are kept apart
//! and shared together at the end, so that threads hardly ever wait for each other.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::cache::{CachedToken, Key, Part};
use super::rules::Rules;
use super::split::{Piece, chunks};
use super::{TokenizeError, Tokenizer};
use crate::doc::Column;
use crate::doc::columns::Columns;
use crate::lexical::Lexicon;
use crate::vocab::LookedUp;

/// Longer chunks are not remembered: they are hardly ever seen twice.
const MAX_CACHED_BYTES: usize = 256;
/// From this many new chunks on they are shared before the texts are done, so that a long text cannot fill memory.
const MAX_UNSHARED: usize = 1 << 12;
/// Set in the number of a word that has no lexeme yet; the rest is its place in [`NewWords`].
const NEW: u32 = 1 << 31;

/// Words without a lexeme so far, in the order they came.
#[derive(Default)]
struct NewWords<'x> {
    words: Vec<&'x str>,
    places: FxHashMap<&'x str, u32>,
}

impl<'x> NewWords<'x> {
    fn number(&mut self, word: &'x str) -> u32 {
        *self.places.entry(word).or_insert_with(|| {
            self.words.push(word);
            NEW | (self.words.len() - 1) as u32
        })
    }
}

/// The tokens of the text at hand; the memory serves one text after the other.
#[derive(Default)]
struct Words {
    lex: Vec<u32>,
    spaces: Vec<bool>,
    starts: Vec<u32>,
    n_chars: u32,
    /// Normal forms that tokens have of their own; empty until the first.
    norms: Vec<u64>,
}

impl Words {
    fn push(&mut self, token: &CachedToken, space: bool) {
        if token.norm != 0 || !self.norms.is_empty() {
            self.norms.resize(self.lex.len(), 0);
            self.norms.push(token.norm);
        }
        self.lex.push(token.lexeme);
        self.spaces.push(space);
        self.starts.push(self.n_chars);
        self.n_chars += token.length + u32::from(space);
    }

    fn push_all(&mut self, tokens: &[CachedToken], space: bool) {
        let Some((last, others)) = tokens.split_last() else { return };
        others.iter().for_each(|token| self.push(token, false));
        self.push(last, space);
    }

    /// A document of exactly these tokens; nothing is left.
    fn take(&mut self) -> Result<Columns, TokenizeError> {
        let Self { lex, spaces, starts, n_chars, norms } = self;
        let mut columns = Columns::of_words(lex.clone(), spaces.clone(), starts.clone(), *n_chars);
        let stored = match norms.is_empty() {
            true => Ok(()),
            false => {
                norms.resize(lex.len(), 0);
                columns.set_column(Column::Norm, norms.clone())
            }
        };
        lex.clear();
        spaces.clear();
        starts.clear();
        norms.clear();
        *n_chars = 0;
        stored.map_err(|error| TokenizeError::Pattern(error.to_string()))?;
        Ok(columns)
    }
}

/// The work of one thread on some of the texts, by the rules and in the memory zone of its beginning.
pub(super) struct Session<'t> {
    tokenizer: &'t Tokenizer,
    rules: &'t Arc<Rules>,
    lexicon: &'t Lexicon,
    zone: u64,
    fresh: Part,
    new_words: NewWords<'t>,
    words: Words,
    /// The documents of the texts so far, each with its text's number.
    done: Vec<(usize, Columns)>,
}

impl<'t> Session<'t> {
    pub(super) fn new(
        tokenizer: &'t Tokenizer,
        rules: &'t Arc<Rules>,
        lexicon: &'t Lexicon,
        zone: u64,
    ) -> Self {
        Self {
            tokenizer,
            rules,
            lexicon,
            zone,
            fresh: Part::default(),
            new_words: NewWords::default(),
            words: Words::default(),
            done: Vec::new(),
        }
    }

    pub(super) fn tokenize(&mut self, number: usize, text: &'t str) -> Result<(), TokenizeError> {
        if self.rules.span_chunks(text) {
            for piece in self.rules.pieces(text)? {
                let token = self.token(text, &piece);
                self.words.push(&token, piece.space);
            }
        } else {
            self.tokenize_chunks(text)?;
        }
        self.done.push((number, self.words.take()?));
        Ok(())
    }

    fn tokenize_chunks(&mut self, text: &'t str) -> Result<(), TokenizeError> {
        let tokenizer = self.tokenizer;
        // Functions of the caller's must not find the cache locked.
        let rules_call_out = self.rules.call_out();
        let mut cache = Some(tokenizer.cache.read());
        let mut tokens = Vec::new();
        for chunk in chunks(text) {
            let key = Key::new(text, &chunk);
            let shared = cache.get_or_insert_with(|| tokenizer.cache.read());
            if let Some(known) = shared.get(key).or_else(|| self.fresh.get(key)) {
                self.words.push_all(known.tokens(), chunk.space);
                continue;
            }
            if rules_call_out {
                cache = None;
            }
            let string = &text[chunk.start..chunk.end];
            tokens.clear();
            for piece in self.rules.chunk_pieces(string)? {
                tokens.push(self.token(string, &piece));
            }
            self.words.push_all(&tokens, chunk.space);
            if string.len() <= MAX_CACHED_BYTES {
                self.fresh.insert(key, &tokens);
            }
            if self.fresh.len() >= MAX_UNSHARED || self.new_words.words.len() >= MAX_UNSHARED {
                cache = None;
                self.share_early()?;
            }
        }
        Ok(())
    }

    fn token(&mut self, text: &'t str, piece: &Piece) -> CachedToken {
        let string = &text[piece.start..piece.end];
        let length = u32::try_from(string.chars().count()).unwrap_or(u32::MAX);
        CachedToken { lexeme: self.new_words.number(string), length, norm: piece.norm }
    }

    /// What is to become of the new words. Threads may do this side by side.
    pub(super) fn look_up(&mut self) -> Result<LookedUp<'t>, TokenizeError> {
        let words = std::mem::take(&mut self.new_words).words;
        Ok(self.tokenizer.vocab.look_up(&words, self.lexicon)?)
    }

    /// The documents of the texts, each with its text's number.
    pub(super) fn into_done(self) -> Vec<(usize, Columns)> {
        self.done
    }

    fn share_early(&mut self) -> Result<(), TokenizeError> {
        let looked_up = self.look_up()?;
        let lexemes = self.tokenizer.vocab.settle(&[looked_up], None);
        lexemes.iter().for_each(|lexemes| self.share(lexemes));
        Ok(())
    }

    /// Gives new words their lexemes, and puts new chunks into the shared cache, unless rules or zone have changed
    /// meanwhile, in another thread.
    pub(super) fn share(&mut self, lexemes: &[u32]) {
        if lexemes.is_empty() {
            return;
        }
        let vocab = &self.tokenizer.vocab;
        let mut fresh = std::mem::take(&mut self.fresh);
        let number = |word: u32| if word & NEW == 0 { word } else { lexemes[(word ^ NEW) as usize] };
        self.done.iter_mut().for_each(|(_, columns)| columns.renumber(number));
        self.words.lex.iter_mut().for_each(|word| *word = number(*word));
        fresh.renumber(number);
        // Locks are taken in one order everywhere: the rules', then the cache's.
        let current_rules = self.tokenizer.rules.read();
        let mut cache = self.tokenizer.cache.write();
        if Arc::ptr_eq(&current_rules, self.rules) && vocab.zone() == self.zone && cache.zone() == self.zone {
            cache.extend(&fresh, |lexeme| vocab.is_kept(lexeme));
        }
    }
}
