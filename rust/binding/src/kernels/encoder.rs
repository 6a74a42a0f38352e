//! The fused encoder: `_core.EncoderPlan` to predict, `_core.encoder_begin_update` to train.

use ferrule_kernels::encoder::{
    self, Batch, Beyond, DropRates, EmbedTable, EncoderGrads, EncoderParams, Head, MaxoutGrads, MaxoutParams,
    Trace,
};
use ferrule_kernels::simd::Isa;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArray4, PyArrayDyn, PyArrayMethods, PyReadonlyArray1,
    PyReadonlyArray2, PyReadonlyArrayDyn, PyReadwriteArrayDyn, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use super::arrays::{in_c_order, in_c_order_mut};
use crate::errors::detached;
use crate::threads::workers;

type Floats<'py> = PyReadonlyArrayDyn<'py, f32>;
type FloatsMut<'py> = PyReadwriteArrayDyn<'py, f32>;
/// `(E, seed, column)`
type TableArg<'py> = (PyReadonlyArray2<'py, f32>, u32, usize);
/// `(W, b, G, layer norm b)`
type MaxoutArg<'py> = (Floats<'py>, Floats<'py>, Floats<'py>, Floats<'py>);
type MaxoutGradArg<'py> = (FloatsMut<'py>, FloatsMut<'py>, FloatsMut<'py>, FloatsMut<'py>);

fn maxout<'a>(arg: &'a MaxoutArg<'_>) -> PyResult<MaxoutParams<'a>> {
    Ok(MaxoutParams {
        weights: in_c_order(&arg.0, "encoder: W")?,
        bias: in_c_order(&arg.1, "encoder: b")?,
        gain: in_c_order(&arg.2, "encoder: G")?,
        shift: in_c_order(&arg.3, "encoder: layer norm b")?,
    })
}

fn maxout_grads<'a>(arg: &'a mut MaxoutGradArg<'_>) -> PyResult<MaxoutGrads<'a>> {
    Ok(MaxoutGrads {
        weights: in_c_order_mut(&mut arg.0, "encoder: gradient of W")?,
        bias: in_c_order_mut(&mut arg.1, "encoder: gradient of b")?,
        gain: in_c_order_mut(&mut arg.2, "encoder: gradient of G")?,
        shift: in_c_order_mut(&mut arg.3, "encoder: gradient of layer norm b")?,
    })
}

/// The arrays of an encoder's parameters, C-contiguous float32.
#[derive(FromPyObject)]
struct ParamArrays<'py> {
    #[pyo3(attribute("tables"))]
    tables: Vec<TableArg<'py>>,
    #[pyo3(attribute("mix"))]
    mix: MaxoutArg<'py>,
    #[pyo3(attribute("layers"))]
    layers: Vec<MaxoutArg<'py>>,
    #[pyo3(attribute("window"))]
    window: usize,
    #[pyo3(attribute("zeros_beyond"))]
    zeros_beyond: bool,
}

impl ParamArrays<'_> {
    /// The arrays one by one: tables, window layers, mix layer.
    fn all(&self) -> Vec<Py<PyArrayDyn<f32>>> {
        let tables = self.tables.iter().map(|(rows, ..)| rows.to_dyn().clone().unbind());
        let layers = self.layers.iter().chain([&self.mix]);
        let of_layers = layers.flat_map(|layer| [&layer.0, &layer.1, &layer.2, &layer.3]);
        tables.chain(of_layers.map(|array| (**array).clone().unbind())).collect()
    }

    fn view(&self) -> PyResult<EncoderParams<'_>> {
        let mut tables = Vec::with_capacity(self.tables.len());
        for arg in &self.tables {
            let rows = in_c_order(&arg.0, "encoder: E")?;
            tables.push(EmbedTable { rows, width: arg.0.shape()[1], seed: arg.1, column: arg.2 });
        }
        Ok(EncoderParams {
            tables,
            mix: maxout(&self.mix)?,
            layers: self.layers.iter().map(maxout).collect::<PyResult<_>>()?,
            window: self.window,
            beyond: if self.zeros_beyond { Beyond::Zeros } else { Beyond::Rows },
        })
    }
}

/// The arrays to which an encoder's gradients are added, in the order of the parameters.
#[derive(FromPyObject)]
struct GradArrays<'py> {
    #[pyo3(attribute("tables"))]
    tables: Vec<FloatsMut<'py>>,
    #[pyo3(attribute("mix"))]
    mix: MaxoutGradArg<'py>,
    #[pyo3(attribute("layers"))]
    layers: Vec<MaxoutGradArg<'py>>,
}

/// The documents of a batch, by word type.
struct BatchArrays<'py> {
    features: PyReadonlyArray2<'py, u64>,
    types: Option<PyReadonlyArray1<'py, u32>>,
    lengths: PyReadonlyArray1<'py, u32>,
}

/// Feature rows and the row of each token, made where the caller gave a row for each token.
struct WordTypes {
    made: Option<(Vec<u64>, Vec<u32>)>,
}

