//! The tokenizer: spaCy's rule kind, in time linear in the text.
//!
//! A text is cut at white space; each chunk is taken apart once and remembered. Affixes are peeled off by moving
//! two indices; prefixes are only tried at the front, suffixes run from the back.

mod cache;
pub mod python_regex;
mod reverse;
mod rules;
mod search;
mod split;

use std::sync::Arc;

use parking_lot::RwLock;

use crate::doc::Column;
use crate::doc::columns::Columns;
use crate::vocab::{HookError, Vocab};
use cache::{CachedToken, ChunkCache};
pub use python_regex::PatternError;
pub use rules::{Rules, SpecialToken};
pub use search::{CustomSearch, Search};
pub use split::{Chunk, Chunks, Kind, Piece, chunks};

/// Longer chunks are not remembered: they are hardly ever seen twice.
const MAX_CACHED_BYTES: usize = 256;

/// Why a text could not be tokenized.
#[derive(Debug, thiserror::Error)]
pub enum TokenizeError {
    /// A function of the caller's failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// A pattern of the rules gave up.
    #[error("tokenizer: a pattern of the rules cannot be run: {0}")]
    Pattern(String),
}

impl From<fancy_regex::Error> for TokenizeError {
    fn from(error: fancy_regex::Error) -> Self {
        Self::Pattern(error.to_string())
    }
}

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

/// A tokenizer, safe to share between threads.
pub struct Tokenizer {
    vocab: Arc<Vocab>,
    rules: RwLock<Arc<Rules>>,
    cache: RwLock<ChunkCache>,
}

impl Tokenizer {
    /// A tokenizer with these rules.
    pub fn new(vocab: Arc<Vocab>, rules: Rules) -> Self {
        Self { vocab, rules: RwLock::new(Arc::new(rules)), cache: RwLock::default() }
    }

    /// The vocabulary of its tokens.
    pub fn vocab(&self) -> &Arc<Vocab> {
        &self.vocab
    }

    /// The rules.
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.read().clone()
    }

    /// Changes the rules and forgets what chunks became by the old ones. On an error the old ones stay.
    pub fn change_rules<E>(&self, change: impl FnOnce(&mut Rules) -> Result<(), E>) -> Result<(), E> {
        let mut rules = self.rules.write();
        let mut changed = Rules::clone(&rules);
        change(&mut changed)?;
        *rules = Arc::new(changed);
        *self.cache.write() = ChunkCache::default();
        Ok(())
    }

    /// The tokens of a text as a document. Put together with their spaces they are the text, whatever the rules.
    ///
    /// # Errors
    /// [`TokenizeError`] where a function of the caller's fails or a pattern gives up.
    pub fn tokenize(&self, text: &str) -> Result<Columns, TokenizeError> {
        let rules = self.rules();
        let zone = self.vocab.zone();
        if self.cache.read().zone() != zone {
            self.cache.write().enter_zone(zone);
        }
        // A word and its space take six bytes on average.
        let mut columns = Columns::with_capacity(text.len() / 6 + 1);
        let mut norms = Norms::default();
        if rules.special_with_space {
            // Special cases may span chunks: texts are treated whole, and chunks not remembered.
            for piece in rules.pieces(text)? {
                let token = self.token(text, &piece)?;
                norms.push(columns.len(), token.norm);
                columns.push(token.lexeme, token.length, piece.space);
            }
        } else {
            self.tokenize_chunks(&rules, text, zone, &mut columns, &mut norms)?;
        }
        norms.store(&mut columns)?;
        Ok(columns)
    }

    fn tokenize_chunks(
        &self,
        rules: &Rules,
        text: &str,
        zone: u64,
        columns: &mut Columns,
        norms: &mut Norms,
    ) -> Result<(), TokenizeError> {
        let mut push = |tokens: &[CachedToken], space: bool| {
            for (at, token) in tokens.iter().enumerate() {
                norms.push(columns.len(), token.norm);
                columns.push(token.lexeme, token.length, space && at + 1 == tokens.len());
            }
        };
        let mut cache = self.cache.read();
        for chunk in chunks(text) {
            let string = &text[chunk.start..chunk.end];
            if let Some(known) = cache.get(string) {
                push(known, chunk.space);
            } else {
                drop(cache);
                push(&self.take_apart(rules, string, zone)?, chunk.space);
                cache = self.cache.read();
            }
        }
        Ok(())
    }

    fn token(&self, text: &str, piece: &Piece) -> Result<CachedToken, TokenizeError> {
        let string = &text[piece.start..piece.end];
        let length = u32::try_from(string.chars().count()).unwrap_or(u32::MAX);
        Ok(CachedToken { lexeme: self.vocab.lexeme(string)?, length, norm: piece.norm })
    }

    fn take_apart(&self, rules: &Rules, chunk: &str, zone: u64) -> Result<Vec<CachedToken>, TokenizeError> {
        let pieces = rules.chunk_pieces(chunk)?;
        let tokens = pieces.iter().map(|piece| self.token(chunk, piece)).collect::<Result<Vec<_>, _>>()?;
        if chunk.len() <= MAX_CACHED_BYTES {
            let kept = tokens.iter().all(|token| self.vocab.is_kept(token.lexeme));
            // Rules or zone may have changed meanwhile, in another thread. Locks are taken in one order everywhere:
            // the rules', then the cache's.
            let current_rules = self.rules.read();
            let mut cache = self.cache.write();
            let current = std::ptr::eq(&raw const **current_rules, rules) && self.vocab.zone() == zone;
            if current && cache.zone() == zone {
                cache.insert(chunk, &tokens, kept);
            }
        }
        Ok(tokens)
    }
}
