//! Room that searches need while they run. Each thread comes back to its own: pools that threads share make them
//! wait for each other's memory at every word.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// More threads than this share, and may wait for each other.
const SLOTS: usize = 16;

/// On memory of its own, so that no other thread's use slows it.
#[repr(align(128))]
struct Slot<T>(Mutex<Option<Box<T>>>);

/// One `T` a thread, made when it is first used.
pub(super) struct PerThread<T>([Slot<T>; SLOTS]);

impl<T> Default for PerThread<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Slot(Mutex::new(None))))
    }
}

impl<T> PerThread<T> {
    /// What `work` returns, done with the room of this thread. `work` must not use the same room again.
    pub(super) fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let own = number_of_thread();
        let mut free = (0..SLOTS).map(|step| &self.0[(own + step) % SLOTS].0);
        let mut room = free.find_map(Mutex::try_lock).unwrap_or_else(|| self.0[own % SLOTS].0.lock());
        work(room.get_or_insert_with(|| Box::new(make())))
    }
}

fn number_of_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
    }
    NUMBER.get().unwrap_or_else(|| {
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        NUMBER.set(Some(number));
        number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_comes_back_to_its_room() {
        let rooms = PerThread::<usize>::default();
        let counts: Vec<_> =
            (0..3).map(|_| rooms.with(|| 7, |count| std::mem::replace(count, *count + 1))).collect();
        assert_eq!(counts, [7, 8, 9]);
    }

    #[test]
    fn more_threads_than_rooms_share() {
        let rooms = PerThread::<usize>::default();
        std::thread::scope(|scope| {
            for _ in 0..3 * SLOTS {
                scope.spawn(|| (0..10).for_each(|_| rooms.with(|| 0, |count| *count += 1)));
            }
        });
        let total: usize = rooms.0.iter().filter_map(|slot| slot.0.lock().as_deref().copied()).sum();
        assert_eq!(total, 30 * SLOTS);
    }
}
