//! The losses over NumPy arrays. `ferrule.kernels` documents them. Each returns `(loss, gradient)`.

use ferrule_kernels::KernelError;
use ferrule_kernels::losses::{Direction, Labels, Lesson, LossKernels, Reduction, Weights};
use ferrule_kernels::rows::{Machine, Rows, RowsMut};
use numpy::Element;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::arrays::{Input, Output, Precision, check_shape};
use super::rows::on_machine;

type Array<'a, 'py> = &'a Bound<'py, PyAny>;

/// What all losses take.
struct Common<'a, 'py> {
    name: &'static str,
    reduction: Reduction,
    row_weights: Option<Array<'a, 'py>>,
    class_weights: Option<Array<'a, 'py>>,
    out: Option<Array<'a, 'py>>,
    n_threads: Option<usize>,
}

fn reduction(name: &str, of: &str) -> PyResult<Reduction> {
    match of {
        "sum" => Ok(Reduction::Sum),
        "mean" => Ok(Reduction::Mean),
        _ => Err(PyValueError::new_err(format!("{name}: reduction is {of:?}; expected \"sum\" or \"mean\""))),
    }
}

fn direction(of: &str) -> PyResult<Direction> {
    match of {
        "forward" => Ok(Direction::Forward),
        "reverse" => Ok(Direction::Reverse),
        _ => Err(PyValueError::new_err(format!(
            "kl_divergence: direction is {of:?}; expected \"forward\" for KL(teacher || student) or \"reverse\""
        ))),
    }
}

/// Reads the arguments that all losses take, runs `kernel`, wraps what comes out.
fn run<'py, T: LossKernels + Element>(
    common: &Common<'_, 'py>,
    x: Array<'_, 'py>,
    others: &[(Array<'_, 'py>, &str)],
    kernel: impl FnOnce(
        Machine<'_>,
        Rows<'_, T>,
        &[Rows<'_, T>],
        Weights<'_, T>,
        RowsMut<'_, T>,
    ) -> Result<f64, KernelError>
    + Send,
) -> PyResult<(f64, Bound<'py, PyAny>)> {
    let named = |what: &str| format!("{}: {what}", common.name);
    let (x_name, out_name) = (named("scores"), named("out"));
    let output = Output::<T>::like(x, common.out, &out_name)?;
    let read = |array: Array<'_, 'py>, what: &str| Input::<T>::read(array, output.written(), &named(what));
    let loss = {
        let x = read(x, "scores")?;
        let mut inputs = Vec::with_capacity(others.len());
        for (array, what) in others {
            let input = read(array, what)?;
            check_shape(input.shape(), x.shape(), &named(what))?;
            inputs.push(input);
        }
        let row_weights = common.row_weights.map(|array| read(array, "row_weights")).transpose()?;
        let class_weights = common.class_weights.map(|array| read(array, "class_weights")).transpose()?;
        let weights = Weights {
            rows: row_weights.as_ref().map(Input::data).transpose()?,
            classes: class_weights.as_ref().map(Input::data).transpose()?,
        };
        let rows = x.rows(&x_name)?;
        let other_rows = inputs.iter().map(|input| input.rows(&x_name)).collect::<PyResult<Vec<_>>>()?;
        let mut target = output.write(&out_name)?;
        let data = target.as_slice_mut()?;
        on_machine(output.py(), common.n_threads, |machine| {
            kernel(machine, rows, &other_rows, weights, RowsMut::new(data, rows.n_rows(), rows.width())?)
        })?
    };
    Ok((loss, output.finish()?))
}

/// Runs `run` in the precision of the first array.
macro_rules! in_precision_of {
    ($x:expr, $name:expr, $run:ident($($arg:expr),*)) => {
        match Precision::of($x, concat!($name, ": scores"))? {
            Precision::Single => $run::<f32>($($arg),*),
            Precision::Double => $run::<f64>($($arg),*),
        }
    };
}

/// Labels as they come from Python.
struct LabelArrays<'py> {
    labels: Input<'py, i64>,
    negative: Option<Input<'py, bool>>,
    missing: i64,
    smoothing: f64,
}

