//! The operations that a kernel may use, whatever the instruction set.

use super::isa::Kernel;

/// As many lanes as any instruction set has.
pub const MOST_LANES: usize = 16;

/// The numbers of lanes.
static NUMBERS: [f32; MOST_LANES] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
/// The floats with the bits 0, 1, 2, ...
static BITS: [f32; 2 * MOST_LANES] = {
    let mut all = [0.0; 2 * MOST_LANES];
    let mut i = 0;
    while i < all.len() {
        all[i] = f32::from_bits(i as u32);
        i += 1;
    }
    all
};

/// A token that proves an instruction set, and the lane operations it brings.
///
/// `F32` holds [`LANES`](Simd::LANES) floats. All operations work lane by lane unless they say otherwise. Comparisons
/// are false where a lane is NaN. None of them traps, allocates or reads outside the slices it is given.
pub trait Simd: Copy + Send + Sync + 'static {
    /// How many `f32` a vector holds.
    const LANES: usize;
    /// Whether [`scale_by_power`](Simd::scale_by_power) takes any `n`, infinite ones too.
    const ANY_POWER: bool = false;
    /// A vector of floats.
    type F32: Copy;
    /// One truth value a lane.
    type Mask: Copy;
    /// `[f32; LANES]`: what [`load`](Simd::load) reads.
    type Chunk: AsRef<[f32]> + AsMut<[f32]>;
    /// A [`Chunk`](Simd::Chunk) aligned for [`stream`](Simd::stream).
    type Line;

    /// Splits a slice into whole vectors and the rest (fewer than `LANES`).
    fn chunks(self, slice: &[f32]) -> (&[Self::Chunk], &[f32]);
    /// Splits a slice into whole vectors and the rest (fewer than `LANES`).
    fn chunks_mut(self, slice: &mut [f32]) -> (&mut [Self::Chunk], &mut [f32]);
    /// Splits a slice into what lies before the first aligned line, whole lines, and the rest.
    fn lines_mut(self, slice: &mut [f32]) -> (&mut [f32], &mut [Self::Line], &mut [f32]);

    /// The same number in every lane.
    fn splat(self, value: f32) -> Self::F32;
    /// Reads a vector.
    fn load(self, chunk: &Self::Chunk) -> Self::F32;
    /// Writes a vector.
    fn store(self, chunk: &mut Self::Chunk, value: Self::F32);
    /// Writes a vector to an aligned place.
    fn store_line(self, line: &mut Self::Line, value: Self::F32);
    /// Writes a vector past the caches. Worth it only for output that nobody reads soon and that is larger than them.
    fn stream(self, line: &mut Self::Line, value: Self::F32);
    /// Asks for the cache line that lies `ahead` numbers after the beginning of `slice`, which may be past its end.
    #[inline(always)]
    fn prefetch(self, _slice: &[f32], _ahead: usize) {}
    /// Reads `slice.len()` (at most `LANES`) numbers into the first lanes; the others hold `fill`.
    fn load_partial(self, slice: &[f32], fill: f32) -> Self::F32;
    /// Writes the first `slice.len()` (at most `LANES`) lanes.
    fn store_partial(self, slice: &mut [f32], value: Self::F32);
    /// Writes the first `to.len()` (at most `LANES`) lanes as bytes: the nearest whole number, ties to even, of those
    /// from 0 to 255; 0 for NaN.
    fn store_bytes(self, to: &mut [u8], value: Self::F32);

    /// The floats whose upper halves are the lower halves of the lanes, as bits: the first of two kept in 16 bits each.
    fn low_half(self, a: Self::F32) -> Self::F32;
    /// The lanes without their lower halves: the second of the two.
    fn high_half(self, a: Self::F32) -> Self::F32;

    /// Reads the vector that starts at `slice[at]`.
    ///
    /// # Panics
    /// If `slice` has fewer than `at + LANES` numbers.
    #[inline(always)]
    fn load_at(self, slice: &[f32], at: usize) -> Self::F32 {
        self.load(&self.chunks(&slice[at..at + Self::LANES]).0[0])
    }

    /// Writes the vector that starts at `slice[at]`.
    ///
    /// # Panics
    /// If `slice` has fewer than `at + LANES` numbers.
    #[inline(always)]
    fn store_at(self, slice: &mut [f32], at: usize, value: Self::F32) {
        self.store(&mut self.chunks_mut(&mut slice[at..at + Self::LANES]).0[0], value);
    }

    /// `a + b`
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a - b`
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b`
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b + c`; one rounding where the CPU has fused multiply-add.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `c - a * b`; one rounding where the CPU has fused multiply-add.
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `a * b - c`; one rounding where the CPU has fused multiply-add.
    fn mul_sub(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The larger; **`b` where either is NaN**. Put the accumulator first to let a later number replace a NaN, last to
    /// keep it as it is.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The smaller; **`b` where either is NaN**.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The square root, correctly rounded.
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// The absolute value.
    fn abs(self, a: Self::F32) -> Self::F32;
    /// `magnitude` with the sign of `sign`; `magnitude` must not be negative.
    fn with_sign(self, magnitude: Self::F32, sign: Self::F32) -> Self::F32;
    /// The nearest whole number, ties to even, for numbers of magnitude up to 2²².
    fn round(self, a: Self::F32) -> Self::F32;
    /// The largest whole number that is not above, for numbers of magnitude up to 2²².
    fn floor(self, a: Self::F32) -> Self::F32;
    /// `a * 2^n` for whole `n` from −252 to 252, `a` of magnitude 0.5 to 2; overflows to infinity and underflows
    /// through the subnormals to zero.
    fn scale_by_power(self, a: Self::F32, n: Self::F32) -> Self::F32;
    /// `(n, r)` with `a = floor(n) + r` and `0 <= r <= 1`, for numbers up to 2²²: `n` as
    /// [`scale_by_floor`](Simd::scale_by_floor) takes it for `2^a`, and what is left. Below −150, where `2^a` is 0, `n` is
    /// −150 or less.
    #[inline(always)]
    fn split_floor(self, a: Self::F32) -> (Self::F32, Self::F32) {
        let a = self.max(self.splat(-150.0), a);
        let whole = self.floor(a);
        (whole, self.sub(a, whole))
    }
    /// `a * 2^floor(n)`, for `n` of [`split_floor`](Simd::split_floor) and `a` of magnitude 1 to 2.
    #[inline(always)]
    fn scale_by_floor(self, a: Self::F32, n: Self::F32) -> Self::F32 {
        self.scale_by_power(a, n)
    }
    /// `(e, m)` with `a = m * 2^e` and `1 <= m < 2`, for positive finite `a`; anything for other numbers.
    fn split_exponent(self, a: Self::F32) -> (Self::F32, Self::F32);

    /// `a < b`
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `a <= b`
    fn le(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `a == b`; false for NaN, so `eq(a, a)` is "not NaN".
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    fn select(self, mask: Self::Mask, yes: Self::F32, no: Self::F32) -> Self::F32;
    /// Whether any lane of the mask is set.
    fn any(self, mask: Self::Mask) -> bool;

    /// The sum of the lanes, in a fixed order.
    fn sum(self, a: Self::F32) -> f32;
    /// The largest lane; if a lane is NaN, that NaN or the largest of some other lanes.
    fn max_lane(self, a: Self::F32) -> f32;

    /// Lane `i` is that lane of `a` whose number are the bits of lane `i` of `lanes`, modulo `LANES`.
    fn pick(self, a: Self::F32, lanes: Self::F32) -> Self::F32;

    /// Lane `i` is lane `i + n` of `a`, modulo `LANES`; `n` is at most `LANES`.
    #[inline(always)]
    fn rotate(self, a: Self::F32, n: usize) -> Self::F32 {
        self.pick(a, self.load_at(&BITS, n))
    }

    /// 0, 1, 2, ...
    #[inline(always)]
    fn lane_numbers(self) -> Self::F32 {
        self.load_at(&NUMBERS, 0)
    }

    /// Lane `i` is the sum of vector `i`, of `LANES` vectors.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline(always)]
    fn sums(self, rows: &[Self::F32]) -> Self::F32 {
        let mut sums = [0.0; MOST_LANES];
        for (sum, &row) in sums.iter_mut().zip(&rows[..Self::LANES]) {
            *sum = self.sum(row);
        }
        self.load_at(&sums, 0)
    }

    /// Runs a kernel as a function of its own: a hot loop that is cut out of a long function has the registers to itself.
    fn apart<K: Kernel>(self, kernel: K) -> K::Output;

    /// Turns `LANES` vectors around, as a square: lane `i` of vector `j` changes places with lane `j` of vector `i`.
    ///
    /// # Panics
    /// If there are not `LANES` vectors.
    #[inline(always)]
    fn transpose(self, square: &mut [Self::F32]) {
        assert_eq!(square.len(), Self::LANES, "a square has as many vectors as lanes");
        let (mut rows, mut columns) = ([0.0; MOST_LANES * MOST_LANES], [0.0; MOST_LANES * MOST_LANES]);
        for (row, &vector) in square.iter().enumerate() {
            self.store_at(&mut rows, row * Self::LANES, vector);
        }
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                columns[column * Self::LANES + row] = rows[row * Self::LANES + column];
            }
        }
        for (row, vector) in square.iter_mut().enumerate() {
            *vector = self.load_at(&columns, row * Self::LANES);
        }
    }

    /// Four sums at once, which costs hardly more than one.
    #[inline(always)]
    fn sum4(self, a: [Self::F32; 4]) -> [f32; 4] {
        [self.sum(a[0]), self.sum(a[1]), self.sum(a[2]), self.sum(a[3])]
    }

    /// Four [`max_lane`](Simd::max_lane) at once, which costs hardly more than one.
    #[inline(always)]
    fn max_lane4(self, a: [Self::F32; 4]) -> [f32; 4] {
        [self.max_lane(a[0]), self.max_lane(a[1]), self.max_lane(a[2]), self.max_lane(a[3])]
    }
}
