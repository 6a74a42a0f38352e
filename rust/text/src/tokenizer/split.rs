//! From text to pieces: chunks between white space, affixes peeled off in place, special cases put together.
//!
//! Pieces are byte ranges, so nothing is copied while peeling, and what was peeled off is not read again.

use super::TokenizeError;
use super::rules::{Rules, matches};
use crate::lexical::is_space;

/// Why a piece is a token of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Peeled off the front.
    Prefix,
    /// Peeled off the back.
    Suffix,
    /// Split at.
    Infix,
    /// What was left.
    Token,
    /// The token match.
    TokenMatch,
    /// The URL match.
    UrlMatch,
    /// The n-th token of a special case, counted from 1.
    Special(usize),
}

/// A token as a range of bytes in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Why it is a token.
    pub kind: Kind,
    /// String id of a normal form of its own, 0 where it has none.
    pub norm: u64,
    /// Whether the space after it belongs to it.
    pub space: bool,
}

impl Piece {
    fn new(start: usize, end: usize, kind: Kind) -> Self {
        Self { start, end, kind, norm: 0, space: false }
    }
}

/// A run of white space or of anything else, without the single space that follows a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Whether the chunk is a word followed by a space that belongs to it.
    pub space: bool,
}

/// The chunks of a text, from left to right. Together with the spaces that belong to them they are the text.
pub struct Chunks<'a> {
    text: &'a str,
    at: usize,
}

/// The chunks of `text`.
pub fn chunks(text: &str) -> Chunks<'_> {
    Chunks { text, at: 0 }
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if start >= bytes.len() {
            return None;
        }
        let (end, blank) = match step(self.text, start) {
            (after, true) => (run_end(self.text, after, true), true),
            (after, false) => (run_end(self.text, after, false), false),
        };
        let space = !blank && bytes.get(end) == Some(&b' ');
        self.at = end + usize::from(space);
        Some(Chunk { start, end, space })
    }
}

/// Where the characters from `at` on stop being all white space, or all not.
#[inline]
fn run_end(text: &str, mut at: usize, blank: bool) -> usize {
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        let (after, is_blank) = if byte.is_ascii() { (at + 1, is_ascii_blank(byte)) } else { step(text, at) };
        if is_blank != blank {
            break;
        }
        at = after;
    }
    at
}

#[inline]
fn is_ascii_blank(byte: u8) -> bool {
    // All of them are below the first visible character, which settles it for nearly every byte.
    byte <= b' ' && matches!(byte, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)
}

/// Where the character at `at` ends, and whether it is white space.
fn step(text: &str, at: usize) -> (usize, bool) {
    match text.as_bytes()[at] {
        byte @ 0..=0x7f => (at + 1, is_ascii_blank(byte)),
        _ => {
            let character = text[at..].chars().next().unwrap_or('\0');
            (at + character.len_utf8(), is_space(character))
        }
    }
}

impl Rules {
    /// The tokens of a text, with their reasons.
    pub fn pieces(&self, text: &str) -> Result<Vec<Piece>, TokenizeError> {
        let mut pieces = self.affix_pieces(text, true)?;
        self.put_specials_together(text, &mut pieces);
        Ok(pieces)
    }

    /// The tokens of a text before special cases are put together across affixes.
    pub(super) fn affix_pieces(&self, text: &str, with_specials: bool) -> Result<Vec<Piece>, TokenizeError> {
        let mut pieces = Vec::new();
        for chunk in chunks(text) {
            self.split_chunk(text, chunk.start, chunk.end, with_specials, &mut pieces)?;
            if let Some(last) = pieces.last_mut() {
                last.space = chunk.space;
            }
        }
        Ok(pieces)
    }

    /// The tokens of one chunk; `pieces` is emptied first.
    pub(super) fn chunk_pieces(&self, chunk: &str, pieces: &mut Vec<Piece>) -> Result<(), TokenizeError> {
        pieces.clear();
        self.split_chunk(chunk, 0, chunk.len(), true, pieces)?;
        self.put_specials_together(chunk, pieces);
        Ok(())
    }

