//! What has been calculated for word types, kept from batch to batch.

use std::sync::{PoisonError, RwLock};

use rustc_hash::FxHashMap;

use super::first_level::TypeRow;

/// Word types that are kept: 31 MB with the default sizes. Seldom words come and go, so when it is full all go.
const MOST_TYPES: usize = 8192;

/// Rows of word types by their feature ids. What is found never depends on what was asked before, only how fast.
#[derive(Debug, Default)]
pub(crate) struct TypeCache {
    rows: RwLock<FxHashMap<Box<[u64]>, TypeRow>>,
}

impl TypeCache {
    /// The row of each type that is known.
    pub fn find<'a>(&self, features: impl Iterator<Item = &'a [u64]>) -> Vec<Option<TypeRow>> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        features.map(|ids| rows.get(ids).cloned()).collect()
    }

    /// Keeps rows for later.
    pub fn keep<'a>(&self, new: impl ExactSizeIterator<Item = (&'a [u64], TypeRow)>) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        if rows.len() + new.len() > MOST_TYPES {
            rows.clear();
        }
        for (ids, row) in new.take(MOST_TYPES) {
            rows.insert(ids.into(), row);
        }
    }
}
