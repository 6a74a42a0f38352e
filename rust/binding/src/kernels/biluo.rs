//! `_core.BiluoBatch`: the actions of an entity recognizer and what is known of the documents; entities as columns.

use ferrule_kernels::KernelError;
use ferrule_kernels::transitions::biluo::{Action, Biluo, Move, Token};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::errors::IntoPyErr;

/// The actions of an entity recognizer, and what is known beforehand of a batch's tokens.
///
/// actions: int (n_actions, 2), the kind (1 B, 2 I, 3 L, 4 U, 5 O) and the label of each. tokens: int (n_tokens, 4): the
/// entity code (0 unknown, 1 inside, 2 outside, 3 begins), its label, whether a sentence begins here, whether it is white
/// space. lengths: of the documents. Labels are indices from 1 on; 0 is none. Raises ValueError if they do not fit.
#[pyclass(frozen, module = "ferrule._core")]
pub(super) struct BiluoBatch(pub(super) Biluo);

#[pymethods]
impl BiluoBatch {
    #[new]
    fn new(
        actions: PyReadonlyArray2<'_, u32>,
        tokens: PyReadonlyArray2<'_, u32>,
        lengths: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Self> {
        expect_columns("actions", 2, actions.shape()[1])?;
        expect_columns("tokens", 4, tokens.shape()[1])?;
        let actions = moves(actions.as_slice()?)?;
        let token = |row: &[u32]| Token {
            iob: row[0].min(3) as u8,
            label: row[1],
            starts_sentence: row[2] == 1,
            is_space: row[3] != 0,
        };
        let tokens = tokens.as_slice()?.chunks_exact(4).map(token).collect();
        let lengths = lengths.as_slice()?;
        Biluo::new(actions, tokens, lengths).map(BiluoBatch).map_err(IntoPyErr::into_py_err)
    }
}

/// The entities of all analyses: document, first token, behind the last token, label.
pub(super) fn entity_columns(batch: &Biluo, histories: &[Vec<u32>]) -> [Vec<u32>; 4] {
    let mut columns: [Vec<u32>; 4] = Default::default();
    for (doc, history) in histories.iter().enumerate() {
        let first = batch.docs()[doc].start;
        for entity in batch.entities(doc, history) {
            let row = [doc as u32, entity.start - first, entity.end - first, entity.label];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    columns
}

/// Kinds and labels, row after row, as actions; ValueError where a kind is none.
pub(super) fn moves(rows: &[u32]) -> PyResult<Vec<Action>> {
    rows.chunks_exact(2)
        .enumerate()
        .map(|(position, row)| {
            let kind = u8::try_from(row[0]).ok().and_then(Move::from_number).ok_or_else(|| {
                KernelError::Index {
                    what: "transitions: the kinds of moves",
                    position,
                    found: i64::from(row[0]),
                    expected: "0 to 5".into(),
                }
                .into_py_err()
            })?;
            Ok(Action { kind, label: row[1] })
        })
        .collect()
}

pub(super) fn expect_columns(what: &'static str, expected: usize, found: usize) -> PyResult<()> {
    if expected == found {
        return Ok(());
    }
    Err(shape_error("transitions", &format!("{what} with {expected} columns"), found.to_string()))
}

pub(super) fn shape_error(what: &'static str, expected: &str, found: String) -> PyErr {
    KernelError::Shape { what, expected: expected.into(), found }.into_py_err()
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<BiluoBatch>()
}
