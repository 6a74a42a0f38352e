//! One step of SGD, Adam or RAdam for one parameter: regularization, clipping, moments, weights, decay and averages in
//! one pass.
//!
//! The order of operations, and so the numbers, are those of thinc's `Optimizer.__call__`.

use crate::KernelError;
use crate::simd::{Isa, Simd};
use crate::threads::Threads;

/// Where a step goes, once the moments have been updated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Direction {
    /// `first moment / (√second moment + eps)`
    Adam {
        /// What keeps the quotient finite.
        eps: f32,
    },
    /// The first moment: RAdam's first steps.
    Momentum,
    /// The gradient; there are no moments.
    Gradient,
}

/// The numbers of a step, already scaled for the time they are used at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Where to.
    pub direction: Direction,
    /// How far: the learning rate, with the corrections of the moments.
    pub rate: f32,
    /// How much of the first moment stays, and how much of the gradient is added.
    pub first: (f32, f32),
    /// How much of the second moment stays, and how much of the squared gradient is added.
    pub second: (f32, f32),
    /// The gradient is scaled to this norm if its own is as large or larger; 0 is never.
    pub clip: f32,
    /// So much of the weights is added to the gradient first.
    pub l2: f32,
    /// So much of the weights is taken off them last.
    pub decay: f32,
}

/// Moving averages of the weights, and how far they move.
#[derive(Debug)]
pub struct Averages<'a> {
    /// The averages.
    pub numbers: &'a mut [f32],
    /// The share of the difference that is added.
    pub rate: f32,
}

/// A parameter and what belongs to it, all of one length. The moments are empty for [`Direction::Gradient`].
#[derive(Debug)]
pub struct Tensors<'a> {
    /// Changed.
    pub weights: &'a mut [f32],
    /// Zero afterwards.
    pub gradient: &'a mut [f32],
    /// The first moment, changed.
    pub first: &'a mut [f32],
    /// The second moment, changed.
    pub second: &'a mut [f32],
    /// Changed if there are any.
    pub averages: Option<Averages<'a>>,
}

/// Numbers per task; a multiple of every vector length, so that cutting does not change which lanes meet.
const TASK: usize = 1 << 15;

/// Makes one step and sets the gradient to zero.
///
/// The same bits for every number of threads.
///
/// # Errors
/// [`KernelError::Shape`] if the slices differ in length. Nothing is changed then.
pub fn optimizer_step(
    isa: Isa,
    threads: Threads<'_>,
    step: Step,
    tensors: Tensors<'_>,
) -> Result<(), KernelError> {
    let n = tensors.weights.len();
    KernelError::expect_len("optimizer_step: the gradient", n, tensors.gradient.len())?;
    let n_moments = if step.direction == Direction::Gradient { 0 } else { n };
    KernelError::expect_len("optimizer_step: the first moment", n_moments, tensors.first.len())?;
    KernelError::expect_len("optimizer_step: the second moment", n_moments, tensors.second.len())?;
    if let Some(averages) = &tensors.averages {
        KernelError::expect_len("optimizer_step: the averages", n, averages.numbers.len())?;
    }
    let scale = clip_scale(isa, threads, &step, &tensors);
    let mut parts = Vec::with_capacity(n.div_ceil(TASK));
    let mut moments = tensors.first.chunks_mut(TASK).zip(tensors.second.chunks_mut(TASK));
    let (mut averages, rate) = match tensors.averages {
        Some(averages) => (averages.numbers.chunks_mut(TASK), averages.rate),
        None => (<&mut [f32]>::default().chunks_mut(TASK), 0.0),
    };
    for (weights, gradient) in tensors.weights.chunks_mut(TASK).zip(tensors.gradient.chunks_mut(TASK)) {
        let (first, second) = moments.next().unwrap_or_default();
        let averages = averages.next().map(|numbers| Averages { numbers, rate });
        parts.push(Tensors { weights, gradient, first, second, averages });
    }
    threads.each(parts, |mut part| step_part(isa, step, scale, &mut part));
    Ok(())
}

/// By how much the gradient, with regularization, is scaled.
fn clip_scale(isa: Isa, threads: Threads<'_>, step: &Step, tensors: &Tensors<'_>) -> f32 {
    if step.clip == 0.0 {
        return 1.0;
    }
    let mut sums = vec![0.0; tensors.gradient.len().div_ceil(TASK)];
    let tasks: Vec<_> =
        tensors.gradient.chunks(TASK).zip(tensors.weights.chunks(TASK)).zip(&mut sums).collect();
    threads.each(tasks, |((gradient, weights), sum)| *sum = sum_squares(isa, gradient, weights, step.l2));
    let norm = sums.iter().map(|&sum| f64::from(sum)).sum::<f64>().sqrt();
    let clip = f64::from(step.clip);
    if norm >= clip { (clip / norm) as f32 } else { 1.0 }
}

#[inline(always)]
fn sum_squares_body<S: Simd>(simd: S, gradient: &[f32], weights: &[f32], l2: f32) -> f32 {
    let (gradients, gradient_rest) = simd.chunks(gradient);
    let zero = simd.splat(0.0);
    // Independent sums: one alone waits for itself.
    let mut sums = [zero; 4];
    if l2 == 0.0 {
        for (index, gradient) in gradients.iter().enumerate() {
            let g = simd.load(gradient);
            sums[index % 4] = simd.mul_add(g, g, sums[index % 4]);
        }
        let g = simd.load_partial(gradient_rest, 0.0);
        sums[0] = simd.mul_add(g, g, sums[0]);
        return simd.sum(simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3])));
    }
    let l2 = simd.splat(l2);
    let (weights, weight_rest) = simd.chunks(weights);
    for (index, (gradient, weight)) in gradients.iter().zip(weights).enumerate() {
        let g = simd.mul_add(l2, simd.load(weight), simd.load(gradient));
        sums[index % 4] = simd.mul_add(g, g, sums[index % 4]);
    }
    let g = simd.mul_add(l2, simd.load_partial(weight_rest, 0.0), simd.load_partial(gradient_rest, 0.0));
    sums[0] = simd.mul_add(g, g, sums[0]);
    simd.sum(simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3])))
}

