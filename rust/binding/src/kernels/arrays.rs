//! NumPy arguments: borrowed where they are C-contiguous rows of the right type, copied on purpose where they are
//! not, refused where they are not numbers.
//!
//! ```text
//! let precision = Precision::of(x, "softmax: x")?;       // float64 or longer is computed in f64, else f32
//! let out = Output::<f32>::like(x, out, "softmax: out")?; // a new array, `out` itself, or a stand-in for it
//! let x = Input::<f32>::read(x, out.written(), "softmax: x")?; // copied if it shares memory with `out`
//! ```

use numpy::ndarray::Dimension;
use numpy::prelude::*;
use numpy::{
    Element, PyArrayDescr, PyArrayDyn, PyReadonlyArray, PyReadonlyArrayDyn, PyReadwriteArray,
    PyReadwriteArrayDyn, PyUntypedArray,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use ferrule_kernels::rows::Rows;

/// Which arithmetic an array asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// float16 and float32.
    Single,
    /// float64 and longer.
    Double,
}

impl Precision {
    /// The precision of a float array; a TypeError for anything else.
    pub(crate) fn of(array: &Bound<'_, PyAny>, what: &str) -> PyResult<Self> {
        let array = as_array(array, what)?;
        let dtype = array.dtype();
        match dtype.kind() {
            b'f' if dtype.itemsize() <= 4 => Ok(Self::Single),
            b'f' => Ok(Self::Double),
            _ => Err(not_floats(&dtype, what)),
        }
    }
}

fn not_floats(dtype: &Bound<'_, PyArrayDescr>, what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "{what} has dtype {dtype}; expected floats. Convert it with .astype(\"float32\")."
    ))
}

pub(crate) fn numpy<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyModule>> {
    static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    Ok(NUMPY.get_or_try_init(py, || py.import("numpy").map(Bound::unbind))?.bind(py))
}

fn as_array<'a, 'py>(value: &'a Bound<'py, PyAny>, what: &str) -> PyResult<&'a Bound<'py, PyUntypedArray>> {
    value.cast::<PyUntypedArray>().map_err(|_| {
        let found =
            value.get_type().name().map_or_else(|_| "another object".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "{what} is a {found}; expected a NumPy array. Convert it with numpy.asarray."
        ))
    })
}

/// Whether writing to `b` may change `a`: NumPy's test of the memory ranges, which may say yes too often.
fn may_share_memory(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    numpy(a.py())?.call_method1(intern!(a.py(), "may_share_memory"), (a, b))?.extract()
}

/// The shape as Python shows it.
fn shown(shape: &[usize]) -> String {
    match shape {
        [only] => format!("({only},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// A ValueError unless both shapes are equal.
pub(crate) fn check_shape(found: &[usize], expected: &[usize], what: &str) -> PyResult<()> {
    if found == expected {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("{what} has shape {}; expected {}", shown(found), shown(expected))))
}

/// An argument to read: C-contiguous, aligned, of type `T`.
pub(crate) struct Input<'py, T: Element> {
    array: PyReadonlyArrayDyn<'py, T>,
}

impl<'py, T: Element> Input<'py, T> {
    /// Borrows the array, or copies it if its type, layout or alignment differs or if it may share memory with
    /// `output`. An array of another kind (integers for floats, say) is a TypeError.
    pub(crate) fn read(
        value: &Bound<'py, PyAny>,
        output: Option<&Bound<'py, PyAny>>,
        what: &str,
    ) -> PyResult<Self> {
        let py = value.py();
        let untyped = as_array(value, what)?;
        let wanted = PyArrayDescr::of::<T>(py);
        if let Ok(array) = value.cast::<PyArrayDyn<T>>() {
            let shared = match output {
                Some(output) => may_share_memory(value, output)?,
                None => false,
            };
            if untyped.is_c_contiguous() && untyped.is_aligned() && !shared {
                return Self::borrow(array, what);
            }
        } else if !fits(&untyped.dtype(), &wanted) {
            return Err(match wanted.kind() {
                b'f' => not_floats(&untyped.dtype(), what),
                _ => PyTypeError::new_err(format!(
                    "{what} has dtype {}; expected {wanted}, or a type that converts to it without loss",
                    untyped.dtype()
                )),
            });
        }
        let settings = PyDict::new(py);
        settings.set_item(intern!(py, "dtype"), wanted)?;
        settings.set_item(intern!(py, "order"), "C")?;
        let copy = numpy(py)?.call_method(intern!(py, "array"), (value,), Some(&settings))?;
        Self::borrow(copy.cast::<PyArrayDyn<T>>()?, what)
    }

    fn borrow(array: &Bound<'py, PyArrayDyn<T>>, what: &str) -> PyResult<Self> {
        let array = array.try_readonly().map_err(|_| {
            PyValueError::new_err(format!(
                "{what} is being written to by another call; give each thread its own"
            ))
        })?;
        Ok(Self { array })
    }

    pub(crate) fn shape(&self) -> &[usize] {
        self.array.shape()
    }

    /// All numbers, in C order.
    pub(crate) fn data(&self) -> PyResult<&[T]> {
        Ok(self.array.as_slice()?)
    }

    /// The array as rows: the last axis is a row, the others count rows. One axis is one row.
    pub(crate) fn rows(&self, what: &str) -> PyResult<Rows<'_, T>> {
        let (n_rows, width) = rows_of(self.shape(), what)?;
        Rows::new(self.data()?, n_rows, width).map_err(crate::errors::IntoPyErr::into_py_err)
    }
}

