//! Counts of each document's n-grams: the features of bags of words.

use super::attr::Source;
use super::columns::Columns;
use super::features::value;
use crate::hash::murmur_hash_64a;
use crate::vocab::VocabRead;

/// Tells character n-grams from n-grams of tokens.
const CHARACTER_SEED: u64 = 0x63_68_61_72;

/// Which n-grams are counted.
#[derive(Clone, Copy, Debug)]
pub struct Ngrams {
    /// The attribute that n-grams of tokens are made of.
    pub source: Source,
    /// The longest of those, in tokens; all shorter ones are counted too.
    pub longest: usize,
    /// The shortest and the longest n-grams of characters within a token, its two ends included; (0, 0) is none.
    pub characters: (usize, usize),
    /// Whether a count of `n` becomes `1 + ln n`, divided by the length of the document's vector of these.
    pub evened: bool,
}

/// Keys and counts of a batch, the documents' one after the other; each document's keys rise and are distinct.
#[derive(Debug, Default)]
pub struct Counts {
    /// The attribute's id for one token, MurmurHash64A of the ids (or of the characters) for longer ones.
    pub keys: Vec<u64>,
    /// How often; see [`Ngrams::evened`].
    pub counts: Vec<f32>,
    /// Distinct keys of each document.
    pub lengths: Vec<i32>,
}

impl Counts {
    /// Count a document's n-grams. `text` gives the string of an id, for n-grams of characters.
    pub fn extend<'t>(
        &mut self,
        doc: &Columns,
        lexemes: &VocabRead<'_>,
        ngrams: Ngrams,
        text: impl Fn(u64) -> Option<&'t str>,
    ) {
        let ids: Vec<u64> = (0..doc.len()).map(|token| value(doc, lexemes, token, ngrams.source)).collect();
        let mut keys = ids.clone();
        let mut bytes = Vec::new();
        for size in 2..=ngrams.longest {
            for window in ids.windows(size) {
                bytes.clear();
                bytes.extend(window.iter().flat_map(|id| id.to_le_bytes()));
                keys.push(murmur_hash_64a(&bytes, 0));
            }
        }
        if ngrams.characters.1 > 0 {
            for &id in &ids {
                if let Some(word) = text(id) {
                    push_characters(&mut keys, word, ngrams.characters);
                }
            }
        }
        keys.sort_unstable();
        let before = self.keys.len();
        for same in keys.chunk_by(|a, b| a == b) {
            self.keys.push(same[0]);
            self.counts.push(same.len() as f32);
        }
        if ngrams.evened {
            even(&mut self.counts[before..]);
        }
        self.lengths.push((self.keys.len() - before) as i32);
    }
}

/// One document's counts, so that long documents do not outweigh short ones.
fn even(counts: &mut [f32]) {
    for count in counts.iter_mut() {
        *count = 1.0 + count.ln();
    }
    let length = counts.iter().map(|value| value * value).sum::<f32>().sqrt();
    for value in counts {
        *value /= length;
    }
}

/// The n-grams of `" word "`, as bytes of whole characters.
fn push_characters(keys: &mut Vec<u64>, word: &str, (shortest, longest): (usize, usize)) {
    let padded = format!(" {word} ");
    let mut starts: Vec<usize> = padded.char_indices().map(|(at, _)| at).collect();
    starts.push(padded.len());
    for size in shortest.max(1)..=longest {
        for window in starts.windows(size + 1) {
            keys.push(murmur_hash_64a(&padded.as_bytes()[window[0]..window[size]], CHARACTER_SEED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_whole_and_with_the_ends() {
        let mut keys = Vec::new();
        push_characters(&mut keys, "né", (2, 3));
        let expected: Vec<u64> = [" n", "né", "é ", " né", "né "]
            .iter()
            .map(|gram| murmur_hash_64a(gram.as_bytes(), CHARACTER_SEED))
            .collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn evened_counts_have_length_one_and_grow_with_the_logarithm() {
        let mut counts = [1.0, 3.0, 1.0];
        even(&mut counts);
        assert!((counts.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((counts[1] / counts[0] - (1.0 + 3f32.ln())).abs() < 1e-6);
        even(&mut []);
    }
}
