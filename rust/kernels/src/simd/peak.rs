//! How many multiply-adds the CPU can do: what products are held against.

use super::{Dot, DotIsa, Isa, MOST_LANES, Simd};

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

#[inline(always)]
fn byte_body<D: Dot>(dot: D, rounds: usize) -> f32 {
    let (start, ones) = ([0_i32; MOST_LANES], [1_i8; 4 * MOST_LANES]);
    let weights = dot.weights(&dot.chunks(&std::hint::black_box(ones))[0]);
    let mut sums = [dot.load(&start[..D::LANES]); SUMS];
    for (i, sum) in sums.iter_mut().enumerate() {
        // Unknown and different, or the compiler has nothing left to do.
        *sum = dot.load(&std::hint::black_box([i as i32; MOST_LANES])[..D::LANES]);
    }
    for _ in 0..rounds {
        let bytes = dot.bytes(std::hint::black_box([1, 1, 1, 0]));
        for sum in &mut sums {
            *sum = dot.dot(*sum, bytes, weights);
        }
    }
    let mut total = sums[0];
    for &sum in &sums[1..] {
        total = dot.add(total, sum);
    }
    let mut lanes = [0.0; MOST_LANES];
    dot.store_scaled(&mut lanes[..D::LANES], total, &[1.0; MOST_LANES][..D::LANES]);
    lanes[0]
}

crate::dispatch_dot! {
    fn run_bytes(rounds: usize) -> f32 = byte_body;
}

/// The same with products of bytes, four of them added to each lane at a time.
#[must_use]
pub fn byte_multiply_adds(isa: Isa, rounds: usize) -> usize {
    let isa = DotIsa::of(isa);
    std::hint::black_box(run_bytes(isa, std::hint::black_box(rounds)));
    rounds * SUMS * 2 * 4 * isa.lanes()
}

#[test]
fn operations_are_counted() {
    for isa in Isa::available() {
        assert_eq!(multiply_adds(isa, 3) % (3 * SUMS * 2), 0);
        assert!((run(isa, 1000) - (SUMS * lanes(isa)) as f32).abs() < 1e-2 * (SUMS * lanes(isa)) as f32);
        assert_eq!(byte_multiply_adds(isa, 3) % (3 * SUMS * 8), 0);
        let (sums, rounds) = ((0..SUMS).sum::<usize>(), 100);
        assert_eq!(run_bytes(DotIsa::of(isa), rounds), (sums + 3 * SUMS * rounds) as f32);
    }
}
