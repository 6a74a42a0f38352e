//! A row through the exponential: alone, or while the row of another batch leaves and that of a third one comes.

use super::job::{Pass, RowJob, Through};
use super::sweep::{Finish, load_each, max, write};
use crate::simd::Simd;

/// How many numbers ahead of its use memory is asked for: the CPU's own prefetching ends at each page.
const AHEAD: usize = 256;

/// The last vector of each row; lanes past its end hold `fill`.
#[inline(always)]
fn load_ends<S: Simd, const N: usize>(simd: S, rows: &[&[f32]; N], at: usize, fill: [f32; N]) -> [S::F32; N] {
    let mut vectors = [simd.splat(0.0); N];
    for ((vector, row), fill) in vectors.iter_mut().zip(rows).zip(fill) {
        *vector = simd.load_partial(&row[at..], fill);
    }
    vectors
}

/// Takes the numbers `from..` of each row through; what is kept goes to the same places of `kept`, rows of whole
/// vectors, if `KEEP`.
#[inline(always)]
pub(crate) fn through<S: Simd, T: Through<N, M>, const N: usize, const M: usize, const KEEP: bool>(
    simd: S,
    pass: &mut Pass<S, N, M>,
    from: usize,
    rows: [&[f32]; N],
    kept: &mut [&mut [f32]; N],
) {
    let mut at = from;
    while at < rows[0].len() {
        let x = if at + S::LANES <= rows[0].len() {
            load_each(simd, &rows, at)
        } else {
            load_ends(simd, &rows, at, T::FILL)
        };
        let made = T::add(simd, pass, x);
        if KEEP {
            for (kept, made) in kept.iter_mut().zip(made) {
                simd.store_at(kept, at, made);
            }
        }
        at += S::LANES;
    }
}

/// The numbers `from..` of each row, kept if the job wants that.
#[inline(always)]
pub(crate) fn rest<S: Simd, J: RowJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    pass: &mut Pass<S, N, M>,
    from: usize,
    rows: [&[f32]; N],
    kept: &mut [&mut [f32]; N],
) {
    if J::KEEP {
        through::<S, J::Through, N, M, true>(simd, pass, from, rows, kept);
    } else {
        through::<S, J::Through, N, M, false>(simd, pass, from, rows, kept);
    }
}

/// A row that leaves.
pub(crate) struct Done<'a, F, const N: usize> {
    /// How it is made.
    pub(crate) made: F,
    /// What it is made of, if that is not what was kept.
    pub(crate) sources: [&'a [f32]; N],
    /// Where it goes. What follows it there is written later.
    pub(crate) out: &'a mut [f32],
}

/// Takes a row through the exponential while one of the batch before leaves and one of the batch after is searched for
/// its largest number: one loop, so that arithmetic and both directions of the memory bus are busy together. Returns
/// the lanes' largest numbers of the next row. All rows have one length.
///
/// With `KEEP`, `kept` holds what the leaving row is made of, and afterwards what was kept of this one.
#[inline(always)]
pub(crate) fn overlapped<S: Simd, J: RowJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    done: Done<'_, J::Finish, N>,
    pass: &mut Pass<S, N, M>,
    rows: [&[f32]; N],
    kept: &mut [&mut [f32]; N],
    next: [&[f32]; N],
) -> [S::F32; N] {
    let Done { made, sources, out } = done;
    let width = rows[0].len();
    let mut largest = [simd.splat(f32::NEG_INFINITY); N];
    let mut at = 0;
    while at + S::LANES <= width {
        let old = if J::KEEP { load_kept(simd, kept, at) } else { load_each(simd, &sources, at) };
        let result = made.apply(simd, old);
        for (largest, next) in largest.iter_mut().zip(next) {
            *largest = simd.max(simd.load_at(next, at), *largest);
        }
        let new = J::Through::add(simd, pass, load_each(simd, &rows, at));
        // After the loads: see `wide`.
        simd.store_at(out, at, result);
        if J::KEEP {
            for (kept, new) in kept.iter_mut().zip(new) {
                simd.store_at(kept, at, new);
            }
        }
        at += S::LANES;
    }
    if at < width {
        let old = if J::KEEP { load_kept(simd, kept, at) } else { load_ends(simd, &sources, at, [0.0; N]) };
        let last = made.apply(simd, old);
        if at + S::LANES <= out.len() {
            simd.store_at(out, at, last);
        } else {
            simd.store_partial(&mut out[at..width], last);
        }
        for (largest, next) in largest.iter_mut().zip(load_ends(simd, &next, at, [f32::NEG_INFINITY; N])) {
            *largest = simd.max(next, *largest);
        }
        rest::<S, J, N, M>(simd, pass, at, rows, kept);
    }
    largest
}

