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

/// MurmurHash3, the 128-bit variant for 64-bit machines, as four words of 32 bits, low first.
///
/// Source: Austin Appleby, MurmurHash3_x64_128 (public domain). Floret vectors number character n-grams with it.
pub fn murmur_hash_3_128(bytes: &[u8], seed: u32) -> [u32; 4] {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let mix_low = |word: u64| word.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix_high = |word: u64| word.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let finish = |mut hash: u64| {
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    };
    let (mut low, mut high) = (u64::from(seed), u64::from(seed));
    let (blocks, rest) = bytes.as_chunks::<16>();
    for block in blocks {
        let block = u128::from_le_bytes(*block);
        low = (low ^ mix_low(block as u64)).rotate_left(27).wrapping_add(high);
        low = low.wrapping_mul(5).wrapping_add(0x52dc_e729);
        high = (high ^ mix_high((block >> 64) as u64)).rotate_left(31).wrapping_add(low);
        high = high.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let mut last = [0u8; 16];
    last[..rest.len()].copy_from_slice(rest);
    let last = u128::from_le_bytes(last);
    high ^= mix_high((last >> 64) as u64) ^ bytes.len() as u64;
    low ^= mix_low(last as u64) ^ bytes.len() as u64;
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    (low, high) = (finish(low), finish(high));
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32]
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