    fn split_chunk(
        &self,
        text: &str,
        start: usize,
        end: usize,
        with_specials: bool,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), TokenizeError> {
        let is_special = |part: &str| with_specials && self.special(part).is_some();
        let (mut low, mut high) = (start, end);
        let mut suffixes = Vec::new();
        // Where a token match is known not to begin, so that it is not tried again for each suffix.
        let mut hopeless = None;
        // Whether what is left is known to be no special case.
        let mut ordinary = !with_specials;
        while low < high {
            let rest = &text[low..high];
            if let Some(token_match) = &self.token_match
                && hopeless != Some(low)
            {
                if token_match.matches(rest)? {
                    break;
                }
                hopeless = (!token_match.may_match_shorter(rest)).then_some(low);
            }
            if is_special(rest) {
                break;
            }
            let prefix = self.find_prefix(rest)?;
            if prefix > 0 {
                pieces.push(Piece::new(low, low + prefix, Kind::Prefix));
                low += prefix;
                if is_special(&text[low..high]) {
                    break;
                }
            }
            let suffix = self.find_suffix(&text[low..high])?;
            if suffix > 0 {
                // Without the prefix that was just found, the rest may be a special case: `'(`, say, of `'((`.
                let without_suffix = &text[low - prefix..high - suffix];
                if prefix > 0 && is_special(without_suffix) {
                    pieces.pop();
                    low -= prefix;
                }
                suffixes.push(Piece::new(high - suffix, high, Kind::Suffix));
                high -= suffix;
                if is_special(&text[low..high]) {
                    break;
                }
            }
            if prefix == 0 && suffix == 0 {
                ordinary = true;
                break;
            }
        }
        if low < high {
            self.split_middle(text, low, high, ordinary, pieces)?;
        }
        pieces.extend(suffixes.into_iter().rev());
        Ok(())
    }

    /// What is left between the affixes; `ordinary` where it is no special case.
    fn split_middle(
        &self,
        text: &str,
        start: usize,
        end: usize,
        ordinary: bool,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), TokenizeError> {
        let middle = &text[start..end];
        if !ordinary && let Some(special) = self.special(middle) {
            push_special(special, start, pieces);
        } else if matches(&self.token_match, middle)? {
            pieces.push(Piece::new(start, end, Kind::TokenMatch));
        } else if matches(&self.url_match, middle)? {
            pieces.push(Piece::new(start, end, Kind::UrlMatch));
        } else {
            self.split_at_infixes(middle, start, pieces)?;
        }
        Ok(())
    }

    fn split_at_infixes(
        &self,
        middle: &str,
        offset: usize,
        pieces: &mut Vec<Piece>,
    ) -> Result<(), TokenizeError> {
        let mut done = 0;
        for infix in self.find_infixes(middle)? {
            // A match at the very start splits nothing off; what it matched stays with what follows. Matches that
            // overlap can only come from a caller's own function.
            if infix.start == 0 || infix.start < done {
                continue;
            }
            if infix.start != done {
                pieces.push(Piece::new(offset + done, offset + infix.start, Kind::Token));
            }
            if infix.start != infix.end {
                pieces.push(Piece::new(offset + infix.start, offset + infix.end, Kind::Infix));
            }
            done = infix.end;
        }
        if done < middle.len() {
            pieces.push(Piece::new(offset + done, offset + middle.len(), Kind::Token));
        }
        Ok(())
    }

    /// Replaces runs of tokens that together are a special case, the longest first, then the first.
    fn put_specials_together(&self, text: &str, pieces: &mut Vec<Piece>) {
        // A whole chunk that is one token and no special case is none together with others either.
        if self.spanning.is_empty() || matches!(pieces[..], [Piece { kind: Kind::Token, .. }]) {
            return;
        }
        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let Some(cases) = self.spanning.get(&text[piece.start..piece.end]) else { continue };
            for case in cases {
                let last = at + case.parts.len();
                let fits = last <= pieces.len()
                    && text[piece.start..pieces[last - 1].end] == *case.text
                    && pieces[at..last]
                        .iter()
                        .zip(&case.parts)
                        .all(|(p, part)| text[p.start..p.end] == **part);
                if fits {
                    found.push((at, last, &case.text));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        found.sort_by_key(|&(first, last, _)| (first + pieces.len() - last, first));
        let mut replaced: Vec<Option<(usize, &str)>> = vec![None; pieces.len()];
        let mut taken = vec![false; pieces.len()];
        for (first, last, case) in found {
            if !taken[first] && !taken[last - 1] {
                replaced[first] = Some((last, case));
            }
            // Also a run that lost takes its tokens, as in spaCy: of `a:):)` only the first `:)` is put together.
            taken[first..last].fill(true);
        }
        let old = std::mem::take(pieces);
        let mut at = 0;
        while at < old.len() {
            match replaced[at].and_then(|(last, case)| Some((last, self.special(case)?))) {
                Some((last, special)) => {
                    push_special(special, old[at].start, pieces);
                    if let Some(piece) = pieces.last_mut() {
                        piece.space = old[last - 1].space;
                    }
                    at = last;
                }
                None => {
                    pieces.push(old[at]);
                    at += 1;
                }
            }
        }
    }
}

fn push_special(special: &[super::rules::SpecialToken], start: usize, pieces: &mut Vec<Piece>) {
    let mut start = start;
    for (at, token) in special.iter().enumerate() {
        let end = start + token.orth.len();
        pieces.push(Piece { norm: token.norm_id, ..Piece::new(start, end, Kind::Special(at + 1)) });
        start = end;
    }
}
