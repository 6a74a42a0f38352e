//! A number that changes when weights do, without reading them all.

use super::params::EncoderParams;

/// Arrays up to this length are read whole.
const READ_WHOLE: usize = 512;
/// How many numbers of a longer array are read.
const SAMPLES: usize = 32;

/// A hash of a sample of every array: all numbers of the small ones, some spread evenly over the large ones.
///
/// An optimizer's step or another model's weights change it; a change of single weights of a large array may not.
#[must_use]
pub fn fingerprint(params: &EncoderParams<'_>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for array in params.arrays() {
        sample(array, &mut hash);
    }
    hash
}

fn sample(numbers: &[f32], hash: &mut u64) {
    let step = if numbers.len() <= READ_WHOLE { 1 } else { numbers.len() / SAMPLES };
    for number in numbers.iter().step_by(step) {
        *hash = (*hash ^ u64::from(number.to_bits())).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }
}
