//! The tokens of a new document from Python's words, or from string ids.

use ferrule_text::doc::Columns;
use ferrule_text::hash::IdMap;
use ferrule_text::vocab::Vocab;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::arguments::text_of;
use super::vocab::python_error;

/// Tokens of words, which are `str` or ids of strings that the vocabulary knows. Without `spaces` one follows each.
pub(crate) fn from_words(
    vocab: &Vocab,
    words: &[Bound<'_, PyAny>],
    spaces: Option<&[bool]>,
) -> PyResult<Columns> {
    if let Some(given) = spaces
        && given.len() != words.len()
    {
        return Err(PyValueError::new_err(format!(
            "{} words but {} spaces; give one bool for each word (True where a space follows) or leave `spaces` out",
            words.len(),
            given.len()
        )));
    }
    let mut columns = Columns::with_capacity(words.len());
    columns.has_unknown_spaces = spaces.is_none() && !words.is_empty();
    let known = known_words(vocab, words);
    for (i, word) in words.iter().enumerate() {
        let space = spaces.is_none_or(|spaces| spaces[i]);
        if let Some((lex, length)) = known[i] {
            columns.push(lex, length, space);
            continue;
        }
        let by_id;
        let text = if word.is_instance_of::<PyString>() {
            entry_text(word, "words", i)?
        } else {
            let id: u64 = word.extract().map_err(|_| not_a_string("words", i, word))?;
            by_id = string(vocab, id, "words")?;
            &by_id
        };
        push(&mut columns, vocab, text, i, space)?;
    }
    Ok(columns)
}

/// Lexeme and length of the strings that have a lexeme already, which in running text most have.
fn known_words(vocab: &Vocab, words: &[Bound<'_, PyAny>]) -> Vec<Option<(u32, u32)>> {
    let lexemes = vocab.read();
    let find = |word: &Bound<'_, PyAny>| {
        let lex = lexemes.find(word.cast::<PyString>().ok()?.to_str().ok()?)?;
        lexemes.lexeme(lex).map(|lexeme| (lex, lexeme.length))
    };
    words.iter().map(find).collect()
}

/// Lexeme and length of the words with these string ids, made where there is none yet.
pub(crate) fn lexemes_of_ids(vocab: &Vocab, orths: &[u64]) -> PyResult<Vec<(u32, u32)>> {
    let mut found: Vec<Option<(u32, u32)>> = {
        let lexemes = vocab.read();
        let find = |&orth: &u64| {
            let lex = lexemes.find_orth(orth)?;
            lexemes.lexeme(lex).map(|lexeme| (lex, lexeme.length))
        };
        orths.iter().map(find).collect()
    };
    let mut new_texts: Vec<String> = Vec::new();
    let mut places: IdMap<usize> = IdMap::default();
    for (position, &orth) in orths.iter().enumerate() {
        if found[position].is_none() && !places.contains_key(&orth) {
            let text = string(vocab, orth, "words")?;
            if text.is_empty() {
                return Err(empty_word(position));
            }
            places.insert(orth, new_texts.len());
            new_texts.push(text);
        }
    }
    if !new_texts.is_empty() {
        let texts: Vec<&str> = new_texts.iter().map(String::as_str).collect();
        let made = vocab.lexemes(&texts).map_err(python_error)?;
        for (found, orth) in found.iter_mut().zip(orths).filter(|(found, _)| found.is_none()) {
            *found = places.get(orth).map(|&place| (made[place], texts[place].chars().count() as u32));
        }
    }
    Ok(found.into_iter().flatten().collect())
}

fn push(columns: &mut Columns, vocab: &Vocab, text: &str, position: usize, space: bool) -> PyResult<()> {
    if text.is_empty() {
        return Err(empty_word(position));
    }
    let lex = vocab.lexeme(text).map_err(python_error)?;
    columns.push(lex, text.chars().count() as u32, space);
    Ok(())
}

fn empty_word(position: usize) -> PyErr {
    PyValueError::new_err(format!("words[{position}] is empty; a token has at least one character"))
}

/// The string with this id; the empty string for 0. `what` names it in the error.
pub(crate) fn string(vocab: &Vocab, id: u64, what: &str) -> PyResult<String> {
    if id == 0 {
        return Ok(String::new());
    }
    vocab.strings().get(id).ok_or_else(|| {
        PyKeyError::new_err(format!(
            "{what}: no string with id {id} in the document's vocabulary; add it to doc.vocab.strings first"
        ))
    })
}

/// The text of one entry of a list; the message that names the entry is made only where it is needed.
pub(crate) fn entry_text<'a>(value: &'a Bound<'_, PyAny>, what: &str, position: usize) -> PyResult<&'a str> {
    match value.cast::<PyString>().ok().and_then(|text| text.to_str().ok()) {
        Some(text) => Ok(text),
        None => text_of(value, &format!("{what}[{position}]")),
    }
}

fn not_a_string(what: &str, position: usize, found: &Bound<'_, PyAny>) -> PyErr {
    let kind = found.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{what}[{position}] is of type {kind}; expected str"))
}
