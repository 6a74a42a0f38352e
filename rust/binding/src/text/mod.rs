//! Bindings of `ferrule-text`, one file a room.

use pyo3::prelude::*;

mod arguments;
mod strings;
mod vocab;

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    strings::register(m)?;
    vocab::register(m)
}
