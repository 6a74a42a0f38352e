//! A block of attribute rows written into a document: spaCy's `Doc.from_array`.

use super::attr::{Column, Source};
use super::columns::{Columns, Token};
use super::error::DocError;
use super::heads;
use crate::vocab::VocabRead;

/// Write `rows` (`n_tokens` x `sources.len()`) into the columns that `sources` name.
///
/// Attributes of the lexeme are skipped: they belong to the word type. A norm that is the lexeme's own is not stored
/// again. Where both `Head` and `Dep` come and some label is set, sentence starts follow from the tree and a
/// `SentStart` in the rows is not used. Everything is checked before anything is written.
pub fn set_rows(
    doc: &mut Columns,
    lexemes: &VocabRead<'_>,
    sources: &[Source],
    rows: &[u64],
) -> Result<(), DocError> {
    let width = sources.len();
    if width == 0 || rows.len() != doc.len() * width {
        return Err(wrong_size(doc.len(), width, rows.len()));
    }
    let mut changed = doc.clone();
    fill_rows(&mut changed, lexemes, sources, rows)?;
    *doc = changed;
    Ok(())
}

/// The same for a document that nobody has seen yet: an error leaves it half written.
pub fn fill_rows(
    doc: &mut Columns,
    lexemes: &VocabRead<'_>,
    sources: &[Source],
    rows: &[u64],
) -> Result<(), DocError> {
    let width = sources.len();
    if rows.len() != doc.len() * width {
        return Err(wrong_size(doc.len(), width, rows.len()));
    }
    for (position, source) in sources.iter().enumerate() {
        let values = rows.iter().skip(position).step_by(width);
        match *source {
            Source::Column(Column::Norm) => {
                let own = |(token, &norm): (&Token, &u64)| match lexemes.lexeme(token.lex) {
                    Some(lexeme) if lexeme.norm == norm => 0,
                    _ => norm,
                };
                let norms = doc.tokens().iter().zip(values).map(own).collect();
                doc.set_column(Column::Norm, norms)?;
            }
            Source::Column(column) => doc.set_column(column, values.copied().collect())?,
            Source::Spacy => doc.set_spaces(values.map(|&space| space != 0).collect())?,
            Source::Lexeme(_) | Source::Idx => {}
        }
    }
    let has = |column| sources.contains(&Source::Column(column));
    if has(Column::Head)
        && has(Column::Dep)
        && doc.column(Column::Dep).is_some_and(|deps| deps.iter().any(|&dep| dep != 0))
    {
        heads::set_sentence_starts(doc);
    }
    Ok(())
}

fn wrong_size(n_tokens: usize, width: usize, n_values: usize) -> DocError {
    DocError::Value(format!(
        "{n_values} values for {n_tokens} tokens and {width} attributes; give one row for each token and one value \
         for each attribute"
    ))
}
