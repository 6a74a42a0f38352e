//! What a language knows of its words: stop words, number words, normal forms.

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::flags::flags_of;
use super::form::{prefix, shape_of, suffix};
use super::kinds::Kinds;
use super::likeness::{like_numeral, like_ordinal_numeral, without_separators};
use crate::hash::IdMap;
use crate::lexeme::{Lexeme, NO_RANK, flag};
use crate::strings::string_id;

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

/// All strings of a word, as [`WordForms::each_string`] takes them.
pub const EVERY_STRING: u8 = u8::MAX;

/// A lexeme and the strings its ids stand for, none of them stored yet.
pub struct WordForms<'t> {
    lexeme: Lexeme,
    text: &'t str,
    lower: Cow<'t, str>,
    norm: Option<&'t str>,
    shape: Cow<'static, str>,
    lang: &'t str,
}

impl<'t> WordForms<'t> {
    /// The attributes of the word type.
    pub fn lexeme(&self) -> &Lexeme {
        &self.lexeme
    }

    /// The word itself.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Calls `keep` with the strings that the bits of `which` stand for, and their ids.
    pub fn each_string(&self, which: u8, mut keep: impl FnMut(u64, &str)) {
        if which & 1 != 0 {
            keep(self.lexeme.orth, self.text);
        }
        let others = [&*self.lower, prefix(self.text), suffix(self.text), &self.shape, self.lang];
        for (nth, (id, string)) in self.ids().into_iter().zip(others.into_iter().chain(self.norm)).enumerate()
        {
            if which >> (nth + 1) & 1 != 0 && id != self.lexeme.orth {
                keep(id, string);
            }
        }
    }

    /// The strings whose ids pass `test`, a bit for each.
    pub fn strings_where(&self, test: impl Fn(u64) -> bool) -> u8 {
        let orth = self.lexeme.orth;
        let bit = |(nth, id)| u8::from(id != orth && test(id)) << (nth + 1);
        self.ids().into_iter().enumerate().map(bit).fold(u8::from(test(orth)), |all, bit| all | bit)
    }

    /// Ids of the lower case, prefix, suffix, shape, language and norm.
    fn ids(&self) -> [u64; 6] {
        let Lexeme { lower, prefix, suffix, shape, lang, norm, .. } = self.lexeme;
        [lower, prefix, suffix, shape, lang, norm]
    }
}

impl Lexicon {
    /// Every attribute of the word type `text`.
    pub fn forms<'t>(&'t self, text: &'t str) -> WordForms<'t> {
        self.forms_of(text, string_id(text))
    }

    /// As [`forms`](Self::forms), of a word whose string id is `orth`.
    pub(crate) fn forms_of<'t>(&'t self, text: &'t str, orth: u64) -> WordForms<'t> {
        let kinds = Kinds::of(text);
        let lower = match kinds {
            Some(kinds) if !kinds.has_upper() => Cow::Borrowed(text),
            Some(_) => Cow::Owned(text.to_ascii_lowercase()),
            None => Cow::Owned(text.to_lowercase()),
        };
        let id_of = |string: &str| if string == text { orth } else { string_id(string) };
        let norm = self.norms.get(text).or_else(|| self.norms_by_id.get(&orth)).map(String::as_str);
        let shape = shape_of(text, kinds);
        let mut lexeme = Lexeme {
            orth,
            lower: id_of(&lower),
            norm: id_of(norm.unwrap_or(&lower)),
            prefix: id_of(prefix(text)),
            suffix: id_of(suffix(text)),
            shape: id_of(&shape),
            lang: string_id(&self.lang),
            flags: flags_of(text, kinds),
            rank: NO_RANK,
            length: u32::try_from(text.chars().count()).unwrap_or(u32::MAX),
        };
        lexeme.set_flag(flag::IS_STOP, self.stop_words.contains(&*lower));
        let like_num = match kinds {
            Some(kinds) if kinds.are_letters() => self.number_words.contains(&*lower),
            _ => self.like_num(text),
        };
        lexeme.set_flag(flag::LIKE_NUM, like_num);
        WordForms { lexeme, text, lower, norm, shape, lang: &self.lang }
    }

    /// Whether `text` is a number: in digits, in words, or digits with an ordinal ending.
    pub fn like_num(&self, text: &str) -> bool {
        let digits = without_separators(text);
        if like_numeral(&digits) {
            return true;
        }
        let lower = digits.to_lowercase();
        self.number_words.contains(&lower) || like_ordinal_numeral(&lower, &self.ordinal_endings)
    }
}
