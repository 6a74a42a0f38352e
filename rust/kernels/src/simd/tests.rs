//! Each lane operation against plain Rust, for every instruction set of this CPU.

use super::{Isa, Kernel, Simd, math};

/// Runs the generic test `$body` once for each instruction set, as tests of their own.
macro_rules! on_every_isa {
    ($($name:ident;)+) => {$(
        mod $name {
            use super::*;
            struct Body;
            impl Kernel for Body {
                type Output = ();
                #[inline(always)]
                fn run<S: Simd>(self, simd: S) {
                    super::bodies::$name(simd);
                }
            }
            #[test]
            fn scalar() {
                Isa::named("scalar").unwrap().run(Body);
            }
            // A CPU without the instruction set cannot run its tests; CI prints which ones ran.
            #[cfg(target_arch = "x86_64")]
            #[test]
            fn avx2() {
                if let Ok(isa) = Isa::named("avx2") {
                    isa.run(Body);
                }
            }
            #[cfg(target_arch = "x86_64")]
            #[test]
            fn avx512() {
                if let Ok(isa) = Isa::named("avx512") {
                    isa.run(Body);
                }
            }
        }
    )+};
}

on_every_isa! {
    arithmetic_is_that_of_f32;
    comparisons_are_those_of_f32;
    halves_are_the_upper_bits_of_floats;
    max_gives_the_second_for_nan;
    partial_loads_and_stores_stay_inside;
    bytes_are_rounded_and_stay_in_their_range;
    streams_write_whole_lines;
    squares_are_turned_around;
    folds_see_every_lane;
    exponents_come_apart;
    exp_is_close;
    exp2_is_close;
    powers_are_close;
    lanes_are_picked;
    ln_is_close;
    ln_1p_sigmoid_and_tanh_are_close;
    edges_of_the_functions;
}

#[test]
fn unknown_names_are_refused_with_the_known_ones() {
    let message = Isa::named("mmx").unwrap_err().to_string();
    assert!(message.contains("no instruction set of that name"), "{message}");
    assert!(message.contains("scalar"), "{message}");
}

mod bodies {
    use super::{Simd, math};

    const SAMPLES: [f32; 20] = [
        0.0, -0.0, 1.0, -1.0, 0.5, 2.5, 3.5, -2.5, 1e-3, -7.25, 1e5, 1e-40, 3.0e38, -3.0e38, 1.5, 2.0, 88.0,
        -88.0, 0.1, 7.0,
    ];

    fn lanes<S: Simd>(simd: S, value: S::F32) -> Vec<f32> {
        let mut out = vec![0.0; S::LANES];
        simd.store_at(&mut out, 0, value);
        out
    }

    /// The samples as vectors, from each start, so that every sample meets every lane.
    fn vectors<S: Simd>(simd: S, samples: &[f32]) -> Vec<(Vec<f32>, S::F32)> {
        (0..samples.len())
            .map(|start| {
                let numbers: Vec<f32> = (0..S::LANES).map(|i| samples[(start + i) % samples.len()]).collect();
                let vector = simd.load_at(&numbers, 0);
                (numbers, vector)
            })
            .collect()
    }

    #[track_caller]
    fn same(found: &[f32], expected: impl Iterator<Item = f32>) {
        for (lane, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!(f.to_bits() == e.to_bits() || f.is_nan() && e.is_nan(), "lane {lane}: {f} for {e}");
        }
    }

    pub fn halves_are_the_upper_bits_of_floats<S: Simd>(simd: S) {
        for (x, v) in vectors(simd, &SAMPLES) {
            same(&lanes(simd, simd.low_half(v)), x.iter().map(|x| f32::from_bits(x.to_bits() << 16)));
            let upper = x.iter().map(|x| f32::from_bits(x.to_bits() >> 16 << 16));
            same(&lanes(simd, simd.high_half(v)), upper);
        }
    }

