//! `_core.StringStore`: the string store as Python sees it.

use std::sync::Arc;

use ferrule_text::strings::{self, StringStore};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString};

use super::arguments::{text_of, text_or_utf8};

/// Strings by their 64-bit ids; `ferrule.strings.StringStore` is the class to use.
#[pyclass(name = "StringStore", module = "ferrule._core", frozen, subclass)]
pub(crate) struct PyStringStore {
    inner: Arc<StringStore>,
}

impl PyStringStore {
    /// The store itself.
    pub(crate) fn inner(&self) -> &Arc<StringStore> {
        &self.inner
    }

    fn name_of(&self, id: u64) -> PyResult<String> {
        self.inner.get(id).ok_or_else(|| unknown_id(id))
    }
}

/// The KeyError for an id that no string has.
pub(crate) fn unknown_id(id: u64) -> PyErr {
    PyKeyError::new_err(format!(
        "no string with id {id} is in the StringStore. Add the string first, or use the vocabulary the id came from."
    ))
}

fn is_text(key: &Bound<'_, PyAny>) -> bool {
    key.is_instance_of::<PyString>() || key.is_instance_of::<PyBytes>()
}

fn id_of(key: &Bound<'_, PyAny>) -> PyResult<u64> {
    // NumPy integers are not `int` but have `__index__`.
    key.extract::<u64>().map_err(|_| {
        let wanted = "expected a str, or an id between 0 and 2**64 - 1";
        let found = key.repr().map_or_else(|_| "something else".to_owned(), |text| text.to_string());
        if key.is_instance_of::<PyInt>() {
            PyKeyError::new_err(format!("StringStore: {wanted}, found {found}."))
        } else {
            PyTypeError::new_err(format!("StringStore: {wanted}, found {found}."))
        }
    })
}

#[pymethods]
impl PyStringStore {
    #[new]
    #[pyo3(signature = (strings=None))]
    fn new(strings: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let store = Self { inner: Arc::default() };
        if let Some(strings) = strings {
            for text in strings.try_iter()? {
                store.add(&text?, false)?;
            }
        }
        Ok(store)
    }

    /// The id of `string`, which is kept from here on; with `allow_transient`, until the open memory zone ends.
    #[pyo3(signature = (string, allow_transient=false))]
    fn add(&self, string: &Bound<'_, PyAny>, allow_transient: bool) -> PyResult<u64> {
        let text = text_or_utf8(string, "StringStore.add")?;
        Ok(if allow_transient { self.inner.add_transient(text) } else { self.inner.add(text) })
    }

    /// The string of an id, or the id of a string (stored or not).
    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        if is_text(key) {
            let id = strings::string_id(text_or_utf8(key, "StringStore")?);
            return Ok(id.into_pyobject(py)?.into_any());
        }
        Ok(self.name_of(id_of(key)?)?.into_pyobject(py)?.into_any())
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = match is_text(key) {
            true => strings::string_id(text_or_utf8(key, "StringStore")?),
            false => id_of(key)?,
        };
        Ok(self.inner.contains(id))
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    /// The id of a string, or the id itself.
    fn as_int(&self, key: &Bound<'_, PyAny>) -> PyResult<u64> {
        if is_text(key) {
            Ok(strings::string_id(text_or_utf8(key, "StringStore.as_int")?))
        } else {
            id_of(key)
        }
    }

    /// The string of an id, or the string itself.
    fn as_string(&self, key: &Bound<'_, PyAny>) -> PyResult<String> {
        if is_text(key) {
            Ok(text_or_utf8(key, "StringStore.as_string")?.to_owned())
        } else {
            self.name_of(id_of(key)?)
        }
    }

    /// The stored strings, oldest first, symbols left out.
    fn keys(&self) -> Vec<String> {
        self.inner.read().iter().map(str::to_owned).collect()
    }

    /// Forgets every string and keeps `strings` instead.
    fn _reset(&self, strings: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let texts = strings.iter().map(|text| text_of(text, "StringStore"));
        let texts = texts.collect::<PyResult<Vec<&str>>>()?;
        self.inner.reset(texts);
        Ok(())
    }

    fn _kept_len(&self) -> usize {
        self.inner.kept_len()
    }

    fn _take_back_to(&self, len: usize) {
        self.inner.take_back_to(len);
    }

    fn _begin_zone(&self) {
        self.inner.begin_zone();
    }

    fn _end_zone(&self) {
        self.inner.end_zone();
    }
}

/// The id of a string, stored or not.
#[pyfunction]
fn string_id(string: &Bound<'_, PyAny>) -> PyResult<u64> {
    text_or_utf8(string, "string_id").map(strings::string_id)
}

/// The 64-bit hash of a string, without the small ids of symbols.
#[pyfunction]
fn hash_string(string: &Bound<'_, PyAny>) -> PyResult<u64> {
    text_or_utf8(string, "hash_string").map(ferrule_text::hash::hash_string)
}

/// The four 32-bit words of MurmurHash3 (x64, 128 bits) of a string's UTF-8: the hashes of floret vectors.
#[pyfunction]
fn murmur_hash_3_128(string: &Bound<'_, PyAny>, seed: u32) -> PyResult<[u32; 4]> {
    let text = text_of(string, "murmur_hash_3_128")?;
    Ok(ferrule_text::hash::murmur_hash_3_128(text.as_bytes(), seed))
}

/// Names of the fixed symbols, by id.
#[pyfunction]
fn symbol_names() -> Vec<&'static str> {
    ferrule_text::symbols::SYMBOL_NAMES.to_vec()
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyStringStore>()?;
    m.add_function(wrap_pyfunction!(string_id, m)?)?;
    m.add_function(wrap_pyfunction!(hash_string, m)?)?;
    m.add_function(wrap_pyfunction!(murmur_hash_3_128, m)?)?;
    m.add_function(wrap_pyfunction!(symbol_names, m)?)
}
