//! Several texts at once: threads take groups of them in turn, and what they found new is shared at the end.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rayon::ThreadPool;

use super::session::Session;
use super::{TokenizeError, Tokenizer};
use crate::doc::columns::Columns;
use crate::vocab::LookedUp;

/// Below this many bytes a batch is not worth a second thread.
const SMALL_BATCH: usize = 4096;
/// A thread takes at most this many texts at a time.
const MAX_GROUP: usize = 64;

/// What one thread did: documents that wait for their new words' lexemes, or the text it failed at.
type Work<'t> = Result<(Session<'t>, LookedUp<'t>), (usize, TokenizeError)>;

impl Tokenizer {
    /// The documents of several texts, in order, by the threads of `pool` and the one that calls.
    ///
    /// # Errors
    /// As [`tokenize`](Self::tokenize), for the first text that has one.
    pub fn tokenize_many(
        &self,
        texts: &[&str],
        pool: Option<&ThreadPool>,
    ) -> Result<Vec<Columns>, TokenizeError> {
        let (rules, lexicon, zone) = (self.rules(), self.vocab.lexicon(), self.vocab.zone());
        if self.cache.read().zone() != zone {
            self.cache.write().enter_zone(zone);
        }
        let pool = pool.filter(|_| texts.iter().map(|text| text.len()).sum::<usize>() > SMALL_BATCH);
        let n_threads = pool.map_or(1, ThreadPool::current_num_threads);
        let group = (texts.len() / (4 * n_threads)).clamp(1, MAX_GROUP);
        let next = AtomicUsize::new(0);
        let work = || -> Work {
            let mut session = Session::new(self, &rules, &lexicon, zone);
            let mut at = texts.len();
            let mut take_group = || -> Result<LookedUp, TokenizeError> {
                loop {
                    at = next.fetch_add(group, Ordering::Relaxed);
                    if at >= texts.len() {
                        return session.look_up();
                    }
                    for text in &texts[at..(at + group).min(texts.len())] {
                        session.tokenize(at, text)?;
                        at += 1;
                    }
                }
            };
            match take_group() {
                Ok(looked_up) => Ok((session, looked_up)),
                Err(error) => Err((at, error)),
            }
        };
        let works = match pool {
            None => vec![work()],
            Some(pool) => {
                let works = Mutex::new(Vec::with_capacity(n_threads));
                pool.in_place_scope(|scope| {
                    for _ in 1..n_threads {
                        scope.spawn(|_| works.lock().push(work()));
                    }
                    let own = work();
                    works.lock().push(own);
                });
                works.into_inner()
            }
        };
        let (mut sessions, looked_up) = all_or_first_error(works)?;
        let lexemes = self.vocab.settle(&looked_up, pool);
        sessions.iter_mut().zip(&lexemes).for_each(|(session, lexemes)| session.share(lexemes));
        let mut done: Vec<(usize, Columns)> = sessions.into_iter().flat_map(Session::into_done).collect();
        done.sort_by_key(|(number, _)| *number);
        Ok(done.into_iter().map(|(_, columns)| columns).collect())
    }
}

/// What all threads did, or the error of the first text that has one.
fn all_or_first_error<'t>(
    works: Vec<Work<'t>>,
) -> Result<(Vec<Session<'t>>, Vec<LookedUp<'t>>), TokenizeError> {
    let mut done = (Vec::new(), Vec::new());
    let mut errors = Vec::new();
    for work in works {
        match work {
            Ok((session, looked_up)) => {
                done.0.push(session);
                done.1.push(looked_up);
            }
            Err(error) => errors.push(error),
        }
    }
    let first = errors.into_iter().min_by_key(|(number, _)| *number);
    first.map_or(Ok(done), |(_, error)| Err(error))
}
