//! The n-grams of many documents in one call: `_core.count_ngrams`.

use ferrule_text::doc::features::sources;
use ferrule_text::doc::ngrams::{Counts, Ngrams};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use super::doc::{DocCore, to_python};
use super::features::shared_vocab;

/// Counts of the n-grams of a batch, documents one after the other; each one's keys rise and are distinct.
///
/// attr_id: the attribute that n-grams are made of. longest: tokens in the longest. characters: lengths of the shortest
/// and longest n-grams of characters within a token, (0, 0) for none. Returns `(uint64 keys, float32 counts, int32
/// (n_docs,): keys of each document)`. The GIL is released meanwhile.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn count_ngrams<'py>(
    py: Python<'py>,
    docs: Vec<Py<DocCore>>,
    attr_id: u64,
    longest: usize,
    characters: (usize, usize),
) -> PyResult<(Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<i32>>)> {
    let source = sources(&[attr_id]).map_err(to_python)?[0];
    let vocab = shared_vocab(&docs)?;
    let ngrams = Ngrams { source, longest, characters };
    let counts = py.detach(|| -> PyResult<_> {
        let mut counts = Counts::default();
        if let Some(vocab) = &vocab {
            let lexemes = vocab.read();
            let strings = vocab.strings().read();
            for doc in &docs {
                doc.get().read(|columns| counts.extend(columns, &lexemes, ngrams, |id| strings.get(id)))?;
            }
        }
        Ok(counts)
    })?;
    Ok((counts.keys.into_pyarray(py), counts.counts.into_pyarray(py), counts.lengths.into_pyarray(py)))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(count_ngrams, m)?)
}