/// All numbers of an array in C order. Unlike `as_slice`, which hands out transposed arrays as they lie in memory, this
/// refuses every other layout with a ValueError.
pub(crate) fn in_c_order<'a, T: Element, D: Dimension>(
    array: &'a PyReadonlyArray<'_, T, D>,
    what: &str,
) -> PyResult<&'a [T]> {
    if array.is_c_contiguous() { Ok(array.as_slice()?) } else { Err(not_in_c_order(what)) }
}

/// The same, to be written.
pub(crate) fn in_c_order_mut<'a, T: Element, D: Dimension>(
    array: &'a mut PyReadwriteArray<'_, T, D>,
    what: &str,
) -> PyResult<&'a mut [T]> {
    if array.is_c_contiguous() { Ok(array.as_slice_mut()?) } else { Err(not_in_c_order(what)) }
}

fn not_in_c_order(what: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what} is not C-contiguous; expected rows one behind the other. Convert it with numpy.ascontiguousarray."
    ))
}

/// Whether NumPy may convert on the quiet: floats among each other, integers and bools to integers that hold them.
fn fits(found: &Bound<'_, PyArrayDescr>, wanted: &Bound<'_, PyArrayDescr>) -> bool {
    match (found.kind(), wanted.kind()) {
        (b'f', b'f') => true,
        (b'b', b'i' | b'u') => true,
        (b'i', b'i') | (b'u', b'u') => found.itemsize() <= wanted.itemsize(),
        (b'u', b'i') => found.itemsize() < wanted.itemsize(),
        _ => false,
    }
}

/// `(n_rows, width)` of a shape.
pub(crate) fn rows_of(shape: &[usize], what: &str) -> PyResult<(usize, usize)> {
    match shape {
        [] => Err(PyValueError::new_err(format!(
            "{what} has no axis; expected at least one, the last being a row"
        ))),
        [rows @ .., width] => Ok((rows.iter().product(), *width)),
    }
}

/// An array to write, C-contiguous and of type `T`.
///
/// A caller's `out` of another float type or layout is filled by [`finish`](Output::finish), through NumPy's own
/// assignment, so that no cell outside it changes.
pub(crate) struct Output<'py, T: Element> {
    work: Bound<'py, PyArrayDyn<T>>,
    given: Option<Bound<'py, PyAny>>,
    dtype: Option<Bound<'py, PyArrayDescr>>,
}

impl<'py, T: Element> Output<'py, T> {
    /// For results of that shape. Without `out`, a new array of type `dtype` (of `T` if that is None).
    pub(crate) fn new(
        py: Python<'py>,
        out: Option<&Bound<'py, PyAny>>,
        shape: &[usize],
        dtype: Option<Bound<'py, PyArrayDescr>>,
        what: &str,
    ) -> PyResult<Self> {
        if let Some(given) = out {
            let untyped = as_array(given, what)?;
            check_shape(untyped.shape(), shape, what)?;
            if !given.getattr(intern!(py, "flags"))?.getattr(intern!(py, "writeable"))?.extract::<bool>()? {
                return Err(PyValueError::new_err(format!("{what} is read-only; give a writeable array")));
            }
            if untyped.dtype().kind() != PyArrayDescr::of::<T>(py).kind() {
                return Err(not_floats(&untyped.dtype(), what));
            }
            if let Ok(array) = given.cast::<PyArrayDyn<T>>()
                && untyped.is_c_contiguous()
                && untyped.is_aligned()
            {
                return Ok(Self { work: array.clone(), given: Some(given.clone()), dtype: None });
            }
        }
        // `numpy.empty` leaves large arrays to the first writer, unlike zeros of a small size.
        let arguments = (shape.to_vec(), PyArrayDescr::of::<T>(py));
        let work = numpy(py)?.call_method1(intern!(py, "empty"), arguments)?.cast_into::<PyArrayDyn<T>>()?;
        let dtype = dtype.filter(|dtype| !dtype.is_equiv_to(&PyArrayDescr::of::<T>(py)));
        Ok(Self { work, given: out.cloned(), dtype })
    }

    /// For results of the shape and type of `array`.
    pub(crate) fn like(
        array: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        what: &str,
    ) -> PyResult<Self> {
        let untyped = as_array(array, what)?;
        Self::new(array.py(), out, untyped.shape(), Some(untyped.dtype()), what)
    }

    /// What an [`Input`] must not share memory with: the array that the work is written to directly.
    pub(crate) fn written(&self) -> Option<&Bound<'py, PyAny>> {
        self.given.as_ref().filter(|given| given.is(&self.work))
    }

    /// The interpreter.
    pub(crate) fn py(&self) -> Python<'py> {
        self.work.py()
    }

    /// The right to write, for the time of the work.
    pub(crate) fn write(&self, what: &str) -> PyResult<PyReadwriteArrayDyn<'py, T>> {
        self.work.try_readwrite().map_err(|_| {
            PyValueError::new_err(format!("{what} is in use by another call; give each thread its own"))
        })
    }

    /// The finished array: the caller's `out` if there was one.
    pub(crate) fn finish(self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.work.py();
        match (self.given, self.dtype) {
            (Some(given), _) if given.is(&self.work) => Ok(given),
            (Some(given), _) => {
                numpy(py)?.call_method1(intern!(py, "copyto"), (&given, self.work, "same_kind"))?;
                Ok(given)
            }
            (None, Some(dtype)) => self.work.call_method1(intern!(py, "astype"), (dtype,)),
            (None, None) => Ok(self.work.into_any()),
        }
    }
}
