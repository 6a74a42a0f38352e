//! Cross-entropy with one label a row: missing, negative and smoothed labels, class and row weights.

use super::{Reduction, Weights, row_factor};
use crate::KernelError;
use crate::real::Real;
use crate::reference::losses as reference;
use crate::rows::batches::{self, Course, Task};
use crate::rows::blocks::{is_streamed, sum_blocks, with_scratch};
use crate::rows::free::{self, FreeJob, Group, per_row};
use crate::rows::job::{ExpSum, RowJob, Stats};
use crate::rows::sweep::Affine;
use crate::rows::{Machine, Rows, RowsMut, check_like};
use crate::simd::{MOST_LANES, Simd, math, math::Powers};

/// A label a row, and how to read it.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// A column number for each row, or [`missing`](Self::missing).
    pub labels: &'a [i64],
    /// The label of rows that are left out.
    pub missing: i64,
    /// Rows whose label is known to be wrong: their loss is `-ln(1 - p_label)`. None if absent.
    pub negative: Option<&'a [bool]>,
    /// The share `s` of the target that goes to the other labels, as thinc's `to_categorical` does it: `1 - s` for
    /// the label, `s / (width - 1)` for each other. From 0 to 1, 1 excluded.
    pub smoothing: f64,
}

impl<'a> Labels<'a> {
    /// Plain labels; -1 is missing.
    #[must_use]
    pub fn new(labels: &'a [i64]) -> Self {
        Self { labels, missing: -1, negative: None, smoothing: 0.0 }
    }

    /// The target of the label and of each other class.
    pub(super) fn peak_and_rest<T: Real>(&self, width: usize) -> (T, T) {
        if self.smoothing == 0.0 {
            return (T::ONE, T::ZERO);
        }
        (T::of(1.0 - self.smoothing), T::of(self.smoothing / (width as f64 - 1.0)))
    }

    pub(super) fn is_negative(&self, row: usize) -> bool {
        self.negative.is_some_and(|negative| negative[row])
    }

    /// The column of a row's label; None if it is missing.
    pub(super) fn column(&self, row: usize) -> Option<usize> {
        let label = self.labels[row];
        if label == self.missing { None } else { usize::try_from(label).ok() }
    }
}

pub(super) fn check<T: Real>(
    what: &'static str,
    logits: Rows<'_, T>,
    labels: &Labels<'_>,
    weights: &Weights<'_, T>,
    out: &RowsMut<'_, T>,
) -> Result<(), KernelError> {
    let (n_rows, width) = (logits.n_rows(), logits.width());
    check_like(what, logits, out.n_rows(), out.width())?;
    weights.check(n_rows, width)?;
    for found in [labels.labels.len(), labels.negative.map_or(n_rows, <[bool]>::len)] {
        if found != n_rows {
            let expected = format!("a label for each of {n_rows} rows");
            return Err(KernelError::Shape { what, expected, found: found.to_string() });
        }
    }
    if !(0.0..1.0).contains(&labels.smoothing) || labels.smoothing > 0.0 && width == 1 {
        return Err(KernelError::Value {
            what: "label smoothing",
            expected: "from 0 to less than 1, and 0 if there is one class".to_owned(),
            found: format!("{} with {width} classes", labels.smoothing),
        });
    }
    let is_wrong = |label: &i64| (*label != labels.missing) & !(0..width as i64).contains(label);
    // Without a way out of the loop it takes several labels at a time.
    let wrong = labels.labels.iter().filter(|label| is_wrong(label)).count();
    match if wrong == 0 { None } else { labels.labels.iter().position(is_wrong) } {
        None => Ok(()),
        Some(position) => Err(KernelError::Index {
            what: "labels",
            position,
            found: labels.labels[position],
            expected: format!("0 to {} or {} for missing", width as i64 - 1, labels.missing),
        }),
    }
}

/// What the mean divides the loss by: over the rows that have a label, their weights times those of their labels' classes.
pub(super) fn total_weight<T: Real>(labels: &Labels<'_>, weights: &Weights<'_, T>) -> f64 {
    if weights.rows.is_none() && weights.classes.is_none() {
        return labels.labels.iter().filter(|&&label| label != labels.missing).count() as f64;
    }
    let of_class = |column: usize| weights.classes.map_or(1.0, |w| w[column].wide());
    (0..labels.labels.len())
        .filter_map(|row| labels.column(row).map(|column| weights.row(row).wide() * of_class(column)))
        .sum()
}

