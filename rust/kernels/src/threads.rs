//! Where the tasks of a kernel run.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// How long a thread that has nothing to do stays awake, since the next part of a step begins soon.
///
/// To wake a thread takes 20 to 100 µs, and a training step has some fifteen parts with a little Python between them.
const LINGER: Duration = Duration::from_micros(300);

/// The caller's thread, or a pool. Kernels cut their work the same way for both, so the bits are the same.
#[derive(Clone, Copy, Debug, Default)]
pub enum Threads<'a> {
    /// One task after the other.
    #[default]
    One,
    /// As many at a time as the pool is for, the caller's thread being one of them.
    Pool(&'a Pool),
}

/// Threads that wait for work.
#[derive(Debug)]
pub struct Pool {
    all: ThreadPool,
    /// Those that help a caller who works too: one fewer.
    helpers: ThreadPool,
    /// How many calls for help no helper has answered yet.
    calls: Arc<AtomicUsize>,
}

impl Pool {
    /// For `n_threads` at a time.
    ///
    /// # Errors
    /// If the system starts no more threads.
    pub fn new(n_threads: usize) -> Result<Pool, ThreadPoolBuildError> {
        let start = |n_threads, name: &'static str| {
            let builder = ThreadPoolBuilder::new().num_threads(n_threads);
            builder.thread_name(move |index| format!("{name}-{index}")).build()
        };
        Ok(Pool {
            all: start(n_threads, "ferrule")?,
            helpers: start(n_threads.saturating_sub(1).max(1), "ferrule-helper")?,
            calls: Arc::default(),
        })
    }

    /// The threads for work that no caller's thread takes part in.
    #[must_use]
    pub fn rayon(&self) -> &ThreadPool {
        &self.all
    }

    /// The caller takes the first part of the tasks and each helper another, in order, and then what is left of the
    /// others' parts. So the same thread meets the same rows in one call after the other, where tasks are cut alike: rows
    /// that another core has written come slower than its own.
    fn each<T: Send>(&self, tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
        let n_helpers = self.helpers.current_num_threads().min(tasks.len() - 1);
        let tasks: Vec<_> = tasks.into_iter().map(|task| Mutex::new(Some(task))).collect();
        let work = |index: usize| {
            let (others, own) = tasks.split_at(index * tasks.len() / (n_helpers + 1));
            for task in own.iter().chain(others) {
                let task = task.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(task) = task {
                    run(task);
                }
            }
        };
        let (work, at_work) = (&work, AtomicUsize::new(n_helpers));
        let at_work = &at_work;
        self.helpers.in_place_scope(|scope| {
            self.calls.fetch_add(n_helpers, Ordering::SeqCst);
            for index in 1..=n_helpers {
                scope.spawn(move |_| {
                    self.calls.fetch_sub(1, Ordering::SeqCst);
                    let _end = CountDown(at_work);
                    work(index);
                });
            }
            work(0);
            stay_awake(|| at_work.load(Ordering::SeqCst) > 0);
        });
        let calls = Arc::clone(&self.calls);
        self.helpers.spawn_broadcast(move |_| stay_awake(|| calls.load(Ordering::SeqCst) == 0));
    }
}

/// Counts down by one at the end of its life, also when a task panics.
struct CountDown<'a>(&'a AtomicUsize);

impl Drop for CountDown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Returns when `idle` does not hold any more, or after [`LINGER`].
fn stay_awake(idle: impl Fn() -> bool) {
    let since = Instant::now();
    while idle() && since.elapsed() < LINGER {
        for _ in 0..16 {
            spin_loop();
        }
    }
}

impl Threads<'_> {
    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Threads::One => 1,
            Threads::Pool(pool) => pool.all.current_num_threads(),
        }
    }

    /// Runs `run` on each task, in any order on a pool; they must not depend on each other.
    ///
    /// The caller's thread begins at once: while others wake up, which takes as long as a small task, it works.
    pub(crate) fn each<T: Send>(self, tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
        match self {
            Threads::Pool(pool) if tasks.len() > 1 => pool.each(tasks, run),
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

    use super::{Pool, Threads};

    #[test]
    fn each_task_runs_once_and_what_is_made_keeps_its_order() {
        let pool = Pool::new(3).unwrap();
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
        let pool = Pool::new(2).unwrap();
        let run = || Threads::Pool(&pool).each(vec![1, 2, 3], |n| assert_ne!(n, 2));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
