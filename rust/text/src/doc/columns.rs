//! The document: one vector per attribute, allocated when something is first written to it.

use std::sync::OnceLock;

use super::attr::{Column, N_COLUMNS};
use super::error::DocError;
use super::heads::{self, Tree};

/// A token without annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Lexeme index: the word type.
    pub lex: u32,
    /// Offset of the first character.
    pub start: u32,
    /// Whether a space follows.
    pub space: bool,
}

/// A document's tokens, and annotation as columns.
///
/// All positions are in tokens, all offsets in Unicode code points.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// In one piece: a stream makes and lets go of documents faster than memory can be had in parts.
    tokens: Vec<Token>,
    n_chars: u32,
    /// Made with the first annotation, so that a document that has none is small.
    columns: Option<Box<[Option<Vec<u64>>; N_COLUMNS]>>,
    tree: OnceLock<Box<Tree>>,
    /// True where the spaces were not given and every token was presumed to have one.
    pub has_unknown_spaces: bool,
}

impl Columns {
    /// An empty document with room for `n_tokens`.
    pub fn with_capacity(n_tokens: usize) -> Columns {
        Columns { tokens: Vec::with_capacity(n_tokens), ..Columns::default() }
    }

    /// A document of these tokens. `n_chars`: the length of their text.
    pub(crate) fn of_tokens(tokens: Vec<Token>, n_chars: u32) -> Columns {
        Columns { tokens, n_chars, ..Columns::default() }
    }

