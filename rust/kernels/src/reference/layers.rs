//! Layers as plain loops in `f64`.

/// `left @ right`, both row-major: rows × depth and depth × columns.
#[must_use]
pub fn product(left: &[f64], right: &[f64], depth: usize, columns: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for row in left.chunks_exact(depth) {
        for column in 0..columns {
            out.push((0..depth).map(|k| row[k] * right[k * columns + column]).sum());
        }
    }
    out
}

/// The largest piece of each output of one row and which it is: `weights` outputs × pieces × depth.
#[must_use]
pub fn maxout(row: &[f64], weights: &[f64], bias: &[f64], pieces: usize) -> (Vec<f64>, Vec<u8>) {
    let sums: Vec<f64> = weights
        .chunks_exact(row.len())
        .zip(bias)
        .map(|(weights, bias)| bias + weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>())
        .collect();
    let winner =
        |sums: &[f64]| (1..pieces).fold(0, |best, piece| if sums[piece] > sums[best] { piece } else { best });
    sums.chunks_exact(pieces).map(|sums| (sums[winner(sums)], winner(sums) as u8)).unzip()
}

/// The row with mean 0 and variance 1 (1e-8 added to it), and 1 / standard deviation.
#[must_use]
pub fn normalize(row: &[f64]) -> (Vec<f64>, f64) {
    let width = row.len() as f64;
    let mean = row.iter().sum::<f64>() / width;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / width;
    let scale = 1.0 / (variance + 1e-8).sqrt();
    (row.iter().map(|x| (x - mean) * scale).collect(), scale)
}

/// The gradient of the row that was normalized, given that of the normalized row.
#[must_use]
pub fn backprop_normalize(d_row: &[f64], normalized: &[f64], scale: f64) -> Vec<f64> {
    let width = d_row.len() as f64;
    let mean = d_row.iter().sum::<f64>() / width;
    let product = d_row.iter().zip(normalized).map(|(d, x)| d * x).sum::<f64>() / width;
    d_row.iter().zip(normalized).map(|(d, x)| (d - mean - x * product) * scale).collect()
}
