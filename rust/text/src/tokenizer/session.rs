//! Tokenizing texts in one thread: known chunks are read from the shared cache; new chunks and words are kept apart
//! and shared together at the end, so that threads hardly ever wait for each other.

use std::sync::Arc;

use parking_lot::RwLockReadGuard;
use rustc_hash::FxHashMap;

use super::cache::{CachedToken, ChunkCache, Key, Part, Place};
use super::rules::Rules;
use super::split::{Chunk, Piece, chunks};
use super::{TokenizeError, Tokenizer};
use crate::doc::Column;
use crate::doc::columns::{Columns, Token};
use crate::hash::IdMap;
use crate::lexical::Lexicon;
use crate::strings::string_id;
use crate::vocab::{LookedUp, Word};

/// Longer chunks are not remembered: they are hardly ever seen twice.
const MAX_CACHED_BYTES: usize = 256;
/// From this many new chunks on they are shared before the texts are done, so that a long text cannot fill memory.
const MAX_UNSHARED: usize = 1 << 12;
/// Room for so many new words is made with the first.
const FIRST_WORDS: usize = 1 << 10;
/// So many chunks are looked up side by side.
const BLOCK: usize = 32;
/// Set in the number of a word that has no lexeme yet; the rest is its place in [`NewWords`].
const NEW: u32 = 1 << 31;

/// Words without a lexeme so far, in the order they came.
#[derive(Default)]
struct NewWords<'x> {
    words: Vec<Word<'x>>,
    /// Their numbers by their string ids, and of those whose id another has by their strings.
    places: IdMap<u32>,
    colliding: FxHashMap<&'x str, u32>,
}

impl<'x> NewWords<'x> {
    /// The number of a word of the `place`-th text.
    fn number(&mut self, text: &'x str, place: usize) -> u32 {
        if self.words.is_empty() {
            self.places.reserve(FIRST_WORDS);
            self.words.reserve(FIRST_WORDS);
        }
        let orth = string_id(text);
        let next = NEW | self.words.len() as u32;
        let mut number = *self.places.entry(orth).or_insert(next);
        if number != next && self.words[(number ^ NEW) as usize].text != text {
            number = *self.colliding.entry(text).or_insert(next);
        }
        if number == next {
            self.words.push(Word { text, orth, place });
        }
        number
    }
}

/// The tokens of the text at hand; the memory serves one text after the other.
#[derive(Default)]
struct Words {
    tokens: Vec<Token>,
    n_chars: u32,
    /// Normal forms that tokens have of their own; empty until the first.
    norms: Vec<u64>,
}

impl Words {
    fn push(&mut self, token: &CachedToken, space: bool) {
        if token.norm != 0 || !self.norms.is_empty() {
            self.norms.resize(self.tokens.len(), 0);
            self.norms.push(token.norm);
        }
        self.tokens.push(Token { lex: token.lexeme, start: self.n_chars, space });
        self.n_chars += token.length + u32::from(space);
    }

    fn push_all(&mut self, tokens: &[CachedToken], space: bool) {
        let Some((last, others)) = tokens.split_last() else { return };
        others.iter().for_each(|token| self.push(token, false));
        self.push(last, space);
    }

    /// A document of exactly these tokens; nothing is left.
    fn take(&mut self) -> Result<Columns, TokenizeError> {
        let Self { tokens, n_chars, norms } = self;
        let mut columns = Columns::of_tokens(tokens.clone(), *n_chars);
        let stored = match norms.is_empty() {
            true => Ok(()),
            false => {
                norms.resize(tokens.len(), 0);
                columns.set_column(Column::Norm, norms.clone())
            }
        };
        tokens.clear();
        norms.clear();
        *n_chars = 0;
        stored.map_err(|error| TokenizeError::Pattern(error.to_string()))?;
        Ok(columns)
    }
}

/// Holds the shared cache still, where it is held.
type CacheGuard<'t> = Option<RwLockReadGuard<'t, ChunkCache>>;

/// Documents, each with the number of its text.
pub(super) type Documents = Vec<(usize, Columns)>;