    /// Gives each token another lexeme, by the number of the one it has.
    pub(crate) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        self.tokens.iter_mut().for_each(|token| token.lex = number(token.lex));
    }

    /// Add a token. Only while no annotation is set: the columns would be too short.
    pub fn push(&mut self, lex: u32, length: u32, space: bool) {
        debug_assert!(self.columns.is_none());
        self.tokens.push(Token { lex, start: self.n_chars, space });
        self.n_chars += length + u32::from(space);
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// True for a document without tokens.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Offset behind the token's last character, the space not counted.
    pub fn end_char(&self, token: usize) -> u32 {
        let next = self.tokens.get(token + 1).map_or(self.n_chars, |next| next.start);
        next - u32::from(self.tokens[token].space)
    }

    /// Replace the spaces and move the character offsets accordingly.
    pub fn set_spaces(&mut self, spaces: Vec<bool>) -> Result<(), DocError> {
        self.check_length("SPACY", spaces.len())?;
        let lengths: Vec<u32> = (0..self.len()).map(|i| self.end_char(i) - self.tokens[i].start).collect();
        self.n_chars = 0;
        for ((token, length), space) in self.tokens.iter_mut().zip(lengths).zip(spaces) {
            (token.start, token.space) = (self.n_chars, space);
            self.n_chars += length + u32::from(space);
        }
        Ok(())
    }

    /// A column's values, `None` where nothing was ever written to it.
    pub fn column(&self, column: Column) -> Option<&[u64]> {
        self.columns.as_ref()?[column as usize].as_deref()
    }

    /// One value; an unwritten column reads as 0, but the first token starts a sentence.
    pub fn get(&self, column: Column, token: usize) -> u64 {
        match self.column(column) {
            Some(values) => values[token],
            None => u64::from(column == Column::SentStart && token == 0),
        }
    }

    /// A signed column's value (`Head`, `SentStart`).
    pub fn get_signed(&self, column: Column, token: usize) -> i64 {
        self.get(column, token) as i64
    }

    /// Write one value, after checking it; see [`Column`] for what each takes.
    pub fn set(&mut self, column: Column, token: usize, value: u64) -> Result<(), DocError> {
        self.check_token(token)?;
        check_value(column, token, value)?;
        if column == Column::Head {
            heads::check_move(self, token, value as i64)?;
        }
        self.values_mut(column)[token] = value;
        self.forget_tree(column);
        Ok(())
    }

    /// Write a whole column, after checking it. Nothing changes when a value is refused.
    pub fn set_column(&mut self, column: Column, values: Vec<u64>) -> Result<(), DocError> {
        self.check_length(column.name(), values.len())?;
        for (token, value) in values.iter().enumerate() {
            check_value(column, token, *value)?;
        }
        if column == Column::Head {
            heads::check_tree(&values)?;
        }
        // Nothing but zeros reads the same without the memory, except where the first token's default is 1.
        let is_unset = column != Column::SentStart && values.iter().all(|&value| value == 0);
        match is_unset {
            true => self.drop_column(column),
            false => self.columns_mut()[column as usize] = Some(values),
        }
        self.forget_tree(column);
        Ok(())
    }

    /// Append tokens `start..end` of another document with the same vocabulary, annotation included.
    ///
    /// Heads that leave the slice are dropped: their tokens become roots.
    pub fn append(&mut self, other: &Columns, start: usize, end: usize) -> Result<(), DocError> {
        other.check_range(start, end)?;
        let (before, added) = (self.len(), end - start);
        for (column, ..) in Column::ALL {
            let starts_differ = column == Column::SentStart && before > 0 && added > 0;
            if self.column(column).is_none() && other.column(column).is_none() && !starts_differ {
                continue;
            }
            self.values_mut(column).extend((start..end).map(|token| other.get(column, token)));
        }
        for (i, token) in (start..end).zip(&other.tokens[start..end]) {
            self.tokens.push(Token { start: self.n_chars, ..*token });
            self.n_chars += other.end_char(i) - token.start + u32::from(token.space);
        }
        if self.column(Column::Head).is_some() {
            let heads = self.values_mut(Column::Head);
            for (i, head) in heads[before..].iter_mut().enumerate() {
                if !(0..added as i64).contains(&(i as i64 + *head as i64)) {
                    *head = 0;
                }
            }
        }
        self.tree = OnceLock::new();
        Ok(())
    }

    /// The same tokens without annotation.
    pub fn words_only(self) -> Columns {
        let Columns { tokens, n_chars, has_unknown_spaces, .. } = self;
        Columns { tokens, n_chars, has_unknown_spaces, ..Columns::default() }
    }

    /// Forget a column's annotation.
    pub fn clear(&mut self, column: Column) {
        self.drop_column(column);
        self.forget_tree(column);
    }

    /// The dependency tree, computed when first asked for and again after a change of heads.
    pub fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| Box::new(Tree::new(self)))
    }

    /// True where some token (or with `complete` every token) has a value in this column.
    ///
    /// As in spaCy the first token's `SentStart` does not count: a single token is a sentence in any case.
    pub fn has_annotation(&self, column: Column, complete: bool) -> bool {
        let n_tokens = self.len();
        let skip = usize::from(column == Column::SentStart);
        if n_tokens <= skip {
            return true;
        }
        let mut set = (skip..n_tokens).map(|token| self.get(column, token) != 0);
        if complete { set.all(|is_set| is_set) } else { set.any(|is_set| is_set) }
    }

    /// Sentences as `(start, end)` in tokens; one sentence where no start is marked.
    pub fn sentences(&self) -> Vec<(usize, usize)> {
        let mut starts: Vec<usize> =
            (0..self.len()).filter(|&i| i == 0 || self.get(Column::SentStart, i) == 1).collect();
        starts.push(self.len());
        starts.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }

    /// Error for a position outside the document.
    pub fn check_token(&self, token: usize) -> Result<(), DocError> {
        if token < self.len() {
            return Ok(());
        }
        Err(DocError::Index(format!(
            "token {token} is outside the document, which has {} tokens",
            self.len()
        )))
    }

    /// Error for a token range outside the document or that ends before it starts.
    pub fn check_range(&self, start: usize, end: usize) -> Result<(), DocError> {
        if start <= end && end <= self.len() {
            return Ok(());
        }
        Err(DocError::Index(format!(
            "tokens {start} to {end} are no range of the document, which has {} tokens",
            self.len()
        )))
    }

    fn check_length(&self, name: &str, found: usize) -> Result<(), DocError> {
        if found == self.len() {
            return Ok(());
        }
        Err(DocError::Value(format!(
            "{name}: {found} values for a document of {} tokens; give one for each token",
            self.len()
        )))
    }

    /// The column, allocated if need be, to write values that are known to be right.
    pub(crate) fn values_mut(&mut self, column: Column) -> &mut Vec<u64> {
        let n_tokens = self.tokens.len();
        self.columns_mut()[column as usize].get_or_insert_with(|| {
            let mut values = vec![0; n_tokens];
            if column == Column::SentStart && n_tokens > 0 {
                values[0] = 1;
            }
            values
        })
    }

    fn columns_mut(&mut self) -> &mut [Option<Vec<u64>>; N_COLUMNS] {
        self.columns.get_or_insert_default()
    }

    fn drop_column(&mut self, column: Column) {
        if let Some(columns) = &mut self.columns {
            columns[column as usize] = None;
        }
    }

    pub(crate) fn forget_tree(&mut self, column: Column) {
        if matches!(column, Column::Head | Column::Dep) {
            self.tree = OnceLock::new();
        }
    }
}

fn check_value(column: Column, token: usize, value: u64) -> Result<(), DocError> {
    let (right, expected) = match column {
        Column::SentStart => (matches!(value as i64, -1..=1), "-1 (no), 0 (unset) or 1 (yes)"),
        Column::EntIob => (value <= 3, "0 (missing), 1 (I), 2 (O) or 3 (B)"),
        _ => return Ok(()),
    };
    if right {
        return Ok(());
    }
    Err(DocError::Value(format!(
        "{} of token {token} is {}, expected {expected}",
        column.name(),
        value as i64
    )))
}
