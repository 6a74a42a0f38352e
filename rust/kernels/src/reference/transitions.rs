//! The scores of a state as plain loops.

use crate::transitions::NetworkParams;

/// The score of each action in the state that shows the tokens `context`, -1 where there is none.
///
/// tokens: (n_tokens, width). rectified: whether negative hidden numbers become zero.
#[must_use]
pub fn scores(params: &NetworkParams<'_>, tokens: &[f32], context: &[i32], rectified: bool) -> Vec<f64> {
    let NetworkParams { hidden, pieces, width, .. } = *params;
    let piece = |unit: usize, piece: usize| {
        let mut sum = f64::from(params.bias[unit * pieces + piece]);
        for (place, &token) in context.iter().enumerate() {
            let output = (place * hidden + unit) * pieces + piece;
            if token < 0 {
                sum += f64::from(params.padding[output]);
                continue;
            }
            for i in 0..width {
                let number = f64::from(tokens[token as usize * width + i]);
                sum += number * f64::from(params.weights[output * width + i]);
            }
        }
        sum
    };
    let hidden_numbers: Vec<f64> = (0..hidden)
        .map(|unit| (0..pieces).map(|i| piece(unit, i)).fold(f64::NEG_INFINITY, f64::max))
        .map(|number| if rectified { number.max(0.0) } else { number })
        .collect();
    let Some((weights, bias)) = params.upper else { return hidden_numbers };
    let score = |(row, &bias): (&[f32], &f32)| {
        let products = row.iter().zip(&hidden_numbers).map(|(&weight, number)| f64::from(weight) * number);
        f64::from(bias) + products.sum::<f64>()
    };
    weights.chunks_exact(hidden).zip(bias).map(score).collect()
}
