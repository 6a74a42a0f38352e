//! Keys to columns of a table, and the weights of columns as rows.

use crate::KernelError;

/// The columns of a batch's keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Distinct columns, rising.
    pub columns: Vec<u32>,
    /// For each key, where its two columns stand in `columns`.
    pub positions: Vec<[u32; 2]>,
}

/// MurmurHash3, the 32-bit variant, of the eight bytes of `key`.
///
/// Source: Austin Appleby, MurmurHash3_x86_32 (public domain).
pub fn hash_key(key: u64, seed: u32) -> u32 {
    let mut hash = seed;
    for word in [key as u32, (key >> 32) as u32] {
        let mixed = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        hash = (hash ^ mixed).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= 8;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The two columns of each of `keys` in a table of `length`.
///
/// # Errors
/// [`KernelError::Value`] if `length` is 0.
pub fn hashed(keys: &[u64], length: u32) -> Result<Vec<[u32; 2]>, KernelError> {
    if length == 0 {
        return Err(KernelError::Value {
            what: "sparse_columns: length",
            expected: "1 or more".into(),
            found: "0".into(),
        });
    }
    Ok(keys.iter().map(|&key| [hash_key(key, 0) % length, hash_key(key, 1) % length]).collect())
}

/// The distinct columns of `keys` in a table of `length`.
///
/// # Errors
/// [`KernelError::Value`] if `length` is 0.
pub fn columns_of(keys: &[u64], length: u32) -> Result<Columns, KernelError> {
    let mut of_keys = hashed(keys, length)?;
    // A bit and a running count for each column are quicker than sorting.
    let mut words = vec![0u64; (length as usize).div_ceil(64)];
    for &column in of_keys.as_flattened() {
        words[column as usize / 64] |= 1 << (column % 64);
    }
    let mut before = Vec::with_capacity(words.len());
    let mut columns = Vec::new();
    for (index, &word) in words.iter().enumerate() {
        before.push(columns.len() as u32);
        let mut rest = word;
        while rest != 0 {
            columns.push(index as u32 * 64 + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
    for column in of_keys.as_flattened_mut() {
        let at = *column as usize / 64;
        let lower = words[at] & ((1 << (*column % 64)) - 1);
        *column = before[at] + lower.count_ones();
    }
    Ok(Columns { columns, positions: of_keys })
}

/// Copies the weights of `columns` into `rows` (n_columns, n_outputs).
///
/// # Errors
/// As [`scatter`].
pub fn gather(weights: &[f32], columns: &[u32], rows: &mut [f32]) -> Result<(), KernelError> {
    let (n_outputs, length) = sizes(weights.len(), columns, rows.len())?;
    for output in 0..n_outputs {
        let from = &weights[output * length..][..length];
        for (row, &column) in columns.iter().enumerate() {
            rows[row * n_outputs + output] = from[column as usize];
        }
    }
    Ok(())
}

/// Copies `rows` (n_columns, n_outputs) into the weights of `columns`.
///
/// # Errors
/// [`KernelError::Shape`] if the sizes do not fit, [`KernelError::Index`] if there is no such column.
pub fn scatter(weights: &mut [f32], columns: &[u32], rows: &[f32]) -> Result<(), KernelError> {
    let (n_outputs, length) = sizes(weights.len(), columns, rows.len())?;
    for output in 0..n_outputs {
        let to = &mut weights[output * length..][..length];
        for (row, &column) in columns.iter().enumerate() {
            to[column as usize] = rows[row * n_outputs + output];
        }
    }
    Ok(())
}

/// The number of outputs, and of columns of the whole table.
pub(super) fn sizes(
    n_weights: usize,
    columns: &[u32],
    n_numbers: usize,
) -> Result<(usize, usize), KernelError> {
    if columns.is_empty() {
        KernelError::expect_len("sparse rows without columns", 0, n_numbers)?;
        return Ok((0, 0));
    }
    let n_outputs = n_numbers / columns.len();
    KernelError::expect_len("sparse rows", n_outputs * columns.len(), n_numbers)?;
    if n_outputs == 0 {
        return Ok((0, 0));
    }
    let length = n_weights / n_outputs;
    KernelError::expect_len("sparse weights", n_outputs * length, n_weights)?;
    for (position, &column) in columns.iter().enumerate() {
        if column as usize >= length {
            return Err(KernelError::Index {
                what: "sparse columns",
                position,
                found: i64::from(column),
                expected: format!("0 to {}", length.saturating_sub(1)),
            });
        }
    }
    Ok((n_outputs, length))
}
