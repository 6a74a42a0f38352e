//! The categories of a batch, from dicts to rows and back: `_core.category_values`, `_core.write_categories`.

use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods, PyString};

/// What categories documents have: values and whether they are known, both float32 (n_docs, n_labels).
///
/// cats: a dict from label to number for each document. unmentioned: what counts as known of a label that a document does
/// not mention, 1 or 0; its value is 0. Raises KeyError with the label if one is not among `labels`.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn category_values<'py>(
    py: Python<'py>,
    cats: Vec<Bound<'py, PyDict>>,
    labels: Vec<Bound<'py, PyString>>,
    unmentioned: f32,
) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>)> {
    let n_labels = labels.len();
    let mut values = vec![0.0f32; cats.len() * n_labels];
    let mut known = vec![unmentioned; cats.len() * n_labels];
    for (row, cats) in cats.iter().enumerate() {
        // Converted corpora mention all labels in one order: the next one is where it is expected.
        let mut expected = 0;
        for (label, value) in cats.iter() {
            let at = match labels.get(expected) {
                Some(next) if label.is(next) => expected,
                Some(next) if next.as_any().eq(&label)? => expected,
                _ => position(&labels, &label)?,
            };
            expected = at + 1;
            values[row * n_labels + at] = value.extract()?;
            known[row * n_labels + at] = 1.0;
        }
    }
    let shape = [cats.len(), n_labels];
    let as_rows = |numbers: Vec<f32>| -> PyResult<Bound<'py, PyArray2<f32>>> {
        let flat: Bound<'py, PyArray1<f32>> = numbers.into_pyarray(py);
        flat.reshape(shape)
    };
    Ok((as_rows(values)?, as_rows(known)?))
}

/// Writes the scores of each document into its dict, beside what is there under other names.
///
/// cats: a dict from label to number for each document. scores: float32 (n_docs, n_labels). Raises ValueError, and
/// changes nothing, if there is not a row for each dict and a column for each label.
#[pyfunction]
fn write_categories<'py>(
    cats: Vec<Bound<'py, PyDict>>,
    labels: Vec<Bound<'py, PyString>>,
    scores: PyReadonlyArray2<'py, f32>,
) -> PyResult<()> {
    if scores.shape() != [cats.len(), labels.len()] {
        return Err(PyValueError::new_err(format!(
            "write_categories: scores have the shape {:?}; expected ({}, {}), a row for each document and a column for \
             each label",
            scores.shape(),
            cats.len(),
            labels.len()
        )));
    }
    // A new dict that starts as a copy of one with all labels need not grow, which takes longer than the rest.
    let all = PyDict::new(scores.py());
    for label in &labels {
        all.set_item(label, 0.0)?;
    }
    let scores = scores.as_array();
    for (cats, scores) in cats.iter().zip(scores.rows()) {
        if cats.is_empty() {
            cats.update(all.as_mapping())?;
        }
        for (label, &score) in labels.iter().zip(scores) {
            cats.set_item(label, f64::from(score))?;
        }
    }
    Ok(())
}

fn position(labels: &[Bound<'_, PyString>], label: &Bound<'_, PyAny>) -> PyResult<usize> {
    for (position, known) in labels.iter().enumerate() {
        if known.as_any().eq(label)? {
            return Ok(position);
        }
    }
    Err(PyKeyError::new_err(label.clone().unbind()))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(category_values, m)?)?;
    m.add_function(wrap_pyfunction!(write_categories, m)?)
}
