//! Documents around columns that are ready, made without a call of the Python class's `__init__`.

use ferrule_text::doc::columns::Columns;
use parking_lot::Mutex;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::doc::DocCore;
use super::vocab::PyVocab;

/// Makes documents of one Python class. The columns may come from another thread.
pub(crate) struct DocMaker {
    new: Py<PyAny>,
    arguments: Py<PyTuple>,
}

impl DocMaker {
    pub(crate) fn new(doc_type: &Bound<'_, PyType>, vocab: &Bound<'_, PyVocab>) -> PyResult<Self> {
        let py = doc_type.py();
        let new = doc_type.getattr(intern!(py, "__new__"))?.unbind();
        Ok(Self { new, arguments: (doc_type, vocab).into_pyobject(py)?.unbind() })
    }

    /// The document of columns that were made in the memory zone `zone`.
    pub(crate) fn make<'py>(
        &self,
        py: Python<'py>,
        columns: Columns,
        zone: u64,
    ) -> PyResult<Bound<'py, DocCore>> {
        let doc = self.new.bind(py).call1(self.arguments.bind(py))?.cast_into::<DocCore>()?;
        doc.get().fill(columns, zone);
        Ok(doc)
    }
}

/// The documents of a batch, each made when it is asked for, so that a stream holds one at a time.
#[pyclass(module = "ferrule._core", frozen)]
pub(crate) struct DocStream {
    maker: DocMaker,
    zone: u64,
    columns: Mutex<std::vec::IntoIter<Columns>>,
}

impl DocStream {
    pub(crate) fn new(maker: DocMaker, zone: u64, columns: Vec<Columns>) -> Self {
        Self { maker, zone, columns: Mutex::new(columns.into_iter()) }
    }
}

#[pymethods]
impl DocStream {
    fn __iter__(stream: Bound<'_, Self>) -> Bound<'_, Self> {
        stream
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, DocCore>>> {
        let columns = self.columns.lock().next();
        columns.map(|columns| self.maker.make(py, columns, self.zone)).transpose()
    }

    fn __length_hint__(&self) -> usize {
        self.columns.lock().len()
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<DocStream>()
}
