//! How rules look for prefixes, suffixes, infixes and whole matches.
//!
//! Most words are screened out: they lack characters that every match holds. Of the others most fail the *outline*, a
//! regular pattern that matches at least wherever the exact one does, and only the rest see the exact pattern.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::TokenizeError;
use super::cost::{self, Reach};
use super::python_regex::{Node, PatternError, parse};
use super::regular::{Regular, SIZE_LIMIT};
use super::reverse::ReverseSearch;
use super::screen::{Bytes, Screen, Tied};
use crate::vocab::HookError;

/// A search of the caller's own. Ranges are in bytes of the text.
pub trait CustomSearch: Send + Sync {
    /// The first match.
    fn first(&self, text: &str) -> Result<Option<Range<usize>>, HookError>;
    /// Whether there is a match.
    fn matches(&self, text: &str) -> Result<bool, HookError>;
    /// All matches, from left to right.
    fn all(&self, text: &str) -> Result<Vec<Range<usize>>, HookError>;
}

enum Exact {
    Regular(Box<Regular>),
    LookAround(Box<fancy_regex::Regex>),
}

/// One pattern, searched from left to right.
struct Matcher {
    screen: Screen,
    outline: Regular,
    exact: Option<Exact>,
    /// What those alternatives begin with that differ from their outlines. None where that may be anything.
    inexact: Option<Bytes>,
    /// What a match begins with, where a search with look-around may be run at such places only.
    first: Option<Bytes>,
    /// Whether it is tied to the start of the text, so that the search ends where nothing can match any more.
    at_start: bool,
    reach: OnceLock<Reach>,
    /// How many bytes after its match the pattern looks at most, None where there is no bound.
    look_ahead: Option<usize>,
}

impl Matcher {
    /// `start` is put before the pattern: `\A` to match at the start only, or nothing.
    fn new(node: &Node, start: &str) -> Result<Self, String> {
        Self::with_outline(node, start, node.outline())
    }

    fn with_outline(node: &Node, start: &str, outline: String) -> Result<Self, String> {
        let pattern = format!("{start}(?:{})", node.exact());
        let outline = format!("{start}(?:{outline})");
        let exact = if pattern == outline {
            None
        } else if node.is_regular() {
            Some(Exact::Regular(Box::new(Regular::new(&pattern)?)))
        } else {
            let built = fancy_regex::RegexBuilder::new(&pattern).delegate_size_limit(SIZE_LIMIT).build();
            Some(Exact::LookAround(Box::new(built.map_err(|error| error.to_string())?)))
        };
        let at_start = !start.is_empty();
        let differ = |node: &&&Node| node.exact() != node.outline();
        let inexact =
            Node::Alternation(node.alternatives().iter().filter(differ).copied().cloned().collect());
        Ok(Self {
            screen: Screen::new(node, if at_start { Tied::ToStart } else { Tied::Nowhere }),
            outline: Regular::new(&outline)?,
            exact,
            inexact: inexact.first().map(Bytes::new),
            first: node.first().map(Bytes::new),
            at_start,
            reach: OnceLock::new(),
            look_ahead: node.look_ahead().map(|characters| 4 * characters),
        })
    }

    /// How many bytes of the text a search reads at most.
    fn cost(&self, text: &str) -> usize {
        let screening = match self.at_start {
            true => self.reach.get_or_init(|| Reach::new(self.outline.as_str())).bytes(text),
            false => text.len(),
        };
        match &self.exact {
            Some(Exact::Regular(_)) if self.outline.is_match(text) => 2 * screening,
            Some(Exact::LookAround(_)) if self.outline.is_match(text) => {
                let ahead = self.look_ahead.unwrap_or(text.len());
                (2 * screening + ahead).min(screening + text.len())
            }
            _ => screening,
        }
    }

