//! Several texts at once: threads take groups of them in turn, and what they found new is shared at the end.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rayon::ThreadPool;

use super::cache::Part;
use super::session::{Documents, Session, give_lexemes};
use super::{TokenizeError, Tokenizer};
use crate::doc::columns::Columns;
use crate::vocab::{LookedUp, WORTH_A_THREAD};

/// Below this many bytes a batch is not worth a second thread.
const SMALL_BATCH: usize = 4096;
/// A thread takes at most this many texts at a time.
const MAX_GROUP: usize = 16;

/// Threads take texts of this many bytes together, unless one alone has more: what they find new they keep until all
/// are done, so that the order of the lexemes does not depend on who came first.
const MAX_TOGETHER: usize = 1 << 20;

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
        let mut done = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let (together, others) = rest.split_at(n_together(rest));
            done.extend(self.tokenize_together(together, pool)?);
            rest = others;
        }
        Ok(done)
    }

    fn tokenize_together(
        &self,
        texts: &[&str],
        pool: Option<&ThreadPool>,
    ) -> Result<Vec<Columns>, TokenizeError> {
        let (rules, lexicon, zone) = (self.rules(), self.vocab.lexicon(), self.vocab.zone());
        if self.cache.read().zone() != zone {
            self.cache.write().enter_zone(zone);
        }
        let n_bytes: usize = texts.iter().map(|text| text.len()).sum();
        let pool = pool.filter(|_| texts.len() > 1 && n_bytes > SMALL_BATCH);
        let n_threads = pool.map_or(1, ThreadPool::current_num_threads);
        let group = (texts.len() / (4 * n_threads)).clamp(1, MAX_GROUP);
        let next = AtomicUsize::new(0);
        let work = || -> Work {
            let mut session = Session::new(self, &rules, &lexicon, zone, n_threads == 1);
            loop {
                let first = next.fetch_add(group, Ordering::Relaxed);
                if first >= texts.len() {
                    break;
                }
                session.tokenize(first, &texts[first..(first + group).min(texts.len())])?;
            }
            let looked_up = session.look_up();
            Ok((session, looked_up))
        };
        let (sessions, looked_up) = all_or_first_error(in_threads(pool, work))?;
        let lexemes = self.vocab.settle(&looked_up, &lexicon, pool)?;
        let (mut done, fresh): (Vec<Documents>, Vec<Part>) =
            sessions.into_iter().map(Session::into_parts).unzip();
        let number = || {
            done.iter_mut().zip(&lexemes).for_each(|(done, lexemes)| give_lexemes(done, lexemes));
            drop(looked_up);
        };
        let share = || {
            fresh.into_iter().zip(&lexemes).for_each(|(part, new)| self.share(part, new, &rules, zone));
        };
        match pool.filter(|_| lexemes.iter().any(|lexemes| lexemes.len() > WORTH_A_THREAD)) {
            Some(pool) => pool.in_place_scope(|scope| {
                scope.spawn(|_| number());
                share();
            }),
            None => {
                number();
                share();
            }
        }
        let mut done: Documents = done.into_iter().flatten().collect();
        done.sort_by_key(|(number, _)| *number);
        Ok(done.into_iter().map(|(_, columns)| columns).collect())
    }
}

/// How many of the texts are taken together: at least one.
fn n_together(texts: &[&str]) -> usize {
    let mut n_bytes = 0;
    let fits = |text: &&&str| {
        n_bytes += text.len();
        n_bytes <= MAX_TOGETHER
    };
    texts.iter().take_while(fits).count().max(1)
}

/// What `work` returns in each thread of `pool`, and in the one that calls.
fn in_threads<R: Send>(pool: Option<&ThreadPool>, work: impl Fn() -> R + Sync) -> Vec<R> {
    let Some(pool) = pool else { return vec![work()] };
    let n_others = pool.current_num_threads().saturating_sub(1);
    let results = Mutex::new(Vec::with_capacity(1 + n_others));
    pool.in_place_scope(|scope| {
        for _ in 0..n_others {
            scope.spawn(|_| {
                let result = work();
                results.lock().push(result);
            });
        }
        let own = work();
        results.lock().push(own);
    });
    results.into_inner()
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
