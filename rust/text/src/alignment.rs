//! Character alignment of two tokenisations of one text.
//!
//! The texts may differ in case and white space. Behaviour as of spaCy's `Alignment.from_strings`, except that a
//! final sigma equals the other sigmas, and that there is exactly one row a token: spaCy leaves out empty tokens and
//! adds a row where a token ends in white space that the other side lacks.

use crate::lexical::is_space;

/// For each token of one side the tokens of the other it shares characters with, rows of uneven length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ragged {
    /// How many tokens of the other side belong to each token.
    pub lengths: Vec<i32>,
    /// Indices of those tokens, one row after the other.
    pub data: Vec<i32>,
}

/// The alignment of two tokenisations, seen from each side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// From the tokens of the first to those of the second.
    pub x2y: Ragged,
    /// From the tokens of the second to those of the first.
    pub y2x: Ragged,
}

/// The two sides are not the same text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "align: both sides must be the same text except for white space and capitals; they part at token {x_token} \
     ({x_found}) of the first and token {y_token} ({y_found}) of the second."
)]
pub struct DifferentTexts {
    /// Index of the token of the first side where the texts part.
    pub x_token: usize,
    /// Index of the token of the second side where the texts part.
    pub y_token: usize,
    x_found: String,
    y_found: String,
}

/// Aligns the tokens `x` and `y` by their characters, in one pass over both.
///
/// # Errors
/// [`DifferentTexts`] where a character other than white space has no counterpart.
///
/// ```
/// use ferrule_text::alignment::align;
/// let alignment = align(&["can", "'t"], &["Can't"]).unwrap();
/// assert_eq!((alignment.x2y.lengths, alignment.x2y.data), (vec![1, 1], vec![0, 0]));
/// assert_eq!((alignment.y2x.lengths, alignment.y2x.data), (vec![2], vec![0, 1]));
/// ```
pub fn align(x: &[&str], y: &[&str]) -> Result<Alignment, DifferentTexts> {
    let mut x2y = Rows::new(x.len());
    let mut y2x = Rows::new(y.len());
    let mut left = FoldedCharacters::new(x);
    let mut right = FoldedCharacters::new(y);
    loop {
        match (left.peek(), right.peek()) {
            (Some((i, a)), Some((j, b))) if a == b => {
                x2y.link(i, j);
                y2x.link(j, i);
                left.advance();
                right.advance();
            }
            (Some((_, a)), _) if is_space(a) => left.advance(),
            (_, Some((_, b))) if is_space(b) => right.advance(),
            (None, None) => break,
            (a, b) => return Err(different(x, y, a.map(|(i, _)| i), b.map(|(j, _)| j))),
        }
    }
    Ok(Alignment { x2y: x2y.0, y2x: y2x.0 })
}

fn different(x: &[&str], y: &[&str], x_token: Option<usize>, y_token: Option<usize>) -> DifferentTexts {
    let shown = |tokens: &[&str], at: Option<usize>| match at {
        Some(at) => format!("{:?}", tokens[at].chars().take(40).collect::<String>()),
        None => "the end".to_owned(),
    };
    DifferentTexts {
        x_token: x_token.unwrap_or(x.len()),
        y_token: y_token.unwrap_or(y.len()),
        x_found: shown(x, x_token),
        y_found: shown(y, y_token),
    }
}

/// Rows that are filled from first to last.
struct Rows(Ragged);

impl Rows {
    fn new(len: usize) -> Self {
        Self(Ragged { lengths: vec![0; len], data: Vec::with_capacity(len) })
    }

    fn link(&mut self, row: usize, other: usize) {
        // Token counts come from lists in memory; documents end far below 2^31 tokens.
        let other = i32::try_from(other).unwrap_or(i32::MAX);
        if self.0.lengths[row] == 0 || self.0.data.last() != Some(&other) {
            self.0.lengths[row] += 1;
            self.0.data.push(other);
        }
    }
}

