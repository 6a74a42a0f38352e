//! String ids: MurmurHash64A of the UTF-8 bytes with seed 1, as spaCy numbers its strings.

use std::hash::{BuildHasherDefault, Hasher};

const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;
const STRING_SEED: u64 = 1;

/// MurmurHash64A of `bytes`.
///
/// Source: Austin Appleby, MurmurHash2, 64-bit variant for 64-bit machines (public domain).
pub fn murmur_hash_64a(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut mixed = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        mixed ^= mixed >> SHIFT;
        hash = (hash ^ mixed.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> SHIFT;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> SHIFT)
}

/// The 64-bit hash of a string, before symbols and the empty string get their small ids.
pub fn hash_string(text: &str) -> u64 {
    murmur_hash_64a(text.as_bytes(), STRING_SEED)
}

/// A hasher for keys that are hashes already: it passes a `u64` through.
#[derive(Default, Clone, Copy)]
pub struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = murmur_hash_64a(bytes, self.0);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// A map keyed by string ids.
pub type IdMap<V> = std::collections::HashMap<u64, V, BuildHasherDefault<PassThrough>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_the_published_values() {
        // Values of murmurhash's hash64 with seed 1, for 0, 3, 8 and 19 bytes.
        assert_eq!(hash_string(""), 14_313_749_767_032_693_980);
        assert_eq!(hash_string("abc"), 13_021_918_864_714_763_345);
        assert_eq!(hash_string("NOUN"), 1_979_547_925_953_114_071);
    }
}
