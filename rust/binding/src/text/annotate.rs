//! Batch writing: a model's predictions into many documents in one call.

use ferrule_text::doc::{Column, annotate};
use numpy::{PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::doc::{DocCore, to_python, writable};

/// Write `label_ids[label_index[i]]` to the TAG of token `i` of the batch; see `set_labels`.
#[pyfunction]
#[pyo3(signature = (docs, label_index, label_ids, overwrite = true))]
fn set_tags(
    py: Python<'_>,
    docs: Vec<Py<DocCore>>,
    label_index: PyReadonlyArray1<'_, i32>,
    label_ids: PyReadonlyArray1<'_, u64>,
    overwrite: bool,
) -> PyResult<()> {
    write_labels(py, Column::Tag, &docs, &label_index, &label_ids, overwrite)
}

/// Write `label_ids[label_index[i]]` to an attribute of token `i`, the batch's documents one after the other.
///
/// `label_index`: int32 (n_tokens,), -1 leaves the token as it is; `label_ids`: uint64 (n_labels,), ids of strings
/// in the documents' vocabulary; without `overwrite` only tokens that have no value (0) are written. All indices are
/// checked before the first document changes. The GIL is released meanwhile.
#[pyfunction]
#[pyo3(signature = (docs, attr_id, label_index, label_ids, overwrite = true))]
fn set_labels(
    py: Python<'_>,
    docs: Vec<Py<DocCore>>,
    attr_id: u64,
    label_index: PyReadonlyArray1<'_, i32>,
    label_ids: PyReadonlyArray1<'_, u64>,
    overwrite: bool,
) -> PyResult<()> {
    let column = writable(attr_id)?;
    if matches!(column, Column::Head | Column::SentStart | Column::EntIob) {
        return Err(PyValueError::new_err(format!(
            "{} holds numbers with rules of their own, not labels; use Doc.from_array",
            column.name()
        )));
    }
    write_labels(py, column, &docs, &label_index, &label_ids, overwrite)
}

fn write_labels(
    py: Python<'_>,
    column: Column,
    docs: &[Py<DocCore>],
    label_index: &PyReadonlyArray1<'_, i32>,
    label_ids: &PyReadonlyArray1<'_, u64>,
    overwrite: bool,
) -> PyResult<()> {
    let index = contiguous("label_index", label_index.as_slice())?;
    let ids = contiguous("label_ids", label_ids.as_slice())?;
    let lengths =
        docs.iter().map(|doc| doc.get().read(|columns| columns.len())).collect::<PyResult<Vec<_>>>()?;
    let n_tokens: usize = lengths.iter().sum();
    if n_tokens != label_index.len() {
        return Err(PyValueError::new_err(format!(
            "label_index has {} entries for documents of {n_tokens} tokens; give one for each token",
            label_index.len()
        )));
    }
    py.detach(|| {
        annotate::check_label_index(index, ids.len()).map_err(to_python)?;
        let mut rest = index;
        for (doc, &length) in docs.iter().zip(&lengths) {
            let (own, behind) = rest.split_at(length);
            rest = behind;
            doc.get().write(|columns| annotate::set_labels(columns, column, own, ids, overwrite))?;
        }
        Ok(())
    })
}

fn contiguous<'a, T, E>(name: &str, slice: Result<&'a [T], E>) -> PyResult<&'a [T]> {
    slice.map_err(|_| {
        PyValueError::new_err(format!("{name} is not contiguous; pass numpy.ascontiguousarray({name})"))
    })
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(set_tags, m)?)?;
    m.add_function(wrap_pyfunction!(set_labels, m)?)
}
