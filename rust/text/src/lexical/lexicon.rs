//! What a language knows of its words: stop words, number words, normal forms.

use rustc_hash::{FxHashMap, FxHashSet};

use super::flags::language_independent_flags;
use super::form::{prefix, suffix, word_shape};
use super::likeness::{like_numeral, like_ordinal_numeral, without_separators};
use crate::hash::IdMap;
use crate::lexeme::{Lexeme, NO_RANK, flag};
use crate::strings::{StringStore, string_id};

/// The language's share in the attributes of a word type. The default is a language that knows nothing.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    /// Language code, such as `en`; empty where there is none.
    pub lang: String,
    /// Words of `is_stop`, in lower case.
    pub stop_words: FxHashSet<String>,
    /// Words of `like_num`, in lower case: `twelve`, `hundredth`.
    pub number_words: FxHashSet<String>,
    /// What makes digits an ordinal, in lower case: `st`, `nd`.
    pub ordinal_endings: Vec<String>,
    /// Normal forms that are not the lower-case form.
    pub norms: FxHashMap<String, String>,
    /// More normal forms, by the string id of the word: those of a lookup table, which win over nothing above.
    pub norms_by_id: IdMap<String>,
}

impl Lexicon {
    /// Every attribute of the word type `text`; the strings it needs are kept in `strings` as transient.
    pub fn lexeme(&self, text: &str, strings: &StringStore) -> Lexeme {
        let lower = text.to_lowercase();
        let by_id =
            || if self.norms_by_id.is_empty() { None } else { self.norms_by_id.get(&string_id(text)) };
        let norm_form = self.norms.get(text).or_else(by_id).unwrap_or(&lower);
        let [orth, lower_id, norm, prefix, suffix, shape] = strings.add_all_transient([
            text,
            &lower,
            norm_form,
            prefix(text),
            suffix(text),
            &word_shape(text),
        ]);
        let mut lexeme = Lexeme {
            orth,
            lower: lower_id,
            norm,
            prefix,
            suffix,
            shape,
            lang: strings.add(&self.lang),
            flags: language_independent_flags(text),
            rank: NO_RANK,
            length: u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
        };
        lexeme.set_flag(flag::IS_STOP, self.stop_words.contains(&lower));
        lexeme.set_flag(flag::LIKE_NUM, self.like_num(text));
        lexeme
    }

    /// Whether `text` is a number: in digits, in words, or digits with an ordinal ending.
    pub fn like_num(&self, text: &str) -> bool {
        like_numeral(text)
            || self.number_words.contains(&without_separators(text).to_lowercase())
            || like_ordinal_numeral(text, &self.ordinal_endings)
    }
}
