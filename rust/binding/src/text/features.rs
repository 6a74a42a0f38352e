//! Batch reading: the attribute rows and the word types of many documents in one call.

use std::sync::Arc;

use ferrule_text::doc::features::{WordTypes, extend_rows, sources};
use ferrule_text::vocab::Vocab;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::doc::{DocCore, to_python};

/// The vocabulary that all documents share; an error where they do not.
pub(super) fn shared_vocab(docs: &[Py<DocCore>]) -> PyResult<Option<Arc<Vocab>>> {
    let Some(first) = docs.first().map(|doc| doc.get().shared_vocab()) else {
        return Ok(None);
    };
    for (position, doc) in docs.iter().enumerate() {
        if !Arc::ptr_eq(doc.get().shared_vocab(), first) {
            return Err(PyValueError::new_err(format!(
                "document {position} of the batch has another vocabulary than the first; \
                 ids of different vocabularies do not mix"
            )));
        }
    }
    Ok(Some(first.clone()))
}

/// Attribute rows of a batch, documents one after the other, and the documents' lengths.
///
/// Returns `(uint64 (n_tokens, n_attrs), int32 (n_docs,))`. The GIL is released meanwhile.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn extract_features<'py>(
    py: Python<'py>,
    docs: Vec<Py<DocCore>>,
    attr_ids: Vec<u64>,
) -> PyResult<(Bound<'py, PyArray2<u64>>, Bound<'py, PyArray1<i32>>)> {
    let sources = sources(&attr_ids).map_err(to_python)?;
    let vocab = shared_vocab(&docs)?;
    let (rows, lengths) = py.detach(|| -> PyResult<_> {
        let mut rows = Vec::new();
        let mut lengths = Vec::with_capacity(docs.len());
        if let Some(vocab) = &vocab {
            let lexemes = vocab.read();
            for doc in &docs {
                doc.get().read(|columns| {
                    extend_rows(&mut rows, columns, &lexemes, &sources);
                    lengths.push(columns.len() as i32);
                })?;
            }
        }
        Ok((rows, lengths))
    })?;
    let n_tokens = lengths.iter().map(|&length| length as usize).sum();
    Ok((rows.into_pyarray(py).reshape([n_tokens, attr_ids.len()])?, lengths.into_pyarray(py)))
}

/// The distinct word types of a batch, in order of first appearance, to embed each once.
///
/// Returns `(uint32 (n_tokens,): each token's position among the types, uint64 (n_types, n_attrs): the types' rows,
/// int32 (n_docs,): the documents' lengths)`, so that `rows[types]` is what `extract_features` gives. Tokens of one
/// word that differ in an attribute of their own (an overridden norm, a tag) are two types. The GIL is released.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn word_types<'py>(
    py: Python<'py>,
    docs: Vec<Py<DocCore>>,
    attr_ids: Vec<u64>,
) -> PyResult<(Bound<'py, PyArray1<u32>>, Bound<'py, PyArray2<u64>>, Bound<'py, PyArray1<i32>>)> {
    let mut found = WordTypes::new(sources(&attr_ids).map_err(to_python)?);
    let vocab = shared_vocab(&docs)?;
    let mut lengths = Vec::with_capacity(docs.len());
    py.detach(|| -> PyResult<()> {
        let Some(vocab) = &vocab else { return Ok(()) };
        let lexemes = vocab.read();
        for doc in &docs {
            doc.get().read(|columns| {
                found.extend(columns, &lexemes);
                lengths.push(columns.len() as i32);
            })?;
        }
        Ok(())
    })?;
    let n_types = found.n_types();
    Ok((
        found.type_of_token.into_pyarray(py),
        found.rows.into_pyarray(py).reshape([n_types, attr_ids.len()])?,
        lengths.into_pyarray(py),
    ))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(extract_features, m)?)?;
    m.add_function(wrap_pyfunction!(word_types, m)?)
}
