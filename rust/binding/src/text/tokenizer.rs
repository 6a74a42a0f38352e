//! `_core.TokenizerCore`: the tokenizer as Python sees it.

use std::ops::Range;
use std::sync::Arc;

use ferrule_kernels::Threads;
use ferrule_text::tokenizer::{CustomSearch, Kind, Rules, Search, SpecialToken, TokenizeError, Tokenizer};
use ferrule_text::vocab::HookError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use super::arguments::text_of;
use super::doc::DocCore;
use super::doc_maker::{DocMaker, DocStream};
use super::searches::compiled;
use super::vocab::{PyVocab, python_error};
use crate::threads::workers;

type SpecialCase = (String, Vec<(String, Option<String>)>);

/// Rules, and what chunks became by them; `ferrule.tokenizer.Tokenizer` is the class to use.
#[pyclass(name = "TokenizerCore", module = "ferrule._core", frozen, subclass)]
pub(crate) struct PyTokenizer {
    inner: Tokenizer,
    vocab: Py<PyVocab>,
}

fn to_python(error: TokenizeError) -> PyErr {
    match error {
        TokenizeError::Hook(error) => python_error(error),
        TokenizeError::Pattern(_) => PyValueError::new_err(error.to_string()),
    }
}

#[pymethods]
impl PyTokenizer {
    #[new]
    #[pyo3(signature = (vocab, *_args, **_kwargs))]
    fn new(
        vocab: &Bound<'_, PyVocab>,
        _args: &Bound<'_, pyo3::types::PyTuple>,
        _kwargs: Option<&Bound<'_, pyo3::types::PyDict>>,
    ) -> Self {
        let inner = Tokenizer::new(vocab.get().inner().clone(), Rules::default());
        Self { inner, vocab: vocab.clone().unbind() }
    }

    /// The vocabulary of its documents.
    #[getter]
    fn vocab(&self, py: Python<'_>) -> Py<PyVocab> {
        self.vocab.clone_ref(py)
    }

