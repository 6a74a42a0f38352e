//! Analyses by transitions: `_core.TransitionNetwork` scores, and learns from, what `_core.BiluoBatch` knows.

use ferrule_kernels::KernelError;
use ferrule_kernels::layers::dropout::Dropout;
use ferrule_kernels::simd::Isa;
use ferrule_kernels::transitions::{
    self, BiluoGold, GoldLesson, NegativeSpan, Network, NetworkParams, Segment, TaughtBy, TeacherLesson,
    Trace,
};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use super::biluo::{BiluoBatch, entity_columns, expect_columns, moves, shape_error};
use crate::errors::{IntoPyErr, detached};
use crate::threads::workers;

type Floats<'py> = PyReadonlyArrayDyn<'py, f32>;
type Counts<'py> = Bound<'py, PyArray1<u32>>;
/// Document, first token, behind the last token, label; tokens counted from the document's first.
type EntityColumns<'py> = (Counts<'py>, Counts<'py>, Counts<'py>, Counts<'py>);
/// The action taken at each token, and the scores of all actions there.
type TakenAndScores<'py> = (Bound<'py, PyArray1<i32>>, Bound<'py, PyArray2<f32>>);
/// Of the tokens, lower weights, bias, padding, upper weights and bias.
type GradientArrays<'py> = (
    Bound<'py, PyArray2<f32>>,
    Bound<'py, PyArrayDyn<f32>>,
    Bound<'py, PyArrayDyn<f32>>,
    Bound<'py, PyArrayDyn<f32>>,
    Option<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f32>>)>,
);

/// A parser's weights, set up for the tokens of a batch: copies, which later changes of the arrays do not reach.
///
/// weights: float32 (nF, nO, nP, nI), bias (nO, nP), padding (1, nF, nO, nP), of the lower layer. upper: (W, b), float32
/// (n_actions, nO) and (n_actions,), or None. tokens: float32 (n_tokens, nI). Raises ValueError if they do not fit.
#[pyclass(frozen, module = "ferrule._core")]
pub(super) struct TransitionNetwork {
    pub(super) network: Network,
    lower_shape: [usize; 4],
}

/// What a network needs of the states it has learned from, to go back.
#[pyclass(frozen, module = "ferrule._core")]
struct TransitionTrace(Trace);

#[pymethods]
impl TransitionTrace {
    /// The loss, summed over the states, in nats.
    #[getter]
    fn loss(&self) -> f64 {
        self.0.loss
    }

    /// How many states there were.
    #[getter]
    fn n_states(&self) -> usize {
        self.0.n_states
    }
}

#[pymethods]
impl TransitionNetwork {
    #[new]
    fn new(
        py: Python<'_>,
        weights: Floats<'_>,
        bias: Floats<'_>,
        padding: Floats<'_>,
        upper: Option<(PyReadonlyArray2<'_, f32>, PyReadonlyArray1<'_, f32>)>,
        tokens: PyReadonlyArray2<'_, f32>,
        is_train: bool,
    ) -> PyResult<Self> {
        let &[n_features, hidden, pieces, width] = weights.shape() else {
            let found = format!("{:?}", weights.shape());
            return Err(shape_error("transitions: the lower weights", "(nF, nO, nP, nI)", found));
        };
        if tokens.shape()[1] != width {
            let expected = format!("{width} columns");
            return Err(shape_error(
                "transitions: the token vectors",
                &expected,
                tokens.shape()[1].to_string(),
            ));
        }
        let upper = match &upper {
            None => None,
            Some((upper_weights, upper_bias)) => {
                expect_columns("the upper weights", hidden, upper_weights.shape()[1])?;
                Some((upper_weights.as_slice()?, upper_bias.as_slice()?))
            }
        };
        let params = NetworkParams {
            n_features,
            hidden,
            pieces,
            width,
            weights: weights.as_slice()?,
            bias: bias.as_slice()?,
            padding: padding.as_slice()?,
            upper,
        };
        let (tokens, pool) = (tokens.as_slice()?, workers(py)?);
        let network =
            detached(py, || Network::new(Isa::active()?, pool.threads(), &params, tokens, is_train))?;
        Ok(TransitionNetwork { network, lower_shape: [n_features, hidden, pieces, width] })
    }

