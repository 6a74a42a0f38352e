//! `_core.VocabCore`: strings and lexemes as Python sees them.

use std::sync::Arc;

use ferrule_text::lexeme::Lexeme;
use ferrule_text::lexical::Lexicon;
use ferrule_text::strings::{StringStore, string_id};
use ferrule_text::vocab::{HookError, LexemeHook, Vocab};
use pyo3::exceptions::{PyIndexError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::arguments::text_of;
use super::strings::PyStringStore;

/// Strings and lexemes shared by documents; `ferrule.vocab.Vocab` is the class to use.
#[pyclass(name = "VocabCore", module = "ferrule._core", frozen, subclass)]
pub(crate) struct PyVocab {
    inner: Arc<Vocab>,
}

/// The error of a lexeme index that a memory zone has let go of.
fn gone(index: u32) -> PyErr {
    PyIndexError::new_err(format!(
        "lexeme {index} is not in the vocabulary: the memory zone it came with has ended."
    ))
}

/// A hook's error as the Python exception it was.
pub(crate) fn python_error(error: HookError) -> PyErr {
    match error.downcast::<PyErr>() {
        Ok(error) => *error,
        Err(error) => PyRuntimeError::new_err(error.to_string()),
    }
}

impl PyVocab {
    /// The vocabulary itself.
    pub(crate) fn inner(&self) -> &Arc<Vocab> {
        &self.inner
    }
}

#[pymethods]
impl PyVocab {
    /// `lexicon` maps `lang`, `stop_words`, `number_words`, `ordinal_endings` and `norms` to their values.
    #[new]
    #[pyo3(signature = (strings, lexicon))]
    fn new(strings: &Bound<'_, PyStringStore>, lexicon: &Bound<'_, PyDict>) -> PyResult<Self> {
        let strings = strings.get().inner().clone();
        Ok(Self { inner: Arc::new(Vocab::new(strings, lexicon_of(lexicon)?)) })
    }

    /// Lets the language know other things of its words from here on; lexemes that exist stay as they are.
    fn _set_lexicon(&self, lexicon: &Bound<'_, PyDict>) -> PyResult<()> {
        self.inner.set_lexicon(lexicon_of(lexicon)?);
        Ok(())
    }

    /// Has Python functions give attributes of each new lexeme: `{attribute id: function of the string}`.
    fn _set_getters(&self, getters: Vec<(u32, Py<PyAny>)>) {
        let hook = (!getters.is_empty()).then(|| Arc::new(Getters(getters)) as Arc<dyn LexemeHook>);
        self.inner.set_hook(hook);
    }

    /// The index of the lexeme of `text`, made where the word type is new.
    fn lexeme_index(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<u32> {
        let text = text_of(text, "Vocab")?;
        py.detach(|| self.inner.lexeme(text)).map_err(python_error)
    }

    /// The index of the lexeme of `text`, or None where the word type has not been seen.
    fn find_lexeme(&self, text: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
        Ok(self.inner.read().find(text_of(text, "Vocab")?))
    }

    /// The index of the lexeme whose string has the id `orth`, or None.
    fn find_orth(&self, orth: u64) -> Option<u32> {
        self.inner.read().find_orth(orth)
    }

    /// How many lexemes there are.
    fn lexeme_count(&self) -> usize {
        self.inner.read().len()
    }

    /// The string of a lexeme.
    fn lexeme_text(&self, index: u32) -> PyResult<String> {
        self.inner.read().text(index).map(str::to_owned).ok_or_else(|| gone(index))
    }

    /// The value of an attribute of a lexeme: a string id, a number, or 0 and 1 for a flag.
    fn lexeme_value(&self, index: u32, attribute: u32) -> PyResult<u64> {
        let lexeme = self.inner.lexeme_record(index).ok_or_else(|| gone(index))?;
        lexeme.value(attribute).ok_or_else(|| not_lexical(attribute))
    }

    /// Sets the value of an attribute of a lexeme.
    fn set_lexeme_value(&self, index: u32, attribute: u32, value: u64) -> PyResult<()> {
        let changed = self.inner.change_lexeme(index, |lexeme| lexeme.set_value(attribute, value));
        match changed {
            None => Err(gone(index)),
            Some(true) => Ok(()),
            Some(false) => Err(not_lexical(attribute)),
        }
    }

    /// The flags of a lexeme, one bit each.
    fn lexeme_flags(&self, index: u32) -> PyResult<u64> {
        self.inner.lexeme_record(index).map(|lexeme| lexeme.flags).ok_or_else(|| gone(index))
    }

    /// The number of the open memory zone, 0 where none is open.
    fn zone(&self) -> u64 {
        self.inner.zone()
    }

    /// Whether what was made in this zone still exists.
    fn is_alive(&self, zone: u64) -> bool {
        self.inner.is_alive(zone)
    }

    /// Whether the lexeme outlives the open memory zone.
    fn is_kept(&self, index: u32) -> bool {
        self.inner.is_kept(index)
    }

    /// Opens a memory zone and returns its number.
    fn _begin_zone(&self) -> PyResult<u64> {
        self.inner.begin_zone().map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Ends the open memory zone.
    fn _end_zone(&self, py: Python<'_>) {
        py.detach(|| self.inner.end_zone());
    }
}

fn not_lexical(attribute: u32) -> PyErr {
    PyValueError::new_err(format!(
        "attribute {attribute} is not one of a word type; those are the flags 1 to 63, ID, ORTH, LOWER, NORM, SHAPE, \
         PREFIX, SUFFIX, LENGTH and LANG."
    ))
}

fn lexicon_of(fields: &Bound<'_, PyDict>) -> PyResult<Lexicon> {
    let mut lexicon = Lexicon::default();
    for (name, value) in fields {
        match name.cast::<PyString>()?.to_str()? {
            "lang" => lexicon.lang = value.extract()?,
            "stop_words" => lexicon.stop_words = value.extract::<Vec<String>>()?.into_iter().collect(),
            "number_words" => lexicon.number_words = value.extract::<Vec<String>>()?.into_iter().collect(),
            "ordinal_endings" => lexicon.ordinal_endings = value.extract()?,
            "norms" => {
                let pairs = value.cast::<PyDict>()?.iter();
                let pairs = pairs.map(|(text, norm)| Ok((text.extract()?, norm.extract()?)));
                lexicon.norms = pairs.collect::<PyResult<_>>()?;
            }
            "norms_by_id" => {
                let pairs = value.cast::<PyDict>()?.iter();
                let pairs = pairs.map(|(id, norm)| Ok((id.extract()?, norm.extract()?)));
                lexicon.norms_by_id = pairs.collect::<PyResult<_>>()?;
            }
            other => {
                return Err(PyTypeError::new_err(format!("VocabCore: a lexicon has no field `{other}`.")));
            }
        }
    }
    Ok(lexicon)
}

/// A caller's attribute functions by attribute id, applied to each new lexeme.
struct Getters(Vec<(u32, Py<PyAny>)>);

impl LexemeHook for Getters {
    fn adjust(&self, text: &str, lexeme: &mut Lexeme, strings: &StringStore) -> Result<(), HookError> {
        let adjusted: PyResult<()> = Python::attach(|py| {
            let text = PyString::new(py, text);
            for (attribute, getter) in &self.0 {
                let value = getter.bind(py).call1((&text,))?;
                let value = attribute_value(&value, strings)?;
                if !lexeme.set_value(*attribute, value) {
                    return Err(not_lexical(*attribute));
                }
            }
            Ok(())
        });
        adjusted.map_err(|error| Box::new(error) as HookError)
    }
}

/// What a getter returned as an attribute's value: a string's id, the number, or the truth.
fn attribute_value(value: &Bound<'_, PyAny>, strings: &StringStore) -> PyResult<u64> {
    if value.is_instance_of::<PyString>() {
        let text = text_of(value, "lex_attr_getters")?;
        strings.add_transient(text);
        return Ok(string_id(text));
    }
    value.extract::<u64>().or_else(|_| value.is_truthy().map(u64::from))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyVocab>()
}
