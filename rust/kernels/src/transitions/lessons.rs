//! Two lessons: gold annotation, through what actions cost; and a teacher's distribution over actions.

use super::distribution::{self, check_temperature};
use super::follow::{Lesson, Step};
use super::network::Network;
use super::score::Scratch;
use super::{Oracle, TransitionSystem, best_valid};
use crate::KernelError;

/// Gold annotation. The loss is `-ln` of the probability that falls on actions of the lowest cost, among all actions;
/// the next state is what the network's own best allowed action leads to.
#[derive(Debug)]
pub struct GoldLesson<'a, O>(pub &'a O);

impl<T: TransitionSystem, O: Oracle<T>> Lesson<T> for GoldLesson<'_, O> {
    /// Of each score.
    type Room = Vec<f32>;

    fn room(&self, _system: &T) -> Vec<f32> {
        Vec::new()
    }

    fn grade(
        &self,
        powers: &mut Vec<f32>,
        system: &T,
        state: &T::State,
        step: Step<'_>,
    ) -> (f64, Option<usize>) {
        self.0.set_costs(system, state, step.valid, step.costs);
        let action = step.best();
        let lowest = step
            .costs
            .iter()
            .zip(step.valid)
            .filter(|(_, valid)| **valid)
            .fold(f32::INFINITY, |a, (&b, _)| a.min(b));
        // Two mistakes at once, a missed entity and a span known to be wrong, teach nothing about where to go instead.
        if lowest > 1.0 {
            return (0.0, action);
        }
        let costs: &[f32] = step.costs;
        let is_good = |action: usize| costs[action] <= lowest;
        let highest = best_of(step.scores, |_| true);
        let best_good = best_of(step.scores, is_good);
        if best_good == f32::NEG_INFINITY {
            return (0.0, action);
        }
        powers.resize(step.scores.len(), 0.0);
        let total = distribution::powers(step.isa, step.scores, highest, powers);
        step.d_scores.iter_mut().zip(powers).for_each(|(d_score, power)| *d_score = *power / total);
        let good = || (0..step.scores.len()).filter(|&action| is_good(action));
        let power = |action: usize| f64::from(step.scores[action] - best_good).exp();
        let is_only = good().nth(1).is_none();
        let good_total: f64 = if is_only { 1.0 } else { good().map(power).sum() };
        for action in good() {
            step.d_scores[action] -= if is_only { 1.0 } else { (power(action) / good_total) as f32 };
        }
        let loss = f64::from(highest - best_good) + f64::from(total).ln() - good_total.ln();
        (loss, action)
    }
}

fn best_of(scores: &[f32], among: impl Fn(usize) -> bool) -> f32 {
    let chosen = scores.iter().enumerate().filter(|&(action, _)| among(action));
    chosen.fold(f32::NEG_INFINITY, |best, (_, &score)| best.max(score))
}

/// Where a teacher's scores come from.
#[derive(Clone, Copy, Debug)]
pub enum TaughtBy<'a> {
    /// A network set up for the same tokens: it scores the very state.
    Network(&'a Network),
    /// Scores kept from before, a row of so many for each token of the batch: those of the state in which the teacher
    /// came to that token on its own way.
    Rows(&'a [f32], usize),
}

impl TaughtBy<'_> {
    fn n_actions(self) -> usize {
        match self {
            TaughtBy::Network(network) => network.n_actions,
            TaughtBy::Rows(_, width) => width,
        }
    }

    fn check(self, n_tokens: usize) -> Result<(), KernelError> {
        match self {
            TaughtBy::Network(network) => network.check_batch(n_tokens),
            TaughtBy::Rows(rows, width) => {
                KernelError::expect_len("transitions: the teacher's rows", n_tokens * width, rows.len())
            }
        }
    }
}

/// A teacher's scores for the same tokens. The loss is KL(teacher ‖ student) over the actions that both have; the next
/// state is what the teacher's best allowed action of these leads to.
///
/// Several outputs of the teacher may stand for one action of the student: their probabilities add up. So a student
/// without a label learns that what the teacher calls by that label is outside.
#[derive(Debug)]
pub struct TeacherLesson<'a> {
    teacher: TaughtBy<'a>,
    actions: &'a [i32],
    /// Whether some output of the teacher stands for each of the student's actions.
    known: Vec<bool>,
    temperature: f64,
}