    /// Sets several rules at once, or none of them where one is refused. `searches` maps the name of a rule to a
    /// pattern, a function, or None; `specials` replaces all special cases.
    #[pyo3(signature = (searches, specials, faster_heuristics))]
    fn _configure(
        &self,
        searches: Vec<(String, Bound<'_, PyAny>)>,
        specials: Option<Vec<SpecialCase>>,
        faster_heuristics: Option<bool>,
    ) -> PyResult<()> {
        let mut made = Vec::new();
        for (name, given) in searches {
            made.push((search_of(&name, &given)?, name));
        }
        let strings = self.inner.vocab().strings();
        let specials: Option<Vec<(String, Vec<SpecialToken>)>> = specials.map(|specials| {
            let token = |(orth, norm): (String, Option<String>)| {
                let norm_id = norm.as_deref().map_or(0, |norm| strings.add(norm));
                SpecialToken { orth, norm, norm_id }
            };
            specials
                .into_iter()
                .map(|(text, tokens)| (text, tokens.into_iter().map(token).collect()))
                .collect()
        });
        self.inner.change_rules(|rules| {
            for (search, name) in made {
                *slot(rules, &name)? = search;
            }
            rules.faster_heuristics = faster_heuristics.unwrap_or(rules.faster_heuristics);
            if let Some(specials) = specials {
                rules.set_specials(specials);
            }
            rules.respan().map_err(to_python)
        })
    }

    /// Adds a special case: its tokens as `(string, normal form or None)`.
    fn _add_special(&self, text: String, tokens: Vec<(String, Option<String>)>) -> PyResult<()> {
        let strings = self.inner.vocab().strings();
        let token = |(orth, norm): (String, Option<String>)| {
            let norm_id = norm.as_deref().map_or(0, |norm| strings.add(norm));
            SpecialToken { orth, norm, norm_id }
        };
        let tokens = tokens.into_iter().map(token).collect();
        self.inner.change_rules(|rules| rules.add_special(&text, tokens)).map_err(to_python)
    }

    /// The special cases, sorted: each with its tokens as `(string, normal form or None)`.
    fn _specials(&self) -> Vec<SpecialCase> {
        let rules = self.inner.rules();
        let token = |token: &SpecialToken| (token.orth.clone(), token.norm.clone());
        let cases =
            rules.specials().map(|(text, tokens)| (text.to_owned(), tokens.iter().map(token).collect()));
        let mut cases: Vec<SpecialCase> = cases.collect();
        cases.sort();
        cases
    }

    /// The document of a text, of the class `doc_type`.
    fn _tokenize<'py>(
        &self,
        text: &Bound<'py, PyAny>,
        doc_type: &Bound<'py, PyType>,
    ) -> PyResult<Bound<'py, DocCore>> {
        let py = text.py();
        let string = text_of(text, "Tokenizer")?;
        let zone = self.inner.vocab().zone();
        let columns = py.detach(|| self.inner.tokenize(string)).map_err(to_python)?;
        DocMaker::new(doc_type, self.vocab.bind(py))?.make(py, columns, zone)
    }

    /// The documents of several texts, in order, as an iterator; the texts are taken apart by the library's threads
    /// before it returns.
    fn _tokenize_many(
        &self,
        texts: Vec<Bound<'_, PyAny>>,
        doc_type: &Bound<'_, PyType>,
    ) -> PyResult<DocStream> {
        let py = doc_type.py();
        let strings =
            texts.iter().map(|text| text_of(text, "Tokenizer.pipe")).collect::<PyResult<Vec<&str>>>()?;
        let workers = workers(py)?;
        let pool = match workers.threads() {
            Threads::One => None,
            Threads::Pool(pool) => Some(pool.rayon()),
        };
        let zone = self.inner.vocab().zone();
        let columns = py.detach(|| self.inner.tokenize_many(&strings, pool)).map_err(to_python)?;
        let maker = DocMaker::new(doc_type, self.vocab.bind(py))?;
        Ok(DocStream::new(maker, zone, columns))
    }

    /// The tokens of a text that are not white space, as `(reason, string)`.
    fn explain(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
        let text = text_of(text, "Tokenizer.explain")?;
        let rules = self.inner.rules();
        let pieces = py.detach(|| rules.pieces(text)).map_err(to_python)?;
        let shown = pieces.iter().map(|piece| (reason(piece.kind), text[piece.start..piece.end].to_owned()));
        Ok(shown.filter(|(_, string)| !string.chars().all(ferrule_text::lexical::is_space)).collect())
    }

    /// How many bytes the searches read to take a text apart with nothing remembered.
    fn _cost(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<u64> {
        let text = text_of(text, "Tokenizer._cost")?;
        py.detach(|| self.inner.cost(text)).map_err(to_python)
    }

    /// The number of characters of the prefix a text has, 0 where it has none.
    fn find_prefix(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<usize> {
        let text = text_of(text, "Tokenizer.find_prefix")?;
        let length = py.detach(|| self.inner.rules().find_prefix(text)).map_err(to_python)?;
        Ok(text[..length].chars().count())
    }

    /// The number of characters of the suffix a text has, 0 where it has none.
    fn find_suffix(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<usize> {
        let text = text_of(text, "Tokenizer.find_suffix")?;
        let length = py.detach(|| self.inner.rules().find_suffix(text)).map_err(to_python)?;
        Ok(text[text.len() - length..].chars().count())
    }

    /// Where a text would be split, as `(first character, character after the last)`.
    fn _find_infix(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Vec<(usize, usize)>> {
        let text = text_of(text, "Tokenizer.find_infix")?;
        let found = py.detach(|| self.inner.rules().find_infixes(text)).map_err(to_python)?;
        let characters = |bytes: usize| text[..bytes].chars().count();
        Ok(found.into_iter().map(|range| (characters(range.start), characters(range.end))).collect())
    }
}

fn reason(kind: Kind) -> String {
    match kind {
        Kind::Prefix => "PREFIX".into(),
        Kind::Suffix => "SUFFIX".into(),
        Kind::Infix => "INFIX".into(),
        Kind::Token => "TOKEN".into(),
        Kind::TokenMatch => "TOKEN_MATCH".into(),
        Kind::UrlMatch => "URL_MATCH".into(),
        Kind::Special(nth) => format!("SPECIAL-{nth}"),
    }
}

fn slot<'r>(rules: &'r mut Rules, name: &str) -> PyResult<&'r mut Option<Arc<Search>>> {
    Ok(match name {
        "prefix_search" => &mut rules.prefix,
        "suffix_search" => &mut rules.suffix,
        "infix_finditer" => &mut rules.infix,
        "token_match" => &mut rules.token_match,
        "url_match" => &mut rules.url_match,
        other => return Err(PyValueError::new_err(format!("Tokenizer: no rule is called {other:?}."))),
    })
}

/// The search that a pattern or a function stands for.
fn search_of(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Option<Arc<Search>>> {
    if given.is_none() {
        return Ok(None);
    }
    if !given.is_instance_of::<PyString>() {
        return Ok(Some(Arc::new(Search::custom(Arc::new(PythonSearch(given.clone().unbind()))))));
    }
    let pattern = text_of(given, name)?;
    compiled(name, pattern).map(Some).map_err(|error| {
        PyValueError::new_err(format!(
            "Tokenizer.{name}: this pattern cannot be taken over: {error}. Write it otherwise, or give a Python \
             function of your own, which is slower."
        ))
    })
}

/// A function of the caller's: returns a match object, several, or None.
struct PythonSearch(Py<PyAny>);

impl PythonSearch {
    fn range(text: &str, found: &Bound<'_, PyAny>) -> PyResult<Range<usize>> {
        let byte = |method: &str| -> PyResult<usize> {
            let character: usize = found.call_method0(method)?.extract()?;
            Ok(text.char_indices().nth(character).map_or(text.len(), |(at, _)| at))
        };
        let (start, end) = (byte("start")?, byte("end")?);
        Ok(start..end.max(start))
    }
}

impl CustomSearch for PythonSearch {
    fn first(&self, text: &str) -> Result<Option<Range<usize>>, HookError> {
        let found: PyResult<_> = Python::attach(|py| {
            let found = self.0.bind(py).call1((text,))?;
            if !found.is_truthy()? { Ok(None) } else { Self::range(text, &found).map(Some) }
        });
        found.map_err(|error| Box::new(error) as HookError)
    }

    fn all(&self, text: &str) -> Result<Vec<Range<usize>>, HookError> {
        let found: PyResult<_> = Python::attach(|py| {
            let found = self.0.bind(py).call1((text,))?;
            found.try_iter()?.map(|found| Self::range(text, &found?)).collect()
        });
        found.map_err(|error| Box::new(error) as HookError)
    }

    fn matches(&self, text: &str) -> Result<bool, HookError> {
        let found: PyResult<_> = Python::attach(|py| self.0.bind(py).call1((text,))?.is_truthy());
        found.map_err(|error| Box::new(error) as HookError)
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyTokenizer>()
}