/// What makes vector and reference code differ.
pub(super) trait CrossEntropy: Real {
    fn run(
        machine: Machine<'_>,
        logits: Rows<'_, Self>,
        labels: &Labels<'_>,
        weights: Weights<'_, Self>,
        reduction: Reduction,
        out: RowsMut<'_, Self>,
    ) -> f64;
}

impl CrossEntropy for f64 {
    fn run(
        machine: Machine<'_>,
        logits: Rows<'_, f64>,
        labels: &Labels<'_>,
        weights: Weights<'_, f64>,
        reduction: Reduction,
        out: RowsMut<'_, f64>,
    ) -> f64 {
        by_loops(machine, logits, labels, weights, reduction, out)
    }
}

/// The definition, over the reference's rows.
pub(crate) fn by_loops<T: Real>(
    machine: Machine<'_>,
    logits: Rows<'_, T>,
    labels: &Labels<'_>,
    weights: Weights<'_, T>,
    reduction: Reduction,
    out: RowsMut<'_, T>,
) -> f64 {
    let width = logits.width();
    let (peak, rest) = labels.peak_and_rest::<T>(width);
    let factor = row_factor(reduction, || total_weight(labels, &weights));
    let total = sum_blocks(machine, out, |rows, mut out| {
        let mut targets = vec![rest; width];
        let mut total = 0.0;
        for (i, row) in rows.enumerate() {
            let (x, out) = (logits.row(row), out.row_mut(i));
            let weight = weights.row(row).wide();
            let Some(label) = labels.column(row).filter(|_| weight > 0.0) else {
                out.fill(T::ZERO);
                continue;
            };
            if labels.is_negative(row) {
                let weight = weight * weights.classes.map_or(1.0, |w| w[label].wide());
                total +=
                    weight * reference::negative_cross_entropy(x, label, T::of(weight * factor), out).wide();
            } else {
                targets[label] = peak;
                let scale = T::of(weight * factor);
                total +=
                    weight * reference::soft_cross_entropy(x, &targets, weights.classes, scale, out).wide();
                targets[label] = rest;
            }
        }
        total
    });
    total * factor
}

/// A label with a smaller share of the sum is done with care: its exponential may have few digits.
const MOST_RATIO: f32 = 1.0e18;

struct Job<'a> {
    labels: Labels<'a>,
    weights: Weights<'a, f32>,
    /// What multiplies every gradient.
    factor: f64,
    /// The target of the label, and of each other class.
    peak: f32,
    rest: f32,
    /// `Σ w_c`
    class_total: f32,
    /// `Σ w_r l_r` so far.
    loss: f64,
}

impl Job<'_> {
    fn class_weight(&self, class: usize) -> f32 {
        self.weights.classes.map_or(1.0, |weights| weights[class])
    }

    /// `Σ_c w_c (x_c - max)`, for the part of a smoothed target that all classes share.
    fn spread(&self, logits: &[f32], max: f32) -> f32 {
        let mut sum = 0.0;
        for (c, x) in logits.iter().enumerate() {
            let weight = self.class_weight(c);
            sum += if weight == 0.0 { 0.0 } else { weight * (x - max) };
        }
        sum
    }

    /// Takes the smoothed target off where the gradient is `scale * kept`.
    fn smooth(&self, kept: &mut [f32], scale: f32, weight: f32) -> Affine<1> {
        let shift = -weight * self.rest;
        if self.weights.classes.is_none() {
            return Affine { scale: [scale], shift };
        }
        for (c, kept) in kept.iter_mut().enumerate() {
            *kept = scale * *kept + shift * self.class_weight(c);
        }
        Affine { scale: [1.0], shift: 0.0 }
    }
}

impl RowJob<1, 1> for Job<'_> {
    type Through = ExpSum;
    type Finish = Affine<1>;
    const KEEP: bool = true;
    const LOGITS: usize = 1;
    const LOGS: usize = 1;

    #[inline(always)]
    fn finish(
        &mut self,
        row: usize,
        [logits]: [&[f32]; 1],
        stats: &Stats<1, 1>,
        [kept]: &mut [&mut [f32]; 1],
    ) -> Affine<1> {
        let (max, sum, ln_sum) = (stats.maxima[0], stats.sums[0], stats.logs[0]);
        let row_weight = self.weights.row(row);
        let Some(label) = self.labels.column(row).filter(|_| row_weight > 0.0) else {
            return Affine::ZERO;
        };
        let class_weight = self.class_weight(label);
        if self.labels.is_negative(row) {
            let weight = f64::from(row_weight) * f64::from(class_weight);
            let loss = reference::negative_cross_entropy(logits, label, 1.0, &mut kept[..logits.len()]);
            self.loss += weight * f64::from(loss);
            return Affine { scale: [(weight * self.factor) as f32], shift: 0.0 };
        }
        // The target is `rest` everywhere and `above` more at the label.
        let above = (self.peak - self.rest) * class_weight;
        let total = above + self.rest * self.class_total;
        let mut loss = total * ln_sum;
        if above > 0.0 {
            loss -= above * (logits[label] - max);
        }
        if self.rest > 0.0 {
            loss -= self.rest * self.spread(logits, max);
        }
        self.loss += f64::from(row_weight) * f64::from(loss);

        let weight = (f64::from(row_weight) * self.factor) as f32;
        let scale = weight * total / sum;
        if total > 0.0 {
            // Before the row is scaled, so that it is written once.
            kept[label] -= above / total * sum;
        }
        if self.rest > 0.0 {
            self.smooth(&mut kept[..logits.len()], scale, weight)
        } else {
            Affine { scale: [scale], shift: 0.0 }
        }
    }
}

