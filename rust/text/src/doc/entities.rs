//! Entity spans out of and into the columns that hold them token by token.

use super::attr::Column;
use super::columns::Columns;
use super::error::DocError;

const MISSING: u64 = 0;
const INSIDE: u64 = 1;
const OUTSIDE: u64 = 2;
const BEGIN: u64 = 3;

/// An entity: tokens `start..end` and the string ids of its label, knowledge base entry and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Entity {
    pub start: usize,
    pub end: usize,
    pub label: u64,
    pub kb_id: u64,
    pub id: u64,
}

/// What becomes of the tokens that no span mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Rest {
    Outside,
    Missing,
    Blocked,
    Unmodified,
}

/// Every span that [`set_entities`] writes, with token ranges for those without a label.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct EntityUpdate {
    pub entities: Vec<Entity>,
    pub blocked: Vec<(usize, usize)>,
    pub missing: Vec<(usize, usize)>,
    pub outside: Vec<(usize, usize)>,
}

/// The document's entities in order. An inside token that nothing began is an error.
pub fn entities(doc: &Columns) -> Result<Vec<Entity>, DocError> {
    let mut found: Vec<Entity> = Vec::new();
    let mut open = false;
    for token in 0..doc.len() {
        match doc.get(Column::EntIob, token) {
            INSIDE if !open => {
                return Err(DocError::Value(format!(
                    "ENT_IOB of token {token} is I (1) but no entity is open there; start entities with B (3)"
                )));
            }
            INSIDE => {
                if let Some(entity) = found.last_mut() {
                    entity.end = token + 1;
                }
            }
            BEGIN if doc.get(Column::EntType, token) != 0 => {
                open = true;
                found.push(Entity {
                    start: token,
                    end: token + 1,
                    label: doc.get(Column::EntType, token),
                    kb_id: doc.get(Column::EntKbId, token),
                    id: doc.get(Column::EntId, token),
                });
            }
            _ => open = false,
        }
    }
    Ok(found)
}

/// Write entities, blocked, missing and outside ranges, and `rest` everywhere else.
///
/// A token in two of the spans is refused; then nothing has changed. An entity that began before
/// an overwritten token and goes on behind it is closed and begun again, as in spaCy.
pub fn set_entities(doc: &mut Columns, update: &EntityUpdate, rest: Rest) -> Result<(), DocError> {
    let mut writes: Vec<Option<(u64, u64, u64, u64)>> = vec![None; doc.len()];
    for entity in &update.entities {
        doc.check_range(entity.start, entity.end)?;
        let begin = if entity.label == 0 { OUTSIDE } else { BEGIN };
        let inside = if entity.label == 0 { OUTSIDE } else { INSIDE };
        let value = |iob| (iob, entity.label, entity.kb_id, entity.id);
        for token in entity.start..entity.end {
            write_once(&mut writes, token, value(if token == entity.start { begin } else { inside }))?;
        }
    }
    for (ranges, iob) in [(&update.blocked, BEGIN), (&update.missing, MISSING), (&update.outside, OUTSIDE)] {
        for &(start, end) in ranges {
            doc.check_range(start, end)?;
            for token in start..end {
                write_once(&mut writes, token, (iob, 0, 0, 0))?;
            }
        }
    }
    let fill = match rest {
        Rest::Outside => Some(OUTSIDE),
        Rest::Missing => Some(MISSING),
        Rest::Blocked => Some(BEGIN),
        Rest::Unmodified => None,
    };
    for (token, write) in writes.iter_mut().enumerate() {
        *write = write.or(fill.map(|iob| (iob, 0, 0, 0)));
        if let Some((iob, label, kb_id, id)) = *write {
            doc.values_mut(Column::EntIob)[token] = iob;
            write_if_used(doc, Column::EntType, token, label);
            write_if_used(doc, Column::EntKbId, token, kb_id);
            write_if_used(doc, Column::EntId, token, id);
        }
    }
    reopen_cut_entities(doc, &writes);
    Ok(())
}