    pub fn arithmetic_is_that_of_f32<S: Simd>(simd: S) {
        let three = simd.splat(3.0);
        for (x, v) in vectors(simd, &SAMPLES) {
            same(&lanes(simd, simd.add(v, three)), x.iter().map(|x| x + 3.0));
            same(&lanes(simd, simd.sub(v, three)), x.iter().map(|x| x - 3.0));
            same(&lanes(simd, simd.mul(v, three)), x.iter().map(|x| x * 3.0));
            same(&lanes(simd, simd.div(v, three)), x.iter().map(|x| x / 3.0));
            same(&lanes(simd, simd.abs(v)), x.iter().map(|x| x.abs()));
            same(&lanes(simd, simd.sqrt(v)), x.iter().map(|x| x.sqrt()));
            same(&lanes(simd, simd.with_sign(three, v)), x.iter().map(|x| 3f32.copysign(*x)));
            let small: Vec<f32> = x.iter().map(|x| x.clamp(-1e6, 1e6)).collect();
            let rounded = lanes(simd, simd.round(simd.load_at(&small, 0)));
            assert!(rounded.iter().zip(&small).all(|(r, x)| *r == x.round_ties_even()), "{small:?}");
            for (i, fused) in lanes(simd, simd.mul_add(v, three, three)).into_iter().enumerate() {
                let exact = (f64::from(x[i]) * 3.0 + 3.0) as f32;
                assert!(
                    fused == exact || (fused - exact).abs() <= exact.abs() * f32::EPSILON,
                    "{} {fused}",
                    x[i]
                );
            }
            for (i, fused) in lanes(simd, simd.neg_mul_add(v, three, three)).into_iter().enumerate() {
                let exact = (3.0 - f64::from(x[i]) * 3.0) as f32;
                assert!(
                    fused == exact || (fused - exact).abs() <= exact.abs() * f32::EPSILON,
                    "{} {fused}",
                    x[i]
                );
            }
        }
    }

    pub fn comparisons_are_those_of_f32<S: Simd>(simd: S) {
        let mut samples = SAMPLES.to_vec();
        samples.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        let (one, zero) = (simd.splat(1.0), simd.splat(0.0));
        let number = |b: bool| f32::from(u8::from(b));
        for (x, v) in vectors(simd, &samples) {
            same(&lanes(simd, simd.select(simd.lt(v, one), one, zero)), x.iter().map(|x| number(*x < 1.0)));
            same(&lanes(simd, simd.select(simd.le(v, one), one, zero)), x.iter().map(|x| number(*x <= 1.0)));
            same(&lanes(simd, simd.select(simd.eq(v, v), one, zero)), x.iter().map(|x| number(!x.is_nan())));
            assert_eq!(simd.any(simd.lt(v, zero)), x.iter().any(|x| *x < 0.0));
        }
    }

    pub fn max_gives_the_second_for_nan<S: Simd>(simd: S) {
        let (nan, one, two) = (simd.splat(f32::NAN), simd.splat(1.0), simd.splat(2.0));
        same(&lanes(simd, simd.max(nan, one)), (0..S::LANES).map(|_| 1.0));
        same(&lanes(simd, simd.max(one, nan)), (0..S::LANES).map(|_| f32::NAN));
        same(&lanes(simd, simd.min(nan, one)), (0..S::LANES).map(|_| 1.0));
        same(&lanes(simd, simd.min(one, nan)), (0..S::LANES).map(|_| f32::NAN));
        same(&lanes(simd, simd.max(one, two)), (0..S::LANES).map(|_| 2.0));
        same(&lanes(simd, simd.min(one, two)), (0..S::LANES).map(|_| 1.0));
    }

