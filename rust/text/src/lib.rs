//! Pure text: string store, lexemes, tokenizer, the columnar document, alignment.
#![forbid(unsafe_code)]
