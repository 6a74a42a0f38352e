//! Kernels that take each row of a matrix by itself.

mod view;

pub use view::{Rows, RowsMut};