    pub fn partial_loads_and_stores_stay_inside<S: Simd>(simd: S) {
        for n in 0..=S::LANES {
            // A slice of exactly `n`, so that valgrind sees a read or write past it.
            let source: Vec<f32> = (0..n).map(|i| i as f32 + 1.0).collect();
            let vector = simd.load_partial(&source, -1.0);
            same(&lanes(simd, vector), (0..S::LANES).map(|i| if i < n { i as f32 + 1.0 } else { -1.0 }));
            let mut target = vec![0.0; n];
            simd.store_partial(&mut target, vector);
            assert_eq!(target, source);
            let mut wide = vec![9.0; S::LANES + n];
            simd.store_partial(&mut wide[..n], vector);
            assert!(wide[n..].iter().all(|x| *x == 9.0));
        }
    }

    pub fn streams_write_whole_lines<S: Simd>(simd: S) {
        let mut numbers = vec![0.0f32; 5 * S::LANES + 3];
        for start in 0..S::LANES {
            numbers.fill(0.0);
            let (head, lines, tail) = simd.lines_mut(&mut numbers[start..]);
            let (n_head, n_tail) = (head.len(), tail.len());
            for line in &mut *lines {
                simd.stream(line, simd.splat(2.0));
            }
            let n_lines = lines.len();
            let written = numbers.iter().filter(|x| **x == 2.0).count();
            assert_eq!(written, n_lines * S::LANES);
            assert_eq!(start + n_head + written + n_tail, numbers.len());
        }
    }

    pub fn squares_are_turned_around<S: Simd>(simd: S) {
        let mut square = vec![simd.splat(0.0); S::LANES];
        for (row, vector) in square.iter_mut().enumerate() {
            let numbers: Vec<f32> = (0..S::LANES).map(|column| (100 * row + column) as f32).collect();
            *vector = simd.load_at(&numbers, 0);
        }
        simd.transpose(&mut square);
        for (row, &vector) in square.iter().enumerate() {
            let mut numbers = vec![0.0; S::LANES];
            simd.store_at(&mut numbers, 0, vector);
            let expected: Vec<f32> = (0..S::LANES).map(|column| (100 * column + row) as f32).collect();
            assert_eq!(numbers, expected);
        }
    }

    pub fn folds_see_every_lane<S: Simd>(simd: S) {
        for lane in 0..S::LANES {
            let vector = |size: f32| {
                let mut numbers = vec![0.25; S::LANES];
                numbers[lane] = size;
                simd.load_at(&numbers, 0)
            };
            let rest = 0.25 * (S::LANES - 1) as f32;
            assert_eq!(simd.sum(vector(5.0)), 5.0 + rest);
            assert_eq!(simd.max_lane(vector(5.0)), 5.0);
            let four = [vector(1.0), vector(2.0), vector(3.0), vector(4.0)];
            assert_eq!(simd.sum4(four), [1.0 + rest, 2.0 + rest, 3.0 + rest, 4.0 + rest]);
            assert_eq!(simd.max_lane4(four), [1.0, 2.0, 3.0, 4.0]);
            let all: Vec<S::F32> = (0..S::LANES).map(|i| vector(i as f32)).collect();
            same(&lanes(simd, simd.sums(&all)), (0..S::LANES).map(|i| i as f32 + rest));
        }
    }

    pub fn exponents_come_apart<S: Simd>(simd: S) {
        for (x, v) in vectors(simd, &[1.0, 0.75, 3.0e38, 1e-40, f32::MIN_POSITIVE, 6.5, 1e-45, 2.0]) {
            let (e, m) = simd.split_exponent(v);
            for ((x, e), m) in x.iter().zip(lanes(simd, e)).zip(lanes(simd, m)) {
                assert!((1.0..2.0).contains(&m), "{x}: {m}");
                assert_eq!(f64::from(m) * f64::from(e).exp2(), f64::from(*x));
            }
        }
    }

    /// Distance in units in the last place of the exact value (of the smallest subnormal near zero).
    fn ulps(found: f32, exact: f64) -> f64 {
        let rounded = exact as f32;
        let unit = f64::from(f32::from_bits(rounded.abs().to_bits() + 1)) - f64::from(rounded.abs());
        (f64::from(found) - exact).abs() / unit
    }