    fn find(&self, text: &str) -> Result<Option<Range<usize>>, TokenizeError> {
        if !self.screen.lets_pass(text) {
            return Ok(None);
        }
        cost::read(|| self.cost(text));
        match &self.exact {
            None => Ok(self.outline.find(text)),
            // Of alternatives that are their own outlines the outline finds what the exact pattern does.
            Some(_) if self.at_start && self.is_exact_in(text) => Ok(self.outline.find(text)),
            Some(_) if !self.outline.is_match(text) => Ok(None),
            Some(Exact::Regular(regex)) => Ok(regex.find(text)),
            Some(Exact::LookAround(regex)) => Ok(regex.find(text)?.map(|found| found.range())),
        }
    }

    /// Whether only alternatives that are their own outlines may match at the start of the text.
    fn is_exact_in(&self, text: &str) -> bool {
        self.inexact.as_ref().is_some_and(|first| !text.bytes().next().is_some_and(|byte| first.has(byte)))
    }

    /// As [`find`](Self::find), from `from` on; what is before can still be looked behind at.
    fn find_from(&self, text: &str, from: usize) -> Result<Option<Range<usize>>, TokenizeError> {
        if !self.screen.lets_pass(text) {
            return Ok(None);
        }
        cost::read(|| text.len() - from);
        match &self.exact {
            None => Ok(self.outline.find_at(text, from)),
            Some(_) if !self.outline.is_match_at(text, from) => Ok(None),
            Some(Exact::Regular(regex)) => Ok(regex.find_at(text, from)),
            Some(Exact::LookAround(regex)) => Ok(regex.find_from_pos(text, from)?.map(|found| found.range())),
        }
    }

    fn find_all(&self, text: &str) -> Result<Vec<Range<usize>>, TokenizeError> {
        if !self.screen.lets_pass(text) {
            return Ok(Vec::new());
        }
        cost::read(|| self.cost(text));
        match (&self.exact, &self.first) {
            (None, _) => Ok(self.outline.find_all(text)),
            _ if !self.outline.is_match(text) => Ok(Vec::new()),
            (Some(Exact::Regular(regex)), _) => Ok(regex.find_all(text)),
            (Some(Exact::LookAround(regex)), Some(first)) => find_all_at(regex, text, first),
            (Some(Exact::LookAround(regex)), None) => {
                regex.find_iter(text).map(|found| Ok(found.map(|found| found.range())?)).collect()
            }
        }
    }
}

/// All matches, none of them empty, of a pattern whose matches begin with `first`: a search with look-around takes
/// several steps for each alternative wherever it is tried.
fn find_all_at(
    regex: &fancy_regex::Regex,
    text: &str,
    first: &Bytes,
) -> Result<Vec<Range<usize>>, TokenizeError> {
    let mut all = Vec::new();
    let mut done = 0;
    for (at, character) in text.char_indices() {
        if at < done || !first.has(text.as_bytes()[at]) {
            continue;
        }
        let here = fancy_regex::RegexInput::new(text).from_pos(at).anchored(true);
        if let Some(found) = regex.find_input(here)? {
            done = found.end().max(at + character.len_utf8());
            all.push(found.range());
        }
    }
    Ok(all)
}

/// Where the last `count` characters of the text begin.
fn last_characters(text: &str, count: usize) -> usize {
    text.char_indices().rev().take(count).last().map_or(text.len(), |(at, _)| at)
}

fn matcher(node: &Node, start: &str, pattern: &str) -> Result<Matcher, PatternError> {
    Matcher::new(node, start).map_err(|reason| refused(pattern, &reason))
}

fn refused(pattern: &str, reason: &str) -> PatternError {
    PatternError {
        reason: format!("the regular expression engine refuses it: {reason}"),
        at: 0,
        shown: pattern.chars().take(60).collect(),
    }
}

#[expect(clippy::large_enum_variant, reason = "a tokenizer has five of them")]
enum Engine {
    /// Matches at the start of the text.
    AtStart(Matcher),
    /// Matches up to the end of the text: alternatives run backwards, and those that cannot be.
    AtEnd {
        reverse: ReverseSearch,
        rest: Option<Matcher>,
        /// The most characters a match of `rest` can have, None where there is no bound.
        rest_width: Option<usize>,
        general: OnceLock<Matcher>,
        node: Node,
    },
    /// Matches anywhere.
    Anywhere(Matcher),
    Custom(Arc<dyn CustomSearch>),
}

