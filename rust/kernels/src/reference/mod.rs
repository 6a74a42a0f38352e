//! What the kernels mean, as plain loops: the definition, and the oracle of the tests. For `f64` these loops are also
//! what runs.

pub mod layers;
pub mod losses;
pub mod ragged;
pub mod rows;
pub mod transitions;
