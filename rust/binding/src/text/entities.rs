//! Reading and writing a document's entities as spans.

use ferrule_text::doc::entities::{
    Entity, EntityUpdate, Rest, entities, set_entities, set_predicted_entities,
};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::doc::{DocCore, to_python};

type EntityRow = (usize, usize, u64, u64, u64);

/// The document's entities as (start, end, label id, kb id, entity id), in order.
#[pyfunction]
fn doc_entities(doc: PyRef<'_, DocCore>) -> PyResult<Vec<EntityRow>> {
    let found = doc.read(entities)?.map_err(to_python)?;
    Ok(found
        .into_iter()
        .map(|entity| (entity.start, entity.end, entity.label, entity.kb_id, entity.id))
        .collect())
}

/// Write entities and the token ranges that are blocked, missing or outside; the rest becomes `default`.
#[pyfunction]
fn set_doc_entities(
    doc: PyRef<'_, DocCore>,
    spans: Vec<EntityRow>,
    blocked: Vec<(usize, usize)>,
    missing: Vec<(usize, usize)>,
    outside: Vec<(usize, usize)>,
    default: &str,
) -> PyResult<()> {
    let rest = match default {
        "outside" => Rest::Outside,
        "missing" => Rest::Missing,
        "blocked" => Rest::Blocked,
        "unmodified" => Rest::Unmodified,
        other => {
            return Err(PyValueError::new_err(format!(
                "set_ents: default is '{other}'; expected 'outside', 'missing', 'blocked' or 'unmodified'"
            )));
        }
    };
    let entity = |(start, end, label, kb_id, id)| Entity { start, end, label, kb_id, id };
    let update =
        EntityUpdate { entities: spans.into_iter().map(entity).collect(), blocked, missing, outside };
    doc.write(|columns| set_entities(columns, &update, rest))
}

/// Write the entities that a model found in a batch; see `set_predicted_entities` of the text crate.
///
/// Four uint32 arrays with an entry for each entity: the document, the first token, the one behind the last, and the
/// label, an index into `label_ids` (uint64). Documents with an entity that does not fit are refused.
#[pyfunction]
fn set_entities_of_docs(
    py: Python<'_>,
    docs: Vec<Py<DocCore>>,
    entities: (
        PyReadonlyArray1<'_, u32>,
        PyReadonlyArray1<'_, u32>,
        PyReadonlyArray1<'_, u32>,
        PyReadonlyArray1<'_, u32>,
    ),
    label_ids: PyReadonlyArray1<'_, u64>,
) -> PyResult<()> {
    let label_ids = label_ids.as_slice()?;
    let mut found: Vec<Vec<(usize, usize, u64)>> = vec![Vec::new(); docs.len()];
    let columns =
        [entities.0.as_slice()?, entities.1.as_slice()?, entities.2.as_slice()?, entities.3.as_slice()?];
    for (row, &doc) in columns[0].iter().enumerate() {
        let label = columns[3].get(row).and_then(|&label| label_ids.get(label as usize));
        let ends = columns[1].get(row).zip(columns[2].get(row));
        let (Some(entities), Some((&start, &end)), Some(&label)) = (found.get_mut(doc as usize), ends, label)
        else {
            return Err(PyValueError::new_err(format!(
                "set_entities_of_docs: entity {row} is of document {doc}; expected a document below {} and a label \
                 below {}",
                docs.len(),
                label_ids.len()
            )));
        };
        entities.push((start as usize, end as usize, label));
    }
    py.detach(|| {
        for (doc, found) in docs.iter().zip(&found) {
            doc.get().write(|columns| set_predicted_entities(columns, found))?;
        }
        Ok(())
    })
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(doc_entities, m)?)?;
    m.add_function(wrap_pyfunction!(set_doc_entities, m)?)?;
    m.add_function(wrap_pyfunction!(set_entities_of_docs, m)?)
}
