//! One step of SGD, Adam or RAdam: regularization, clipping, moments, weights, decay and averages in
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
const TASK: usize = 1 << 13;

/// Makes one step for each of some parameters and sets their gradients to zero.
///
/// The same bits for every number of threads, and for a parameter whatever others are stepped with it.
///
/// # Errors
/// [`KernelError::Shape`] if the slices of a parameter differ in length. Nothing is changed then.
pub fn optimizer_steps(
    isa: Isa,
    threads: Threads<'_>,
    params: Vec<(Step, Tensors<'_>)>,
) -> Result<(), KernelError> {
    for (step, tensors) in &params {
        tensors.check(step)?;
    }
    let scales = clip_scales(isa, threads, &params);
    let mut parts = Vec::new();
    for ((step, tensors), scale) in params.into_iter().zip(scales) {
        parts.extend(tensors.parts().map(|part| (step, scale, part)));
    }
    threads.each(parts, |(step, scale, mut part)| step_part(isa, step, scale, &mut part));
    Ok(())
}

impl<'a> Tensors<'a> {
    fn check(&self, step: &Step) -> Result<(), KernelError> {
        let n = self.weights.len();
        KernelError::expect_len("optimizer_step: the gradient", n, self.gradient.len())?;
        let n_moments = if step.direction == Direction::Gradient { 0 } else { n };
        KernelError::expect_len("optimizer_step: the first moment", n_moments, self.first.len())?;
        KernelError::expect_len("optimizer_step: the second moment", n_moments, self.second.len())?;
        match &self.averages {
            Some(averages) => {
                KernelError::expect_len("optimizer_step: the averages", n, averages.numbers.len())
            }
            None => Ok(()),
        }
    }

    /// Cuts the parameter into what one task steps.
    fn parts(self) -> impl Iterator<Item = Tensors<'a>> {
        let mut moments = self.first.chunks_mut(TASK).zip(self.second.chunks_mut(TASK));
        let (mut averages, rate) = match self.averages {
            Some(averages) => (averages.numbers.chunks_mut(TASK), averages.rate),
            None => (<&mut [f32]>::default().chunks_mut(TASK), 0.0),
        };
        self.weights.chunks_mut(TASK).zip(self.gradient.chunks_mut(TASK)).map(move |(weights, gradient)| {
            let (first, second) = moments.next().unwrap_or_default();
            let averages = averages.next().map(|numbers| Averages { numbers, rate });
            Tensors { weights, gradient, first, second, averages }
        })
    }
}

/// By how much the gradient of each parameter, with regularization, is scaled.
fn clip_scales(isa: Isa, threads: Threads<'_>, params: &[(Step, Tensors<'_>)]) -> Vec<f32> {
    let mut tasks = Vec::new();
    for (index, (step, tensors)) in params.iter().enumerate().filter(|(_, (step, _))| step.clip != 0.0) {
        let parts = tensors.gradient.chunks(TASK).zip(tensors.weights.chunks(TASK));
        tasks.extend(parts.map(|(gradient, weights)| (index, gradient, weights, step.l2)));
    }
    let sums =
        threads.map(tasks, |(index, gradient, weights, l2)| (index, sum_squares(isa, gradient, weights, l2)));
    let mut squares = vec![0.0; params.len()];
    for (index, sum) in sums {
        squares[index] += f64::from(sum);
    }
    let scale =
        |(norm, clip): (f64, f64)| if norm >= clip && clip != 0.0 { (clip / norm) as f32 } else { 1.0 };
    squares.iter().zip(params).map(|(sum, (step, _))| scale((sum.sqrt(), f64::from(step.clip)))).collect()
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
