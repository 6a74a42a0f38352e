//! The rules of a tokenizer: what it peels off, splits at, and treats as a special case.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::TokenizeError;
use super::search::Search;
use super::split::chunks;

/// One token of a special case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialToken {
    /// The token's string.
    pub orth: String,
    /// Its normal form, where that is not the word type's.
    pub norm: Option<String>,
    /// The string id of the normal form, 0 where there is none.
    pub norm_id: u64,
}

/// A special case that is also found where its parts were peeled off or stand in several chunks.
#[derive(Clone)]
pub(super) struct SpanningCase {
    /// What the rules without special cases make of it, in order.
    pub(super) parts: Vec<Box<str>>,
    /// Its string.
    pub(super) text: Box<str>,
}

/// The rules; each part may be missing.
#[derive(Default, Clone)]
pub struct Rules {
    /// Finds what is peeled off the front.
    pub prefix: Option<Arc<Search>>,
    /// Finds what is peeled off the back.
    pub suffix: Option<Arc<Search>>,
    /// Finds where the rest is split.
    pub infix: Option<Arc<Search>>,
    /// Recognises strings that are not taken apart at all.
    pub token_match: Option<Arc<Search>>,
    /// Recognises strings that are not split at infixes.
    pub url_match: Option<Arc<Search>>,
    pub(super) specials: FxHashMap<Box<str>, Arc<[SpecialToken]>>,
    pub(super) longest_special: usize,
    pub(super) spanning: FxHashMap<Box<str>, Vec<SpanningCase>>,
    /// Special cases that hold white space; where one is in a text, chunks cannot be treated one by one.
    with_space: Vec<Box<str>>,
    /// Finds any of `with_space`; None where the engine refuses that.
    with_space_search: OnceLock<Option<regex::Regex>>,
    /// Whether only special cases that other rules would take apart are looked for in the finished tokens.
    pub faster_heuristics: bool,
}

impl Rules {
    /// The tokens of a special case.
    pub fn special(&self, text: &str) -> Option<&Arc<[SpecialToken]>> {
        if text.len() > self.longest_special { None } else { self.specials.get(text) }
    }

    /// All special cases, in no order.
    pub fn specials(&self) -> impl Iterator<Item = (&str, &[SpecialToken])> {
        self.specials.iter().map(|(text, tokens)| (&**text, &**tokens))
    }

    /// Adds a special case, or replaces the one of the same string.
    pub fn add_special(&mut self, text: &str, tokens: Vec<SpecialToken>) -> Result<(), TokenizeError> {
        self.specials.insert(text.into(), tokens.into());
        self.longest_special = self.longest_special.max(text.len());
        self.span(text)
    }

    /// Replaces all special cases. Call [`respan`](Self::respan) afterwards.
    pub fn set_specials(&mut self, specials: Vec<(String, Vec<SpecialToken>)>) {
        self.longest_special = specials.iter().map(|(text, _)| text.len()).max().unwrap_or(0);
        self.specials = specials.into_iter().map(|(text, tokens)| (text.into(), tokens.into())).collect();
    }

    /// The length in bytes of the prefix of `text`.
    pub fn find_prefix(&self, text: &str) -> Result<usize, TokenizeError> {
        self.prefix.as_ref().map_or(Ok(0), |search| search.prefix_length(text))
    }

    /// The length in bytes of the suffix of `text`.
    pub fn find_suffix(&self, text: &str) -> Result<usize, TokenizeError> {
        self.suffix.as_ref().map_or(Ok(0), |search| search.suffix_length(text))
    }

    /// Where `text` would be split, in bytes.
    pub fn find_infixes(&self, text: &str) -> Result<Vec<std::ops::Range<usize>>, TokenizeError> {
        self.infix.as_ref().map_or(Ok(Vec::new()), |search| search.all(text))
    }

    /// Looks again which special cases span what the other rules take apart. Call it when those have changed.
    pub fn respan(&mut self) -> Result<(), TokenizeError> {
        self.spanning.clear();
        self.with_space.clear();
        self.with_space_search = OnceLock::new();
        let texts: Vec<Box<str>> = self.specials.keys().cloned().collect();
        texts.iter().try_for_each(|text| self.span(text))
    }

    /// Whether a special case may span several chunks of this text.
    pub(super) fn span_chunks(&self, text: &str) -> bool {
        if self.with_space.is_empty() {
            return false;
        }
        let search = self.with_space_search.get_or_init(|| {
            let cases: Vec<String> = self.with_space.iter().map(|case| regex::escape(case)).collect();
            regex::RegexBuilder::new(&cases.join("|")).size_limit(1 << 28).build().ok()
        });
        search.as_ref().is_none_or(|search| search.is_match(text))
    }

    /// Whether a function of the caller's is among the rules.
    pub(super) fn call_out(&self) -> bool {
        let searches = [&self.prefix, &self.suffix, &self.infix, &self.token_match, &self.url_match];
        searches.into_iter().flatten().any(|search| search.pattern().is_none())
    }

    fn span(&mut self, text: &str) -> Result<(), TokenizeError> {
        let taken_apart = !self.faster_heuristics
            || text.contains(' ')
            || self.find_prefix(text)? > 0
            || self.find_suffix(text)? > 0
            || !self.find_infixes(text)?.is_empty();
        if !taken_apart {
            return Ok(());
        }
        let pieces = self.affix_pieces(text, false)?;
        let parts: Vec<Box<str>> = pieces.iter().map(|piece| text[piece.start..piece.end].into()).collect();
        if chunks(text).nth(1).is_some() && !self.with_space.iter().any(|known| **known == *text) {
            self.with_space.push(text.into());
            self.with_space_search = OnceLock::new();
        }
        let Some(first) = parts.first().cloned() else { return Ok(()) };
        let cases = self.spanning.entry(first).or_default();
        cases.retain(|case| &*case.text != text);
        cases.push(SpanningCase { parts, text: text.into() });
        Ok(())
    }
}

pub(super) fn matches(search: &Option<Arc<Search>>, text: &str) -> Result<bool, TokenizeError> {
    search.as_ref().map_or(Ok(false), |search| search.matches(text))
}