crate::dispatch! {
    fn sum_squares(gradient: &[f32], weights: &[f32], l2: f32) -> f32 = sum_squares_body;
}

/// A step's numbers in every lane.
struct Lanes<V> {
    rate: V,
    keep_first: V,
    add_first: V,
    keep_second: V,
    add_second: V,
    eps: V,
    scale: V,
    l2: V,
    decay: V,
    average: V,
}

#[inline(always)]
fn step_part_body<S: Simd>(simd: S, step: Step, scale: f32, part: &mut Tensors<'_>) {
    match step.direction {
        Direction::Adam { eps } => run::<S, 0>(simd, step, eps, scale, part),
        Direction::Momentum => run::<S, 1>(simd, step, 0.0, scale, part),
        Direction::Gradient => run::<S, 2>(simd, step, 0.0, scale, part),
    }
}

crate::dispatch! {
    fn step_part(step: Step, scale: f32, part: &mut Tensors<'_>) -> () = step_part_body;
}

#[inline(always)]
fn run<S: Simd, const DIRECTION: u8>(simd: S, step: Step, eps: f32, scale: f32, part: &mut Tensors<'_>) {
    let (numbers, average) = match &mut part.averages {
        Some(averages) => (&mut *averages.numbers, averages.rate),
        None => (&mut [][..], 0.0),
    };
    let lanes = Lanes {
        rate: simd.splat(step.rate),
        keep_first: simd.splat(step.first.0),
        add_first: simd.splat(step.first.1),
        keep_second: simd.splat(step.second.0),
        add_second: simd.splat(step.second.1),
        eps: simd.splat(eps),
        scale: simd.splat(scale),
        l2: simd.splat(step.l2),
        decay: simd.splat(step.decay),
        average: simd.splat(average),
    };
    let zero = simd.splat(0.0);
    let (weights, weight_rest) = simd.chunks_mut(part.weights);
    let (gradients, gradient_rest) = simd.chunks_mut(part.gradient);
    let (firsts, first_rest) = simd.chunks_mut(part.first);
    let (seconds, second_rest) = simd.chunks_mut(part.second);
    let (averages, average_rest) = simd.chunks_mut(numbers);
    let mut moments = firsts.iter_mut().zip(seconds);
    let mut averages = averages.iter_mut();
    for (weight, gradient) in weights.iter_mut().zip(gradients) {
        let moment = if DIRECTION < 2 { moments.next() } else { None };
        let (mut first, mut second) = (zero, zero);
        if let Some((from_first, from_second)) = &moment {
            first = simd.load(from_first);
            second = simd.load(from_second);
        }
        let new =
            move_weight::<S, DIRECTION>(simd, &lanes, simd.load(weight), simd.load(gradient), first, second);
        simd.store(weight, new.0);
        simd.store(gradient, zero);
        if let Some((to_first, to_second)) = moment {
            simd.store(to_first, new.1);
            simd.store(to_second, new.2);
        }
        if let Some(average) = averages.next() {
            simd.store(average, move_average(simd, &lanes, simd.load(average), new.0));
        }
    }
    let first = simd.load_partial(first_rest, 0.0);
    let second = simd.load_partial(second_rest, 0.0);
    let (weight, gradient) = (simd.load_partial(weight_rest, 0.0), simd.load_partial(gradient_rest, 0.0));
    let new = move_weight::<S, DIRECTION>(simd, &lanes, weight, gradient, first, second);
    simd.store_partial(weight_rest, new.0);
    simd.store_partial(gradient_rest, zero);
    simd.store_partial(first_rest, new.1);
    simd.store_partial(second_rest, new.2);
    let average = simd.load_partial(average_rest, 0.0);
    simd.store_partial(average_rest, move_average(simd, &lanes, average, new.0));
}

/// The new weight and moments.
#[inline(always)]
fn move_weight<S: Simd, const DIRECTION: u8>(
    simd: S,
    lanes: &Lanes<S::F32>,
    weight: S::F32,
    gradient: S::F32,
    first: S::F32,
    second: S::F32,
) -> (S::F32, S::F32, S::F32) {
    let gradient = simd.mul(simd.mul_add(lanes.l2, weight, gradient), lanes.scale);
    let first = simd.mul_add(gradient, lanes.add_first, simd.mul(first, lanes.keep_first));
    let square = simd.mul(gradient, gradient);
    let second = simd.mul_add(square, lanes.add_second, simd.mul(second, lanes.keep_second));
    let direction = match DIRECTION {
        0 => simd.div(first, simd.add(simd.sqrt(second), lanes.eps)),
        1 => first,
        _ => gradient,
    };
    let weight = simd.neg_mul_add(lanes.rate, direction, weight);
    (simd.neg_mul_add(lanes.decay, weight, weight), first, second)
}

#[inline(always)]
fn move_average<S: Simd>(simd: S, lanes: &Lanes<S::F32>, average: S::F32, weight: S::F32) -> S::F32 {
    simd.neg_mul_add(lanes.average, simd.sub(average, weight), average)
}