    /// How many actions are scored.
    #[getter]
    fn n_actions(&self) -> usize {
        self.network.n_actions()
    }

    /// The best analysis of each document, by the best allowed action at every step.
    ///
    /// Returns the entities, in order, as four columns, uint32: document, first token, behind the last token (both
    /// counted from the document's first), label.
    fn decode<'py>(&self, py: Python<'py>, batch: &BiluoBatch) -> PyResult<EntityColumns<'py>> {
        let pool = workers(py)?;
        let columns = detached(py, || {
            self.network.check(&batch.0)?;
            let histories = transitions::decode(pool.threads(), &self.network, &batch.0, batch.0.starts());
            Ok::<_, KernelError>(entity_columns(&batch.0, &histories))
        })?;
        let [docs, starts, ends, labels] = columns.map(|column| column.into_pyarray(py));
        Ok((docs, starts, ends, labels))
    }

    /// The same way's actions: int32 (n_tokens,), -1 behind a token without an allowed action; and the scores of all
    /// actions at every step, float32 (n_tokens, n_actions).
    fn decode_with_scores<'py>(&self, py: Python<'py>, batch: &BiluoBatch) -> PyResult<TakenAndScores<'py>> {
        let pool = workers(py)?;
        let (n_tokens, n_actions) = (self.network.n_tokens(), self.network.n_actions());
        let (actions, scores) = detached(py, || {
            self.network.check(&batch.0)?;
            let (mut actions, mut scores) = (vec![-1; n_tokens], vec![0.0; n_tokens * n_actions]);
            let starts = batch.0.starts();
            let paths = transitions::decode_with_scores(pool.threads(), &self.network, &batch.0, starts);
            for (doc, (history, rows)) in batch.0.docs().iter().zip(paths) {
                let first = doc.start as usize;
                let taken = actions[first..].iter_mut().zip(history);
                taken.for_each(|(action, taken)| *action = taken as i32);
                scores[first * n_actions..][..rows.len()].copy_from_slice(&rows);
            }
            Ok::<_, KernelError>((actions, scores))
        })?;
        Ok((actions.into_pyarray(py), scores.into_pyarray(py).reshape([n_tokens, n_actions])?))
    }

    /// What gold annotation teaches about a batch.
    ///
    /// gold: uint32 (n_tokens, 2), kind (0 unknown, else as for actions) and label. negatives: uint32 (n_spans, 3), first
    /// token, behind the last (counted through the batch) and label of spans that are no entities. longest: documents
    /// of so many tokens or more are learned in pieces; 0 for never. drop, seed: dropout of the hidden numbers.
    #[allow(clippy::too_many_arguments)]
    fn learn(
        &self,
        py: Python<'_>,
        batch: &BiluoBatch,
        gold: PyReadonlyArray2<'_, u32>,
        negatives: PyReadonlyArray2<'_, u32>,
        longest: usize,
        drop: f32,
        seed: u64,
    ) -> PyResult<TransitionTrace> {
        expect_columns("gold", 2, gold.shape()[1])?;
        expect_columns("negatives", 3, negatives.shape()[1])?;
        let span = |row: &[u32]| NegativeSpan { start: row[0], end: row[1], label: row[2] };
        let negatives = negatives.as_slice()?.chunks_exact(3).map(span).collect();
        let gold =
            BiluoGold::new(&batch.0, moves(gold.as_slice()?)?, negatives).map_err(IntoPyErr::into_py_err)?;
        let pool = workers(py)?;
        detached(py, || {
            self.network.check(&batch.0)?;
            let segments = gold.segments(&batch.0, longest);
            let lesson = GoldLesson(&gold);
            let dropout = Dropout::new(drop, seed, 0);
            let trace =
                transitions::follow(pool.threads(), &self.network, &batch.0, &lesson, segments, dropout);
            Ok::<_, KernelError>(TransitionTrace(trace))
        })
    }

    /// What another network, set up for the same tokens, teaches about a batch.
    ///
    /// actions: int32 (teacher's n_actions,), the own action for each output of the teacher, -1 where there is none;
    /// several for one add up. temperature: flattens both distributions first.
    #[allow(clippy::too_many_arguments)]
    fn learn_from(
        &self,
        py: Python<'_>,
        teacher: &TransitionNetwork,
        actions: PyReadonlyArray1<'_, i32>,
        batch: &BiluoBatch,
        temperature: f64,
        drop: f32,
        seed: u64,
    ) -> PyResult<TransitionTrace> {
        self.taught(
            py,
            TaughtBy::Network(&teacher.network),
            actions.as_slice()?,
            batch,
            temperature,
            (drop, seed),
        )
    }

    /// What the scores of another network, kept from before, teach about a batch.
    ///
    /// rows: float32 (n_tokens, n_teacher_actions), as `decode_with_scores` gives them. The other arguments are those of
    /// `learn_from`.
    #[allow(clippy::too_many_arguments)]
    fn learn_from_rows(
        &self,
        py: Python<'_>,
        rows: PyReadonlyArray2<'_, f32>,
        actions: PyReadonlyArray1<'_, i32>,
        batch: &BiluoBatch,
        temperature: f64,
        drop: f32,
        seed: u64,
    ) -> PyResult<TransitionTrace> {
        let width = rows.shape()[1];
        let teacher = TaughtBy::Rows(rows.as_slice()?, width);
        self.taught(py, teacher, actions.as_slice()?, batch, temperature, (drop, seed))
    }

    /// The gradients of what `trace` holds, times `scale`: of the tokens, the lower weights, bias and padding, and of the
    /// upper weights and bias or None; each of the shape of what it belongs to.
    fn backprop<'py>(
        &self,
        py: Python<'py>,
        trace: &TransitionTrace,
        scale: f32,
    ) -> PyResult<GradientArrays<'py>> {
        let pool = workers(py)?;
        let grads = detached(py, || self.network.backprop(pool.threads(), &trace.0, scale))?;
        let [n_features, hidden, pieces, width] = self.lower_shape;
        let n_actions = self.network.n_actions();
        let upper = if grads.upper_bias.is_empty() {
            None
        } else {
            let weights = grads.upper_weights.into_pyarray(py).reshape([n_actions, hidden])?;
            Some((weights, grads.upper_bias.into_pyarray(py)))
        };
        Ok((
            grads.tokens.into_pyarray(py).reshape([self.network.n_tokens(), width])?,
            grads.weights.into_pyarray(py).reshape(vec![n_features, hidden, pieces, width])?,
            grads.bias.into_pyarray(py).reshape(vec![hidden, pieces])?,
            grads.padding.into_pyarray(py).reshape(vec![1, n_features, hidden, pieces])?,
            upper,
        ))
    }
}

impl TransitionNetwork {
    fn taught(
        &self,
        py: Python<'_>,
        teacher: TaughtBy<'_>,
        actions: &[i32],
        batch: &BiluoBatch,
        temperature: f64,
        (drop, seed): (f32, u64),
    ) -> PyResult<TransitionTrace> {
        let pool = workers(py)?;
        detached(py, || {
            self.network.check(&batch.0)?;
            let lesson = TeacherLesson::new(teacher, &self.network, actions, temperature)?;
            let starts = batch.0.starts().into_iter();
            let segments =
                starts.map(|state| Segment { state, n_steps: (state.end - state.next) as usize }).collect();
            let dropout = Dropout::new(drop, seed, 0);
            let trace =
                transitions::follow(pool.threads(), &self.network, &batch.0, &lesson, segments, dropout);
            Ok::<_, KernelError>(TransitionTrace(trace))
        })
    }
}

pub(crate) fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<TransitionNetwork>()?;
    m.add_class::<TransitionTrace>()
}
