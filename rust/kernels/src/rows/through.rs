//! Rows through the exponential: one alone, four in lockstep, or one while its neighbours are written and read.

use super::sweep::{Finish, max, write};
use crate::simd::{Simd, math};

/// What happens to one vector of each of `N` rows that belong together, and the sums over them.
pub(crate) trait Through<S: Simd, const N: usize> {
    /// What lanes past the end of the rows hold; it must add nothing.
    const FILL: [f32; N];
    /// Adds one vector of each row to the sums. Returns what to keep of it.
    fn add(&mut self, simd: S, x: [S::F32; N]) -> [S::F32; N];
}

/// `exp((x - max) / T)` and its sum.
#[derive(Clone, Copy)]
pub(crate) struct ExpSum<S: Simd> {
    max: S::F32,
    scale: S::F32,
    /// The lanes' sums so far.
    pub(crate) sum: S::F32,
}

impl<S: Simd> ExpSum<S> {
    /// For a row with that largest number; `inverse` is 1 / T.
    #[inline(always)]
    pub(crate) fn new(simd: S, max: f32, inverse: f32) -> Self {
        let scale = simd.splat(inverse * std::f32::consts::LOG2_E);
        Self { max: simd.splat(max), scale, sum: simd.splat(0.0) }
    }
}

impl<S: Simd> Through<S, 1> for ExpSum<S> {
    const FILL: [f32; 1] = [f32::NEG_INFINITY];
    #[inline(always)]
    fn add(&mut self, simd: S, [x]: [S::F32; 1]) -> [S::F32; 1] {
        // The difference first: it is exact near the maximum, and does not see a shift of the row.
        let e = math::exp2(simd, simd.mul(simd.sub(x, self.max), self.scale));
        self.sum = simd.add(self.sum, e);
        [e]
    }
}

/// How many numbers ahead of its use memory is asked for: the CPU's own prefetching ends at each page.
const AHEAD: usize = 256;

#[inline(always)]
fn load<S: Simd, const N: usize>(simd: S, rows: &[&[f32]; N], at: usize) -> [S::F32; N] {
    let mut vectors = [simd.splat(0.0); N];
    for (vector, row) in vectors.iter_mut().zip(rows) {
        *vector = simd.load_at(row, at);
    }
    vectors
}

/// Takes the numbers `from..width` of each row; what is kept goes to the same places of `kept` if `KEEP`.
#[inline(always)]
fn take<S: Simd, P: Through<S, N>, const N: usize, const KEEP: bool>(
    simd: S,
    pass: &mut P,
    from: usize,
    rows: [&[f32]; N],
    kept: &mut [&mut [f32]; N],
) {
    let mut at = from;
    while at + S::LANES <= rows[0].len() {
        let made = pass.add(simd, load(simd, &rows, at));
        if KEEP {
            for (kept, made) in kept.iter_mut().zip(made) {
                simd.store_at(kept, at, made);
            }
        }
        at += S::LANES;
    }
    if at < rows[0].len() {
        let mut last = [simd.splat(0.0); N];
        for ((vector, row), fill) in last.iter_mut().zip(rows).zip(P::FILL) {
            *vector = simd.load_partial(&row[at..], fill);
        }
        let made = pass.add(simd, last);
        if KEEP {
            for ((kept, made), row) in kept.iter_mut().zip(made).zip(rows) {
                simd.store_partial(&mut kept[at..row.len()], made);
            }
        }
    }
}

/// One row of each.
#[inline(always)]
pub(crate) fn through<S: Simd, P: Through<S, N>, const N: usize, const KEEP: bool>(
    simd: S,
    pass: &mut P,
    rows: [&[f32]; N],
    mut kept: [&mut [f32]; N],
) {
    take::<S, P, N, KEEP>(simd, pass, 0, rows, &mut kept);
}

