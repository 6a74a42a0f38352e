//! Optimizer steps in one pass over the memory.

mod step;

pub use step::{Averages, Direction, Step, Tensors, optimizer_steps};
