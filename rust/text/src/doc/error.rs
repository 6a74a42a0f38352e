//! What can be wrong with a document's data.

/// An error of the document, sorted by the Python exception it becomes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocError {
    /// A value that the column does not take; `ValueError`.
    #[error("{0}")]
    Value(String),
    /// A token position outside the document; `IndexError`.
    #[error("{0}")]
    Index(String),
    /// A string id that no string store of the vocabulary knows; `KeyError`.
    #[error("{0}")]
    UnknownString(String),
}
