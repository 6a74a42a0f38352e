//! Where the tasks of a kernel run.

use std::sync::{Mutex, PoisonError};

/// The caller's thread, or a pool. Kernels cut their work the same way for both, so the bits are the same.
#[derive(Clone, Copy, Debug, Default)]
pub enum Threads<'a> {
    /// One task after the other.
    #[default]
    One,
    /// As many at a time as the pool has threads, the caller's thread being one of them.
    Pool(&'a rayon::ThreadPool),
}

impl Threads<'_> {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Threads::One => 1,
            Threads::Pool(pool) => pool.current_num_threads(),
        }
    }

    /// Runs `run` on each task. On a pool they begin in order; they must not depend on each other.
    ///
    /// The caller's thread begins at once: while others wake up, which takes as long as a small task, it works.
    pub(crate) fn each<T: Send>(self, tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
        match self {
            Threads::Pool(pool) if tasks.len() > 1 => {
                let n_helpers = pool.current_num_threads().min(tasks.len()) - 1;
                let waiting = Mutex::new(tasks.into_iter());
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                let work = || {
                    while let Some(task) = next() {
                        run(task);
                    }
                };
                pool.in_place_scope(|scope| {
                    for _ in 0..n_helpers {
                        scope.spawn(|_| work());
                    }
                    work();
                });
            }
            _ => tasks.into_iter().for_each(run),
        }
    }

    /// What `make` makes of each item, in order. Items must not depend on each other.
    pub fn map<T: Send, R: Send>(self, items: Vec<T>, make: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
        let mut made: Vec<Option<R>> = items.iter().map(|_| None).collect();
        self.each(items.into_iter().zip(&mut made).collect(), |(item, to)| *to = Some(make(item)));
        made.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::Threads;

    #[test]
    fn each_task_runs_once_and_what_is_made_keeps_its_order() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        for threads in [Threads::One, Threads::Pool(&pool)] {
            let runs: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
            threads.each((0..50).collect(), |index: usize| {
                runs[index].fetch_add(1, Ordering::Relaxed);
            });
            assert!(runs.iter().all(|n| n.load(Ordering::Relaxed) == 1));
            let squares: Vec<usize> = threads.map((0..50).collect(), |n| n * n);
            assert_eq!(squares, (0..50).map(|n| n * n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_in_a_task_reaches_the_caller() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let run = || Threads::Pool(&pool).each(vec![1, 2, 3], |n| assert_ne!(n, 2));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
