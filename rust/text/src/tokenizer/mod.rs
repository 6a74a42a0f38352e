//! The tokenizer: spaCy's rule kind, in time linear in the text.
//!
//! A text is cut at white space; each chunk is taken apart once and remembered. Affixes are peeled off by moving
//! two indices; prefixes are only tried at the front, suffixes run from the back.

mod batch;
mod cache;
mod cost;
mod per_thread;
pub mod python_regex;
mod regular;
mod reverse;
mod rules;
mod screen;
mod search;
mod session;
mod split;

use std::sync::Arc;

use parking_lot::RwLock;

use crate::doc::columns::Columns;
use crate::vocab::{HookError, Vocab};
use cache::ChunkCache;
pub use python_regex::PatternError;
pub use rules::{Rules, SpecialToken};
pub use search::{CustomSearch, Search};
pub use split::{Chunk, Chunks, Kind, Piece, chunks};

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
        Ok(self.tokenize_many(&[text], None)?.remove(0))
    }

    /// How many bytes the searches read to take `text` apart with nothing remembered: an upper bound where an
    /// engine does not tell, without searches of the caller's own. For tests that the time is linear.
    ///
    /// # Errors
    /// As [`tokenize`](Self::tokenize).
    pub fn cost(&self, text: &str) -> Result<u64, TokenizeError> {
        let rules = self.rules();
        let (pieces, bytes) = cost::counted(|| rules.pieces(text));
        pieces.map(|_| bytes)
    }
}
