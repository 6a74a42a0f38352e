//! `_core.DocCore`: a columnar document behind a lock. `ferrule.tokens.Doc` adds spaCy's names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ferrule_text::doc::attr::source;
use ferrule_text::doc::columns::Columns;
use ferrule_text::doc::{Column, DocError, features, heads, rows};
use ferrule_text::vocab::Vocab;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use parking_lot::RwLock;
use pyo3::exceptions::{PyIndexError, PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::doc_words;
use super::vocab::PyVocab;

/// Tokens and annotation of a document as columns. Positions are in tokens, never negative here.
#[pyclass(frozen, subclass, weakref, module = "ferrule._core")]
pub struct DocCore {
    vocab_object: Py<PyVocab>,
    vocab: Arc<Vocab>,
    zone: AtomicU64,
    columns: RwLock<Columns>,
}

/// The one place where a document's errors become Python's.
pub(crate) fn to_python(error: DocError) -> PyErr {
    match error {
        DocError::Value(message) => PyValueError::new_err(message),
        DocError::Index(message) => PyIndexError::new_err(message),
        DocError::UnknownString(message) => PyKeyError::new_err(message),
    }
}

impl DocCore {
    /// The vocabulary that the document's ids belong to.
    pub(crate) fn shared_vocab(&self) -> &Arc<Vocab> {
        &self.vocab
    }

    /// Read the columns. `read` must not call into Python: the lock is held meanwhile.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Columns) -> T) -> PyResult<T> {
        self.check_zone()?;
        Ok(read(&self.columns.read()))
    }

    /// Change the columns. `write` must not call into Python: the lock is held meanwhile.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&mut Columns) -> Result<T, DocError>) -> PyResult<T> {
        self.check_zone()?;
        write(&mut self.columns.write()).map_err(to_python)
    }

    /// Refuse a document whose words went with the memory zone it was made in.
    pub(crate) fn check_zone(&self) -> PyResult<()> {
        if self.vocab.is_alive(self.zone.load(Ordering::Relaxed)) {
            return Ok(());
        }
        Err(PyValueError::new_err(
            "this document was made in a memory zone that has ended, and its words are gone; \
             copy what you need (text, to_bytes(), labels) inside the zone",
        ))
    }

    /// String id of each token.
    pub(crate) fn orths(&self) -> PyResult<Vec<u64>> {
        let lexemes = self.vocab.read();
        self.read(|doc| {
            doc.tokens().iter().map(|token| lexemes.lexeme(token.lex).map_or(0, |it| it.orth)).collect()
        })
    }

    /// The string of each token.
    pub(crate) fn texts(&self) -> PyResult<Vec<String>> {
        let lexemes = self.vocab.read();
        self.read(|doc| {
            doc.tokens().iter().map(|token| lexemes.text(token.lex).unwrap_or_default().to_owned()).collect()
        })
    }

    /// Fill a document that was just made with columns from the memory zone `zone`.
    pub(super) fn fill(&self, columns: Columns, zone: u64) {
        self.zone.store(zone, Ordering::Relaxed);
        *self.columns.write() = columns;
    }

    fn replace(&self, columns: Columns) -> PyResult<()> {
        self.write(|doc| {
            *doc = columns;
            Ok(())
        })
    }

    fn of_same_vocab(&self, other: &DocCore) -> PyResult<Columns> {
        if !Arc::ptr_eq(&self.vocab, &other.vocab) {
            return Err(PyValueError::new_err(
                "the documents have different vocabularies; their ids do not agree",
            ));
        }
        other.read(Columns::clone)
    }
}

/// The column an attribute is written to, or an error that says why it cannot be.
pub(crate) fn writable(attr: u64) -> PyResult<Column> {
    Column::from_attr(attr).ok_or_else(|| match source(attr) {
        Some(_) => PyValueError::new_err(format!(
            "attribute {attr} is the lexeme's or the text's and cannot be set on a token"
        )),
        None => {
            PyValueError::new_err(format!("{attr} is not the id of a token attribute; see ferrule.attrs.IDS"))
        }
    })
}

#[pymethods]
impl DocCore {
    #[new]
    #[pyo3(signature = (vocab, *_args, **_kwargs))]
    fn new(
        vocab: &Bound<'_, PyVocab>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> DocCore {
        let shared = vocab.get().inner().clone();
        DocCore {
            vocab_object: vocab.clone().unbind(),
            zone: shared.zone().into(),
            vocab: shared,
            columns: RwLock::default(),
        }
    }

    /// The vocabulary the document was made with.
    #[getter]
    fn vocab(&self, py: Python<'_>) -> Py<PyVocab> {
        self.vocab_object.clone_ref(py)
    }

    fn __len__(&self) -> usize {
        self.columns.read().len()
    }

    fn __bool__(&self) -> bool {
        !self.columns.read().is_empty()
    }