/// The work of one thread on some of the texts, by the rules and in the memory zone of its beginning.
pub(super) struct Session<'t> {
    tokenizer: &'t Tokenizer,
    rules: &'t Arc<Rules>,
    lexicon: &'t Lexicon,
    zone: u64,
    /// Whether a function of the caller's is among the rules.
    rules_call_out: bool,
    /// Whether this thread may share before the texts are done: not beside others, or the order of the lexemes
    /// would depend on who came first.
    alone: bool,
    /// The number of the text at hand.
    number: usize,
    fresh: Part,
    new_words: NewWords<'t>,
    words: Words,
    /// Room for some chunks, for where they are in the cache, and for the pieces and tokens of one.
    block: Vec<(Chunk, Key<'t>)>,
    places: Vec<Option<Place>>,
    pieces: Vec<Piece>,
    tokens: Vec<CachedToken>,
    /// The documents of the texts so far.
    done: Documents,
}

impl<'t> Session<'t> {
    pub(super) fn new(
        tokenizer: &'t Tokenizer,
        rules: &'t Arc<Rules>,
        lexicon: &'t Lexicon,
        zone: u64,
        alone: bool,
    ) -> Self {
        Self {
            tokenizer,
            rules,
            lexicon,
            zone,
            rules_call_out: rules.call_out(),
            alone,
            number: 0,
            fresh: Part::default(),
            new_words: NewWords::default(),
            words: Words::default(),
            block: Vec::new(),
            places: Vec::new(),
            pieces: Vec::new(),
            tokens: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Makes the documents of some texts, numbered from `first` on.
    ///
    /// # Errors
    /// With the number of the text that has one.
    pub(super) fn tokenize(&mut self, first: usize, texts: &[&'t str]) -> Result<(), (usize, TokenizeError)> {
        // Threads that take the lock for each text wait for each other.
        let mut cache = None;
        for (number, text) in (first..).zip(texts) {
            self.number = number;
            let words = self.tokenize_text(text, &mut cache).and_then(|()| self.words.take());
            self.done.push((number, words.map_err(|error| (number, error))?));
        }
        Ok(())
    }

    fn tokenize_text(&mut self, text: &'t str, cache: &mut CacheGuard<'t>) -> Result<(), TokenizeError> {
        if self.rules.span_chunks(text) {
            // Functions of the caller's must not find the cache locked.
            *cache = None;
            for piece in self.rules.pieces(text)? {
                let token = self.token(text, &piece);
                self.words.push(&token, piece.space);
            }
            Ok(())
        } else {
            self.tokenize_chunks(text, cache)
        }
    }

    fn tokenize_chunks(&mut self, text: &'t str, cache: &mut CacheGuard<'t>) -> Result<(), TokenizeError> {
        let mut chunks = chunks(text);
        let mut block = std::mem::take(&mut self.block);
        loop {
            block.clear();
            block.extend(chunks.by_ref().take(BLOCK).map(|chunk| (chunk, Key::new(text, &chunk))));
            let mut rest = &*block;
            while !rest.is_empty() {
                rest = &rest[self.tokenize_block(text, rest, cache)?..];
            }
            if block.len() < BLOCK {
                self.block = block;
                return Ok(());
            }
        }
    }

    /// The tokens of some chunks; returns how many were done before the cache had to be let go of.
    fn tokenize_block(
        &mut self,
        text: &'t str,
        block: &[(Chunk, Key<'t>)],
        cache: &mut CacheGuard<'t>,
    ) -> Result<usize, TokenizeError> {
        let known = cache.get_or_insert_with(|| self.tokenizer.cache.read());
        // All are looked up before any is used, so that the memory's latencies overlap.
        self.places.clear();
        self.places.extend(block.iter().map(|(_, key)| known.place(*key)));
        for (nth, (chunk, key)) in block.iter().enumerate() {
            if let Some(place) = &self.places[nth] {
                self.words.push_all(known.tokens(place).tokens(), chunk.space);
            } else if let Some(fresh) = self.fresh.get(*key) {
                self.words.push_all(fresh.tokens(), chunk.space);
            } else if self.rules_call_out || self.is_full() {
                // Functions of the caller's must not find the cache locked, nor must the sharing.
                *cache = None;
                if self.is_full() {
                    self.share_early()?;
                }
                self.tokenize_new(text, chunk, *key)?;
                return Ok(nth + 1);
            } else {
                self.tokenize_new(text, chunk, *key)?;
            }
        }
        Ok(block.len())
    }

    /// Takes a chunk apart that was not seen before.
    fn tokenize_new(&mut self, text: &'t str, chunk: &Chunk, key: Key<'t>) -> Result<(), TokenizeError> {
        let string = &text[chunk.start..chunk.end];
        let (mut pieces, mut tokens) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.tokens));
        self.rules.chunk_pieces(string, &mut pieces)?;
        tokens.clear();
        tokens.extend(pieces.iter().map(|piece| self.token(string, piece)));
        self.words.push_all(&tokens, chunk.space);
        if string.len() <= MAX_CACHED_BYTES {
            self.fresh.insert(key, &tokens);
        }
        (self.pieces, self.tokens) = (pieces, tokens);
        Ok(())
    }

    fn token(&mut self, text: &'t str, piece: &Piece) -> CachedToken {
        let string = &text[piece.start..piece.end];
        let length = u32::try_from(string.chars().count()).unwrap_or(u32::MAX);
        CachedToken { lexeme: self.new_words.number(string, self.number), length, norm: piece.norm }
    }

    /// What is to become of the new words. Threads may do this side by side.
    pub(super) fn look_up(&mut self) -> LookedUp<'t> {
        let words = std::mem::take(&mut self.new_words).words;
        self.tokenizer.vocab.look_up(&words, self.lexicon)
    }

    /// The documents of the texts, each with its text's number, and the chunks that were not seen before.
    pub(super) fn into_parts(self) -> (Documents, Part) {
        (self.done, self.fresh)
    }

    fn is_full(&self) -> bool {
        self.alone && (self.fresh.len() >= MAX_UNSHARED || self.new_words.words.len() >= MAX_UNSHARED)
    }

    fn share_early(&mut self) -> Result<(), TokenizeError> {
        let looked_up = self.look_up();
        let lexemes = self.tokenizer.vocab.settle(&[looked_up], self.lexicon, None)?.swap_remove(0);
        give_lexemes(&mut self.done, &lexemes);
        self.words.tokens.iter_mut().for_each(|token| token.lex = lexeme_of(token.lex, &lexemes));
        let fresh = std::mem::take(&mut self.fresh);
        self.tokenizer.share(fresh, &lexemes, self.rules, self.zone);
        Ok(())
    }
}

/// The lexeme of a word that is perhaps new; `lexemes` are those of the new ones.
fn lexeme_of(word: u32, lexemes: &[u32]) -> u32 {
    if word & NEW == 0 { word } else { lexemes[(word ^ NEW) as usize] }
}

/// Gives the new words of documents their lexemes.
pub(super) fn give_lexemes(documents: &mut Documents, lexemes: &[u32]) {
    if !lexemes.is_empty() {
        documents.iter_mut().for_each(|(_, columns)| columns.renumber(|word| lexeme_of(word, lexemes)));
    }
}

impl Tokenizer {
    /// Puts new chunks into the cache, unless rules or zone have changed meanwhile, in another thread.
    pub(super) fn share(&self, fresh: Part, lexemes: &[u32], rules: &Arc<Rules>, zone: u64) {
        if lexemes.is_empty() {
            return;
        }
        // Locks are taken in one order everywhere: the rules', then the cache's.
        let current_rules = self.rules.read();
        let mut cache = self.cache.write();
        if Arc::ptr_eq(&current_rules, rules) && self.vocab.zone() == zone && cache.zone() == zone {
            cache.extend(&fresh, |word| lexeme_of(word, lexemes), |lexeme| self.vocab.is_kept(lexeme));
        }
    }
}
