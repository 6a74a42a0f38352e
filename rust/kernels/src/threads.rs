//! Where the tasks of a kernel run.

use rayon::prelude::*;

/// The caller's thread, or a pool. Kernels cut their work the same way for both, so the bits are the same.
#[derive(Clone, Copy, Debug, Default)]
pub enum Threads<'a> {
    /// One task after the other.
    #[default]
    One,
    /// As many at a time as the pool has threads.
    Pool(&'a rayon::ThreadPool),
}

impl Threads<'_> {
    /// Runs `run` on each task. On a pool the order is open; tasks must not depend on each other.
    pub(crate) fn each<T: Send>(self, tasks: Vec<T>, run: impl Fn(T) + Send + Sync) {
        match self {
            Threads::Pool(pool) if tasks.len() > 1 => {
                pool.install(|| tasks.into_par_iter().with_max_len(1).for_each(run));
            }
            _ => tasks.into_iter().for_each(run),
        }
    }
}