    /// Fill an empty document. `words`: str or ids of strings that the vocabulary knows.
    fn _set_words(
        &self,
        words: Vec<Bound<'_, PyAny>>,
        spaces: Option<Vec<Bound<'_, PyAny>>>,
    ) -> PyResult<()> {
        let spaces = spaces
            .map(|given| given.iter().map(|space| space.is_truthy()).collect::<PyResult<Vec<bool>>>())
            .transpose()?;
        self.replace(doc_words::from_words(&self.vocab, &words, spaces.as_deref())?)
    }

    /// Take over the words and spaces of another document with the same vocabulary, and none of its annotation.
    fn _copy_words(&self, other: &DocCore) -> PyResult<()> {
        self.replace(self.of_same_vocab(other)?.words_only())
    }

    /// Append tokens `start..end` of another document with the same vocabulary; heads that leave them are dropped.
    fn _append(&self, other: &DocCore, start: usize, end: usize) -> PyResult<()> {
        let tokens = self.of_same_vocab(other)?;
        self.write(|doc| doc.append(&tokens, start, end))
    }

    /// Put a space behind the last token.
    fn _add_space(&self) -> PyResult<()> {
        self.write(|doc| {
            let mut spaces: Vec<bool> = doc.tokens().iter().map(|token| token.space).collect();
            if let Some(last) = spaces.last_mut() {
                *last = true;
            }
            doc.set_spaces(spaces)
        })
    }

    /// The text of tokens `start..end`, with or without the space behind the last.
    fn _text(&self, start: usize, end: usize, trailing_space: bool) -> PyResult<String> {
        self.check_zone()?;
        // The vocabulary's lock before the document's, as everywhere.
        let lexemes = self.vocab.read();
        let columns = self.columns.read();
        columns.check_range(start, end).map_err(to_python)?;
        let mut text = String::new();
        for token in start..end {
            let word = lexemes.text(columns.tokens()[token].lex).ok_or_else(|| {
                PyValueError::new_err(format!(
                    "the word of token {token} went with the memory zone that has ended"
                ))
            })?;
            text.push_str(word);
            if columns.tokens()[token].space && (trailing_space || token + 1 < end) {
                text.push(' ');
            }
        }
        Ok(text)
    }

    /// Value of an attribute of a token; signed ones (HEAD, SENT_START) as two's complement.
    fn _get(&self, attr: u64, token: usize) -> PyResult<u64> {
        let source = features::sources(&[attr]).map_err(to_python)?[0];
        let lexemes = self.vocab.read();
        self.read(|doc| {
            doc.check_token(token)?;
            Ok(features::value(doc, &lexemes, token, source))
        })?
        .map_err(to_python)
    }

    /// The string that an attribute's value is the id of; the empty string for 0.
    fn _get_string(&self, attr: u64, token: usize) -> PyResult<String> {
        let id = self._get(attr, token)?;
        doc_words::string(&self.vocab, id, &format!("attribute {attr} of token {token}"))
    }

    /// Set an attribute of a token; refused for attributes of the lexeme.
    fn _set(&self, attr: u64, token: usize, value: u64) -> PyResult<()> {
        let column = writable(attr)?;
        self.write(|doc| {
            doc.set(column, token, value)?;
            // A parsed document's sentences follow its trees.
            if column == Column::Head && doc.has_annotation(Column::Dep, false) {
                heads::set_sentence_starts(doc);
            }
            Ok(())
        })
    }

    /// Add the string to the vocabulary and set the attribute to its id.
    fn _set_string(&self, attr: u64, token: usize, value: &str) -> PyResult<()> {
        let id = self.vocab.strings().add(value);
        self._set(attr, token, id)
    }