/// The target is the class weight at the label and 0 elsewhere.
impl FreeJob<1, 1> for Job<'_> {
    const MADE_OF: [usize; 1] = [0];

    #[inline(always)]
    fn terms<S: Simd>(simd: S, powers: &Powers<S>, [x]: [S::F32; 1]) -> [S::F32; 1] {
        [powers.of(simd, x)]
    }

    #[inline(always)]
    fn scales<S: Simd>(&mut self, simd: S, group: &mut Group<S, 1>, kept: &mut [f32]) -> [S::F32; 1] {
        let mut weights = per_row(simd, group.numbers(simd, self.weights.rows));
        let sums = per_row(simd, group.sums[0]);
        let mut ratios = [1.0; MOST_LANES];
        for i in 0..group.n_rows {
            match self.labels.column(group.first + i) {
                Some(label) if weights[i] > 0.0 => {
                    weights[i] *= self.class_weight(label);
                    let at = group.start_of(i) + label;
                    ratios[i] = sums[i] / kept[at];
                    // Before the row is scaled, so that it is written once; the whole vector, as it will be read.
                    let vector = at / S::LANES * S::LANES;
                    let is_label = simd.eq(simd.lane_numbers(), simd.splat((at - vector) as f32));
                    let lanes = simd.load_at(kept, vector);
                    let less = simd.sub(lanes, simd.splat(sums[i]));
                    simd.store_at(kept, vector, simd.select(is_label, less, lanes));
                }
                _ => weights[i] = 0.0,
            }
        }
        let factors = weights.map(|weight| (f64::from(weight) * self.factor) as f32);
        let ratios = simd.load_at(&ratios, 0);
        group.keep_where(simd, simd.lt(ratios, simd.splat(MOST_RATIO)));
        let losses = simd.mul(simd.load_at(&weights, 0), math::ln(simd, ratios));
        self.loss += f64::from(simd.sum(group.if_kept(simd, losses)));
        [simd.div(simd.load_at(&factors, 0), group.sums[0])]
    }
}

#[inline(always)]
fn body<S: Simd>(
    simd: S,
    job: &mut Job<'_>,
    course: Course,
    x: Rows<'_>,
    out: RowsMut<'_>,
    scratch: &mut [f32],
) {
    let task = Task { course, rows: [x], out, scratch };
    if job.rest == 0.0 && job.labels.negative.is_none() {
        free::run(simd, job, task);
    } else {
        batches::run(simd, job, task);
    }
}

crate::dispatch! {
    fn block(job: &mut Job<'_>, course: Course, x: Rows<'_>, out: RowsMut<'_>, scratch: &mut [f32]) -> () = body;
}

impl CrossEntropy for f32 {
    fn run(
        machine: Machine<'_>,
        logits: Rows<'_, f32>,
        labels: &Labels<'_>,
        weights: Weights<'_, f32>,
        reduction: Reduction,
        out: RowsMut<'_, f32>,
    ) -> f64 {
        let width = logits.width();
        let (peak, rest) = labels.peak_and_rest(width);
        let factor = row_factor(reduction, || total_weight(labels, &weights));
        let class_total = weights.classes.map_or(width as f32, |w| w.iter().sum());
        let streamed = is_streamed(logits.n_rows(), width, 1);
        let total = sum_blocks(machine, out, |rows, out| {
            let mut job = Job { labels: *labels, weights, factor, peak, rest, class_total, loss: 0.0 };
            let course = Course { first: rows.start, inverse: 1.0, streamed };
            with_scratch(free::scratch_for(1, 1, width), |scratch| {
                block(machine.isa, &mut job, course, logits.slice(rows), out, scratch);
            });
            job.loss
        });
        total * factor
    }
}