/// Write the entities that a model found, as (start, end, label id), and make tokens of which nothing was known outside.
///
/// Blocked tokens stay blocked. An entity that begins where one is set keeps that one's knowledge base entry and id.
pub fn set_predicted_entities(doc: &mut Columns, found: &[(usize, usize, u64)]) -> Result<(), DocError> {
    let mut update = EntityUpdate::default();
    for &(start, end, label) in found {
        doc.check_range(start, end)?;
        let (kb_id, id) = (doc.get(Column::EntKbId, start), doc.get(Column::EntId, start));
        update.entities.push(Entity { start, end, label, kb_id, id });
    }
    set_entities(doc, &update, Rest::Unmodified)?;
    for iob in doc.values_mut(Column::EntIob).iter_mut().filter(|iob| **iob == MISSING) {
        *iob = OUTSIDE;
    }
    Ok(())
}

fn write_once<T: Copy>(writes: &mut [Option<T>], token: usize, value: T) -> Result<(), DocError> {
    if writes[token].replace(value).is_none() {
        return Ok(());
    }
    Err(DocError::Value(format!(
        "token {token} is in more than one span of entities, blocked, missing and outside; spans must not overlap"
    )))
}

/// Zeros are not worth allocating a column for.
fn write_if_used(doc: &mut Columns, column: Column, token: usize, value: u64) {
    if value != 0 || doc.column(column).is_some() {
        doc.values_mut(column)[token] = value;
    }
}

/// An untouched inside token behind a written one begins what is left of its entity.
fn reopen_cut_entities<T>(doc: &mut Columns, writes: &[Option<T>]) {
    for token in 1..writes.len() {
        let is_cut = writes[token].is_none() && writes[token - 1].is_some();
        if is_cut && doc.get(Column::EntIob, token) == INSIDE {
            doc.values_mut(Column::EntIob)[token] = BEGIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(n_tokens: usize) -> Columns {
        let mut doc = Columns::default();
        (0..n_tokens).for_each(|_| doc.push(0, 1, true));
        doc
    }

    fn entity(start: usize, end: usize, label: u64) -> Entity {
        Entity { start, end, label, kb_id: 0, id: 0 }
    }

    #[test]
    fn entities_come_back_as_they_were_set() {
        let mut doc = doc(5);
        let update = EntityUpdate { entities: vec![entity(0, 2, 7), entity(3, 5, 8)], ..Default::default() };
        set_entities(&mut doc, &update, Rest::Outside).unwrap();
        assert_eq!(entities(&doc).unwrap(), update.entities);
        assert_eq!(doc.column(Column::EntIob).unwrap(), [3, 1, 2, 3, 1]);
    }

    #[test]
    fn overlapping_spans_change_nothing() {
        let mut doc = doc(3);
        let update =
            EntityUpdate { entities: vec![entity(0, 2, 7)], missing: vec![(1, 3)], ..Default::default() };
        assert!(set_entities(&mut doc, &update, Rest::Outside).is_err());
        assert_eq!(doc.column(Column::EntIob), None);
    }

    #[test]
    fn a_cut_entity_begins_again() {
        let mut doc = doc(3);
        let whole = EntityUpdate { entities: vec![entity(0, 3, 7)], ..Default::default() };
        set_entities(&mut doc, &whole, Rest::Outside).unwrap();
        let cut = EntityUpdate { missing: vec![(0, 1)], ..Default::default() };
        set_entities(&mut doc, &cut, Rest::Unmodified).unwrap();
        assert_eq!(entities(&doc).unwrap(), [entity(1, 3, 7)]);
    }

    #[test]
    fn inside_without_begin_is_an_error() {
        let mut doc = doc(2);
        doc.set_column(Column::EntIob, vec![2, 1]).unwrap();
        assert!(entities(&doc).is_err());
    }
}
