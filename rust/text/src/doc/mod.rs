//! The document: tokens and annotation as columns, and what can be read off and written to them.

pub mod alignment;
pub mod annotate;
pub mod attr;
pub mod columns;
pub mod entities;
pub mod error;
pub mod features;
pub mod heads;
pub mod ngrams;
pub mod rows;
pub mod string_ids;

pub use attr::Column;
pub use columns::{Columns, Token};
pub use error::DocError;
