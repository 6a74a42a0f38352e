//! Reading and writing a document's entities as spans.

use ferrule_text::doc::entities::{Entity, EntityUpdate, Rest, entities, set_entities};
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

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(doc_entities, m)?)?;
    m.add_function(wrap_pyfunction!(set_doc_entities, m)?)
}