/// What a rule searches with, and the pattern it was made from.
pub struct Search {
    engine: Engine,
    pattern: Option<String>,
    /// For a whole match: matches wherever a text that the given one begins with does.
    open: Option<(Regular, OnceLock<Reach>)>,
}

impl Search {
    /// A search of the caller's own.
    pub fn custom(search: Arc<dyn CustomSearch>) -> Self {
        Self { engine: Engine::Custom(search), pattern: None, open: None }
    }

    /// A prefix search: its alternatives begin with `^`, as a rule, and are then only tried at the start.
    pub fn prefix(pattern: &str) -> Result<Self, PatternError> {
        let node = parse(pattern)?;
        let at_start = node.alternatives().iter().all(|node| node.parts().first() == Some(&Node::Start));
        let engine = if at_start {
            Engine::AtStart(matcher(&node, r"\A", pattern)?)
        } else {
            Engine::Anywhere(matcher(&node, "", pattern)?)
        };
        Ok(Self { engine, pattern: Some(pattern.into()), open: None })
    }

    /// A suffix search: its alternatives end with `$`, as a rule, and are then run from the end backwards.
    pub fn suffix(pattern: &str) -> Result<Self, PatternError> {
        let node = parse(pattern)?;
        let at_end = node
            .alternatives()
            .iter()
            .all(|node| matches!(node.parts().last(), Some(Node::End | Node::VeryEnd)));
        let engine = if at_end {
            let (reverse, rest) = ReverseSearch::new(node.alternatives());
            let rest_node = Node::Alternation(rest);
            let rest_width = rest_node.widest();
            let rest = match rest_node == Node::Alternation(Vec::new()) {
                true => None,
                false => Some(matcher(&rest_node, "", pattern)?),
            };
            Engine::AtEnd { reverse, rest, rest_width, general: OnceLock::new(), node }
        } else {
            Engine::Anywhere(matcher(&node, "", pattern)?)
        };
        Ok(Self { engine, pattern: Some(pattern.into()), open: None })
    }

    /// A search for every match anywhere.
    pub fn infix(pattern: &str) -> Result<Self, PatternError> {
        let node = parse(pattern)?;
        // Only whether there is a match is asked of the outline here, so it may say what must stand around one.
        let outline = if node.is_regular() { node.outline() } else { node.outline_in_context() };
        let built = Matcher::with_outline(&node, "", outline).map_err(|reason| refused(pattern, &reason));
        let engine = Engine::Anywhere(built?);
        Ok(Self { engine, pattern: Some(pattern.into()), open: None })
    }

    /// A match that must begin at the start of the text.
    pub fn whole(pattern: &str) -> Result<Self, PatternError> {
        let node = parse(pattern)?;
        let engine = Engine::AtStart(matcher(&node, r"\A", pattern)?);
        let open =
            Regular::new(&format!(r"\A(?:{})", node.open_outline())).ok().map(|open| (open, OnceLock::new()));
        Ok(Self { engine, pattern: Some(pattern.into()), open })
    }

    /// The Python pattern, None for a search of the caller's own.
    pub fn pattern(&self) -> Option<&str> {
        self.pattern.as_deref()
    }

    /// How many bytes a prefix search peels off the front, 0 where it finds nothing.
    pub fn prefix_length(&self, text: &str) -> Result<usize, TokenizeError> {
        let Some(found) = self.first(text)? else { return Ok(0) };
        if found.start == 0 {
            return Ok(found.end);
        }
        // A pattern that is not tied to the front: as many characters as it matched, as in spaCy.
        let characters = text[found].chars().count();
        Ok(text.chars().take(characters).map(char::len_utf8).sum())
    }