impl BatchArrays<'_> {
    fn word_types(&self, py: Python<'_>) -> PyResult<WordTypes> {
        if self.types.is_some() {
            return Ok(WordTypes { made: None });
        }
        let (features, n_columns) =
            (in_c_order(&self.features, "encoder: features")?, self.features.shape()[1]);
        detached(py, || Ok::<_, PyErr>(WordTypes { made: Some(encoder::word_types(features, n_columns)) }))
    }

    fn view<'a>(&'a self, word_types: &'a WordTypes) -> PyResult<Batch<'a>> {
        let (features, types) = match (&self.types, &word_types.made) {
            (Some(types), _) => {
                (in_c_order(&self.features, "encoder: features")?, in_c_order(types, "encoder: types")?)
            }
            (None, Some((features, types))) => (features.as_slice(), types.as_slice()),
            (None, None) => (&[][..], &[][..]),
        };
        Ok(Batch {
            features,
            n_columns: self.features.shape()[1],
            types,
            lengths: in_c_order(&self.lengths, "encoder: lengths")?,
        })
    }
}

/// An encoder's weights, packed for prediction: a copy, which later changes of the arrays do not reach.
///
/// params: an object with `tables`, a list of (E float32 (n_rows, width), seed, feature column); `mix`, a tuple (W, b,
/// G, b of the layer norm); `layers`, a list of such tuples; `window`; and `zeros_beyond`, whether windows read zeros beyond
/// the ends of a document at every level, or spaCy's rows.
/// ranges: float32 (n_layers - 1, 4, 2, width) as `ranges` found them, to run the window layers above the first in
/// bytes; None to run them in float32.
/// Raises ValueError if the shapes do not fit together, or windows to be run in bytes have more than one token on either
/// side; TypeError for another dtype.
#[pyclass(frozen, module = "ferrule._core")]
struct EncoderPlan {
    plan: encoder::EncoderPlan,
    /// The arrays that were packed, in the order of `fingerprint`.
    arrays: Vec<Py<PyArrayDyn<f32>>>,
}

#[pymethods]
impl EncoderPlan {
    #[new]
    #[pyo3(signature = (params, ranges=None))]
    fn new(py: Python<'_>, params: &Bound<'_, PyAny>, ranges: Option<Floats<'_>>) -> PyResult<Self> {
        let arrays: ParamArrays<'_> = params.extract()?;
        let view = arrays.view()?;
        let limits = match &ranges {
            Some(ranges) => Some(in_c_order(ranges, "encoder: ranges")?),
            None => None,
        };
        let plan = detached(py, || match limits {
            Some(limits) => encoder::EncoderPlan::quantized(Isa::active()?, &view, limits),
            None => encoder::EncoderPlan::new(Isa::active()?, &view),
        })?;
        Ok(EncoderPlan { plan, arrays: arrays.all() })
    }

    /// Whether the arrays that were packed have the same numbers still, where they are sampled: all numbers of arrays up
    /// to 512, some 32 of larger ones.
    fn is_current(&self, py: Python<'_>) -> PyResult<bool> {
        let arrays: Vec<Floats<'_>> =
            self.arrays.iter().map(|array| Ok(array.bind(py).try_readonly()?)).collect::<PyResult<_>>()?;
        let slices =
            arrays.iter().map(|array| in_c_order(array, "encoder")).collect::<PyResult<Vec<&[f32]>>>()?;
        Ok(self.plan.is_current(slices.into_iter()))
    }

