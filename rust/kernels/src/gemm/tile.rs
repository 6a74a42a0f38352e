//! The inner loop: a few rows times one packed panel, in registers.

use crate::simd::Simd;

/// `start + Σ_k row[k] * panel[k]` for each of `ROWS` rows.
///
/// The sum runs over `k` in order, so a row's result does not depend on the rows beside it. `panel` holds `VECTORS`
/// vectors for each `k`; rows longer than the panel is deep are cut. With 8 × 3 sums (AVX-512) or 3 × 3 (AVX2)
/// everything stays in registers; a fourth row makes the compiler spill on AVX2 and costs half the speed.
///
/// # Panics
/// If a row is shorter than the panel is deep.
#[inline(always)]
pub(crate) fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    rows: &[&[f32]; ROWS],
    panel: &[S::Chunk],
    start: [[S::F32; VECTORS]; ROWS],
) -> [[S::F32; VECTORS]; ROWS] {
    let (panel, _) = panel.as_chunks::<VECTORS>();
    let depth = panel.len();
    let mut cut = [&rows[0][..0]; ROWS];
    for (cut, row) in cut.iter_mut().zip(rows) {
        *cut = &row[..depth];
    }
    let mut sums = start;
    for k in 0..depth {
        let mut weights = start[0];
        for (weight, chunk) in weights.iter_mut().zip(&panel[k]) {
            *weight = simd.load(chunk);
        }
        for (sums, row) in sums.iter_mut().zip(&cut) {
            let x = simd.splat(row[k]);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add(x, weight, *sum);
            }
        }
    }
    sums
}

/// Calls `$block::<S, ROWS, VECTORS>(first_row)` for blocks of rows that fit the registers of the instruction set.
macro_rules! for_row_blocks {
    ($lanes:expr, $n_rows:expr, $row:ident, $rows:ident => $call:expr) => {{
        let n_rows: usize = $n_rows;
        let mut $row = 0;
        if $lanes >= 16 {
            while $row + 8 <= n_rows {
                const $rows: usize = 8;
                $call;
                $row += 8;
            }
            while $row + 4 <= n_rows {
                const $rows: usize = 4;
                $call;
                $row += 4;
            }
            while $row + 2 <= n_rows {
                const $rows: usize = 2;
                $call;
                $row += 2;
            }
        } else {
            while $row + 3 <= n_rows {
                const $rows: usize = 3;
                $call;
                $row += 3;
            }
        }
        while $row < n_rows {
            const $rows: usize = 1;
            $call;
            $row += 1;
        }
    }};
}
pub(crate) use for_row_blocks;
