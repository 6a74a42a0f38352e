//! What collections of documents are written and read with, a document a call.

use ferrule_text::doc::DocError;
use ferrule_text::doc::features::sources;
use ferrule_text::doc::rows::fill_rows;
use ferrule_text::doc::string_ids::SeenStrings;
use numpy::{PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::doc::{DocCore, to_python};
use super::doc_maker::DocMaker;
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

/// A document of class `doc_type` from attribute rows, uint64 (n_tokens, n_attrs), and whether a space follows each
/// token, bool (n_tokens,). `orth` is the column of the rows that has the words' ids; lexemes' attributes are skipped.
///
/// KeyError for a word that is no string of the vocabulary; ValueError for values that an attribute does not take.
#[pyfunction]
fn doc_from_rows<'py>(
    doc_type: &Bound<'py, PyType>,
    vocab: &Bound<'py, PyVocab>,
    attrs: Vec<u64>,
    orth: usize,
    rows: PyReadonlyArray2<'py, u64>,
    spaces: PyReadonlyArray1<'py, bool>,
) -> PyResult<Bound<'py, DocCore>> {
    let sources = sources(&attrs).map_err(to_python)?;
    if rows.shape()[1] != attrs.len() || orth >= attrs.len() {
        return Err(PyValueError::new_err(format!(
            "doc_from_rows: {} columns for {} attributes, words in column {orth}",
            rows.shape()[1],
            attrs.len()
        )));
    }
    let values: Vec<u64> = rows.as_array().iter().copied().collect();
    let orths: Vec<u64> = values.iter().skip(orth).step_by(attrs.len()).copied().collect();
    let shared = vocab.get().inner();
    let mut columns = doc_words::from_ids(shared, &orths, &spaces.to_vec()?)?;
    let filled: Result<(), DocError> = fill_rows(&mut columns, &shared.read(), &sources, &values);
    filled.map_err(to_python)?;
    DocMaker::new(doc_type, vocab)?.make(doc_type.py(), columns, shared.zone())
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<NewStrings>()?;
    m.add_function(wrap_pyfunction!(doc_from_rows, m)?)
}