    /// How far the numbers go that would become bytes, in the rows of some documents: float32 (n_layers - 1, 4, 2, width),
    /// the lower and the upper limit of each column, for each of four mixtures of neighbouring rows.
    ///
    /// features: uint64 (n_tokens, n_columns), a row of ids for each token. lengths: uint32 (n_docs,). Raises ValueError
    /// or IndexError if they do not fit together, or windows have more than one token on either side.
    fn ranges<'py>(
        &self,
        py: Python<'py>,
        features: PyReadonlyArray2<'py, u64>,
        lengths: PyReadonlyArray1<'py, u32>,
    ) -> PyResult<Bound<'py, PyArray4<f32>>> {
        let arrays = BatchArrays { features, types: None, lengths };
        let word_types = arrays.word_types(py)?;
        let batch = arrays.view(&word_types)?;
        let pool = workers(py)?;
        let width = self.plan.width();
        let found = detached(py, || self.plan.ranges(pool.threads(), &batch))?;
        let n_levels = found.len() / (8 * width);
        found.into_pyarray(py).reshape([n_levels, 4, 2, width])
    }

    /// The vector of each token, float32 (n_tokens, width).
    ///
    /// features: uint64 (n_types, n_columns), a row of ids for each word type. types: uint32 (n_tokens,), the row of
    /// each token; or None if `features` has a row for each token. lengths: uint32 (n_docs,). Raises ValueError or IndexError if they do not fit together.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        features: PyReadonlyArray2<'py, u64>,
        types: Option<PyReadonlyArray1<'py, u32>>,
        lengths: PyReadonlyArray1<'py, u32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let arrays = BatchArrays { features, types, lengths };
        let word_types = arrays.word_types(py)?;
        let batch = arrays.view(&word_types)?;
        let pool = workers(py)?;
        let (n_tokens, width) = (batch.types.len(), self.plan.width());
        let mut out = vec![0.0; n_tokens * width];
        detached(py, || self.plan.predict(pool.threads(), &batch, &mut out))?;
        out.into_pyarray(py).reshape([n_tokens, width])
    }

    /// The best label of each token, int32 (n_tokens,): the first of the largest numbers of `weights @ vector + bias`, with
    /// the vectors of `predict`, which are not kept.
    ///
    /// features, types, lengths: as for `predict`. weights: float32 (n_labels, width). bias: float32 (n_labels,). Raises
    /// ValueError or IndexError if they do not fit together.
    fn best_labels<'py>(
        &self,
        py: Python<'py>,
        features: PyReadonlyArray2<'py, u64>,
        types: Option<PyReadonlyArray1<'py, u32>>,
        lengths: PyReadonlyArray1<'py, u32>,
        weights: PyReadonlyArray2<'py, f32>,
        bias: PyReadonlyArray1<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray1<i32>>> {
        let arrays = BatchArrays { features, types, lengths };
        let word_types = arrays.word_types(py)?;
        let batch = arrays.view(&word_types)?;
        let head = Head {
            weights: in_c_order(&weights, "encoder: the weights of the labels")?,
            bias: in_c_order(&bias, "encoder: the bias of the labels")?,
        };
        let pool = workers(py)?;
        let mut out = vec![0; batch.types.len()];
        detached(py, || self.plan.best_labels(pool.threads(), &batch, &head, &mut out))?;
        Ok(out.into_pyarray(py))
    }
}

/// What an encoder's backward pass needs of its forward pass.
#[pyclass(frozen, module = "ferrule._core")]
struct EncoderTrace(Trace);

#[pymethods]
impl EncoderTrace {
    /// Adds the gradients of all parameters to the arrays of `grads`, in place.
    ///
    /// d_out: float32 (n_tokens, width). grads: an object with `tables`, `mix`
    /// and `layers`, arrays of the parameters' shapes. Raises ValueError if shapes do not fit; then nothing is added.
    fn backprop(
        &self,
        py: Python<'_>,
        d_out: PyReadonlyArray2<'_, f32>,
        mut grads: GradArrays<'_>,
    ) -> PyResult<()> {
        let d_out = in_c_order(&d_out, "encoder: d_out")?;
        let pool = workers(py)?;
        let mut grads = EncoderGrads {
            tables: grads
                .tables
                .iter_mut()
                .map(|grad| in_c_order_mut(grad, "encoder: gradient of E"))
                .collect::<PyResult<_>>()?,
            mix: maxout_grads(&mut grads.mix)?,
            layers: grads.layers.iter_mut().map(maxout_grads).collect::<PyResult<_>>()?,
        };
        detached(py, || self.0.backprop(pool.threads(), d_out, &mut grads))
    }
}

/// The vector of each token, float32 (n_tokens, width), with dropout, and the trace for the backward pass.
///
/// params, features, types, lengths: as for `EncoderPlan`. rates: (one rate a table, the mix layer's, one rate a window
/// layer). seed: of the dropout masks; the same seed gives the same masks on any number of threads.
/// Raises ValueError or IndexError if they do not fit together.
#[pyfunction]
fn encoder_begin_update<'py>(
    py: Python<'py>,
    params: ParamArrays<'py>,
    features: PyReadonlyArray2<'py, u64>,
    types: Option<PyReadonlyArray1<'py, u32>>,
    lengths: PyReadonlyArray1<'py, u32>,
    rates: (Vec<f32>, f32, Vec<f32>),
    seed: u64,
) -> PyResult<(Bound<'py, PyArray2<f32>>, EncoderTrace)> {
    let view = params.view()?;
    let arrays = BatchArrays { features, types, lengths };
    let word_types = arrays.word_types(py)?;
    let batch = arrays.view(&word_types)?;
    let pool = workers(py)?;
    let rates = DropRates { tables: rates.0, mix: rates.1, layers: rates.2 };
    let (out, trace) =
        detached(py, || encoder::begin_update(Isa::active()?, pool.threads(), &view, &batch, &rates, seed))?;
    let out = out.into_pyarray(py).reshape([batch.types.len(), view.width()])?;
    Ok((out, EncoderTrace(trace)))
}

/// A number that changes when the parameters of an encoder do, from all numbers of arrays up to 512 and some 32 of larger
/// ones. The same in every process.
///
/// params: as for `EncoderPlan`.
#[pyfunction]
fn encoder_fingerprint(params: ParamArrays<'_>) -> PyResult<u64> {
    Ok(encoder::fingerprint(&params.view()?))
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<EncoderPlan>()?;
    m.add_class::<EncoderTrace>()?;
    m.add_function(wrap_pyfunction!(encoder_begin_update, m)?)?;
    m.add_function(wrap_pyfunction!(encoder_fingerprint, m)?)
}
