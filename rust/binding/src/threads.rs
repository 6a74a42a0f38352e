//! The thread pool of the library: its own, started on first use, made again after a fork.

use std::sync::{Arc, Mutex, PoisonError};

use ferrule_kernels::{Pool, Threads};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// More would only be a slip of the keyboard.
const MOST_THREADS: usize = 1024;

/// Only touched by threads that hold the GIL, so a fork never finds it locked.
static SETTING: Mutex<Setting> = Mutex::new(Setting { n_threads: None, pool: None });

struct Setting {
    n_threads: Option<usize>,
    pool: Option<StartedPool>,
}

struct StartedPool {
    /// A child process has the parent's pool object but none of its threads.
    process: u32,
    n_threads: usize,
    pool: Arc<Pool>,
}

/// The threads to run kernels on. Get it before releasing the GIL.
#[derive(Clone)]
pub(crate) struct Workers(Option<Arc<Pool>>);

impl Workers {
    /// What kernels take.
    pub(crate) fn threads(&self) -> Threads<'_> {
        self.0.as_deref().map_or(Threads::One, Threads::Pool)
    }
}

/// The pool, started if there is none yet. With one thread there is no pool.
///
/// # Errors
/// `ValueError` if `FERRULE_NUM_THREADS` is no number of threads, `RuntimeError` if threads cannot be started.
pub(crate) fn workers(_py: Python<'_>) -> PyResult<Workers> {
    let mut setting = SETTING.lock().unwrap_or_else(PoisonError::into_inner);
    let n_threads = setting.n_threads()?;
    if n_threads == 1 {
        return Ok(Workers(None));
    }
    let process = std::process::id();
    match &setting.pool {
        Some(started) if started.process == process && started.n_threads == n_threads => {
            return Ok(Workers(Some(Arc::clone(&started.pool))));
        }
        _ => {}
    }
    let pool = Pool::new(n_threads)
        .map_err(|error| PyRuntimeError::new_err(format!("cannot start {n_threads} threads: {error}")))?;
    let pool = Arc::new(pool);
    let started = StartedPool { process, n_threads, pool: Arc::clone(&pool) };
    if let Some(old) = setting.pool.replace(started)
        && old.process != process
    {
        // Its threads are not in this process, so there is nothing to end, and ending it would wait for them.
        std::mem::forget(old);
    }
    Ok(Workers(Some(pool)))
}

impl Setting {
    fn n_threads(&mut self) -> PyResult<usize> {
        if let Some(n_threads) = self.n_threads {
            return Ok(n_threads);
        }
        let n_threads = match std::env::var("FERRULE_NUM_THREADS") {
            Ok(text) if !text.trim().is_empty() => {
                text.trim().parse().ok().filter(|n| (1..=MOST_THREADS).contains(n)).ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "FERRULE_NUM_THREADS={text}: expected a whole number from 1 to {MOST_THREADS}, or leave it \
                         unset for all cores"
                    ))
                })?
            }
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        };
        self.n_threads = Some(n_threads);
        Ok(n_threads)
    }
}

/// Sets how many threads kernels, models and the tokenizer use. Results do not depend on it.
///
/// n_threads: from 1 to 1024. The default is `FERRULE_NUM_THREADS`, else one for each core.
/// Raises ValueError for a number out of that range.
#[pyfunction]
fn set_num_threads(n_threads: i64) -> PyResult<()> {
    let n_threads =
        usize::try_from(n_threads).ok().filter(|n| (1..=MOST_THREADS).contains(n)).ok_or_else(|| {
            PyValueError::new_err(format!(
                "set_num_threads: expected 1 to {MOST_THREADS} threads, found {n_threads}"
            ))
        })?;
    SETTING.lock().unwrap_or_else(PoisonError::into_inner).n_threads = Some(n_threads);
    Ok(())
}

/// How many threads are used: what was set, else `FERRULE_NUM_THREADS`, else one for each core.
///
/// Raises ValueError if `FERRULE_NUM_THREADS` is no number from 1 to 1024.
#[pyfunction]
fn get_num_threads() -> PyResult<usize> {
    SETTING.lock().unwrap_or_else(PoisonError::into_inner).n_threads()
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(set_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(get_num_threads, m)?)
}
