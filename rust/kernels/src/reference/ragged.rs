//! Windows and reductions of sequences of rows, and activations without exponentials, as plain loops in `f64`.

use crate::layers::piecewise::Piecewise;

/// Rows as vectors, one sequence after the other.
pub type Sequences = [Vec<Vec<f64>>];

/// Each row beside the `reach` rows before and after it; zeros where its sequence has none.
#[must_use]
pub fn windows(sequences: &Sequences, width: usize, reach: isize) -> Vec<f64> {
    let mut out = Vec::new();
    for rows in sequences {
        for row in 0..rows.len() as isize {
            for neighbour in row - reach..=row + reach {
                match usize::try_from(neighbour).ok().and_then(|neighbour| rows.get(neighbour)) {
                    Some(neighbour) => out.extend_from_slice(neighbour),
                    None => out.extend(vec![0.0; width]),
                }
            }
        }
    }
    out
}

/// The gradient of the rows, given that of their windows.
#[must_use]
pub fn backprop_windows(d_y: &[f64], lengths: &[i32], width: usize, reach: usize) -> Vec<f64> {
    let n_rows: usize = lengths.iter().map(|&length| length as usize).sum();
    let mut d_x = vec![0.0; n_rows * width];
    let mut start = 0;
    for &length in lengths {
        let end = start + length as usize;
        for row in start..end {
            for piece in 0..=2 * reach {
                let Some(neighbour) = (row + piece).checked_sub(reach) else { continue };
                if neighbour < start || neighbour >= end {
                    continue;
                }
                for column in 0..width {
                    d_x[neighbour * width + column] += d_y[(row * (2 * reach + 1) + piece) * width + column];
                }
            }
        }
        start = end;
    }
    d_x
}

/// The sum of each column.
#[must_use]
pub fn sum(rows: &[Vec<f64>], width: usize) -> Vec<f64> {
    (0..width).map(|column| rows.iter().map(|row| row[column]).sum()).collect()
}

/// The first largest number of each column and the row it stands in.
#[must_use]
pub fn largest(rows: &[Vec<f64>], width: usize) -> (Vec<f64>, Vec<i32>) {
    (0..width)
        .map(|column| {
            let best = (0..rows.len())
                .fold(0, |best, row| if rows[row][column] > rows[best][column] { row } else { best });
            (rows[best][column], best as i32)
        })
        .unzip()
}

fn clip(x: f64, low: f64, high: f64) -> f64 {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// The activation of a number.
#[must_use]
pub fn activate(kind: Piecewise, x: f64) -> f64 {
    match kind {
        Piecewise::Relu => {
            if x <= 0.0 {
                0.0
            } else {
                x
            }
        }
        Piecewise::ClippedLinear { slope, offset, low, high } => {
            clip(x * f64::from(slope) + f64::from(offset), f64::from(low), f64::from(high))
        }
        Piecewise::HardSwish => x * clip(x * 0.2 + 0.5, 0.0, 1.0),
        Piecewise::HardSwishMobilenet => x * clip(x + 3.0, 0.0, 6.0) / 6.0,
        Piecewise::Dish => x * (x / (x * x + 1.0).sqrt() + 1.0) * 0.5,
    }
}
