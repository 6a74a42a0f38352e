//! Bindings of `ferrule-text`, one file a room.

use pyo3::prelude::*;

mod alignment;
mod arguments;
mod strings;
mod vocab;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    alignment::register(m)?;
    strings::register(m)?;
    vocab::register(m)
}
