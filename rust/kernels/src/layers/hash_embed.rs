//! Hash embedding: each 64-bit id is hashed to four rows of a table, whose sum is its vector.

/// Four 32-bit hashes of an id: MurmurHash3 x86 128 of one 64-bit key, as thinc's `Ops.hash` calculates it.
///
/// ```
/// use ferrule_kernels::layers::hash_embed::hash_id;
/// assert_eq!(hash_id(0, 0), hash_id(0, 0));
/// assert_ne!(hash_id(1, 0), hash_id(1, 8));
/// ```
#[inline]
#[must_use]
pub fn hash_id(id: u64, seed: u32) -> [u32; 4] {
    let seed = u64::from(seed);
    let mut first =
        id.wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31).wrapping_mul(0x4cf5_ad43_2745_937f);
    first ^= seed ^ 8;
    let mut second = seed ^ 8;
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    first = finish(first);
    second = finish(second);
    first = first.wrapping_add(second);
    second = second.wrapping_add(first);
    [first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32]
}

/// The table rows of an id.
///
/// # Panics
/// If the table has no rows.
#[inline]
#[must_use]
pub fn rows_of(id: u64, seed: u32, n_rows: u32) -> [u32; 4] {
    hash_id(id, seed).map(|hash| hash % n_rows)
}

#[inline]
fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
