//! Pure text: string store, lexemes, tokenizer, the columnar document, alignment.
#![forbid(unsafe_code)]

pub mod alignment;
pub mod doc;
pub mod hash;
mod id_index;
pub mod lexeme;
mod lexeme_table;
pub mod lexical;
mod numbered;
pub mod strings;
pub mod symbols;
pub mod tokenizer;
pub mod vocab;