    /// Write a column of strings, `None` for unset; `what` names the argument in errors.
    fn _set_strings(&self, attr: u64, values: Vec<Bound<'_, PyAny>>, what: &str) -> PyResult<()> {
        let column = writable(attr)?;
        let mut ids = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            if value.is_none() {
                ids.push(0);
                continue;
            }
            ids.push(self.vocab.strings().add(doc_words::entry_text(value, what, i)?));
        }
        self.write(|doc| doc.set_column(column, ids))
    }

    /// Write a column of numbers, two's complement for signed ones.
    fn _set_values(&self, attr: u64, values: Vec<u64>) -> PyResult<()> {
        let column = writable(attr)?;
        self.write(|doc| doc.set_column(column, values))
    }

    /// Write heads (positions in the document, `None` for unset) and, in a labelled document, their sentences.
    fn _set_heads(&self, heads: Vec<Option<i64>>) -> PyResult<()> {
        let relative = |(i, head): (usize, &Option<i64>)| match head {
            None => Ok(0),
            Some(head) if (0..heads.len() as i64).contains(head) => Ok((head - i as i64) as u64),
            Some(head) => Err(PyValueError::new_err(format!(
                "heads[{i}] is {head}; a head is the position of a token, from 0 to {}",
                heads.len() as i64 - 1
            ))),
        };
        let values = heads.iter().enumerate().map(relative).collect::<PyResult<Vec<u64>>>()?;
        self.write(|doc| {
            doc.set_column(Column::Head, values)?;
            // Heads count where there are labels; without any, sentences stay as they are, as in spaCy.
            if doc.has_annotation(Column::Dep, false) {
                heads::set_sentence_starts(doc);
            }
            Ok(())
        })
    }

    /// Attribute rows: uint64 (n_tokens, n_attrs).
    fn _rows<'py>(&self, py: Python<'py>, attrs: Vec<u64>) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let sources = features::sources(&attrs).map_err(to_python)?;
        self.check_zone()?;
        let rows = {
            let lexemes = self.vocab.read();
            let columns = self.columns.read();
            let mut rows = Vec::new();
            features::extend_rows(&mut rows, &columns, &lexemes, &sources);
            rows
        };
        let n_tokens = if sources.is_empty() { self.__len__() } else { rows.len() / sources.len() };
        rows.into_pyarray(py).reshape([n_tokens, sources.len()])
    }

    /// Write attribute rows, uint64 (n_tokens, n_attrs), all or nothing.
    fn _set_rows(&self, attrs: Vec<u64>, values: PyReadonlyArray2<'_, u64>) -> PyResult<()> {
        let sources = features::sources(&attrs).map_err(to_python)?;
        if values.shape()[1] != attrs.len() {
            return Err(PyValueError::new_err(format!(
                "the array has {} columns for {} attributes; give one column for each",
                values.shape()[1],
                attrs.len()
            )));
        }
        let values: Vec<u64> = values.as_array().iter().copied().collect();
        let lexemes = self.vocab.read();
        self.write(|doc| rows::set_rows(doc, &lexemes, &sources, &values))
    }

    fn _has_annotation(&self, attr: u64, complete: bool) -> PyResult<bool> {
        match Column::from_attr(attr) {
            Some(Column::Norm) | None => Ok(true),
            Some(column) => self.read(|doc| doc.has_annotation(column, complete)),
        }
    }

    /// Forget a column.
    fn _clear(&self, attr: u64) -> PyResult<()> {
        let column = writable(attr)?;
        self.write(|doc| {
            doc.clear(column);
            Ok(())
        })
    }

    /// Sentences as (start, end).
    fn _sentences(&self) -> PyResult<Vec<(usize, usize)>> {
        self.read(Columns::sentences)
    }

    /// Offset of each token's first character: uint32 (n_tokens,).
    fn _starts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let starts = |doc: &Columns| doc.tokens().iter().map(|token| token.start).collect::<Vec<u32>>();
        Ok(self.read(starts)?.into_pyarray(py))
    }

    /// Offsets of a token's first character and behind its last.
    fn _char_range(&self, token: usize) -> PyResult<(u32, u32)> {
        self.read(|doc| {
            doc.check_token(token)?;
            Ok((doc.tokens()[token].start, doc.end_char(token)))
        })?
        .map_err(to_python)
    }

    /// Whether a space follows each token: bool (n_tokens,).
    fn _spaces<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let spaces = |doc: &Columns| doc.tokens().iter().map(|token| token.space).collect::<Vec<bool>>();
        Ok(self.read(spaces)?.into_pyarray(py))
    }

    /// Position of a token's head.
    fn _head(&self, token: usize) -> PyResult<usize> {
        self.read(|doc| doc.check_token(token).map(|()| heads::head(doc, token)))?.map_err(to_python)
    }

    /// Positions of a token's children, ascending.
    fn _children(&self, token: usize) -> PyResult<Vec<u32>> {
        self.read(|doc| doc.check_token(token).map(|()| doc.tree().children(token).to_vec()))?
            .map_err(to_python)
    }

    /// Positions of a token and everything below it, as its branches stand.
    fn _subtree(&self, token: usize) -> PyResult<Vec<u32>> {
        self.read(|doc| doc.check_token(token).map(|()| doc.tree().subtree(token)))?.map_err(to_python)
    }

    /// Leftmost and rightmost position below a token.
    fn _edges(&self, token: usize) -> PyResult<(u32, u32)> {
        self.read(|doc| {
            doc.check_token(token)?;
            Ok((doc.tree().left_edge[token], doc.tree().right_edge[token]))
        })?
        .map_err(to_python)
    }

    /// Take over the tokens and annotation of another document with the same vocabulary.
    fn _copy_columns(&self, other: &DocCore) -> PyResult<()> {
        self.replace(self.of_same_vocab(other)?)
    }

    /// Whether the spaces were not given, so that the text is only presumed.
    fn _has_unknown_spaces(&self) -> bool {
        self.columns.read().has_unknown_spaces
    }

    fn _set_has_unknown_spaces(&self, value: bool) {
        self.columns.write().has_unknown_spaces = value;
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<DocCore>()
}
