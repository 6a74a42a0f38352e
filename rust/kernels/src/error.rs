//! What a kernel refuses, in words that a user can act on.

use thiserror::Error;

/// Why a kernel did not run.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum KernelError {
    /// Sizes that do not fit together. A `ValueError` in Python.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The kernel and the argument.
        what: &'static str,
        /// What would have fitted.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A number that makes no sense where it stands. A `ValueError` in Python.
    #[error("{what} is {found}; expected {expected}")]
    Value {
        /// The kernel and the argument.
        what: &'static str,
        /// What would have been right.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A label or row that does not exist. An `IndexError` in Python.
    #[error("{what}[{position}] is {found}; expected {expected}")]
    Index {
        /// The kernel and the argument.
        what: &'static str,
        /// Where in the argument.
        position: usize,
        /// The index found there.
        found: i64,
        /// Which indices there are.
        expected: String,
    },
    /// `FERRULE_ISA` asks for what this CPU or this library does not have. A `ValueError` in Python.
    #[error(
        "FERRULE_ISA={asked}: {}; use one of {available}, or leave FERRULE_ISA unset for the fastest",
        if *known { "this CPU cannot run that instruction set" } else { "no instruction set of that name" }
    )]
    Isa {
        /// The name asked for.
        asked: String,
        /// Whether the name is one of ours.
        known: bool,
        /// What this CPU can run.
        available: String,
    },
}

impl KernelError {
    /// Refuses a size that is not the expected one.
    pub(crate) fn expect_len(what: &'static str, expected: usize, found: usize) -> Result<(), KernelError> {
        if expected == found {
            return Ok(());
        }
        Err(KernelError::Shape { what, expected: expected.to_string(), found: found.to_string() })
    }
}
