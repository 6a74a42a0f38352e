//! Entries by number, and numbers by what an entry hashes to. The entries lie in a list and the table holds bare
//! numbers, so that a table that grows touches little memory: pages that are used for the first time are most of what
//! growing costs.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Entries in the order they came. Whoever holds it says what an entry hashes to, always the same.
pub(crate) struct Numbered<T> {
    entries: Vec<T>,
    numbers: HashTable<u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), numbers: HashTable::new() }
    }
}

impl<T> Numbered<T> {
    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of the entry of this hash that `is_it` accepts.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<u32> {
        self.numbers.find(hash, |&number| is_it(&self.entries[number as usize])).copied()
    }

    /// Adds the entry unless there is one of its hash that `is_it` accepts, which is handed out then.
    pub(crate) fn push_new(
        &mut self,
        entry: T,
        is_it: impl Fn(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> Option<&mut T> {
        let Self { entries, numbers } = self;
        let hash = hash_of(&entry);
        let known = |number: &u32| is_it(&entries[*number as usize]);
        match numbers.entry(hash, known, |&number| hash_of(&entries[number as usize])) {
            Entry::Occupied(known) => Some(&mut entries[*known.get() as usize]),
            Entry::Vacant(free) => {
                free.insert(u32::try_from(entries.len()).expect("a list holds fewer than 2^32 entries"));
                entries.push(entry);
                None
            }
        }
    }

    /// Adds an entry that is never found, only listed.
    pub(crate) fn push_unfound(&mut self, entry: T) {
        self.entries.push(entry);
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, n_more: usize, hash_of: impl Fn(&T) -> u64) {
        let Self { entries, numbers } = self;
        numbers.reserve(n_more, |&number| hash_of(&entries[number as usize]));
        entries.reserve(n_more);
    }

    /// Lets go of the entries from number `len` on, and of memory where more than twice as much is held as is used.
    pub(crate) fn truncate(&mut self, len: usize, hash_of: impl Fn(&T) -> u64) {
        for number in len..self.entries.len() {
            let hash = hash_of(&self.entries[number]);
            if let Ok(found) = self.numbers.find_entry(hash, |&other| other as usize == number) {
                found.remove();
            }
        }
        self.entries.truncate(len);
        self.entries.shrink_to(2 * len);
        let entries = &self.entries;
        self.numbers.shrink_to(2 * len, |&number| hash_of(&entries[number as usize]));
    }
}
