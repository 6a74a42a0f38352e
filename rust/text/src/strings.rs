//! The string store: every string once, found by its 64-bit id.
//!
//! Ids are spaCy's: symbols keep their small numbers, `""` is 0, every other string has its hash.
//! Strings that a memory zone brings go to a section of their own, which the zone's end empties.

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::hash::hash_string;
use crate::id_index::IdIndex;
use crate::symbols::{symbol_name, symbol_with_hash};

/// The id of a string, stored or not.
///
/// ```
/// use ferrule_text::strings::string_id;
/// assert_eq!(string_id("NOUN"), 92);
/// assert_eq!(string_id(""), 0);
/// ```
pub fn string_id(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    let hash = hash_string(text);
    symbol_with_hash(hash).unwrap_or(hash)
}

/// Strings one after the other in one buffer, in the order they came.
#[derive(Default)]
pub(crate) struct Texts {
    buffer: String,
    ends: Vec<usize>,
}

impl Texts {
    pub(crate) fn get(&self, slot: u32) -> Option<&str> {
        let slot = slot as usize;
        let start = slot.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.buffer.get(start..*self.ends.get(slot)?)
    }

    /// The number of the string, which is added.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        let slot = u32::try_from(self.ends.len()).expect("a store holds fewer than 2^32 strings");
        self.buffer.push_str(text);
        self.ends.push(self.buffer.len());
        slot
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as u32).filter_map(|slot| self.get(slot))
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.buffer.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Gives memory back where more than twice as much is held as is used.
    pub(crate) fn shrink(&mut self) {
        self.buffer.shrink_to(2 * self.buffer.len());
        self.ends.shrink_to(2 * self.ends.len());
    }
}

/// Strings, found by their ids.
#[derive(Default)]
struct Section {
    texts: Texts,
    by_id: IdIndex,
}

impl Section {
    fn get(&self, id: u64) -> Option<&str> {
        self.by_id.find(id).and_then(|slot| self.texts.get(slot))
    }

    fn contains(&self, id: u64) -> bool {
        self.by_id.find(id).is_some()
    }

    fn insert(&mut self, id: u64, text: &str) {
        if self.by_id.push_new(id) {
            self.texts.push(text);
        }
    }

    fn len(&self) -> usize {
        self.texts.len()
    }

    fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.by_id.truncate(len);
            self.texts.truncate(len);
        }
    }
}

#[derive(Default)]
struct Sections {
    kept: Section,
    zone: Section,
    in_zone: bool,
    /// How often strings were let go of.
    losses: u64,
}

impl Sections {
    fn get(&self, id: u64) -> Option<&str> {
        match symbol_name(id) {
            Some(name) => Some(name),
            None => self.kept.get(id).or_else(|| self.zone.get(id)),
        }
    }

    fn is_known(&self, id: u64, transient: bool) -> bool {
        symbol_name(id).is_some() || self.kept.contains(id) || (transient && self.zone.contains(id))
    }

    fn insert(&mut self, id: u64, text: &str, transient: bool) {
        if symbol_name(id).is_some() {
            return;
        }
        match transient && self.in_zone {
            true if self.kept.contains(id) => {}
            true => self.zone.insert(id, text),
            false => self.kept.insert(id, text),
        }
    }
}

/// Read access to a store for many look-ups under one lock.
pub struct StringsRead<'a>(RwLockReadGuard<'a, Sections>);

impl StringsRead<'_> {
    /// The string with this id: a symbol's name or a stored string.
    pub fn get(&self, id: u64) -> Option<&str> {
        self.0.get(id)
    }

    /// Whether the id is a symbol's or a stored string's.
    pub fn contains(&self, id: u64) -> bool {
        self.0.is_known(id, true)
    }

    /// How often the store has let go of strings: what it contained, it contains as long as this is the same.
    pub fn losses(&self) -> u64 {
        self.0.losses
    }

    /// The stored strings, oldest first; those of an open memory zone last. Symbols are not listed.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let sections = [&self.0.kept, &self.0.zone];
        sections.into_iter().flat_map(|section| section.texts.iter())
    }
}

/// A store held for adding many strings under one lock.
pub struct StringsWrite<'a>(RwLockWriteGuard<'a, Sections>);

impl StringsWrite<'_> {
    /// As [`StringsRead::losses`].
    pub fn losses(&self) -> u64 {
        self.0.losses
    }

    /// Makes room for so many more strings.
    pub(crate) fn reserve(&mut self, n_more: usize) {
        let Sections { kept, zone, in_zone, .. } = &mut *self.0;
        if *in_zone { zone } else { kept }.by_id.reserve(n_more);
    }

    /// Keeps `text`, whose [`string_id`] is `id`, until the end of the open memory zone, or for good.
    pub fn add_transient(&mut self, id: u64, text: &str) {
        self.0.insert(id, text, true);
    }
}

