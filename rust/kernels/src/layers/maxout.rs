//! The largest of each few pieces, where the sums have been calculated already.
//!
//! The fused product in [`gemm`](crate::gemm) never writes the pieces; this is for sums that came from elsewhere.

use crate::KernelError;
use crate::simd::{Isa, Simd};

/// One output of `PIECES` numbers. The first of equal ones is taken; a NaN is the largest only in the first place.
#[inline(always)]
fn fixed<const PIECES: usize>(x: &[f32], out: &mut [f32], which: &mut [i32]) {
    for ((pieces, out), which) in x.as_chunks::<PIECES>().0.iter().zip(out).zip(which) {
        let (mut best, mut at) = (pieces[0], 0);
        for (piece, &x) in pieces.iter().enumerate().skip(1) {
            let larger = x > best;
            at = if larger { piece as i32 } else { at };
            best = if larger { x } else { best };
        }
        (*out, *which) = (best, at);
    }
}

#[inline(always)]
fn body<S: Simd>(_simd: S, n_pieces: usize, x: &[f32], out: &mut [f32], which: &mut [i32]) {
    match n_pieces {
        1 => {
            out.copy_from_slice(x);
            which.fill(0);
        }
        2 => fixed::<2>(x, out, which),
        3 => fixed::<3>(x, out, which),
        4 => fixed::<4>(x, out, which),
        _ => {
            for ((pieces, out), which) in x.chunks_exact(n_pieces).zip(out).zip(which) {
                (*out, *which) = (pieces[0], 0);
                for (piece, &x) in pieces.iter().enumerate() {
                    if x > *out {
                        (*out, *which) = (x, piece as i32);
                    }
                }
            }
        }
    }
}

crate::dispatch! {
    fn run(n_pieces: usize, x: &[f32], out: &mut [f32], which: &mut [i32]) -> () = body;
}

fn check(n_pieces: usize, n_outputs: usize, n_numbers: usize) -> Result<(), KernelError> {
    if n_pieces == 0 {
        return Err(KernelError::Value {
            what: "maxout: the number of pieces",
            expected: "at least 1".to_owned(),
            found: "0".to_owned(),
        });
    }
    KernelError::expect_len("maxout: pieces", n_outputs.saturating_mul(n_pieces), n_numbers)
}

/// Writes the largest of each `n_pieces` numbers of `x`, and which it is.
///
/// # Errors
/// [`KernelError::Value`] for no pieces, [`KernelError::Shape`] if the lengths do not fit.
pub fn maxout(
    isa: Isa,
    n_pieces: usize,
    x: &[f32],
    out: &mut [f32],
    which: &mut [i32],
) -> Result<(), KernelError> {
    check(n_pieces, out.len(), x.len())?;
    KernelError::expect_len("maxout: which", out.len(), which.len())?;
    run(isa, n_pieces, x, out, which);
    Ok(())
}

/// Writes the gradient of the pieces: `d_y` where a piece was the largest, 0 elsewhere.
///
/// # Errors
/// As for [`maxout`]; [`KernelError::Index`] for a piece that there is not.
pub fn backprop_maxout(
    n_pieces: usize,
    d_y: &[f32],
    which: &[i32],
    out: &mut [f32],
) -> Result<(), KernelError> {
    check(n_pieces, d_y.len(), out.len())?;
    KernelError::expect_len("backprop_maxout: which", d_y.len(), which.len())?;
    for (position, (pieces, (&d, &which))) in
        out.chunks_exact_mut(n_pieces).zip(d_y.iter().zip(which)).enumerate()
    {
        pieces.fill(0.0);
        let piece = usize::try_from(which).ok().and_then(|which| pieces.get_mut(which));
        *piece.ok_or_else(|| KernelError::Index {
            what: "backprop_maxout: which",
            position,
            found: i64::from(which),
            expected: format!("0 to {}, a piece", n_pieces - 1),
        })? = d;
    }
    Ok(())
}
