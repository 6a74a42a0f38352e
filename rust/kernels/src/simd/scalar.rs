//! Four lanes as a plain array: what the compiler makes SSE2 of, or NEON, or single floats.

use super::isa::Kernel;
use super::lanes::Simd;

/// The token of plain Rust, which every CPU runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar(pub(super) ());

/// Adding and taking away 1.5 * 2²³ leaves no room for a fraction, so the addition rounds.
const ROUNDER: f32 = 12_582_912.0;
const SIGN: u32 = 0x8000_0000;

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> [f32; 4] {
    [f(0), f(1), f(2), f(3)]
}

#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    // Without the instruction, `f32::mul_add` is a call into libm.
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) { a.mul_add(b, c) } else { a * b + c }
}

impl Simd for Scalar {
    const LANES: usize = 4;
    type F32 = [f32; 4];
    type Mask = [bool; 4];
    type Chunk = [f32; 4];
    type Line = [f32; 4];

    #[inline(always)]
    fn chunks(self, slice: &[f32]) -> (&[[f32; 4]], &[f32]) {
        slice.as_chunks()
    }
    #[inline(always)]
    fn chunks_mut(self, slice: &mut [f32]) -> (&mut [[f32; 4]], &mut [f32]) {
        slice.as_chunks_mut()
    }
    #[inline(always)]
    fn lines_mut(self, slice: &mut [f32]) -> (&mut [f32], &mut [[f32; 4]], &mut [f32]) {
        let (lines, rest) = slice.as_chunks_mut();
        (&mut [], lines, rest)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 4] {
        [value; 4]
    }
    #[inline(always)]
    fn load(self, chunk: &[f32; 4]) -> [f32; 4] {
        *chunk
    }
    #[inline(always)]
    fn store(self, chunk: &mut [f32; 4], value: [f32; 4]) {
        *chunk = value;
    }
    #[inline(always)]
    fn store_line(self, line: &mut [f32; 4], value: [f32; 4]) {
        *line = value;
    }
    #[inline(always)]
    fn stream(self, line: &mut [f32; 4], value: [f32; 4]) {
        *line = value;
    }
    #[inline(always)]
    fn load_partial(self, slice: &[f32], fill: f32) -> [f32; 4] {
        let mut lanes = [fill; 4];
        lanes[..slice.len()].copy_from_slice(slice);
        lanes
    }
    #[inline(always)]
    fn store_partial(self, slice: &mut [f32], value: [f32; 4]) {
        slice.copy_from_slice(&value[..slice.len()]);
    }
    #[inline(always)]
    fn store_bytes(self, to: &mut [u8], value: [f32; 4]) {
        assert!(to.len() <= 4, "a store of {} bytes from 4 lanes", to.len());
        // `max` with the number first makes a NaN 0; after that the number fits a byte, and `as` is exact.
        let whole = self.round(self.min(self.max(value, [0.0; 4]), [255.0; 4]));
        for (to, whole) in to.iter_mut().zip(whole) {
            *to = whole as u8;
        }
    }

    #[inline(always)]
    fn low_half(self, a: [f32; 4]) -> [f32; 4] {
        each(|i| f32::from_bits(a[i].to_bits() << 16))
    }
    #[inline(always)]
    fn high_half(self, a: [f32; 4]) -> [f32; 4] {
        each(|i| f32::from_bits(a[i].to_bits() & 0xffff_0000))
    }

    #[inline(always)]
    fn add(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn sub(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn mul(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn div(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(|i| a[i] / b[i])
    }
    #[inline(always)]
    fn mul_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        each(|i| fused(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn neg_mul_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        each(|i| fused(-a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn mul_sub(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        each(|i| fused(a[i], b[i], -c[i]))
    }
    #[inline(always)]
    fn max(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn min(self, a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        each(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn sqrt(self, a: [f32; 4]) -> [f32; 4] {
        each(|i| a[i].sqrt())
    }
    #[inline(always)]
    fn abs(self, a: [f32; 4]) -> [f32; 4] {
        each(|i| a[i].abs())
    }
    #[inline(always)]
    fn with_sign(self, magnitude: [f32; 4], sign: [f32; 4]) -> [f32; 4] {
        each(|i| f32::from_bits(magnitude[i].to_bits() | (sign[i].to_bits() & SIGN)))
    }
    #[inline(always)]
    fn round(self, a: [f32; 4]) -> [f32; 4] {
        each(|i| (a[i] + ROUNDER) - ROUNDER)
    }
    #[inline(always)]
    fn floor(self, a: [f32; 4]) -> [f32; 4] {
        let near = self.round(a);
        each(|i| if near[i] > a[i] { near[i] - 1.0 } else { near[i] })
    }
    #[inline(always)]
    fn scale_by_power(self, a: [f32; 4], n: [f32; 4]) -> [f32; 4] {
        each(|i| {
            let n = n[i] as i32;
            let half = n >> 1;
            let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
            a[i] * power(half) * power(n - half)
        })
    }
    #[inline(always)]
    fn split_exponent(self, a: [f32; 4]) -> ([f32; 4], [f32; 4]) {
        // Subnormals are brought into the normal range first.
        let tiny: [bool; 4] = self.lt(a, [f32::MIN_POSITIVE; 4]);
        let a = each(|i| if tiny[i] { a[i] * 8_388_608.0 } else { a[i] });
        let shift = each(|i| if tiny[i] { 150.0 } else { 127.0 });
        (
            each(|i| (a[i].to_bits() >> 23) as i32 as f32 - shift[i]),
            each(|i| f32::from_bits((a[i].to_bits() & 0x007f_ffff) | 0x3f80_0000)),
        )
    }

    #[inline(always)]
    fn lt(self, a: [f32; 4], b: [f32; 4]) -> [bool; 4] {
        [a[0] < b[0], a[1] < b[1], a[2] < b[2], a[3] < b[3]]
    }
    #[inline(always)]
    fn le(self, a: [f32; 4], b: [f32; 4]) -> [bool; 4] {
        [a[0] <= b[0], a[1] <= b[1], a[2] <= b[2], a[3] <= b[3]]
    }
    #[inline(always)]
    fn eq(self, a: [f32; 4], b: [f32; 4]) -> [bool; 4] {
        [a[0] == b[0], a[1] == b[1], a[2] == b[2], a[3] == b[3]]
    }
    #[inline(always)]
    fn select(self, mask: [bool; 4], yes: [f32; 4], no: [f32; 4]) -> [f32; 4] {
        each(|i| if mask[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    fn any(self, mask: [bool; 4]) -> bool {
        mask[0] | mask[1] | mask[2] | mask[3]
    }
    #[inline(always)]
    fn pick(self, a: [f32; 4], lanes: [f32; 4]) -> [f32; 4] {
        each(|i| a[lanes[i].to_bits() as usize % 4])
    }
    #[inline(never)]
    fn apart<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    #[inline(always)]
    fn sum(self, a: [f32; 4]) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[inline(always)]
    fn max_lane(self, a: [f32; 4]) -> f32 {
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        larger(larger(a[0], a[2]), larger(a[1], a[3]))
    }
}
