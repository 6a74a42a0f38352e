//! Writing a model's predictions into a document.

use super::attr::Column;
use super::columns::Columns;
use super::error::DocError;

/// Where an index means "no prediction": the token is left as it is.
pub const NO_LABEL: i32 = -1;

/// Write `label_ids[label_index[i]]` to token `i`; without `overwrite` only where nothing is set.
///
/// `label_index` is checked as a whole first, so a refused index leaves the document unchanged.
pub fn set_labels(
    doc: &mut Columns,
    column: Column,
    label_index: &[i32],
    label_ids: &[u64],
    overwrite: bool,
) -> Result<(), DocError> {
    check_label_index(label_index, label_ids.len())?;
    if label_index.len() != doc.len() {
        return Err(DocError::Value(format!(
            "label_index has {} entries for a document of {} tokens",
            label_index.len(),
            doc.len()
        )));
    }
    let values = doc.values_mut(column);
    for (value, &index) in values.iter_mut().zip(label_index) {
        if index != NO_LABEL && (overwrite || *value == 0) {
            *value = label_ids[index as usize];
        }
    }
    doc.forget_tree(column);
    Ok(())
}

/// Refuse label indices that are neither -1 nor below `n_labels`.
pub fn check_label_index(label_index: &[i32], n_labels: usize) -> Result<(), DocError> {
    let is_wrong = |&(_, &index): &(usize, &i32)| {
        index != NO_LABEL && usize::try_from(index).map_or(true, |i| i >= n_labels)
    };
    match label_index.iter().enumerate().find(is_wrong) {
        None => Ok(()),
        Some((token, index)) => Err(DocError::Value(format!(
            "label_index of token {token} is {index}; expected -1 (leave the token) or a label below {n_labels}"
        ))),
    }
}
