//! Tokenizing a few texts in one thread: known chunks are read from the shared cache, new ones are kept apart and
//! shared at the end, so that threads hardly ever wait for each other.

use std::sync::Arc;

use super::cache::{CachedToken, Part};
use super::rules::Rules;
use super::split::{Piece, chunks};
use super::{TokenizeError, Tokenizer};
use crate::doc::Column;
use crate::doc::columns::Columns;

/// Longer chunks are not remembered: they are hardly ever seen twice.
const MAX_CACHED_BYTES: usize = 256;
/// From this many new chunks on they are shared before the texts are done, so that a long text cannot fill memory.
const MAX_UNSHARED: usize = 1 << 12;

/// Normal forms that tokens of a document have of their own; nothing is kept until the first.
#[derive(Default)]
struct Norms(Vec<u64>);

impl Norms {
    /// Notes the norm of the token at `at`, 0 for none. Tokens come in order.
    fn push(&mut self, at: usize, norm: u64) {
        if norm != 0 || !self.0.is_empty() {
            self.0.resize(at, 0);
            self.0.push(norm);
        }
    }

    fn store(mut self, columns: &mut Columns) -> Result<(), TokenizeError> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.resize(columns.len(), 0);
        columns.set_column(Column::Norm, self.0).map_err(|error| TokenizeError::Pattern(error.to_string()))
    }
}

/// The work of one thread on a few texts, by the rules and in the memory zone of its beginning.
pub(super) struct Session<'t> {
    tokenizer: &'t Tokenizer,
    rules: Arc<Rules>,
    zone: u64,
    fresh: Part,
}

impl<'t> Session<'t> {
    pub(super) fn new(tokenizer: &'t Tokenizer) -> Self {
        let (rules, zone) = (tokenizer.rules(), tokenizer.vocab.zone());
        if tokenizer.cache.read().zone() != zone {
            tokenizer.cache.write().enter_zone(zone);
        }
        Self { tokenizer, rules, zone, fresh: Part::default() }
    }

    pub(super) fn tokenize(&mut self, text: &str) -> Result<Columns, TokenizeError> {
        // A word and its space take six bytes on average.
        let mut columns = Columns::with_capacity(text.len() / 6 + 1);
        let mut norms = Norms::default();
        if self.rules.span_chunks(text) {
            for piece in self.rules.pieces(text)? {
                let token = self.token(text, &piece)?;
                norms.push(columns.len(), token.norm);
                columns.push(token.lexeme, token.length, piece.space);
            }
        } else {
            self.tokenize_chunks(text, &mut columns, &mut norms)?;
        }
        norms.store(&mut columns)?;
        Ok(columns)
    }

    fn tokenize_chunks(
        &mut self,
        text: &str,
        columns: &mut Columns,
        norms: &mut Norms,
    ) -> Result<(), TokenizeError> {
        let mut push = |tokens: &[CachedToken], space: bool| {
            for (at, token) in tokens.iter().enumerate() {
                norms.push(columns.len(), token.norm);
                columns.push(token.lexeme, token.length, space && at + 1 == tokens.len());
            }
        };
        let tokenizer = self.tokenizer;
        let mut cache = tokenizer.cache.read();
        for chunk in chunks(text) {
            let string = &text[chunk.start..chunk.end];
            if let Some(known) = cache.get(string).or_else(|| self.fresh.get(string)) {
                push(known, chunk.space);
                continue;
            }
            // Functions of the caller's may run now, which must not find the cache locked.
            drop(cache);
            let pieces = self.rules.chunk_pieces(string)?;
            let tokens =
                pieces.iter().map(|piece| self.token(string, piece)).collect::<Result<Vec<_>, _>>()?;
            push(&tokens, chunk.space);
            if string.len() <= MAX_CACHED_BYTES {
                self.fresh.insert(string, &tokens);
            }
            if self.fresh.len() >= MAX_UNSHARED {
                self.share();
            }
            cache = tokenizer.cache.read();
        }
        Ok(())
    }

    fn token(&self, text: &str, piece: &Piece) -> Result<CachedToken, TokenizeError> {
        let string = &text[piece.start..piece.end];
        let length = u32::try_from(string.chars().count()).unwrap_or(u32::MAX);
        Ok(CachedToken { lexeme: self.tokenizer.vocab.lexeme(string)?, length, norm: piece.norm })
    }

    /// Puts what is new into the shared cache, unless rules or zone have changed meanwhile, in another thread.
    pub(super) fn share(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        if fresh.len() == 0 {
            return;
        }
        let vocab = &self.tokenizer.vocab;
        // Locks are taken in one order everywhere: the rules', then the cache's.
        let current_rules = self.tokenizer.rules.read();
        let mut cache = self.tokenizer.cache.write();
        if Arc::ptr_eq(&current_rules, &self.rules) && vocab.zone() == self.zone && cache.zone() == self.zone
        {
            for (chunk, tokens) in fresh.iter() {
                cache.insert(chunk, tokens, tokens.iter().all(|token| vocab.is_kept(token.lexeme)));
            }
        }
    }
}
