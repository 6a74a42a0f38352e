//! Attributes of many documents as one block of rows, what models take in.

use rustc_hash::FxHashMap;

use super::attr::{Column, Source, source};
use super::columns::Columns;
use super::error::DocError;
use crate::lexeme::attribute::NORM;
use crate::vocab::VocabRead;

/// Look up where each attribute comes from, before any work is done.
pub fn sources(attrs: &[u64]) -> Result<Vec<Source>, DocError> {
    let find = |&attr: &u64| source(attr).ok_or_else(|| DocError::Value(unknown_attribute(attr)));
    attrs.iter().map(find).collect()
}

fn unknown_attribute(attr: u64) -> String {
    format!("{attr} is not the id of a token attribute; see ferrule.attrs.IDS for those there are")
}

/// One token's value of one attribute.
pub fn value(doc: &Columns, lexemes: &VocabRead<'_>, token: usize, source: Source) -> u64 {
    let of_lexeme =
        |attr| lexemes.lexeme(doc.tokens()[token].lex).and_then(|lexeme| lexeme.value(attr)).unwrap_or(0);
    match source {
        Source::Lexeme(attr) => of_lexeme(attr),
        Source::Column(Column::Norm) => match doc.get(Column::Norm, token) {
            0 => of_lexeme(NORM),
            norm => norm,
        },
        Source::Column(column) => doc.get(column, token),
        Source::Spacy => u64::from(doc.tokens()[token].space),
        Source::Idx => u64::from(doc.tokens()[token].start),
    }
}

/// Append the document's rows, `sources.len()` values a token, to `rows`.
pub fn extend_rows(rows: &mut Vec<u64>, doc: &Columns, lexemes: &VocabRead<'_>, sources: &[Source]) {
    rows.reserve(doc.len() * sources.len());
    for token in 0..doc.len() {
        rows.extend(sources.iter().map(|&source| value(doc, lexemes, token, source)));
    }
}

/// The distinct rows of a batch's word types, in order of first appearance, and each token's type.
///
/// Two tokens have the same type where their lexeme is the same and so is everything that tokens
/// have of their own among the attributes asked for: an overridden norm, a tag, a following space.
pub struct WordTypes {
    sources: Vec<Source>,
    own: Vec<Source>,
    /// Attribute rows, `sources.len()` values a type.
    pub rows: Vec<u64>,
    /// For each token, the position of its type.
    pub type_of_token: Vec<u32>,
    n_types: u32,
    plain: FxHashMap<u32, u32>,
    marked: FxHashMap<(u32, Vec<u64>), u32>,
}

impl WordTypes {
    /// No tokens yet; rows will have one value for each source.
    pub fn new(sources: Vec<Source>) -> WordTypes {
        let own = sources.iter().copied().filter(|source| !matches!(source, Source::Lexeme(_))).collect();
        WordTypes {
            sources,
            own,
            rows: Vec::new(),
            type_of_token: Vec::new(),
            n_types: 0,
            plain: FxHashMap::default(),
            marked: FxHashMap::default(),
        }
    }

    /// Number of distinct types so far.
    pub fn n_types(&self) -> usize {
        self.n_types as usize
    }

    /// Add a document's tokens.
    pub fn extend(&mut self, doc: &Columns, lexemes: &VocabRead<'_>) {
        self.type_of_token.reserve(doc.len());
        let own: Vec<Source> = self.own.iter().copied().filter(|&source| is_written(doc, source)).collect();
        for token in 0..doc.len() {
            let lex = doc.tokens()[token].lex;
            let next = self.n_types;
            let position = if own.iter().all(|&source| own_value(doc, token, source) == 0) {
                *self.plain.entry(lex).or_insert(next)
            } else {
                let values = self.own.iter().map(|&source| own_value(doc, token, source)).collect();
                *self.marked.entry((lex, values)).or_insert(next)
            };
            if position == next {
                self.n_types += 1;
                self.rows.extend(self.sources.iter().map(|&source| value(doc, lexemes, token, source)));
            }
            self.type_of_token.push(position);
        }
    }
}

fn is_written(doc: &Columns, source: Source) -> bool {
    match source {
        Source::Column(Column::SentStart) | Source::Spacy | Source::Idx => true,
        Source::Column(column) => doc.column(column).is_some(),
        Source::Lexeme(_) => false,
    }
}

/// What the token has of its own; an overridden norm only, not the lexeme's.
fn own_value(doc: &Columns, token: usize, source: Source) -> u64 {
    match source {
        Source::Column(column) => doc.get(column, token),
        Source::Spacy => u64::from(doc.tokens()[token].space),
        Source::Idx => u64::from(doc.tokens()[token].start),
        Source::Lexeme(_) => 0,
    }
}
