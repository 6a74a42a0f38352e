//! Bindings of `ferrule-text`, one file a room.

use pyo3::prelude::*;

mod alignment;
mod annotate;
mod arguments;
mod categories;
pub(crate) mod doc;
mod doc_bin;
mod doc_maker;
mod doc_words;
mod entities;
mod features;
pub(crate) mod ngrams;
mod searches;
mod strings;
mod tokenizer;
mod vocab;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    alignment::register(m)?;
    annotate::register(m)?;
    categories::register(m)?;
    doc::register(m)?;
    doc_bin::register(m)?;
    doc_maker::register(m)?;
    entities::register(m)?;
    features::register(m)?;
    ngrams::register(m)?;
    strings::register(m)?;
    tokenizer::register(m)?;
    vocab::register(m)
}
