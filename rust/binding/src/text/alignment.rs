//! `_core.align`: character alignment of two lists of words.

use ferrule_text::alignment::{Alignment, DifferentTexts, align as align_words};
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arguments::text_of;

type Indices<'py> = Bound<'py, PyArray1<i32>>;
type Arrays<'py> = (Indices<'py>, Indices<'py>, Indices<'py>, Indices<'py>);

/// An alignment as `(x2y lengths, x2y data, y2x lengths, y2x data)`, each int32.
pub(crate) fn arrays_of(
    py: Python<'_>,
    alignment: Result<Alignment, DifferentTexts>,
) -> PyResult<Arrays<'_>> {
    let Alignment { x2y, y2x } = alignment.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok((
        x2y.lengths.into_pyarray(py),
        x2y.data.into_pyarray(py),
        y2x.lengths.into_pyarray(py),
        y2x.data.into_pyarray(py),
    ))
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
    arrays_of(py, py.detach(|| align_words(&x, &y)))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(align, m)?)
}
