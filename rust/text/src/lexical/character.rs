//! Classes of single characters, as Python's `str` methods and `unicodedata` see them.
//!
//! General categories come from `regex-syntax`, so that flags and tokenizer patterns use the same Unicode version.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// A class of characters.
struct Ranges {
    /// One bit an ASCII character: nearly every character is one.
    ascii: u128,
    /// Sorted, disjoint, inclusive.
    ranges: Vec<(char, char)>,
}

impl Ranges {
    fn of_class(pattern: &str) -> Self {
        let hir = regex_syntax::parse(pattern).expect("a class written in this file parses");
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
            unreachable!("`{pattern}` is a Unicode class");
        };
        let ranges: Vec<(char, char)> = class.iter().map(|range| (range.start(), range.end())).collect();
        let within =
            |character: u8| ranges.iter().any(|(start, end)| (*start..=*end).contains(&character.into()));
        let ascii =
            (0..128).filter(|&character| within(character)).fold(0, |bits, character| bits | 1 << character);
        Self { ascii, ranges }
    }

    fn contains(&self, character: char) -> bool {
        if character.is_ascii() {
            return self.ascii >> (character as u32) & 1 == 1;
        }
        let after = self.ranges.partition_point(|&(start, _)| start <= character);
        after > 0 && character <= self.ranges[after - 1].1
    }
}

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $pattern:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(character: char) -> bool {
            static RANGES: LazyLock<Ranges> = LazyLock::new(|| Ranges::of_class($pattern));
            RANGES.contains(character)
        }
    )*};
}

classes! {
    /// General category P: punctuation.
    is_punctuation = r"\p{P}";
    /// General category Sc: currency signs.
    is_currency_sign = r"\p{Sc}";
    /// General category Lt: title-case letters such as `ǅ`.
    is_titlecase = r"\p{Lt}";
    is_letter_beyond_ascii = r"\p{L}";
    is_digit_beyond_ascii = r"[\p{Nd}²³¹፩-፱᧚⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒\x{10a40}-\x{10a43}\x{10e60}-\x{10e68}\x{11052}-\x{1105a}\x{1f100}-\x{1f10a}]";
}

/// What `str.isalpha` accepts: general category L. Rust's `is_alphabetic` also takes marks and letter numbers.
pub fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { is_letter_beyond_ascii(character) }
}

/// What `str.isdigit` accepts: decimal digits, and digits such as `²` and `①`.
pub fn is_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { is_digit_beyond_ascii(character) }
}

/// What `str.isspace` accepts: Rust's white space and the four separators U+001C to U+001F.
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}
