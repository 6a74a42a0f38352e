//! Numbers by 64-bit ids. The ids lie in a list and the table holds bare numbers, so that a table that grows touches
//! little memory: pages that are used for the first time are most of what growing costs.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Ids in the order they came, found by themselves. An id is its own hash.
#[derive(Default)]
pub(crate) struct IdIndex {
    ids: Vec<u64>,
    numbers: HashTable<u32>,
}

impl IdIndex {
    /// The number of the first that came with this id.
    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        self.numbers.find(id, |&number| self.ids[number as usize] == id).copied()
    }

    /// Gives the id the next number, by which it is found unless it has one already.
    pub(crate) fn push(&mut self, id: u64) -> u32 {
        if !self.push_new(id) {
            self.ids.push(id);
        }
        self.ids.len() as u32 - 1
    }

    /// Gives the id the next number unless it has one, and says so.
    pub(crate) fn push_new(&mut self, id: u64) -> bool {
        let Self { ids, numbers } = self;
        let hash_of = |&number: &u32| ids[number as usize];
        let Entry::Vacant(free) = numbers.entry(id, |number| hash_of(number) == id, hash_of) else {
            return false;
        };
        free.insert(u32::try_from(ids.len()).expect("an index holds fewer than 2^32 ids"));
        ids.push(id);
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Lets go of the ids from number `len` on, and of memory where more than twice as much is held as is used.
    pub(crate) fn truncate(&mut self, len: usize) {
        for number in len..self.ids.len() {
            let id = self.ids[number];
            if let Ok(found) = self.numbers.find_entry(id, |&other| other as usize == number) {
                found.remove();
            }
        }
        self.ids.truncate(len);
        self.ids.shrink_to(2 * len);
        let ids = &self.ids;
        self.numbers.shrink_to(2 * len, |&number| ids[number as usize]);
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
