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

/// The tokens of a text as columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Index of the lexeme of each token.
    pub lexemes: Vec<u32>,
    /// Whether a space follows each token.
    pub spaces: Vec<bool>,
    /// String ids of normal forms of tokens' own, 0 where a token has none. Empty where no token has one.
    pub norms: Vec<u64>,
    /// The memory zone the tokens were made in, 0 for none.
    pub zone: u64,
}

impl Tokens {
    fn push(&mut self, token: CachedToken) {
        if token.norm != 0 && self.norms.is_empty() {
            self.norms.resize(self.lexemes.len(), 0);
        }
        if token.norm != 0 || !self.norms.is_empty() {
            self.norms.push(token.norm);
        }
        self.lexemes.push(token.lexeme);
        self.spaces.push(false);
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

    /// The tokens of a text. Put together with their spaces they are the text, whatever the rules.
    ///
    /// # Errors
    /// [`TokenizeError`] where a function of the caller's fails or a pattern gives up.
    pub fn tokenize(&self, text: &str) -> Result<Tokens, TokenizeError> {
        let rules = self.rules();
        let zone = self.vocab.zone();
        if self.cache.read().zone() != zone {
            self.cache.write().enter_zone(zone);
        }
        // A word and its space take six bytes on average.
        let expected = text.len() / 6 + 1;
        let mut tokens = Tokens {
            lexemes: Vec::with_capacity(expected),
            spaces: Vec::with_capacity(expected),
            norms: Vec::new(),
            zone,
        };
        if rules.special_with_space {
            self.tokenize_whole(&rules, text, &mut tokens)?;
        } else {
            self.tokenize_chunks(&rules, text, &mut tokens)?;
        }
        Ok(tokens)
    }

    fn tokenize_chunks(&self, rules: &Rules, text: &str, tokens: &mut Tokens) -> Result<(), TokenizeError> {
        let mut cache = self.cache.read();
        for chunk in chunks(text) {
            let string = &text[chunk.start..chunk.end];
            if let Some(known) = cache.get(string) {
                known.iter().for_each(|&token| tokens.push(token));
            } else {
                drop(cache);
                let new = self.take_apart(rules, string, tokens.zone)?;
                new.iter().for_each(|&token| tokens.push(token));
                cache = self.cache.read();
            }
            if let Some(space) = tokens.spaces.last_mut() {
                *space = chunk.space;
            }
        }
        Ok(())
    }

    /// With special cases that hold white space, texts are treated whole and chunks not remembered.
    fn tokenize_whole(&self, rules: &Rules, text: &str, tokens: &mut Tokens) -> Result<(), TokenizeError> {
        for piece in rules.pieces(text)? {
            let lexeme = self.vocab.lexeme(&text[piece.start..piece.end])?;
            tokens.push(CachedToken { lexeme, norm: piece.norm });
            if let Some(space) = tokens.spaces.last_mut() {
                *space = piece.space;
            }
        }
        Ok(())
    }

    fn take_apart(&self, rules: &Rules, chunk: &str, zone: u64) -> Result<Vec<CachedToken>, TokenizeError> {
        let pieces = rules.chunk_pieces(chunk)?;
        let tokens = pieces.iter().map(|piece| {
            let lexeme = self.vocab.lexeme(&chunk[piece.start..piece.end])?;
            Ok(CachedToken { lexeme, norm: piece.norm })
        });
        let tokens = tokens.collect::<Result<Vec<_>, TokenizeError>>()?;
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