/// Strings by id, safe to share between threads. Strings are only added, except at a memory zone's end.
#[derive(Default)]
pub struct StringStore {
    sections: RwLock<Sections>,
}

impl StringStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps `text` for good and returns its id, also inside a memory zone.
    pub fn add(&self, text: &str) -> u64 {
        self.insert(text, false)
    }

    /// Keeps `text` until the end of the open memory zone, or for good where none is open.
    pub fn add_transient(&self, text: &str) -> u64 {
        self.insert(text, true)
    }

    /// Holds the store for adding many strings. Using it otherwise from the same thread meanwhile would deadlock.
    pub fn write(&self) -> StringsWrite<'_> {
        StringsWrite(self.sections.write())
    }

    fn insert(&self, text: &str, transient: bool) -> u64 {
        let id = string_id(text);
        // Most strings are known, and reading hinders nobody.
        if !self.sections.read().is_known(id, transient) {
            self.sections.write().insert(id, text, transient);
        }
        id
    }

    /// A copy of the string with this id.
    pub fn get(&self, id: u64) -> Option<String> {
        self.sections.read().get(id).map(str::to_owned)
    }

    /// Whether the id is a symbol's or a stored string's.
    pub fn contains(&self, id: u64) -> bool {
        self.sections.read().get(id).is_some()
    }

    /// Holds the store still for reading. Adding strings from the same thread meanwhile would deadlock.
    pub fn read(&self) -> StringsRead<'_> {
        StringsRead(self.sections.read())
    }

    /// How many strings are stored, symbols not counted.
    pub fn len(&self) -> usize {
        let sections = self.sections.read();
        sections.kept.len() + sections.zone.len()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets every string and keeps `texts` instead.
    pub fn reset<'t>(&self, texts: impl IntoIterator<Item = &'t str>) {
        {
            let mut sections = self.sections.write();
            *sections = Sections { losses: sections.losses + 1, ..Sections::default() };
        }
        for text in texts {
            self.add(text);
        }
    }

    /// How many strings are kept for good.
    pub fn kept_len(&self) -> usize {
        self.sections.read().kept.len()
    }

    /// Takes the newest strings kept for good back, down to `len` of them: for a load that failed.
    pub fn take_back_to(&self, len: usize) {
        let mut sections = self.sections.write();
        sections.losses += 1;
        sections.kept.truncate(len);
    }

    /// From here on [`add_transient`](Self::add_transient) keeps strings only until [`end_zone`](Self::end_zone).
    pub fn begin_zone(&self) {
        self.sections.write().in_zone = true;
    }

    /// Lets go of the strings that the memory zone brought, and of the memory they took.
    pub fn end_zone(&self) {
        let mut sections = self.sections.write();
        sections.in_zone = false;
        sections.losses += 1;
        sections.zone = Section::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_by_their_ids_in_order() {
        let store = StringStore::new();
        let ids: Vec<u64> = ["apple", "", "NOUN", "pear", "apple"].map(|text| store.add(text)).into();
        assert_eq!(ids[0], ids[4]);
        assert_eq!((ids[1], ids[2]), (0, 92));
        assert_eq!(store.get(ids[3]).as_deref(), Some("pear"));
        assert_eq!(store.read().iter().collect::<Vec<_>>(), ["apple", "pear"]);
        assert_eq!(store.get(123_456), None);
    }

    #[test]
    fn the_newest_strings_can_be_taken_back() {
        let store = StringStore::new();
        let ids = ["one", "two", "three", "four"].map(|text| store.add(text));
        store.take_back_to(9);
        assert_eq!(store.kept_len(), 4);
        store.take_back_to(2);
        assert_eq!(ids.map(|id| store.contains(id)), [true, true, false, false]);
        assert_eq!(store.add("fünf"), string_id("fünf"));
        assert_eq!(store.read().iter().collect::<Vec<_>>(), ["one", "two", "fünf"]);
        store.take_back_to(0);
        assert!(store.is_empty());
    }

    #[test]
    fn a_zone_lets_go_of_its_strings_and_of_no_other() {
        let store = StringStore::new();
        let before = store.add("before");
        store.begin_zone();
        let brought = store.add_transient("brought");
        let kept = store.add("kept");
        let promoted = store.add_transient("promoted");
        store.add("promoted");
        assert!(store.contains(brought));
        store.end_zone();
        assert!(!store.contains(brought));
        assert!([before, kept, promoted].iter().all(|&id| store.contains(id)));
        assert_eq!(store.get(promoted).as_deref(), Some("promoted"));
    }
}
