//! A lexeme: what is known of a word type whatever its context.

/// Ids of the attributes of a word type, as spaCy numbers them.
pub mod attribute {
    /// The string as it is.
    pub const ORTH: u32 = 65;
    /// The string in lower case.
    pub const LOWER: u32 = 66;
    /// The normal form.
    pub const NORM: u32 = 67;
    /// The outline of the word, such as `Xxxxx`.
    pub const SHAPE: u32 = 68;
    /// The first character.
    pub const PREFIX: u32 = 69;
    /// The last three characters.
    pub const SUFFIX: u32 = 70;
    /// The number of characters.
    pub const LENGTH: u32 = 71;
    /// The language of the vocabulary.
    pub const LANG: u32 = 83;
    /// The rank of the word, the row of its vector in saved arrays.
    pub const ID: u32 = 64;
}

/// Ids of the boolean attributes; the id is also the bit in [`Lexeme::flags`].
#[allow(missing_docs)]
pub mod flag {
    pub const IS_ALPHA: u32 = 1;
    pub const IS_ASCII: u32 = 2;
    pub const IS_DIGIT: u32 = 3;
    pub const IS_LOWER: u32 = 4;
    pub const IS_PUNCT: u32 = 5;
    pub const IS_SPACE: u32 = 6;
    pub const IS_TITLE: u32 = 7;
    pub const IS_UPPER: u32 = 8;
    pub const LIKE_URL: u32 = 9;
    pub const LIKE_NUM: u32 = 10;
    pub const LIKE_EMAIL: u32 = 11;
    pub const IS_STOP: u32 = 12;
    pub const IS_BRACKET: u32 = 14;
    pub const IS_QUOTE: u32 = 15;
    pub const IS_LEFT_PUNCT: u32 = 16;
    pub const IS_RIGHT_PUNCT: u32 = 17;
    pub const IS_CURRENCY: u32 = 18;
}

/// The rank of a word without one.
pub const NO_RANK: u64 = u64::MAX;

/// The attributes of one word type. Strings are ids in the vocabulary's string store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// The string itself.
    pub orth: u64,
    /// In lower case.
    pub lower: u64,
    /// Normal form.
    pub norm: u64,
    /// First character.
    pub prefix: u64,
    /// Last three characters.
    pub suffix: u64,
    /// Outline, such as `Xxxxx`.
    pub shape: u64,
    /// Language code.
    pub lang: u64,
    /// One bit an `is_*` or `like_*` attribute, see [`flag`].
    pub flags: u64,
    /// Rank, or [`NO_RANK`].
    pub rank: u64,
    /// Number of characters (Unicode scalar values).
    pub length: u32,
}

impl Lexeme {
    /// The value of the attribute with this id, or `None` where word types have no such attribute.
    pub fn value(&self, attribute_id: u32) -> Option<u64> {
        Some(match attribute_id {
            attribute::ORTH => self.orth,
            attribute::LOWER => self.lower,
            attribute::NORM => self.norm,
            attribute::SHAPE => self.shape,
            attribute::PREFIX => self.prefix,
            attribute::SUFFIX => self.suffix,
            attribute::LENGTH => u64::from(self.length),
            attribute::LANG => self.lang,
            attribute::ID => self.rank,
            1..=63 => (self.flags >> attribute_id) & 1,
            _ => return None,
        })
    }

    /// Sets the attribute with this id and says whether word types have such an attribute.
    pub fn set_value(&mut self, attribute_id: u32, value: u64) -> bool {
        match attribute_id {
            attribute::ORTH => self.orth = value,
            attribute::LOWER => self.lower = value,
            attribute::NORM => self.norm = value,
            attribute::SHAPE => self.shape = value,
            attribute::PREFIX => self.prefix = value,
            attribute::SUFFIX => self.suffix = value,
            attribute::LENGTH => self.length = u32::try_from(value).unwrap_or(u32::MAX),
            attribute::LANG => self.lang = value,
            attribute::ID => self.rank = value,
            1..=63 => self.set_flag(attribute_id, value != 0),
            _ => return false,
        }
        true
    }

    /// Whether the flag with this id (0 to 63) is set.
    pub fn flag(&self, flag_id: u32) -> bool {
        (self.flags >> (flag_id & 63)) & 1 == 1
    }

    /// Sets or clears the flag with this id (0 to 63).
    pub fn set_flag(&mut self, flag_id: u32, value: bool) {
        let bit = 1 << (flag_id & 63);
        self.flags = if value { self.flags | bit } else { self.flags & !bit };
    }
}