impl<'a> TeacherLesson<'a> {
    /// actions: the student's action for each output of the teacher, -1 where it has none. temperature: flattens both
    /// distributions first; loss and gradient are scaled by its square.
    ///
    /// # Errors
    /// [`KernelError::Shape`], [`KernelError::Index`] or [`KernelError::Value`].
    pub fn new(
        teacher: TaughtBy<'a>,
        student: &Network,
        actions: &'a [i32],
        temperature: f64,
    ) -> Result<TeacherLesson<'a>, KernelError> {
        teacher.check(student.n_tokens())?;
        KernelError::expect_len("transitions: the teacher's actions", teacher.n_actions(), actions.len())?;
        let wrong = |&action: &i32| action >= student.n_actions as i32;
        if let Some(position) = actions.iter().position(wrong) {
            return Err(KernelError::Index {
                what: "transitions: the teacher's actions",
                position,
                found: i64::from(actions[position]),
                expected: format!("below {}, the student's outputs", student.n_actions),
            });
        }
        check_temperature(temperature)?;
        let mut known = vec![false; student.n_actions];
        actions.iter().filter(|&&action| action >= 0).for_each(|&action| known[action as usize] = true);
        Ok(TeacherLesson { teacher, actions, known, temperature })
    }

    /// The teacher's scores in the student's order, negative infinity where it has none.
    fn translate(&self, teacher: &[f32], scores: &mut [f32]) {
        scores.fill(f32::NEG_INFINITY);
        for (&score, &action) in teacher.iter().zip(self.actions).filter(|(_, action)| **action >= 0) {
            let sum = &mut scores[action as usize];
            // ln(exp(a) + exp(b)), which is b, to the bit, where there is no a.
            let (low, high) = (sum.min(score), sum.max(score));
            *sum = if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() };
        }
    }
}

/// Room for a [`TeacherLesson`].
#[derive(Debug)]
pub struct TeacherRoom {
    /// Where the teacher is a network.
    scratch: Option<Scratch>,
    /// In the student's order.
    scores: Vec<f32>,
    valid: Vec<bool>,
}

impl<T: TransitionSystem> Lesson<T> for TeacherLesson<'_> {
    type Room = TeacherRoom;

    fn room(&self, system: &T) -> TeacherRoom {
        TeacherRoom {
            scratch: match self.teacher {
                TaughtBy::Network(network) => Some(Scratch::new(network, system.n_actions())),
                TaughtBy::Rows(..) => None,
            },
            scores: vec![f32::NEG_INFINITY; self.known.len()],
            valid: vec![false; system.n_actions()],
        }
    }

    fn grade(
        &self,
        room: &mut TeacherRoom,
        system: &T,
        state: &T::State,
        step: Step<'_>,
    ) -> (f64, Option<usize>) {
        let of_teacher = match (self.teacher, &mut room.scratch) {
            (TaughtBy::Network(network), Some(scratch)) => {
                // The teacher may look at another number of tokens than the student.
                system.context(state, &mut scratch.context);
                network.score(None, scratch);
                &scratch.scores
            }
            (TaughtBy::Rows(rows, width), _) => &rows[system.next_token(state) * width..][..width],
            (TaughtBy::Network(_), None) => return (0.0, step.best()), // `room` makes one for every network
        };
        self.translate(of_teacher, &mut room.scores);
        room.valid.copy_from_slice(step.valid);
        room.valid.iter_mut().zip(&self.known).for_each(|(valid, known)| *valid &= known);
        let indices = || (0..self.known.len()).filter(|&index| self.known[index]);
        let of_teacher = log_total(indices().map(|index| room.scores[index]), self.temperature);
        let of_student = log_total(indices().map(|index| step.scores[index]), self.temperature);
        let mut loss = 0.0;
        for index in indices() {
            let teacher = f64::from(room.scores[index]) / self.temperature - of_teacher;
            let student = f64::from(step.scores[index]) / self.temperature - of_student;
            loss += teacher.exp() * (teacher - student);
            step.d_scores[index] = ((student.exp() - teacher.exp()) * self.temperature) as f32;
        }
        let action = best_valid(&room.scores, &room.valid).or_else(|| step.best());
        (loss * self.temperature * self.temperature, action)
    }
}

fn log_total(scores: impl Iterator<Item = f32> + Clone, temperature: f64) -> f64 {
    let highest = scores.clone().fold(f32::NEG_INFINITY, f32::max);
    if highest == f32::NEG_INFINITY {
        return 0.0;
    }
    let highest = f64::from(highest) / temperature;
    highest + scores.map(|score| (f64::from(score) / temperature - highest).exp()).sum::<f64>().ln()
}
