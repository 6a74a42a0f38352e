//! `_core.KeptRows`: the weights of touched columns, kept together while a sparse linear layer is trained.

use ferrule_kernels::sparse;
use ferrule_kernels::sparse_rows::{self, Keyed};
use numpy::{IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use parking_lot::Mutex;
use pyo3::prelude::*;

use super::sparse::{MomentArrays, StepNumbers, features};
use crate::errors::{IntoPyErr, detached};
use crate::text::doc::DocCore;
use crate::text::ngrams::{NgramsArg, counted, ngrams};
use crate::threads::workers;

/// Rows of the weights that a batch touched, out of a table of `length` columns with `n_outputs` numbers each.
///
/// The table, float32 (n_outputs * length,), is given to each method that may have to read it, and is behind the rows
/// until `write_back`.
#[pyclass(frozen)]
struct KeptRows(Mutex<sparse_rows::KeptRows>);

#[pymethods]
impl KeptRows {
    #[new]
    fn new(length: usize, n_outputs: usize) -> Self {
        KeptRows(Mutex::new(sparse_rows::KeptRows::new(length, n_outputs)))
    }

    /// The scores of a batch: float32 (n_docs, n_outputs).
    ///
    /// columns: uint32, those of the batch. The other arguments are those of `sparse_scores`, and so are the errors.
    #[allow(clippy::too_many_arguments)] // the parts of one batch and of one table
    fn scores<'py>(
        &self,
        py: Python<'py>,
        weights: PyReadonlyArray1<'py, f32>,
        bias: PyReadonlyArray1<'py, f32>,
        columns: PyReadonlyArray1<'py, u32>,
        positions: PyReadonlyArray2<'py, u32>,
        values: PyReadonlyArray1<'py, f32>,
        lengths: PyReadonlyArray1<'py, i32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (weights, bias, columns) = (weights.as_slice()?, bias.as_slice()?, columns.as_slice()?);
        let features = features(&positions, &values, &lengths)?;
        let mut scores = vec![0.0; features.lengths.len() * bias.len()];
        detached(py, || {
            let mut kept = self.0.lock();
            let places = kept.places(weights, columns)?;
            let positions = sparse::placed(features.positions, &places)?;
            sparse::scores(
                kept.rows(),
                bias,
                sparse::Features { positions: &positions, ..features },
                &mut scores,
            )
        })?;
        scores.into_pyarray(py).reshape([features.lengths.len(), bias.len()])
    }

    /// The scores of documents by their n-grams: float32 (n_docs, n_outputs).
    ///
    /// ngrams: as for `count_ngrams`. weights, bias: as for `scores`, and so are the errors.
    fn scores_of_docs<'py>(
        &self,
        py: Python<'py>,
        weights: PyReadonlyArray1<'py, f32>,
        bias: PyReadonlyArray1<'py, f32>,
        docs: Vec<Py<DocCore>>,
        ngrams: NgramsArg,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let (weights, bias) = (weights.as_slice()?, bias.as_slice()?);
        let (ngrams, pool) = (self::ngrams(ngrams)?, workers(py)?);
        let mut scores = vec![0.0; docs.len() * bias.len()];
        detached(py, || {
            let parts = counted(pool.threads(), &docs, ngrams)?;
            let parts: Vec<_> = parts
                .iter()
                .map(|part| Keyed { keys: &part.keys, values: &part.counts, lengths: &part.lengths })
                .collect();
            let mut kept = self.0.lock();
            kept.scores(pool.threads(), weights, bias, &parts, &mut scores).map_err(IntoPyErr::into_py_err)
        })?;
        scores.into_pyarray(py).reshape([docs.len(), bias.len()])
    }

    /// Steps the rows of `columns` along `d_rows`; as `sparse_step`, but that the table stays as it is.
    fn step(
        &self,
        py: Python<'_>,
        weights: PyReadonlyArray1<'_, f32>,
        columns: PyReadonlyArray1<'_, u32>,
        d_rows: PyReadonlyArray2<'_, f32>,
        mut moments: MomentArrays<'_>,
        numbers: StepNumbers,
    ) -> PyResult<()> {
        let (weights, columns, d_rows) = (weights.as_slice()?, columns.as_slice()?, d_rows.as_slice()?);
        let moments = super::sparse::moments(&mut moments)?;
        detached(py, || self.0.lock().step(weights, columns, d_rows, numbers.into(), moments))
    }

    /// Copies all rows into the table.
    fn write_back(&self, py: Python<'_>, mut weights: PyReadwriteArray1<'_, f32>) -> PyResult<()> {
        let weights = weights.as_slice_mut()?;
        detached(py, || self.0.lock().write_back(weights))
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<KeptRows>()
}