impl<'py> LabelArrays<'py> {
    fn read(
        name: &str,
        labels: Array<'_, 'py>,
        negative: Option<Array<'_, 'py>>,
        missing: i64,
        smoothing: f64,
    ) -> PyResult<Self> {
        let labels = Input::read(labels, None, &format!("{name}: labels"))?;
        let negative =
            negative.map(|array| Input::read(array, None, &format!("{name}: negative"))).transpose()?;
        Ok(Self { labels, negative, missing, smoothing })
    }

    fn get(&self) -> PyResult<Labels<'_>> {
        Ok(Labels {
            labels: self.labels.data()?,
            missing: self.missing,
            negative: self.negative.as_ref().map(Input::data).transpose()?,
            smoothing: self.smoothing,
        })
    }
}

#[pyfunction]
#[pyo3(signature = (scores, labels, missing_label, negative, label_smoothing, class_weights, row_weights, reduction,
                    out=None, n_threads=None))]
#[allow(clippy::too_many_arguments)]
fn cross_entropy<'py>(
    scores: Array<'_, 'py>,
    labels: Array<'_, 'py>,
    missing_label: i64,
    negative: Option<Array<'_, 'py>>,
    label_smoothing: f64,
    class_weights: Option<Array<'_, 'py>>,
    row_weights: Option<Array<'_, 'py>>,
    reduction: &str,
    out: Option<Array<'_, 'py>>,
    n_threads: Option<usize>,
) -> PyResult<(f64, Bound<'py, PyAny>)> {
    let name = "cross_entropy";
    let reduction = self::reduction(name, reduction)?;
    let common = Common { name, reduction, row_weights, class_weights, out, n_threads };
    let arrays = LabelArrays::read(name, labels, negative, missing_label, label_smoothing)?;
    let labels = arrays.get()?;
    in_precision_of!(
        scores,
        "cross_entropy",
        run(&common, scores, &[], |m, x, _, weights, out| {
            LossKernels::cross_entropy(m, x, &labels, weights, reduction, out)
        })
    )
}

/// A pyfunction for a loss of two float matrices.
macro_rules! loss_of_two {
    ($name:ident, $text:literal) => {
        #[pyfunction]
        #[pyo3(signature = (scores, targets, class_weights, row_weights, reduction, out=None, n_threads=None))]
        fn $name<'py>(
            scores: Array<'_, 'py>,
            targets: Array<'_, 'py>,
            class_weights: Option<Array<'_, 'py>>,
            row_weights: Option<Array<'_, 'py>>,
            reduction: &str,
            out: Option<Array<'_, 'py>>,
            n_threads: Option<usize>,
        ) -> PyResult<(f64, Bound<'py, PyAny>)> {
            let reduction = self::reduction($text, reduction)?;
            let common = Common { name: $text, reduction, row_weights, class_weights, out, n_threads };
            in_precision_of!(
                scores,
                $text,
                run(&common, scores, &[(targets, "targets")], |m, x, others, weights, out| {
                    LossKernels::$name(m, x, others[0], weights, reduction, out)
                })
            )
        }
    };
}

loss_of_two!(soft_cross_entropy, "soft_cross_entropy");
loss_of_two!(binary_cross_entropy, "binary_cross_entropy");
loss_of_two!(squared_error, "squared_error");

#[pyfunction]
#[pyo3(signature = (student, teacher, temperature, direction, row_weights, reduction, out=None, n_threads=None))]
#[allow(clippy::too_many_arguments)]
fn kl_divergence<'py>(
    student: Array<'_, 'py>,
    teacher: Array<'_, 'py>,
    temperature: f64,
    direction: &str,
    row_weights: Option<Array<'_, 'py>>,
    reduction: &str,
    out: Option<Array<'_, 'py>>,
    n_threads: Option<usize>,
) -> PyResult<(f64, Bound<'py, PyAny>)> {
    let name = "kl_divergence";
    let (reduction, direction) = (self::reduction(name, reduction)?, self::direction(direction)?);
    let common = Common { name, reduction, row_weights, class_weights: None, out, n_threads };
    fn typed<'py, T: LossKernels + Element>(
        common: &Common<'_, 'py>,
        student: Array<'_, 'py>,
        teacher: Array<'_, 'py>,
        temperature: f64,
        direction: Direction,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let (reduction, setting) = (common.reduction, (T::of(temperature), direction));
        run::<T>(common, student, &[(teacher, "teacher")], |m, x, others, weights, out| {
            LossKernels::kl_divergence(m, x, others[0], setting, weights, reduction, out)
        })
    }
    in_precision_of!(student, "kl_divergence", typed(&common, student, teacher, temperature, direction))
}

