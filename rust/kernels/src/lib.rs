//! Pure arithmetic: rows in, rows out. No Python, no text.
#![deny(unsafe_code)]
