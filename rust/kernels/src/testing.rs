//! What the tests of all rooms share: one test an instruction set, and numbers that are the same each time.

/// Makes `#[test]`s of a body that takes an [`Isa`](crate::simd::Isa), one for each instruction set. On a CPU without
/// it the test has nothing to run.
macro_rules! for_every_isa {
    ($(fn $name:ident($isa:ident) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn body($isa: crate::simd::Isa) $body
            #[test]
            fn scalar() {
                crate::simd::Isa::named("scalar").into_iter().for_each(body);
            }
            #[test]
            fn avx2() {
                crate::simd::Isa::named("avx2").into_iter().for_each(body);
            }
            #[test]
            fn avx512() {
                crate::simd::Isa::named("avx512").into_iter().for_each(body);
            }
        }
    )+};
}
pub(crate) use for_every_isa;

/// Numbers from `-spread` to `spread`.
pub(crate) fn numbers(n: usize, seed: u64, spread: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * spread
        })
        .collect()
}

/// The same numbers, longer.
pub(crate) fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| f64::from(x)).collect()
}

/// Fails where a number is further than `absolute + relative * |expected|` from what is expected. NaN equals NaN.
#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f64], absolute: f64, relative: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let f = f64::from(f);
        let close = f == e || f.is_nan() && e.is_nan() || (f - e).abs() <= absolute + relative * e.abs();
        assert!(close, "[{i}]: {f} for {e}");
    }
}

/// Widths around every vector length, and some that take several vectors.
pub(crate) const WIDTHS: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 50, 129];
