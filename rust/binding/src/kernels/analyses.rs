//! More than the best analysis: the probability of every entity, and the analyses that a beam finds.

use ferrule_kernels::transitions::biluo::Entity;
use ferrule_kernels::transitions::{self, BeamSettings, MarginalSettings};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use super::biluo::BiluoBatch;
use super::transitions::TransitionNetwork;
use crate::errors::detached;
use crate::threads::workers;

type Counts<'py> = Bound<'py, PyArray1<u32>>;
type Probabilities<'py> = Bound<'py, PyArray1<f64>>;
/// Document or analysis, first token, behind the last token, label; tokens counted from the document's first.
type EntityColumns<'py> = (Counts<'py>, Counts<'py>, Counts<'py>, Counts<'py>);

/// Every entity that the documents may have, with its probability over all analyses.
///
/// Ways less probable than `floor` are not followed; the scores are divided by `temperature`. Returns document, first
/// token, behind the last token and label, each uint32 (n_entities,), and the probabilities, float64 (n_entities,).
#[pyfunction]
fn entity_probabilities<'py>(
    py: Python<'py>,
    network: &TransitionNetwork,
    batch: &BiluoBatch,
    temperature: f64,
    floor: f64,
) -> PyResult<(EntityColumns<'py>, Probabilities<'py>)> {
    let pool = workers(py)?;
    let settings = MarginalSettings { temperature, floor };
    let (columns, probabilities) = detached(py, || {
        let found = transitions::entity_probabilities(pool.threads(), &network.network, &batch.0, settings)?;
        let mut columns = Columns::default();
        let mut probabilities = Vec::new();
        for (doc, entities) in found.into_iter().enumerate() {
            for (entity, probability) in entities {
                columns.push(doc, entity, batch.0.docs()[doc].start);
                probabilities.push(probability);
            }
        }
        Ok::<_, ferrule_kernels::KernelError>((columns, probabilities))
    })?;
    Ok((columns.into_arrays(py), probabilities.into_pyarray(py)))
}

/// The analyses that a beam finds, the most probable first.
///
/// width: how many are kept at every step. density: those below this share of the best one are dropped. Returns the
/// document of each analysis, uint32 (n_analyses,), its probability, float64 (n_analyses,), and their entities as
/// analysis, first token, behind the last token and label, each uint32 (n_entities,).
#[pyfunction]
fn beam_analyses<'py>(
    py: Python<'py>,
    network: &TransitionNetwork,
    batch: &BiluoBatch,
    width: usize,
    density: f64,
    temperature: f64,
) -> PyResult<(Counts<'py>, Probabilities<'py>, EntityColumns<'py>)> {
    let pool = workers(py)?;
    let settings = BeamSettings { width, density, temperature };
    let (docs, probabilities, columns) = detached(py, || {
        network.network.check(&batch.0)?;
        let starts = batch.0.starts();
        let found = transitions::beam(pool.threads(), &network.network, &batch.0, starts, settings)?;
        let (mut docs, mut probabilities, mut columns) = (Vec::new(), Vec::new(), Columns::default());
        for (doc, analyses) in found.into_iter().enumerate() {
            for analysis in analyses {
                for entity in batch.0.entities(doc, &analysis.history) {
                    columns.push(docs.len(), entity, batch.0.docs()[doc].start);
                }
                docs.push(doc as u32);
                probabilities.push(analysis.log_probability.exp());
            }
        }
        Ok::<_, ferrule_kernels::KernelError>((docs, probabilities, columns))
    })?;
    Ok((docs.into_pyarray(py), probabilities.into_pyarray(py), columns.into_arrays(py)))
}

/// Entities, a column for each of their numbers.
#[derive(Default)]
struct Columns([Vec<u32>; 4]);

impl Columns {
    fn push(&mut self, group: usize, entity: Entity, first: u32) {
        let row = [group as u32, entity.start - first, entity.end - first, entity.label];
        self.0.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }

    fn into_arrays(self, py: Python<'_>) -> EntityColumns<'_> {
        let [groups, starts, ends, labels] = self.0.map(|column| column.into_pyarray(py));
        (groups, starts, ends, labels)
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(entity_probabilities, m)?)?;
    m.add_function(wrap_pyfunction!(beam_analyses, m)?)
}
