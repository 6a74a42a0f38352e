//! Memory zones: lexemes and strings that last until the zone's end.

use std::sync::atomic::Ordering;

use super::Vocab;

/// Why a memory zone could not be opened or closed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("memory_zone: a zone is open on this vocabulary already; end it before opening another")]
pub struct ZoneOpen;

impl Vocab {
    /// The number of the open memory zone, 0 where none is open. Numbers are never used twice.
    ///
    /// A document takes this number when it is made. It is alive while [`is_alive`](Self::is_alive) holds for it.
    pub fn zone(&self) -> u64 {
        self.zone.load(Ordering::Acquire)
    }

    /// Whether what was made in this zone still exists: outside any (0), or in the one that is open.
    pub fn is_alive(&self, zone: u64) -> bool {
        zone == 0 || zone == self.zone()
    }

    /// Whether the lexeme outlives the open memory zone.
    pub fn is_kept(&self, index: u32) -> bool {
        self.zone() == 0 || (index as usize) < *self.zone_start.read()
    }

    /// Opens a memory zone and returns its number: lexemes and their strings last until its end.
    ///
    /// # Errors
    /// [`ZoneOpen`] where one is open already.
    pub fn begin_zone(&self) -> Result<u64, ZoneOpen> {
        let table = self.table.write();
        if self.zone() != 0 {
            return Err(ZoneOpen);
        }
        let zone = self.zones_begun.fetch_add(1, Ordering::AcqRel) + 1;
        *self.zone_start.write() = table.lexemes.len();
        self.strings.begin_zone();
        self.zone.store(zone, Ordering::Release);
        Ok(zone)
    }

    /// Ends the open memory zone and lets go of its lexemes and strings. Does nothing where none is open.
    pub fn end_zone(&self) {
        let mut table = self.table.write();
        if self.zone() == 0 {
            return;
        }
        self.zone.store(0, Ordering::Release);
        table.truncate(*self.zone_start.read());
        self.strings.end_zone();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lexical::Lexicon;
    use crate::strings::string_id;

    #[test]
    fn the_end_of_a_zone_cuts_the_table() {
        let vocab = Vocab::new(Arc::default(), Lexicon::default());
        let kept = vocab.lexeme("kept").unwrap();
        let zone = vocab.begin_zone().unwrap();
        let brought = vocab.lexeme("brought").unwrap();
        assert!(vocab.is_kept(kept) && !vocab.is_kept(brought));
        assert!(vocab.is_alive(zone) && vocab.begin_zone() == Err(ZoneOpen));
        vocab.end_zone();
        assert!(!vocab.is_alive(zone) && vocab.is_alive(0));
        assert_eq!(vocab.read().len(), 1);
        assert_eq!(vocab.read().find("brought"), None);
        assert_eq!(vocab.lexeme_record(brought), None);
        assert_eq!(vocab.strings().get(string_id("brought")), None);
        assert!(vocab.begin_zone().unwrap() > zone);
    }
}
