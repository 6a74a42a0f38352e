//! `_core.align`: character alignment of two lists of words.

use ferrule_text::alignment::{Alignment, DifferentTexts, align as align_words};
use ferrule_text::doc::DocError;
use ferrule_text::doc::alignment::{BatchAlignment, Words};
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::arguments::text_of;
use super::doc::{DocCore, to_python};

type Indices<'py> = Bound<'py, PyArray1<i32>>;
type Arrays<'py> = (Indices<'py>, Indices<'py>, Indices<'py>, Indices<'py>);

/// An alignment as `(x2y lengths, x2y data, y2x lengths, y2x data)`, each int32.
fn arrays_of(py: Python<'_>, alignment: Alignment) -> Arrays<'_> {
    let Alignment { x2y, y2x } = alignment;
    (
        x2y.lengths.into_pyarray(py),
        x2y.data.into_pyarray(py),
        y2x.lengths.into_pyarray(py),
        y2x.data.into_pyarray(py),
    )
}

/// The alignment of two tokenisations of one text, which may differ in case and white space.
///
/// Returns `(x2y lengths, x2y data, y2x lengths, y2x data)`, int32: for each word of `words_x` the number of words
/// of `words_y` it shares characters with, and their indices one row after the other; then the same the other way.
///
/// Raises ValueError with the place where the texts part, TypeError for words that are no str.
#[pyfunction]
fn align<'py>(
    py: Python<'py>,
    words_x: Vec<Bound<'py, PyAny>>,
    words_y: Vec<Bound<'py, PyAny>>,
) -> PyResult<Arrays<'py>> {
    let x = words_x.iter().map(|word| text_of(word, "align")).collect::<PyResult<Vec<&str>>>()?;
    let y = words_y.iter().map(|word| text_of(word, "align")).collect::<PyResult<Vec<&str>>>()?;
    let found = py.detach(|| align_words(&x, &y));
    Ok(arrays_of(py, found.map_err(|error: DifferentTexts| PyValueError::new_err(error.to_string()))?))
}

/// The alignment of each document of `x` with its counterpart in `y`, all as one.
///
/// Returns `(x2y lengths, x2y data, y2x lengths, y2x data)` as `align`, with tokens counted through the batch, and
/// the documents' lengths on either side, int32 (n_docs,) each. The GIL is released meanwhile.
///
/// Raises ValueError where the texts of a pair part, with the number of the document in the batch.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn align_docs<'py>(
    py: Python<'py>,
    x: Vec<Py<DocCore>>,
    y: Vec<Py<DocCore>>,
) -> PyResult<(Arrays<'py>, Indices<'py>, Indices<'py>)> {
    if x.len() != y.len() {
        return Err(PyValueError::new_err(format!(
            "align_docs: {} documents and {} counterparts; give as many of each",
            x.len(),
            y.len()
        )));
    }
    let found = py.detach(|| {
        let mut batch = BatchAlignment::default();
        for (one, other) in x.iter().zip(&y) {
            let (one, other) = (one.get(), other.get());
            let texts = |doc: &DocCore| doc.texts().map_err(|error| DocError::Value(error.to_string()));
            batch
                .push(
                    &Words { orths: &one.orths()?, texts: &|| texts(one) },
                    &Words { orths: &other.orths()?, texts: &|| texts(other) },
                )
                .map_err(to_python)?;
        }
        Ok::<_, PyErr>(batch)
    })?;
    let BatchAlignment { rows, x_lengths, y_lengths } = found;
    Ok((arrays_of(py, rows), x_lengths.into_pyarray(py), y_lengths.into_pyarray(py)))
}

/// The document's words as bytes, 8 a token, to tell whether two documents have the same tokens.
#[pyfunction]
fn orth_bytes<'py>(py: Python<'py>, doc: &Bound<'py, DocCore>) -> PyResult<Bound<'py, PyBytes>> {
    let orths = doc.get().orths()?;
    Ok(PyBytes::new(py, &orths.iter().flat_map(|orth| orth.to_ne_bytes()).collect::<Vec<u8>>()))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(align, m)?)?;
    m.add_function(wrap_pyfunction!(align_docs, m)?)?;
    m.add_function(wrap_pyfunction!(orth_bytes, m)?)
}
