//! Alignment of many pairs of documents as one: tokens numbered through the batch.

use super::error::DocError;
use crate::alignment::{Alignment, Ragged, align};

/// The words of one side of a pair: their ids, and their strings in the same order.
pub struct Words<'a> {
    /// String id of each token.
    pub orths: &'a [u64],
    /// String of each token, in the same order; looked at only where the two sides differ.
    pub texts: &'a dyn Fn() -> Result<Vec<String>, DocError>,
}

/// Alignments behind one another. A position counts the tokens of all documents of its side.
#[derive(Debug, Default)]
pub struct BatchAlignment {
    /// The rows of all pairs so far.
    pub rows: Alignment,
    /// Tokens of each document of the first side.
    pub x_lengths: Vec<i32>,
    /// Tokens of each document of the second side.
    pub y_lengths: Vec<i32>,
}

impl BatchAlignment {
    /// Add a pair. An error says where the texts of the two part.
    pub fn push(&mut self, x: &Words<'_>, y: &Words<'_>) -> Result<(), DocError> {
        let before_x = self.rows.x2y.lengths.len() as i32;
        let before_y = self.rows.y2x.lengths.len() as i32;
        if x.orths == y.orths {
            let n_tokens = x.orths.len();
            extend_identity(&mut self.rows.x2y, before_y, n_tokens);
            extend_identity(&mut self.rows.y2x, before_x, n_tokens);
        } else {
            let (x_texts, y_texts) = ((x.texts)()?, (y.texts)()?);
            let x_words: Vec<&str> = x_texts.iter().map(String::as_str).collect();
            let y_words: Vec<&str> = y_texts.iter().map(String::as_str).collect();
            let found = align(&x_words, &y_words).map_err(|error| {
                DocError::Value(format!("document {} of the batch: {error}", self.x_lengths.len()))
            })?;
            extend(&mut self.rows.x2y, &found.x2y, before_y);
            extend(&mut self.rows.y2x, &found.y2x, before_x);
        }
        self.x_lengths.push(x.orths.len() as i32);
        self.y_lengths.push(y.orths.len() as i32);
        Ok(())
    }
}

fn extend_identity(rows: &mut Ragged, offset: i32, n_tokens: usize) {
    rows.lengths.resize(rows.lengths.len() + n_tokens, 1);
    rows.data.extend((0..n_tokens as i32).map(|position| offset + position));
}

fn extend(rows: &mut Ragged, found: &Ragged, offset: i32) {
    rows.lengths.extend_from_slice(&found.lengths);
    rows.data.extend(found.data.iter().map(|position| offset + position));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words<'a>(orths: &'a [u64], texts: &'a dyn Fn() -> Result<Vec<String>, DocError>) -> Words<'a> {
        Words { orths, texts }
    }

    #[test]
    fn positions_count_through_the_batch() {
        let mut batch = BatchAlignment::default();
        let never = || -> Result<Vec<String>, DocError> { Err(DocError::Value("not needed".into())) };
        batch.push(&words(&[1, 2], &never), &words(&[1, 2], &never)).unwrap();
        let one = || Ok(vec!["ab".to_owned()]);
        let two = || Ok(vec!["a".to_owned(), "B".to_owned()]);
        batch.push(&words(&[3], &one), &words(&[4, 5], &two)).unwrap();
        assert_eq!(batch.rows.x2y.lengths, [1, 1, 2]);
        assert_eq!(batch.rows.x2y.data, [0, 1, 2, 3]);
        assert_eq!(batch.rows.y2x.data, [0, 1, 2, 2]);
        assert_eq!((batch.x_lengths.as_slice(), batch.y_lengths.as_slice()), (&[2, 1][..], &[2, 2][..]));
        let error = batch.push(&words(&[3], &one), &words(&[6], &|| Ok(vec!["x".to_owned()]))).unwrap_err();
        assert!(error.to_string().starts_with("document 2 of the batch"));
    }
}
