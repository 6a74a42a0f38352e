//! Floats that begin on a cache line.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// A slice of floats on a 64-byte boundary.
///
/// A vector that lies across two cache lines costs two loads. Kernels with a load for each multiply-add, as in the
/// backward pass, run at half speed on rows that the allocator put anywhere.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    numbers: Vec<f32>,
    first: usize,
    len: usize,
}

impl Aligned {
    pub fn zeros(len: usize) -> Aligned {
        let numbers = vec![0.0; len + LINE / size_of::<f32>()];
        // The allocator may refuse to say; then the numbers are where they are.
        let first = numbers.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        Aligned { numbers, first, len }
    }

    pub fn copy_of(numbers: &[f32]) -> Aligned {
        let mut copy = Aligned::zeros(numbers.len());
        copy.copy_from_slice(numbers);
        copy
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers[self.first..self.first + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.first..self.first + self.len]
    }
}
