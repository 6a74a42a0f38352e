//! Python strings as Rust strings, refused with a sentence where they cannot be.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// The text of a Python `str`. `caller` starts the message of the error: `StringStore.add`.
///
/// # Errors
/// TypeError for another type; ValueError for a lone surrogate, which no UTF-8 text can hold.
pub(crate) fn text_of<'a>(value: &'a Bound<'_, PyAny>, caller: &str) -> PyResult<&'a str> {
    let Ok(string) = value.cast::<PyString>() else {
        let found = value.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!("{caller}: expected a str, found {found}.")));
    };
    string.to_str().map_err(|error| lone_surrogate(&error, value.py(), caller))
}

fn lone_surrogate(error: &PyErr, py: Python<'_>, caller: &str) -> PyErr {
    let place = error.value(py).getattr("start").and_then(|start| start.extract::<usize>());
    let place = place.map_or_else(|_| String::new(), |start| format!(" at character {start}"));
    PyValueError::new_err(format!(
        "{caller}: the text has a lone surrogate{place}, which is not a Unicode character. Decode the source \
         with errors=\"replace\", or drop the character."
    ))
}

/// The text of a `str` or of UTF-8 `bytes`.
pub(crate) fn text_or_utf8<'a>(value: &'a Bound<'_, PyAny>, caller: &str) -> PyResult<&'a str> {
    match value.cast::<PyBytes>() {
        Ok(bytes) => std::str::from_utf8(bytes.as_bytes())
            .map_err(|error| PyValueError::new_err(format!("{caller}: the bytes are not UTF-8: {error}."))),
        Err(_) => text_of(value, caller),
    }
}