/// The characters of tokens in lower case, each with the index of its token.
struct FoldedCharacters<'a> {
    tokens: &'a [&'a str],
    token: usize,
    characters: std::str::Chars<'a>,
    folded: std::char::ToLowercase,
    next: Option<(usize, char)>,
}

impl<'a> FoldedCharacters<'a> {
    fn new(tokens: &'a [&'a str]) -> Self {
        let characters = tokens.first().copied().unwrap_or_default().chars();
        let mut nothing = 'x'.to_lowercase();
        nothing.next();
        let mut folded = Self { tokens, token: 0, characters, folded: nothing, next: None };
        folded.advance();
        folded
    }

    fn peek(&self) -> Option<(usize, char)> {
        self.next
    }

    fn advance(&mut self) {
        self.next = loop {
            if let Some(character) = self.folded.next() {
                break Some((self.token, if character == 'ς' { 'σ' } else { character }));
            }
            if let Some(character) = self.characters.next() {
                if character.is_ascii() {
                    break Some((self.token, character.to_ascii_lowercase()));
                }
                self.folded = character.to_lowercase();
            } else if self.token + 1 < self.tokens.len() {
                self.token += 1;
                self.characters = self.tokens[self.token].chars();
            } else {
                break None;
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(ragged: &Ragged) -> Vec<Vec<i32>> {
        let mut data = ragged.data.iter().copied();
        ragged.lengths.iter().map(|&n| data.by_ref().take(n as usize).collect()).collect()
    }

    #[test]
    fn white_space_without_counterpart_is_left_out() {
        let alignment = align(&["a", "\n", "b"], &["a", "b"]).unwrap();
        assert_eq!(rows(&alignment.x2y), [vec![0], vec![], vec![1]]);
        assert_eq!(rows(&alignment.y2x), [vec![0], vec![2]]);
    }

    #[test]
    fn case_and_final_sigma_do_not_matter() {
        let alignment = align(&["ΣΟΦΟ", "Σ", "İ"], &["σοφος", "i\u{307}"]).unwrap();
        assert_eq!(rows(&alignment.x2y), [[0], [0], [1]]);
    }

    #[test]
    fn other_texts_are_refused_with_the_place() {
        let error = align(&["a", "b"], &["a", "c"]).unwrap_err();
        assert_eq!((error.x_token, error.y_token), (1, 1));
        assert_eq!(align(&["a"], &[]).unwrap_err().y_token, 0);
    }

    fn cut(text: &[char], cuts: &[bool]) -> Vec<String> {
        let mut tokens = vec![String::new()];
        for (character, cut) in text.iter().zip(cuts) {
            if *cut {
                tokens.push(String::new());
            }
            tokens.last_mut().unwrap().push(*character);
        }
        tokens
    }

    proptest! {
        #[test]
        fn any_two_tokenisations_of_a_text_align_both_ways(
            text in prop::collection::vec((any::<char>(), any::<bool>(), any::<bool>()), 0..40),
        ) {
            let characters: Vec<char> = text.iter().map(|(character, _, _)| *character).collect();
            let x = cut(&characters, &text.iter().map(|(_, cut, _)| *cut).collect::<Vec<_>>());
            let y = cut(&characters, &text.iter().map(|(_, _, cut)| *cut).collect::<Vec<_>>());
            let (x, y): (Vec<&str>, Vec<&str>) =
                (x.iter().map(String::as_str).collect(), y.iter().map(String::as_str).collect());
            let alignment = align(&x, &y).unwrap();
            let (x2y, y2x) = (rows(&alignment.x2y), rows(&alignment.y2x));
            for (i, row) in x2y.iter().enumerate() {
                prop_assert_eq!(row.is_empty(), x[i].is_empty());
                for &j in row {
                    prop_assert!(y2x[j as usize].contains(&(i as i32)));
                }
            }
            prop_assert_eq!(alignment.x2y.data.len(), alignment.y2x.data.len());
        }
    }
}
