//! Which instruction set runs: asked of the CPU once, or forced by `FERRULE_ISA`.

use std::fmt;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use super::{lanes::Simd, scalar::Scalar};
use crate::KernelError;

/// An instruction set that this CPU has. Holding one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust.
    Scalar(Scalar),
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// The names that [`Isa::named`] and `FERRULE_ISA` know, from the slowest to the fastest.
const NAMES: [&str; 3] = ["scalar", "avx2", "avx512"];

impl Isa {
    /// The instruction set to use: what `FERRULE_ISA` asks for, else the best one. Decided once a process.
    ///
    /// # Errors
    /// [`KernelError::Isa`] if `FERRULE_ISA` holds an unknown name or one that this CPU cannot run.
    pub fn active() -> Result<Isa, KernelError> {
        static ACTIVE: OnceLock<Result<Isa, KernelError>> = OnceLock::new();
        ACTIVE
            .get_or_init(|| match std::env::var("FERRULE_ISA") {
                Ok(name) if !name.is_empty() => Isa::named(&name),
                _ => Ok(Isa::best()),
            })
            .clone()
    }

    /// The instruction set of that name.
    ///
    /// # Errors
    /// [`KernelError::Isa`] if the name is unknown or the CPU cannot run it.
    pub fn named(name: &str) -> Result<Isa, KernelError> {
        Isa::available().into_iter().find(|isa| isa.to_string() == name).ok_or_else(|| KernelError::Isa {
            asked: name.to_owned(),
            known: NAMES.contains(&name),
            available: Isa::available().iter().map(Isa::to_string).collect::<Vec<_>>().join(", "),
        })
    }

    /// The fastest instruction set of this CPU.
    #[must_use]
    pub fn best() -> Isa {
        Isa::available().pop().unwrap_or(Isa::Scalar(Scalar(())))
    }

    /// Every instruction set of this CPU, from the slowest to the fastest.
    #[must_use]
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut found = vec![Isa::Scalar(Scalar(()))];
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 {
                found.push(Isa::Avx2(Avx2(())));
            }
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                found.push(Isa::Avx512(Avx512(())));
            }
        }
        found
    }

    /// Runs `kernel`, compiled for this instruction set. [`dispatch!`](crate::dispatch) writes the call.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Isa::Scalar(token) => kernel.run(token),
            // SAFETY: only `available` makes this token, after it found AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(token) => unsafe { run_avx2(token, kernel) },
            // SAFETY: only `available` makes this token, after it found AVX-512 F, BW, DQ and VL, AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(token) => unsafe { run_avx512(token, kernel) },
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isa::Scalar(_) => NAMES[0],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => NAMES[1],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => NAMES[2],
        })
    }
}

/// Work that is written once for all instruction sets.
pub trait Kernel {
    /// What comes out.
    type Output;
    /// The body. Must be `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Orders streamed (non-temporal) stores before whatever comes next, also when the kernel panics.
#[cfg(target_arch = "x86_64")]
struct FenceOnDrop;

#[cfg(target_arch = "x86_64")]
impl Drop for FenceOnDrop {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: SSE is part of x86-64.
        unsafe { std::arch::x86_64::_mm_sfence() }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(token: Avx2, kernel: K) -> K::Output {
    let _fence = FenceOnDrop;
    kernel.run(token)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn run_avx512<K: Kernel>(token: Avx512, kernel: K) -> K::Output {
    let _fence = FenceOnDrop;
    kernel.run(token)
}

/// Makes a function that runs a body, generic over [`Simd`], for the [`Isa`] it is given.
///
/// `fn name(arg: Type, ...) -> Output = body;` gives `fn name(isa: Isa, arg: Type, ...) -> Output`, which calls
/// `body(simd, arg, ...)`. Lifetimes in the argument types are left out or `'_`; the output has none.
#[macro_export]
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $out:ty = $body:path;) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name(isa: $crate::simd::Isa, $($arg: $ty),*) -> $out {
            struct Call<T>(T);
            impl $crate::simd::Kernel for Call<($($ty,)*)> {
                type Output = $out;
                #[inline(always)]
                fn run<S: $crate::simd::Simd>(self, simd: S) -> $out {
                    let ($($arg,)*) = self.0;
                    $body(simd, $($arg),*)
                }
            }
            isa.run(Call(($($arg,)*)))
        }
    };
}