/// The same, and the row leaves past the caches.
#[inline(always)]
pub(crate) fn overlapped_streamed<S: Simd, J: RowJob<N, M>, const N: usize, const M: usize>(
    simd: S,
    done: Done<'_, J::Finish, N>,
    pass: &mut Pass<S, N, M>,
    rows: [&[f32]; N],
    kept: &mut [&mut [f32]; N],
    next: [&[f32]; N],
) -> [S::F32; N] {
    let Done { made, sources, out } = done;
    let width = rows[0].len();
    let (head, lines, tail) = simd.lines_mut(&mut out[..width]);
    let (before, body) = (head.len(), lines.len() * S::LANES);
    // The ends are written first, for the loop puts this row in the place of what they are made of.
    for (out, start) in [(head, 0), (tail, before + body)] {
        write(simd, made, part_of::<J, N, M>(kept, &sources, start..start + out.len()), out);
    }
    let mut largest = [simd.splat(f32::NEG_INFINITY); N];
    let mut at = 0;
    for line in lines {
        let old =
            if J::KEEP { load_kept(simd, kept, before + at) } else { load_each(simd, &sources, before + at) };
        let result = made.apply(simd, old);
        for (largest, next) in largest.iter_mut().zip(next) {
            simd.prefetch(next, at + AHEAD);
            *largest = simd.max(simd.load_at(next, at), *largest);
        }
        let new = J::Through::add(simd, pass, load_each(simd, &rows, at));
        simd.stream(line, result);
        if J::KEEP {
            for (kept, new) in kept.iter_mut().zip(new) {
                simd.store_at(kept, at, new);
            }
        }
        at += S::LANES;
    }
    for (largest, next) in largest.iter_mut().zip(next) {
        *largest = simd.max(max(simd, &next[at..]), *largest);
    }
    rest::<S, J, N, M>(simd, pass, at, rows, kept);
    largest
}

/// Writes a row that leaves alone, past the caches if `STREAM`.
#[inline(always)]
pub(crate) fn leave<S: Simd, J: RowJob<N, M>, const N: usize, const M: usize, const STREAM: bool>(
    simd: S,
    done: Done<'_, J::Finish, N>,
    width: usize,
    kept: &[&mut [f32]; N],
) {
    let Done { made, sources, out } = done;
    let out = &mut out[..width];
    if !STREAM {
        return write(simd, made, part_of::<J, N, M>(kept, &sources, 0..width), out);
    }
    let (head, lines, tail) = simd.lines_mut(out);
    let (before, body) = (head.len(), lines.len() * S::LANES);
    for (out, start) in [(head, 0), (tail, before + body)] {
        write(simd, made, part_of::<J, N, M>(kept, &sources, start..start + out.len()), out);
    }
    let rows = part_of::<J, N, M>(kept, &sources, before..before + body);
    for (i, line) in lines.iter_mut().enumerate() {
        simd.stream(line, made.apply(simd, load_each(simd, &rows, i * S::LANES)));
    }
}

/// The numbers of a range that a row is made of.
#[inline(always)]
fn part_of<'a, J: RowJob<N, M>, const N: usize, const M: usize>(
    kept: &'a [&mut [f32]; N],
    sources: &[&'a [f32]; N],
    range: std::ops::Range<usize>,
) -> [&'a [f32]; N] {
    let mut parts: [&[f32]; N] = [&[]; N];
    for (i, part) in parts.iter_mut().enumerate() {
        *part = if J::KEEP { &kept[i][range.clone()] } else { &sources[i][range.clone()] };
    }
    parts
}

#[inline(always)]
fn load_kept<S: Simd, const N: usize>(simd: S, kept: &[&mut [f32]; N], at: usize) -> [S::F32; N] {
    let mut vectors = [simd.splat(0.0); N];
    for (vector, kept) in vectors.iter_mut().zip(kept) {
        *vector = simd.load_at(kept, at);
    }
    vectors
}
