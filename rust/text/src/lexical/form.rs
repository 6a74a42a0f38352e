//! Strings derived from a word: its outline, first character and last characters.

use std::borrow::Cow;

use super::character::{is_digit, is_letter};
use super::kinds::Kinds;

/// From this length in characters on the outline of a word is just `LONG`.
const LONG: usize = 100;
/// Repeats of one outline character beyond this many are dropped.
const MAX_RUN: usize = 4;
const SUFFIX_LENGTH: usize = 3;

/// The outline of a word: letters become `X` or `x`, digits `d`, runs are cut after four.
///
/// ```
/// use ferrule_text::lexical::word_shape;
/// assert_eq!(word_shape("Apple-24"), "Xxxxx-dd");
/// ```
pub fn word_shape(text: &str) -> String {
    if text.chars().nth(LONG - 1).is_some() {
        return "LONG".to_owned();
    }
    let mut shape = String::with_capacity(text.len());
    let mut last = None;
    let mut run = 0;
    for character in text.chars() {
        let outline = if is_letter(character) {
            if character.is_uppercase() { 'X' } else { 'x' }
        } else if is_digit(character) {
            'd'
        } else {
            character
        };
        run = if last == Some(outline) { run + 1 } else { 1 };
        last = Some(outline);
        if run <= MAX_RUN {
            shape.push(outline);
        }
    }
    shape
}

/// [`word_shape`] of a word of these kinds of characters, without new memory for the usual shapes.
pub(super) fn shape_of(text: &str, kinds: Option<Kinds>) -> Cow<'static, str> {
    let shape = match kinds {
        Some(kinds) if kinds.are_letters() && kinds.is_lower() => "xxxx",
        Some(kinds) if kinds.are_letters() && kinds.is_upper() => "XXXX",
        Some(kinds) if kinds.are_letters() && kinds.is_title() => "Xxxxx",
        Some(kinds) if kinds.are_digits() => "dddd",
        _ => "",
    };
    match shape {
        "" => Cow::Owned(word_shape(text)),
        _ if text.len() >= LONG => Cow::Borrowed("LONG"),
        _ => Cow::Borrowed(&shape[..shape.len().min(text.len())]),
    }
}

/// The first character, or nothing of nothing.
pub fn prefix(text: &str) -> &str {
    let end = text.chars().next().map_or(0, char::len_utf8);
    &text[..end]
}

/// The last three characters, fewer where the text is shorter.
pub fn suffix(text: &str) -> &str {
    if let [.., a, b, c] = text.as_bytes()
        && (a | b | c).is_ascii()
    {
        return &text[text.len() - SUFFIX_LENGTH..];
    }
    let start = text.char_indices().rev().nth(SUFFIX_LENGTH - 1).map_or(0, |(at, _)| at);
    &text[start..]
}