#[pyfunction]
#[pyo3(signature = (student, teacher, labels, gold, temperature, direction, missing_label, row_weights, reduction,
                    out=None, n_threads=None))]
#[allow(clippy::too_many_arguments)]
fn distillation<'py>(
    student: Array<'_, 'py>,
    teacher: Array<'_, 'py>,
    labels: Array<'_, 'py>,
    gold: f64,
    temperature: f64,
    direction: &str,
    missing_label: i64,
    row_weights: Option<Array<'_, 'py>>,
    reduction: &str,
    out: Option<Array<'_, 'py>>,
    n_threads: Option<usize>,
) -> PyResult<(f64, Bound<'py, PyAny>)> {
    let name = "kl_divergence";
    let (reduction, direction) = (self::reduction(name, reduction)?, self::direction(direction)?);
    let common = Common { name, reduction, row_weights, class_weights: None, out, n_threads };
    let arrays = LabelArrays::read(name, labels, None, missing_label, 0.0)?;
    let labels = arrays.get()?;
    fn typed<'py, T: LossKernels + Element>(
        common: &Common<'_, 'py>,
        student: Array<'_, 'py>,
        teacher: Array<'_, 'py>,
        labels: Labels<'_>,
        (gold, temperature, direction): (f64, f64, Direction),
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        let reduction = common.reduction;
        run::<T>(common, student, &[(teacher, "teacher")], |m, x, others, weights, out| {
            let teacher = others[0];
            let lesson =
                Lesson { teacher, temperature: T::of(temperature), direction, labels, gold: T::of(gold) };
            LossKernels::distillation(m, x, &lesson, weights, reduction, out)
        })
    }
    let setting = (gold, temperature, direction);
    in_precision_of!(student, "kl_divergence", typed(&common, student, teacher, labels, setting))
}

#[pyfunction]
#[pyo3(signature = (probs, labels, missing_label, negative, label_smoothing, divisor, out=None, n_threads=None))]
#[allow(clippy::too_many_arguments)]
fn probability_difference<'py>(
    probs: Array<'_, 'py>,
    labels: Array<'_, 'py>,
    missing_label: i64,
    negative: Option<Array<'_, 'py>>,
    label_smoothing: f64,
    divisor: f64,
    out: Option<Array<'_, 'py>>,
    n_threads: Option<usize>,
) -> PyResult<(f64, Bound<'py, PyAny>)> {
    let name = "probability_difference";
    let common =
        Common { name, reduction: Reduction::Sum, row_weights: None, class_weights: None, out, n_threads };
    let arrays = LabelArrays::read(name, labels, negative, missing_label, label_smoothing)?;
    fn typed<'py, T: LossKernels + Element>(
        common: &Common<'_, 'py>,
        probs: Array<'_, 'py>,
        labels: Labels<'_>,
        divisor: f64,
    ) -> PyResult<(f64, Bound<'py, PyAny>)> {
        run::<T>(common, probs, &[], |m, x, _, _, out| {
            LossKernels::probability_difference(m, x, &labels, T::of(divisor), out)
        })
    }
    in_precision_of!(probs, "probability_difference", typed(&common, probs, arrays.get()?, divisor))
}

pub(super) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(cross_entropy, m)?)?;
    m.add_function(wrap_pyfunction!(soft_cross_entropy, m)?)?;
    m.add_function(wrap_pyfunction!(binary_cross_entropy, m)?)?;
    m.add_function(wrap_pyfunction!(squared_error, m)?)?;
    m.add_function(wrap_pyfunction!(kl_divergence, m)?)?;
    m.add_function(wrap_pyfunction!(distillation, m)?)?;
    m.add_function(wrap_pyfunction!(probability_difference, m)?)
}
