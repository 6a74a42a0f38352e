//! The n-grams of many documents in one call: `_core.count_ngrams`.

use ferrule_kernels::Threads;
use ferrule_text::doc::features::sources;
use ferrule_text::doc::ngrams::{Counts, Ngrams};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use super::doc::{DocCore, to_python};
use super::features::shared_vocab;
use crate::errors::detached;
use crate::threads::workers;

/// Documents whose n-grams are counted together.
const DOCS_PER_TASK: usize = 32;

/// What `_core.count_ngrams` says of n-grams, as a tuple: attribute id, longest, characters, evened.
pub(crate) type NgramsArg = (u64, usize, (usize, usize), bool);

pub(crate) fn ngrams((attr_id, longest, characters, evened): NgramsArg) -> PyResult<Ngrams> {
    let source = sources(&[attr_id]).map_err(to_python)?[0];
    Ok(Ngrams { source, longest, characters, evened })
}

/// The counts of some documents after the other, in parts of some documents each; to be called without the GIL.
pub(crate) fn counted(threads: Threads<'_>, docs: &[Py<DocCore>], ngrams: Ngrams) -> PyResult<Vec<Counts>> {
    let Some(vocab) = shared_vocab(docs)? else { return Ok(Vec::new()) };
    let (lexemes, strings) = (vocab.read(), vocab.strings().read());
    let parts = threads.map(docs.chunks(DOCS_PER_TASK).collect(), |docs: &[Py<DocCore>]| {
        let mut counts = Counts::default();
        for doc in docs {
            doc.get().read(|columns| counts.extend(columns, &lexemes, ngrams, |id| strings.get(id)))?;
        }
        Ok(counts)
    });
    parts.into_iter().collect()
}

/// Counts of the n-grams of a batch, documents one after the other; each one's keys rise and are distinct.
///
/// ngrams: what is counted, `(attr_id, longest, characters, evened)`. attr_id: the attribute that n-grams are made of.
/// longest: tokens in the longest. characters: lengths of the shortest and longest n-grams of characters within a token,
/// (0, 0) for none. evened: whether a count of n becomes 1 + ln n, divided by the length of the document's vector.
/// Returns `(uint64 keys, float32 counts, int32 (n_docs,): keys of each document)`. The GIL is released meanwhile.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn count_ngrams<'py>(
    py: Python<'py>,
    docs: Vec<Py<DocCore>>,
    ngrams: NgramsArg,
) -> PyResult<(Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<i32>>)> {
    let (ngrams, pool) = (self::ngrams(ngrams)?, workers(py)?);
    let parts = detached(py, || counted(pool.threads(), &docs, ngrams))?;
    let mut whole = Counts::default();
    for part in parts {
        whole.keys.extend(part.keys);
        whole.counts.extend(part.counts);
        whole.lengths.extend(part.lengths);
    }
    Ok((whole.keys.into_pyarray(py), whole.counts.into_pyarray(py), whole.lengths.into_pyarray(py)))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(count_ngrams, m)?)
}
