//! The strings that a document's annotation refers to, each once for many documents.

use rustc_hash::FxHashSet;

use super::attr::{Column, Source};
use super::columns::Columns;
use super::features::value;
use crate::vocab::VocabRead;

/// Which strings of earlier documents have been given out.
#[derive(Debug, Default)]
pub struct SeenStrings(FxHashSet<u64>);

impl SeenStrings {
    /// The ids of the document's words, norms, and of what its columns of strings hold, each the first time it is
    /// seen. 0 is no string.
    pub fn new_ids(&mut self, doc: &Columns, lexemes: &VocabRead<'_>) -> Vec<u64> {
        let mut found = Vec::new();
        let mut take = |id: u64| {
            if id != 0 && self.0.insert(id) {
                found.push(id);
            }
        };
        for (token, lex) in doc.tokens().iter().map(|token| token.lex).enumerate() {
            take(lexemes.lexeme(lex).map_or(0, |lexeme| lexeme.orth));
            take(value(doc, lexemes, token, Source::Column(Column::Norm)));
        }
        for (column, ..) in Column::ALL {
            if holds_strings(column) && column != Column::Norm {
                doc.column(column).unwrap_or_default().iter().for_each(|&id| take(id));
            }
        }
        found
    }

    /// Give these out again.
    pub fn forget(&mut self, ids: &[u64]) {
        ids.iter().for_each(|id| {
            self.0.remove(id);
        });
    }
}

/// Whether a column's values are ids of strings of the vocabulary. Parts of speech are symbols, which all have.
fn holds_strings(column: Column) -> bool {
    !matches!(column, Column::Pos | Column::Head | Column::SentStart | Column::EntIob)
}
