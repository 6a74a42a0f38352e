//! Whether weights are still those they were, without reading them all.

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
    Sample::of(params.arrays()).numbers.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &number| {
        (hash ^ u64::from(number)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    })
}

/// The sampled numbers themselves, as bits: comparing them takes a tenth of the time that hashing them does.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    numbers: Vec<u32>,
}

impl Sample {
    pub fn of<'a>(arrays: impl Iterator<Item = &'a [f32]>) -> Sample {
        let bits = arrays.flat_map(|array| array.iter().step_by(step(array)).map(|number| number.to_bits()));
        Sample { numbers: bits.collect() }
    }

    /// Whether arrays of the same lengths have the same numbers where they are sampled.
    pub fn is_of<'a>(&self, arrays: impl Iterator<Item = &'a [f32]>) -> bool {
        let mut rest = &self.numbers[..];
        for array in arrays {
            let step = step(array);
            let Some((known, behind)) = rest.split_at_checked(array.len().div_ceil(step)) else {
                return false;
            };
            // Without an early end, so that small arrays go by vectors.
            let different = |bits: u32, (number, known): (&f32, &u32)| bits | number.to_bits() ^ known;
            let found = if step == 1 {
                array.iter().zip(known).fold(0, different)
            } else {
                array.iter().step_by(step).zip(known).fold(0, different)
            };
            if found != 0 {
                return false;
            }
            rest = behind;
        }
        rest.is_empty()
    }
}

fn step(array: &[f32]) -> usize {
    if array.len() <= READ_WHOLE { 1 } else { array.len() / SAMPLES }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn a_sample_is_of_the_numbers_it_was_taken_of() {
        let arrays = [vec![1.0_f32; 512], vec![2.0; 33], vec![3.0; 5000], vec![f32::NAN; 7], Vec::new()];
        let views = || arrays.iter().map(Vec::as_slice);
        let sample = Sample::of(views());
        assert!(sample.is_of(views()));
        assert!(!sample.is_of(views().skip(1)));
        assert!(!sample.is_of(views().chain([&[1.0_f32][..]])));
        for (array, index) in [(0, 511), (1, 0), (2, 5000 / 32), (3, 3)] {
            let mut changed = arrays.clone();
            changed[array][index] = 4.0;
            assert!(!sample.is_of(changed.iter().map(Vec::as_slice)), "array {array}, number {index}");
        }
    }
}
