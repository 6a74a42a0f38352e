//! The `is_*` flags of a word.

use super::character::{is_currency_sign, is_digit, is_letter, is_punctuation, is_space, is_titlecase};
use super::kinds::Kinds;
use super::likeness::{like_email, like_url};
use crate::lexeme::flag;

/// Bytes of the longest of the marks below.
const LONGEST_MARK: usize = 3;
const BRACKETS: [&str; 8] = ["(", ")", "[", "]", "{", "}", "<", ">"];
const LEFT_PUNCT: [&str; 16] =
    ["(", "[", "{", "<", "\"", "'", "«", "‘", "‚", "‛", "“", "„", "‟", "‹", "❮", "``"];
const RIGHT_PUNCT: [&str; 12] = [")", "]", "}", ">", "\"", "'", "»", "’", "”", "›", "❯", "''"];
const QUOTES: [&str; 17] =
    ["\"", "'", "`", "«", "»", "‘", "’", "‚", "‛", "“", "”", "„", "‟", "‹", "›", "❮", "❯"];
const DOUBLE_QUOTES: [&str; 2] = ["''", "``"];

/// The flags that depend on the string alone. `is_stop` and `like_num` depend on the language and are not set.
pub fn language_independent_flags(text: &str) -> u64 {
    flags_of(text, Kinds::of(text))
}

/// As [`language_independent_flags`], of a word of these kinds of characters.
pub(super) fn flags_of(text: &str, kinds: Option<Kinds>) -> u64 {
    kinds.map_or_else(|| flags_of_any(text), |kinds| flags_of_ascii(text, kinds))
}

fn flags_of_ascii(text: &str, kinds: Kinds) -> u64 {
    let of_characters = bits(&[
        (flag::IS_ALPHA, kinds.are_letters()),
        (flag::IS_ASCII, true),
        (flag::IS_DIGIT, kinds.are_digits()),
        (flag::IS_LOWER, kinds.is_lower()),
        (flag::IS_PUNCT, kinds.are_punctuation()),
        (flag::IS_SPACE, kinds.are_spaces()),
        (flag::IS_TITLE, kinds.is_title()),
        (flag::IS_UPPER, kinds.is_upper()),
        (flag::LIKE_URL, kinds.has_dot_or_slash() && like_url(text)),
        (flag::LIKE_EMAIL, kinds.has_at_sign() && like_email(text)),
        (flag::IS_CURRENCY, kinds.are_currency_signs()),
    ]);
    if kinds.are_letters() { of_characters } else { of_characters | flags_of_mark(text) }
}

fn bits(values: &[(u32, bool)]) -> u64 {
    values.iter().fold(0, |flags, &(id, set)| flags | (u64::from(set) << id))
}

/// The flags of brackets and quotes.
fn flags_of_mark(text: &str) -> u64 {
    let is_one_of = |marks: &[&str]| marks.contains(&text);
    if text.len() > LONGEST_MARK {
        return 0;
    }
    bits(&[
        (flag::IS_BRACKET, is_one_of(&BRACKETS)),
        (flag::IS_QUOTE, is_one_of(&QUOTES) || is_one_of(&DOUBLE_QUOTES)),
        (flag::IS_LEFT_PUNCT, is_one_of(&LEFT_PUNCT)),
        (flag::IS_RIGHT_PUNCT, is_one_of(&RIGHT_PUNCT)),
    ])
}

fn flags_of_any(text: &str) -> u64 {
    let case = case_of(text);
    let every = |test: fn(char) -> bool| text.chars().all(test);
    let some_and_every = |test: fn(char) -> bool| !text.is_empty() && every(test);
    let of_characters = bits(&[
        (flag::IS_ALPHA, some_and_every(is_letter)),
        (flag::IS_ASCII, text.is_ascii()),
        (flag::IS_DIGIT, some_and_every(is_digit)),
        (flag::IS_LOWER, case.lower),
        (flag::IS_PUNCT, every(is_punctuation)),
        (flag::IS_SPACE, some_and_every(is_space)),
        (flag::IS_TITLE, case.title),
        (flag::IS_UPPER, case.upper),
        (flag::LIKE_URL, like_url(text)),
        (flag::LIKE_EMAIL, like_email(text)),
        (flag::IS_CURRENCY, every(is_currency_sign)),
    ]);
    of_characters | flags_of_mark(text)
}

struct Case {
    lower: bool,
    upper: bool,
    title: bool,
}

/// What `str.islower`, `str.isupper` and `str.istitle` say, in one pass.
///
/// All three want a cased character. Title case means upper case only after something uncased, and lower case
/// only after something cased; a title-case letter such as `ǅ` rules out the other two.
fn case_of(text: &str) -> Case {
    let mut case = Case { lower: true, upper: true, title: true };
    let mut after_cased = false;
    let mut any_cased = false;
    for character in text.chars() {
        let title = is_titlecase(character);
        let upper = character.is_uppercase();
        let lower = character.is_lowercase();
        case.lower &= !(upper || title);
        case.upper &= !(lower || title);
        case.title &= if upper || title { !after_cased } else { !lower || after_cased };
        after_cased = upper || title || lower;
        any_cased |= after_cased;
    }
    Case { lower: any_cased && case.lower, upper: any_cased && case.upper, title: any_cased && case.title }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lexical::form::{shape_of, word_shape};

    proptest! {
        #[test]
        fn a_pass_over_an_ascii_word_finds_what_its_characters_say(
            text in "[\\x00-\\x7f]{0,4}|[a-zA-Z]{0,6}|[A-Z]?[a-z]{0,110}|[0-9]{1,5}|(http://|www.)?[a-z@.]{1,8}"
        ) {
            prop_assert_eq!(language_independent_flags(&text), flags_of_any(&text));
            prop_assert_eq!(shape_of(&text, Kinds::of(&text)), word_shape(&text));
        }
    }
}
