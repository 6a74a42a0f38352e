//! What kinds of characters an ASCII word has, found in one pass: nearly every word is one.

use std::sync::LazyLock;

use super::character::{is_currency_sign, is_digit, is_punctuation, is_space};

const LOWER: u8 = 1;
const UPPER: u8 = 1 << 1;
const DIGIT: u8 = 1 << 2;
const PUNCTUATION: u8 = 1 << 3;
const SPACE: u8 = 1 << 4;
const CURRENCY: u8 = 1 << 5;
const DOT_OR_SLASH: u8 = 1 << 6;
const AT_SIGN: u8 = 1 << 7;
const LETTER: u8 = LOWER | UPPER;

static KINDS: LazyLock<[u8; 128]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let character = char::from(byte as u8);
        let kinds = [
            (LOWER, character.is_ascii_lowercase()),
            (UPPER, character.is_ascii_uppercase()),
            (DIGIT, is_digit(character)),
            (PUNCTUATION, is_punctuation(character)),
            (SPACE, is_space(character)),
            (CURRENCY, is_currency_sign(character)),
            (DOT_OR_SLASH, matches!(character, '.' | '/')),
            (AT_SIGN, character == '@'),
        ];
        kinds.iter().fold(0, |all, &(kind, is_it)| if is_it { all | kind } else { all })
    })
});

/// The kinds of the characters of a word of ASCII characters that is not empty.
#[derive(Clone, Copy)]
pub(super) struct Kinds {
    /// Those that some character has.
    some: u8,
    /// Those that every character has, where a letter of either case has both.
    every: u8,
    is_title: bool,
}

impl Kinds {
    /// None for other words.
    pub(super) fn of(text: &str) -> Option<Self> {
        let kinds = &*KINDS;
        let (mut some, mut every, mut is_title, mut before) = (0, u8::MAX, true, 0);
        for &byte in text.as_bytes() {
            let kind = *kinds.get(usize::from(byte))?;
            some |= kind;
            every &= if kind & LETTER == 0 { kind } else { kind | LETTER };
            // Upper case only after what is no letter, and lower case only after a letter.
            is_title &= match kind & LETTER {
                UPPER => before & LETTER == 0,
                LOWER => before & LETTER != 0,
                _ => true,
            };
            before = kind;
        }
        (!text.is_empty()).then_some(Self { some, every, is_title })
    }

    pub(super) fn are_letters(self) -> bool {
        self.every & LETTER != 0
    }

    pub(super) fn are_digits(self) -> bool {
        self.every & DIGIT != 0
    }

    pub(super) fn are_punctuation(self) -> bool {
        self.every & PUNCTUATION != 0
    }

    pub(super) fn are_spaces(self) -> bool {
        self.every & SPACE != 0
    }

    pub(super) fn are_currency_signs(self) -> bool {
        self.every & CURRENCY != 0
    }

    pub(super) fn has_upper(self) -> bool {
        self.some & UPPER != 0
    }

    /// What `str.islower` says.
    pub(super) fn is_lower(self) -> bool {
        self.some & LETTER == LOWER
    }

    /// What `str.isupper` says.
    pub(super) fn is_upper(self) -> bool {
        self.some & LETTER == UPPER
    }

    /// What `str.istitle` says.
    pub(super) fn is_title(self) -> bool {
        self.is_title && self.some & LETTER != 0
    }

    /// Whether it may look like a web address.
    pub(super) fn has_dot_or_slash(self) -> bool {
        self.some & DOT_OR_SLASH != 0
    }

    /// Whether it may look like an e-mail address.
    pub(super) fn has_at_sign(self) -> bool {
        self.some & AT_SIGN != 0
    }
}
