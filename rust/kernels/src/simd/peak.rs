//! How many multiply-adds the CPU can do: what products are held against.

use super::{Isa, Simd};

/// Sums that do not wait for each other: enough to fill two units of latency 4, few enough for 16 registers.
const SUMS: usize = 12;

#[inline(always)]
fn body<S: Simd>(simd: S, rounds: usize) -> f32 {
    let (factor, more) = (simd.splat(0.999_9), simd.splat(1e-4));
    let mut sums = [simd.splat(1.0); SUMS];
    for (i, sum) in sums.iter_mut().enumerate() {
        // Unknown and different, or the compiler has nothing left to do.
        *sum = simd.splat(std::hint::black_box(1.0 + i as f32 * 1e-3));
    }
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = simd.mul_add(*sum, factor, more);
        }
    }
    let mut total = simd.splat(0.0);
    for sum in sums {
        total = simd.add(total, sum);
    }
    simd.sum(total)
}

#[inline(always)]
fn lanes_body<S: Simd>(_simd: S) -> usize {
    S::LANES
}

crate::dispatch! {
    fn run(rounds: usize) -> f32 = body;
}
crate::dispatch! {
    fn lanes() -> usize = lanes_body;
}

/// Does `rounds` rounds of multiply-adds in registers. Returns how many floating-point operations that were, two a
/// multiply-add and lane.
#[must_use]
pub fn multiply_adds(isa: Isa, rounds: usize) -> usize {
    std::hint::black_box(run(isa, std::hint::black_box(rounds)));
    rounds * SUMS * 2 * lanes(isa)
}

#[test]
fn operations_are_counted() {
    for isa in Isa::available() {
        assert_eq!(multiply_adds(isa, 3) % (3 * SUMS * 2), 0);
        assert!((run(isa, 1000) - (SUMS * lanes(isa)) as f32).abs() < 1e-2 * (SUMS * lanes(isa)) as f32);
    }
}
