//! Compiled patterns, shared by the tokenizers that have the same: compiling takes most of a tokenizer's making.

use std::collections::VecDeque;
use std::sync::Arc;

use ferrule_text::tokenizer::{PatternError, Search};
use parking_lot::Mutex;

/// How many patterns are kept: those of three languages.
const KEPT: usize = 15;

type Compiler = fn(&str) -> Result<Search, PatternError>;

static COMPILED: Mutex<VecDeque<(&'static str, Arc<Search>)>> = Mutex::new(VecDeque::new());

/// The search for the pattern of the rule `name`; the one of an earlier call where it is kept still.
pub(super) fn compiled(name: &str, pattern: &str) -> Result<Arc<Search>, PatternError> {
    let (kind, compile): (&'static str, Compiler) = match name {
        "prefix_search" => ("prefix", Search::prefix),
        "suffix_search" => ("suffix", Search::suffix),
        "infix_finditer" => ("infix", Search::infix),
        _ => ("whole", Search::whole),
    };
    let mut kept = COMPILED.lock();
    let place = kept.iter().position(|(other, search)| *other == kind && search.pattern() == Some(pattern));
    if let Some((_, search)) = place.and_then(|at| kept.remove(at)) {
        kept.push_front((kind, search.clone()));
        return Ok(search);
    }
    drop(kept);
    let search = Arc::new(compile(pattern)?);
    let mut kept = COMPILED.lock();
    kept.push_front((kind, search.clone()));
    kept.truncate(KEPT);
    Ok(search)
}