/// Four rows of each, which follow each other; `kept` has room for four rows of each, or for none.
///
/// Their sums do not wait for each other.
#[inline(always)]
pub(crate) fn through4<S: Simd, P: Through<S, N>, const N: usize, const KEEP: bool>(
    simd: S,
    passes: &mut [P; 4],
    width: usize,
    rows: [&[f32]; N],
    mut kept: [&mut [f32]; N],
) {
    let mut at = 0;
    while at + S::LANES <= width {
        for (i, pass) in passes.iter_mut().enumerate() {
            let made = pass.add(simd, load(simd, &rows, i * width + at));
            if KEEP {
                for (kept, made) in kept.iter_mut().zip(made) {
                    simd.store_at(kept, i * width + at, made);
                }
            }
        }
        at += S::LANES;
    }
    if at < width {
        for (i, pass) in passes.iter_mut().enumerate() {
            let rest = i * width + at..(i + 1) * width;
            let mut last = [simd.splat(0.0); N];
            for ((vector, row), fill) in last.iter_mut().zip(rows).zip(P::FILL) {
                *vector = simd.load_partial(&row[rest.clone()], fill);
            }
            let made = pass.add(simd, last);
            if KEEP {
                for (kept, made) in kept.iter_mut().zip(made) {
                    simd.store_partial(&mut kept[rest.clone()], made);
                }
            }
        }
    }
}

/// The row before, to be written past the caches.
pub(crate) struct Done<'a, F, const N: usize> {
    /// How it is made.
    pub(crate) made: F,
    /// What it is made of; left out where that is kept.
    pub(crate) sources: [&'a [f32]; N],
    /// Where it goes.
    pub(crate) out: &'a mut [f32],
}

/// Takes a row through the exponential while the one before it leaves for memory and the next one comes from there:
/// one loop, so that arithmetic and both directions of the memory bus are busy together. Returns the lanes' largest
/// numbers of the next row. All rows have one length.
///
/// With `KEEP`, `kept` holds what the row before is made of, and afterwards what was kept of this one.
#[inline(always)]
pub(crate) fn overlapped<S: Simd, P: Through<S, N>, F: Finish<N>, const N: usize, const KEEP: bool>(
    simd: S,
    done: Done<'_, F, N>,
    pass: &mut P,
    rows: [&[f32]; N],
    mut kept: [&mut [f32]; N],
    next: [&[f32]; N],
) -> [S::F32; N] {
    let Done { made, sources, out } = done;
    let (head, lines, tail) = simd.lines_mut(out);
    let (before, body) = (head.len(), lines.len() * S::LANES);
    // The ends are written first, for the loop puts this row in the place of what they are made of.
    for (out, start) in [(head, 0), (tail, before + body)] {
        let end = start + out.len();
        if KEEP {
            let mut ends: [&[f32]; N] = [&[]; N];
            for (part, kept) in ends.iter_mut().zip(&kept) {
                *part = &kept[start..end];
            }
            write(simd, made, ends, out);
        } else {
            write(simd, made, sources.map(|row| &row[start..end]), out);
        }
    }
    let mut largest = [simd.splat(f32::NEG_INFINITY); N];
    let mut at = 0;
    for line in lines {
        let mut old = [simd.splat(0.0); N];
        for (i, old) in old.iter_mut().enumerate() {
            let source: &[f32] = if KEEP { &*kept[i] } else { sources[i] };
            *old = simd.load_at(source, before + at);
        }
        simd.stream(line, made.apply(simd, old));
        for (largest, next) in largest.iter_mut().zip(next) {
            simd.prefetch(next, at + AHEAD);
            *largest = simd.max(simd.load_at(next, at), *largest);
        }
        let made = pass.add(simd, load(simd, &rows, at));
        if KEEP {
            for (kept, made) in kept.iter_mut().zip(made) {
                simd.store_at(kept, at, made);
            }
        }
        at += S::LANES;
    }
    for (largest, next) in largest.iter_mut().zip(next) {
        *largest = simd.max(max(simd, &next[at..]), *largest);
    }
    take::<S, P, N, KEEP>(simd, pass, at, rows, &mut kept);
    largest
}

/// Writes the last row, which has no neighbour, past the caches.
#[inline(always)]
pub(crate) fn leave<S: Simd, F: Finish<N>, const N: usize>(
    simd: S,
    made: F,
    sources: [&[f32]; N],
    out: &mut [f32],
) {
    let (head, lines, tail) = simd.lines_mut(out);
    let (before, body) = (head.len(), lines.len() * S::LANES);
    write(simd, made, sources.map(|row| &row[..before]), head);
    write(simd, made, sources.map(|row| &row[before + body..]), tail);
    let mut at = before;
    for line in lines {
        simd.stream(line, made.apply(simd, load(simd, &sources, at)));
        at += S::LANES;
    }
}
