//! The attributes of a word type, computed from its string with Python's Unicode semantics.

mod character;
mod flags;
mod form;
mod kinds;
mod lexicon;
mod likeness;
mod top_level_domains;
mod web_address;

pub use character::{is_digit, is_letter, is_punctuation, is_space};
pub use flags::language_independent_flags;
pub use form::{prefix, suffix, word_shape};
pub use lexicon::{EVERY_STRING, Lexicon, WordForms};
pub use likeness::{like_email, like_url};