    /// Sampled densely; a debug build samples fewer.
    fn close<S: Simd>(
        simd: S,
        range: std::ops::Range<f32>,
        found: impl Fn(S::F32) -> S::F32,
        exact: fn(f64) -> f64,
        bound: f64,
    ) {
        let n = if cfg!(debug_assertions) { 4_000 } else { 400_000 };
        let mut worst = (0.0, 0.0);
        let step = (range.end - range.start) / n as f32;
        for start in (0..n).step_by(S::LANES) {
            let x: Vec<f32> = (0..S::LANES).map(|i| range.start + (start + i) as f32 * step).collect();
            for (x, y) in x.iter().zip(lanes(simd, found(simd.load_at(&x, 0)))) {
                let error = ulps(y, exact(f64::from(*x)));
                if error > worst.0 {
                    worst = (error, *x);
                }
            }
        }
        assert!(worst.0 <= bound, "{} ulp at {}", worst.0, worst.1);
    }

    /// What plain multiply and add may lose on top of the fused one.
    fn unfused<S: Simd>(fused: f64, plain: f64) -> f64 {
        if S::LANES == 4 { plain } else { fused }
    }

    pub fn exp_is_close<S: Simd>(simd: S) {
        let bound = unfused::<S>(1.5, 2.0);
        close(simd, -103.0..88.7, |v| math::exp(simd, v), f64::exp, bound);
        close(simd, -1.0..1.0, |v| math::exp(simd, v), f64::exp, bound);
    }

    pub fn exp2_is_close<S: Simd>(simd: S) {
        close(simd, -126.0..0.0, |v| math::exp2(simd, v), f64::exp2, 3.0);
        close(simd, -1.0..0.0, |v| math::exp2(simd, v), f64::exp2, 3.0);
        close(simd, -160.0..-126.0, |v| math::exp2(simd, v), f64::exp2, 3.0);
        let at = |x: f32| lanes(simd, math::exp2(simd, simd.splat(x)))[S::LANES - 1];
        let edges = [at(f32::NEG_INFINITY), at(0.0), at(f32::NAN), at(f32::MIN), at(-151.0), at(-1e9)];
        same(&edges, [0.0, 1.0, f32::NAN, 0.0, 0.0, 0.0].into_iter());
    }

    pub fn powers_are_close<S: Simd>(simd: S) {
        // Without fused multiply-add the product of x and the factor rounds.
        let bound = unfused::<S>(3.0, 200.0);
        let powers = math::Powers::new(simd, 1.5);
        close(simd, -84.0..84.0, |v| powers.of(simd, v), |x| (1.5 * x).exp2(), bound);
        close(simd, -0.5..0.5, |v| powers.of(simd, v), |x| (1.5 * x).exp2(), 3.0);
        let at = |x: f32| lanes(simd, powers.of(simd, simd.splat(x)))[S::LANES - 1];
        let edges = [at(f32::NEG_INFINITY), at(0.0), at(f32::NAN), at(f32::MIN), at(-110.0), at(100.0)];
        same(&edges, [0.0, 1.0, f32::NAN, 0.0, 0.0, f32::INFINITY].into_iter());
        for x in [f32::INFINITY, f32::MAX, 1e9] {
            assert!(!at(x).is_finite(), "{x}: {}", at(x));
        }
        // A factor so small or large that the bounds are at the end of the floats.
        for factor in [1e-38, 1e30] {
            let found = lanes(simd, math::Powers::new(simd, factor).of(simd, simd.splat(0.0)));
            assert!(found.iter().all(|e| *e == 1.0));
        }
    }

    pub fn lanes_are_picked<S: Simd>(simd: S) {
        let (numbers, vector) = &vectors(simd, &SAMPLES)[0];
        let order: Vec<usize> = (0..S::LANES).map(|i| i * 7 + 3).collect();
        let bits: Vec<f32> = order.iter().map(|&i| f32::from_bits(i as u32)).collect();
        let found = simd.pick(*vector, simd.load_at(&bits, 0));
        same(&lanes(simd, found), order.iter().map(|i| numbers[i % S::LANES]));
    }

