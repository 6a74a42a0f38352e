//! Rows in blocks of a fixed size: what a thread takes, and how sums are cut.
//!
//! The cut depends on the width alone, and the sums of the blocks are added in order, so a result has the same bits
//! for any number of threads.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::view::RowsMut;
use crate::Threads;
use crate::simd::Isa;

/// What a kernel runs on.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    /// The instruction set.
    pub isa: Isa,
    /// Where blocks of rows run.
    pub threads: Threads<'a>,
    /// At most this many at a time.
    pub most_threads: usize,
}

impl Machine<'_> {
    /// The calling thread alone.
    #[must_use]
    pub fn single(isa: Isa) -> Self {
        Self { isa, threads: Threads::One, most_threads: 1 }
    }
}

/// About how many numbers a block holds: a few thousand cycles of work, and an L2 cache's worth.
const BLOCK_NUMBERS: usize = 1 << 15;
/// A block has at least this many rows, since the first and the last row of a streamed block have nothing beside them.
const LEAST_ROWS: usize = 64;
/// With fewer numbers, starting threads costs more than they save: 4096 × 50 gains nothing from a second one.
const THREADED_NUMBERS: usize = 1 << 19;
/// Where inputs and output together are larger, the output goes past the caches; of smaller ones a part is still
/// there for whoever reads it. Most of an L3 cache.
const CACHED_BYTES: usize = 24 << 20;
/// Narrower rows are written the ordinary way: their lines are shared with their neighbours.
const STREAM_WIDTH: usize = 512;

/// Rows in a block: a multiple of 16, the rows of a group of narrow ones.
pub(crate) fn rows_per_block(width: usize) -> usize {
    (BLOCK_NUMBERS / width.max(1)).max(LEAST_ROWS) & !15
}

/// Whether an output of this shape, made of so many inputs of the same one, is written with non-temporal stores.
pub(crate) fn is_streamed(n_rows: usize, width: usize, n_inputs: usize) -> bool {
    width >= STREAM_WIDTH && (n_inputs + 1) * n_rows * width * size_of::<f32>() > CACHED_BYTES
}

/// Calls `work` with each block of `out` and its row numbers, on the threads of the machine, and adds what it
/// returns, in order.
pub(crate) fn sum_blocks<T: Send, F>(machine: Machine<'_>, out: RowsMut<'_, T>, work: F) -> f64
where
    F: Fn(Range<usize>, RowsMut<'_, T>) -> f64 + Sync,
{
    let (n_rows, width) = (out.n_rows(), out.width());
    if n_rows == 0 || width == 0 {
        return 0.0;
    }
    let step = rows_per_block(width);
    let block = |(index, data): (usize, &mut [T])| {
        let start = index * step;
        let rows = start..start + data.len() / width;
        RowsMut::new(data, rows.len(), width).map_or(0.0, |block| work(rows, block))
    };
    let data = out.into_data();
    match machine.threads {
        Threads::Pool(pool) if machine.most_threads > 1 && data.len() >= THREADED_NUMBERS => {
            let pool = pool.rayon();
            // Pieces of this many blocks, so that no more than `most_threads` are at work.
            let piece = if machine.most_threads < pool.current_num_threads() {
                n_rows.div_ceil(step).div_ceil(machine.most_threads)
            } else {
                1
            };
            let sums: Vec<f64> = pool.install(|| {
                data.par_chunks_mut(step * width).with_min_len(piece).enumerate().map(block).collect()
            });
            sums.into_iter().sum()
        }
        _ => data.chunks_mut(step * width).enumerate().map(block).sum(),
    }
}

/// [`sum_blocks`] for work that has nothing to add.
pub(crate) fn each_block<T: Send, F>(machine: Machine<'_>, out: RowsMut<'_, T>, work: F)
where
    F: Fn(Range<usize>, RowsMut<'_, T>) + Sync,
{
    sum_blocks(machine, out, |rows, block| {
        work(rows, block);
        0.0
    });
}

/// How many numbers the smallest page of memory holds.
pub(crate) const PAGE_NUMBERS: usize = PAGE_BYTES / size_of::<f32>();
const PAGE_BYTES: usize = 4096;

/// Calls `work` with room for `len` numbers of any value that begins a page, which the thread keeps for its
/// next block.
#[inline(always)]
pub(crate) fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    let mut scratch = SCRATCH.take();
    if scratch.len() < len + PAGE_NUMBERS {
        scratch.resize(len + PAGE_NUMBERS, 0.0);
    }
    // An offset that there may not be is only slower.
    let start = scratch.as_ptr().align_offset(PAGE_BYTES).min(PAGE_NUMBERS);
    let result = work(&mut scratch[start..start + len]);
    SCRATCH.replace(scratch);
    result
}