    /// How many bytes a suffix search peels off the back, 0 where it finds nothing.
    pub fn suffix_length(&self, text: &str) -> Result<usize, TokenizeError> {
        let Some(found) = self.first(text)? else { return Ok(0) };
        if found.end == text.len() {
            return Ok(found.len());
        }
        let characters = text[found].chars().count();
        Ok(text.chars().rev().take(characters).map(char::len_utf8).sum())
    }

    fn first(&self, text: &str) -> Result<Option<Range<usize>>, TokenizeError> {
        match &self.engine {
            Engine::AtStart(matcher) | Engine::Anywhere(matcher) => matcher.find(text),
            Engine::AtEnd { reverse, rest, rest_width, general, node } => {
                // `$` also matches before a newline at the end, which the backward search leaves out.
                if text.ends_with('\n') {
                    return match general.get() {
                        Some(general) => general.find(text),
                        None => {
                            let built = Matcher::new(node, "").map_err(TokenizeError::Pattern)?;
                            general.get_or_init(|| built).find(text)
                        }
                    };
                }
                let from = rest_width.map_or(0, |width| last_characters(text, width));
                let rest = rest.as_ref().map(|rest| rest.find_from(text, from)).transpose()?.flatten();
                let starts = [reverse.leftmost_start(text), rest.map(|found| found.start)];
                Ok(starts.into_iter().flatten().min().map(|start| start..text.len()))
            }
            Engine::Custom(search) => Ok(search.first(text)?),
        }
    }

    /// Whether there is a match.
    pub fn matches(&self, text: &str) -> Result<bool, TokenizeError> {
        match &self.engine {
            Engine::Custom(search) => Ok(search.matches(text)?),
            _ => Ok(self.first(text)?.is_some()),
        }
    }

    /// Whether some text that `text` begins with may match. Where not, shorter ones need not be tried.
    pub(super) fn may_match_shorter(&self, text: &str) -> bool {
        self.open.as_ref().is_none_or(|(open, reach)| {
            cost::read(|| reach.get_or_init(|| Reach::new(open.as_str())).bytes(text));
            open.is_match(text)
        })
    }

    /// All matches, from left to right, that do not overlap.
    pub fn all(&self, text: &str) -> Result<Vec<Range<usize>>, TokenizeError> {
        match &self.engine {
            Engine::Custom(search) => Ok(search.all(text)?),
            Engine::AtStart(matcher) | Engine::Anywhere(matcher) => matcher.find_all(text),
            Engine::AtEnd { .. } => Ok(self.first(text)?.into_iter().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the exact pattern finds where it is tried everywhere.
    fn plainly(pattern: &str, text: &str) -> Vec<Range<usize>> {
        let regex = fancy_regex::Regex::new(&parse(pattern).unwrap().exact()).unwrap();
        regex.find_iter(text).map(|found| found.unwrap().range()).collect()
    }

    proptest! {
        #[test]
        fn words_that_are_passed_over_have_no_match(text in "[a-cA-C0-2k'm+(.)~…$é-]{0,12}|[a-z]{0,40}[.)]?") {
            let infix = r"\.\.+|(?<=[a-zé])\.(?=[A-Z])|(?<=[a-z])(?:-|--|~)(?=[a-z])|…|(?<=[0-9])[+-](?=[0-9-])";
            prop_assert_eq!(Search::infix(infix).unwrap().all(&text).unwrap(), plainly(infix, &text));
            let prefix = r"^[(.…]|^\+(?![0-9])|^(?:aa|C)\$|^\.\.+";
            let length = plainly(prefix, &text).first().map_or(0, |found| found.end);
            prop_assert_eq!(Search::prefix(prefix).unwrap().prefix_length(&text).unwrap(), length);
            let suffix = r"[).…]$|'a$|(?<=[0-9])(?:km|m|\+)$|(?<=[a-z])\.$|(?<=[A-Z][A-Z])\.$|\.\.+$";
            let length = plainly(suffix, &text).first().map_or(0, |found| found.len());
            prop_assert_eq!(Search::suffix(suffix).unwrap().suffix_length(&text).unwrap(), length);
        }
    }
}
