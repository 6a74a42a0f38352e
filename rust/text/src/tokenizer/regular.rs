//! Regular patterns, with the memory of their automata by thread.

use std::ops::Range;

use regex_automata::Input;
use regex_automata::meta::{Cache, Regex};
use regex_automata::util::iter::Searcher;

use super::per_thread::PerThread;

/// Compiled patterns may take this many bytes; those of a language with many exceptions take a few megabytes.
pub(super) const SIZE_LIMIT: usize = 1 << 28;

/// A pattern without look-around, in the syntax of the `regex` crate.
pub(super) struct Regular {
    regex: Regex,
    pattern: String,
    caches: PerThread<Cache>,
}

impl Regular {
    /// Refuses patterns with an error of the syntax, or that are too large.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let config = Regex::config().nfa_size_limit(Some(SIZE_LIMIT));
        let regex = Regex::builder().configure(config).build(pattern).map_err(|error| {
            match (error.syntax_error(), error.size_limit()) {
                (Some(error), _) => error.to_string(),
                (None, Some(limit)) => format!("compiled it takes more than {limit} bytes"),
                (None, None) => error.to_string(),
            }
        })?;
        Ok(Self { regex, pattern: pattern.into(), caches: PerThread::default() })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.pattern
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.is_match_at(text, 0)
    }

    /// Whether there is a match from `from` on; what is before can still be looked at.
    pub(super) fn is_match_at(&self, text: &str, from: usize) -> bool {
        let input = Input::new(text).range(from..).earliest(true);
        self.with_cache(|cache| self.regex.search_half_with(cache, &input).is_some())
    }

    pub(super) fn find(&self, text: &str) -> Option<Range<usize>> {
        self.find_at(text, 0)
    }

    /// The first match from `from` on; what is before can still be looked at.
    pub(super) fn find_at(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let input = Input::new(text).range(from..);
        self.with_cache(|cache| self.regex.search_with(cache, &input).map(|found| found.range()))
    }

    /// All matches, from left to right, that do not overlap.
    pub(super) fn find_all(&self, text: &str) -> Vec<Range<usize>> {
        let mut searcher = Searcher::new(Input::new(text));
        self.with_cache(|cache| {
            let mut next = || searcher.advance(|input| Ok(self.regex.search_with(cache, input)));
            std::iter::from_fn(|| next().map(|found| found.range())).collect()
        })
    }

    fn with_cache<R>(&self, search: impl FnOnce(&mut Cache) -> R) -> R {
        self.caches.with(|| self.regex.create_cache(), search)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_regex_crate_finds() {
        for (pattern, text) in
            [("a+|b", "aab-ba"), ("", "äö"), (r"\bö\b|x", "ö öx xö"), (r"\A[(]+", "((a(("), ("q", "")]
        {
            let (own, other) = (Regular::new(pattern).unwrap(), regex::Regex::new(pattern).unwrap());
            let all: Vec<_> = other.find_iter(text).map(|found| found.range()).collect();
            assert_eq!(own.find_all(text), all, "{pattern}");
            for from in (0..=text.len()).filter(|&from| text.is_char_boundary(from)) {
                assert_eq!(own.find_at(text, from), other.find_at(text, from).map(|found| found.range()));
                assert_eq!(own.is_match_at(text, from), other.is_match_at(text, from), "{pattern} {from}");
            }
        }
    }

    #[test]
    fn says_why_a_pattern_is_refused() {
        assert!(Regular::new("a(").is_err_and(|reason| reason.contains("unclosed group")));
        assert!(Regular::new(r"\w{9999}{99}").is_err_and(|reason| reason.contains("bytes")));
    }
}
