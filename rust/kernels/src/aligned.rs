//! Floats that begin on a cache line, in memory that is used again.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;
const LINE_FLOATS: usize = LINE / size_of::<f32>();

/// Floats that the shelf holds at most: 64 MB, several training steps of the default sizes.
const MOST_KEPT: usize = 16 << 20;

/// A slice of floats on a 64-byte boundary.
///
/// A vector that lies across two cache lines costs two loads. Kernels with a load for each multiply-add, as in the
/// backward pass, run at half speed on rows that the allocator put anywhere.
///
/// What is dropped is kept for the next one: a training step's activations are some megabytes, and asked anew of the
/// system their pages cost as much as a quarter of the step.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    numbers: Vec<f32>,
    first: usize,
    len: usize,
}

/// Memory that waits to be used again.
static SHELF: Mutex<Shelf> = Mutex::new(Shelf { waiting: Vec::new(), n_floats: 0 });

struct Shelf {
    waiting: Vec<Vec<f32>>,
    n_floats: usize,
}

impl Shelf {
    /// The smallest piece that has room for `len` numbers and is not much too large.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let fits = |piece: &Vec<f32>| (len..=2 * len).contains(&piece.len());
        let found = (0..self.waiting.len())
            .filter(|&index| fits(&self.waiting[index]))
            .min_by_key(|&index| self.waiting[index].len())?;
        let piece = self.waiting.remove(found);
        self.n_floats -= piece.len();
        Some(piece)
    }

    /// Lays a piece down; those that have waited longest make room for it.
    fn put(&mut self, piece: Vec<f32>) {
        self.n_floats += piece.len();
        self.waiting.push(piece);
        while self.n_floats > MOST_KEPT {
            self.n_floats -= self.waiting.remove(0).len();
        }
    }
}

impl Aligned {
    /// Numbers that are all zero.
    pub fn zeros(len: usize) -> Aligned {
        let mut numbers = Aligned::any(len);
        numbers.fill(0.0);
        numbers
    }

    /// Numbers that may be anything, for a caller who writes all of them.
    pub fn any(len: usize) -> Aligned {
        let needed = len + LINE_FLOATS;
        // Never waited for: in a process forked off meanwhile nobody would unlock it.
        let waiting = SHELF.try_lock().ok().and_then(|mut shelf| shelf.take(needed));
        let numbers = waiting.unwrap_or_else(|| vec![0.0; needed]);
        // The allocator may refuse to say; then the numbers are where they are.
        let first = numbers.as_ptr().align_offset(LINE).min(LINE_FLOATS);
        Aligned { numbers, first, len }
    }
}

impl Drop for Aligned {
    fn drop(&mut self) {
        let numbers = std::mem::take(&mut self.numbers);
        // Small pieces are cheap, and would make the shelf long.
        if numbers.len() >= 1024
            && let Ok(mut shelf) = SHELF.try_lock()
        {
            shelf.put(numbers);
        }
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Aligned {
        let mut copy = Aligned::any(self.len);
        copy.copy_from_slice(self);
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

#[cfg(test)]
mod tests {
    use super::{Aligned, LINE, MOST_KEPT, Shelf};

    #[test]
    fn numbers_begin_on_a_cache_line_and_zeros_are_zero_in_used_memory() {
        for round in 0..3 {
            for len in [0, 1, 17, 5000] {
                let mut numbers = Aligned::zeros(len);
                assert_eq!(numbers.as_ptr().addr() % LINE, 0);
                assert!(numbers.iter().all(|&number| number == 0.0), "round {round}, {len} numbers");
                assert_eq!(numbers.clone().len(), len);
                numbers.fill(7.0);
            }
        }
    }

    #[test]
    fn a_shelf_gives_the_piece_that_fits_best_and_keeps_no_more_than_its_room() {
        let mut shelf = Shelf { waiting: Vec::new(), n_floats: 0 };
        for len in [4000, 2000, 3000] {
            shelf.put(vec![0.0; len]);
        }
        assert_eq!(shelf.take(1900).map(|piece| piece.len()), Some(2000));
        assert!(shelf.take(1000).is_none(), "3000 is more than twice as much");
        shelf.put(vec![0.0; MOST_KEPT - 3000]);
        assert_eq!(shelf.n_floats, MOST_KEPT, "the oldest made room");
        assert!(shelf.take(4000).is_none());
        assert_eq!(shelf.take(3000).map(|piece| piece.len()), Some(3000));
    }
}
