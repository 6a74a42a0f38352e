//! Attribute ids, spaCy's numbers, and where a document finds each one's value.

/// A column of per-token annotation. Columns take memory from their first write on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Column {
    /// Fine-grained tag, a string id.
    Tag,
    /// Coarse part of speech, a symbol id.
    Pos,
    /// Morphology, the string id of the normalised FEATS; 0 is unset, the id of `_` is set and empty.
    Morph,
    /// Lemma, a string id.
    Lemma,
    /// Norm of this token where it differs from its lexeme's; 0 falls back to the lexeme.
    Norm,
    /// Dependency label, a string id; 0 is unset.
    Dep,
    /// Head as an offset relative to the token (two's complement); 0 is a root, or unset where `Dep` is 0.
    Head,
    /// 1 starts a sentence, -1 (two's complement) does not, 0 is unset.
    SentStart,
    /// 0 missing, 1 inside, 2 outside, 3 begin (with type 0: blocked).
    EntIob,
    /// Entity label, a string id.
    EntType,
    /// Knowledge base id, a string id.
    EntKbId,
    /// Entity id, a string id.
    EntId,
}

/// How many columns there are.
pub const N_COLUMNS: usize = 12;

impl Column {
    /// All columns with the attribute id and the name of each.
    pub const ALL: [(Column, u64, &'static str); N_COLUMNS] = [
        (Column::Tag, 75, "TAG"),
        (Column::Pos, 74, "POS"),
        (Column::Morph, 453, "MORPH"),
        (Column::Lemma, 73, "LEMMA"),
        (Column::Norm, 67, "NORM"),
        (Column::Dep, 76, "DEP"),
        (Column::Head, 79, "HEAD"),
        (Column::SentStart, 80, "SENT_START"),
        (Column::EntIob, 77, "ENT_IOB"),
        (Column::EntType, 78, "ENT_TYPE"),
        (Column::EntKbId, 452, "ENT_KB_ID"),
        (Column::EntId, 454, "ENT_ID"),
    ];

    /// The column that holds an attribute, if it is one of a token and not of its lexeme.
    pub fn from_attr(attr: u64) -> Option<Column> {
        Column::ALL.iter().find(|(_, id, _)| *id == attr).map(|(column, ..)| *column)
    }

    /// The attribute's name, for messages.
    pub fn name(self) -> &'static str {
        Column::ALL[self as usize].2
    }
}

/// Where an attribute's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The token's lexeme: a field or a flag, by attribute id.
    Lexeme(u32),
    /// A column of the document.
    Column(Column),
    /// Whether a space follows the token.
    Spacy,
    /// Offset of the token's first character in the text, in Unicode code points.
    Idx,
}

/// Where the attribute with this id comes from; `None` for an id that is no attribute.
pub fn source(attr: u64) -> Option<Source> {
    if let Some(column) = Column::from_attr(attr) {
        return Some(Source::Column(column));
    }
    Some(match attr {
        1..=66 | 68..=71 | 83 => Source::Lexeme(attr as u32),
        81 => Source::Spacy,
        455 => Source::Idx,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_listed_in_the_order_of_their_numbers() {
        for (position, (column, attr, _)) in Column::ALL.iter().enumerate() {
            assert_eq!(*column as usize, position);
            assert_eq!(source(*attr), Some(Source::Column(*column)));
        }
    }

    #[test]
    fn an_id_that_is_no_attribute_has_no_source() {
        assert_eq!(source(0), None);
        assert_eq!(source(9999), None);
    }
}
