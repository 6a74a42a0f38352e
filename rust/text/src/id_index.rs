//! Numbers by 64-bit ids.

use crate::numbered::Numbered;

/// Ids in the order they came, found by themselves.
#[derive(Default)]
pub(crate) struct IdIndex(Numbered<u64>);

/// An id is its own hash.
fn hash_of(id: &u64) -> u64 {
    *id
}

impl IdIndex {
    /// The number of the first that came with this id.
    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        self.0.find(id, |&other| other == id)
    }

    /// Gives the id the next number, by which it is found unless it has one already.
    pub(crate) fn push(&mut self, id: u64) -> u32 {
        if !self.push_new(id) {
            self.0.push_unfound(id);
        }
        self.0.len() as u32 - 1
    }

    /// Gives the id the next number unless it has one, and says so.
    pub(crate) fn push_new(&mut self, id: u64) -> bool {
        self.0.push_new(id, |&other| other == id, hash_of).is_none()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, n_more: usize) {
        self.0.reserve(n_more, hash_of);
    }

    /// Lets go of the ids from number `len` on, and of memory where more than twice as much is held as is used.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len, hash_of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_first_number() {
        let mut index = IdIndex::default();
        assert_eq!([7, 8, 7, 9].map(|id| index.push(id)), [0, 1, 2, 3]);
        assert_eq!([7, 8, 9, 10].map(|id| index.find(id)), [Some(0), Some(1), Some(3), None]);
        index.truncate(3);
        assert_eq!([7, 8, 9].map(|id| index.find(id)), [Some(0), Some(1), None]);
        index.truncate(0);
        assert_eq!((index.find(7), index.push(7), index.len()), (None, 0, 1));
    }

    #[test]
    fn many_ids_are_found_while_the_index_grows() {
        let id = |number: u32| u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut index = IdIndex::default();
        for number in 0..5000 {
            index.push(id(number));
        }
        assert!((0..5000).all(|number| index.find(id(number)) == Some(number)));
    }
}
