//! What collections of documents are written and read with, a document a call.

use ferrule_text::doc::features::sources;
use ferrule_text::doc::rows::fill_rows;
use ferrule_text::doc::string_ids::SeenStrings;
use ferrule_text::doc::{Columns, DocError};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::doc::{DocCore, to_python};
use super::doc_maker::{DocMaker, DocStream};
use super::doc_words;
use super::vocab::PyVocab;

/// The strings of many documents, each given out once.
#[pyclass(frozen, module = "ferrule._core")]
pub struct NewStrings {
    seen: Mutex<SeenStrings>,
}

#[pymethods]
impl NewStrings {
    #[new]
    fn new() -> NewStrings {
        NewStrings { seen: Mutex::default() }
    }

    /// The strings that the document's words and annotation refer to and no earlier document did.
    ///
    /// KeyError for an id that is no string's of the document's vocabulary.
    fn of_doc(&self, doc: &DocCore) -> PyResult<Vec<String>> {
        let mut seen = self.seen.lock();
        let ids = {
            let lexemes = doc.shared_vocab().read();
            doc.read(|columns| seen.new_ids(columns, &lexemes))?
        };
        let strings =
            ids.iter().map(|&id| doc_words::string(doc.shared_vocab(), id, "the document's annotation"));
        strings.collect::<PyResult<Vec<String>>>().inspect_err(|_| {
            // Nothing was handed out, so nothing counts as seen.
            seen.forget(&ids);
        })
    }
}

/// Documents of class `doc_type` that stand one after the other: attribute rows, uint64 (n_tokens, n_attrs), and whether
/// a space follows each token, bool (n_tokens,), cut into documents of `lengths` tokens. `orth` is the column of the rows
/// that has the words' ids; lexemes' attributes are skipped.
///
/// KeyError for a word that is no string of the vocabulary; ValueError for values that an attribute does not take.
#[pyfunction]
fn docs_from_rows(
    doc_type: &Bound<'_, PyType>,
    vocab: &Bound<'_, PyVocab>,
    attrs: Vec<u64>,
    orth: usize,
    rows: PyReadonlyArray2<'_, u64>,
    spaces: PyReadonlyArray1<'_, bool>,
    lengths: Vec<usize>,
) -> PyResult<DocStream> {
    let sources = sources(&attrs).map_err(to_python)?;
    let n_tokens: usize = lengths.iter().sum();
    if rows.shape() != [n_tokens, attrs.len()] || spaces.shape() != [n_tokens] || orth >= attrs.len() {
        return Err(PyValueError::new_err(format!(
            "docs_from_rows: rows of shape {:?} and {} spaces for {n_tokens} tokens and {} attributes, words in \
             column {orth}",
            rows.shape(),
            spaces.shape()[0],
            attrs.len()
        )));
    }
    let (rows, spaces) = (rows.as_slice()?, spaces.as_slice()?);
    let orths: Vec<u64> = rows.iter().skip(orth).step_by(attrs.len()).copied().collect();
    let shared = vocab.get().inner();
    let zone = shared.zone();
    let words = doc_words::lexemes_of_ids(shared, &orths)?;
    let made = doc_type.py().detach(|| -> Result<Vec<Columns>, DocError> {
        let lexemes = shared.read();
        let mut at = 0;
        let cut = lengths.iter().map(|&length| {
            let tokens = at..at + length;
            at = tokens.end;
            let mut columns = Columns::with_capacity(length);
            for (&(lex, n_chars), &space) in words[tokens.clone()].iter().zip(&spaces[tokens.clone()]) {
                columns.push(lex, n_chars, space);
            }
            let rows = &rows[tokens.start * attrs.len()..tokens.end * attrs.len()];
            fill_rows(&mut columns, &lexemes, &sources, rows).map(|()| columns)
        });
        cut.collect()
    });
    Ok(DocStream::new(DocMaker::new(doc_type, vocab)?, zone, made.map_err(to_python)?))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<NewStrings>()?;
    m.add_function(wrap_pyfunction!(docs_from_rows, m)?)
}
