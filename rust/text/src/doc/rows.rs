//! A block of attribute rows written into a document: spaCy's `Doc.from_array`.

use super::attr::{Column, Source};
use super::columns::Columns;
use super::error::DocError;
use super::heads;

/// Write `rows` (`n_tokens` x `sources.len()`) into the columns that `sources` name.
///
/// Attributes of the lexeme are skipped: they belong to the word type. Where both `Head` and `Dep` come and some
/// label is set, sentence starts follow from the tree and a `SentStart` in the rows is not used. Everything is
/// checked before anything is written.
pub fn set_rows(doc: &mut Columns, sources: &[Source], rows: &[u64]) -> Result<(), DocError> {
    let width = sources.len();
    if width == 0 || rows.len() != doc.len() * width {
        return Err(DocError::Value(format!(
            "{} values for {} tokens and {width} attributes; give one row for each token and one value for each attribute",
            rows.len(),
            doc.len()
        )));
    }
    let mut changed = doc.clone();
    for (position, source) in sources.iter().enumerate() {
        let values = rows.iter().skip(position).step_by(width);
        match *source {
            Source::Column(column) => changed.set_column(column, values.copied().collect())?,
            Source::Spacy => changed.set_spaces(values.map(|&space| space != 0).collect())?,
            Source::Lexeme(_) | Source::Idx => {}
        }
    }
    let has = |column| sources.contains(&Source::Column(column));
    if has(Column::Head)
        && has(Column::Dep)
        && changed.column(Column::Dep).is_some_and(|deps| deps.iter().any(|&dep| dep != 0))
    {
        heads::set_sentence_starts(&mut changed);
    }
    *doc = changed;
    Ok(())
}