    pub fn ln_is_close<S: Simd>(simd: S) {
        let bound = unfused::<S>(2.0, 3.0);
        close(simd, 1e-6..4.0, |v| math::ln(simd, v), f64::ln, bound);
        close(simd, 0.99..1.01, |v| math::ln(simd, v), f64::ln, bound);
        close(simd, 1e-44..1e-38, |v| math::ln(simd, v), f64::ln, bound);
        close(simd, 1.0..3e38, |v| math::ln(simd, v), f64::ln, bound);
    }

    pub fn ln_1p_sigmoid_and_tanh_are_close<S: Simd>(simd: S) {
        let logistic: fn(f64) -> f64 = |x| 1.0 / (1.0 + (-x).exp());
        close(simd, 0.0..1.0, |v| math::ln_1p(simd, v), f64::ln_1p, unfused::<S>(3.0, 5.0));
        close(simd, 0.0..1e-6, |v| math::ln_1p(simd, v), f64::ln_1p, unfused::<S>(3.0, 5.0));
        close(simd, -30.0..30.0, |v| math::sigmoid(simd, v), logistic, unfused::<S>(3.0, 4.0));
        close(simd, -10.0..10.0, |v| math::tanh(simd, v), f64::tanh, unfused::<S>(4.0, 6.0));
        close(simd, -1e-3..1e-3, |v| math::tanh(simd, v), f64::tanh, unfused::<S>(4.0, 6.0));
    }

    pub fn bytes_are_rounded_and_stay_in_their_range<S: Simd>(simd: S) {
        let cases = [
            (0.5, 0),
            (1.5, 2),
            (2.49, 2),
            (254.5, 254),
            (255.4, 255),
            (256.0, 255),
            (1e20, 255),
            (-0.6, 0),
            (-1e20, 0),
            (f32::INFINITY, 255),
            (f32::NEG_INFINITY, 0),
            (f32::NAN, 0),
        ];
        for (number, expected) in cases {
            for n in 0..=S::LANES {
                let mut bytes = [7; 17];
                simd.store_bytes(&mut bytes[..n], simd.splat(number));
                assert!(bytes[..n].iter().all(|&byte| byte == expected), "{number}: {bytes:?}");
                assert!(bytes[n..].iter().all(|&byte| byte == 7), "{n} bytes: {bytes:?}");
            }
        }
    }

    pub fn edges_of_the_functions<S: Simd>(simd: S) {
        let at = |f: &dyn Fn(S::F32) -> S::F32, x: f32| lanes(simd, f(simd.splat(x)))[S::LANES - 1];
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let exp = |v| math::exp(simd, v);
        same(
            &[at(&exp, -inf), at(&exp, inf), at(&exp, nan), at(&exp, 0.0), at(&exp, 200.0), at(&exp, -200.0)],
            [0.0, inf, nan, 1.0, inf, 0.0].into_iter(),
        );
        let ln = |v| math::ln(simd, v);
        same(
            &[at(&ln, 0.0), at(&ln, inf), at(&ln, nan), at(&ln, 1.0), at(&ln, -1.0), at(&ln, -inf)],
            [-inf, inf, nan, 0.0, nan, nan].into_iter(),
        );
        let tanh = |v| math::tanh(simd, v);
        same(
            &[at(&tanh, inf), at(&tanh, -inf), at(&tanh, nan), at(&tanh, -0.0), at(&tanh, 30.0)],
            [1.0, -1.0, nan, -0.0, 1.0].into_iter(),
        );
        let sigmoid = |v| math::sigmoid(simd, v);
        same(
            &[at(&sigmoid, inf), at(&sigmoid, -inf), at(&sigmoid, nan), at(&sigmoid, 0.0)],
            [1.0, 0.0, nan, 0.5].into_iter(),
        );
    }
}
