//! Dependency trees: refusing broken ones, and finding edges, children and sentence starts in good ones.

use super::attr::Column;
use super::columns::Columns;
use super::error::DocError;

/// What follows from the heads of a document. Every vector has one entry a token.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Leftmost token of the subtree.
    pub left_edge: Vec<u32>,
    /// Rightmost token of the subtree.
    pub right_edge: Vec<u32>,
    /// Children of token `i`, ascending: `children[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<u32>,
    children: Vec<u32>,
}

impl Tree {
    pub(crate) fn new(doc: &Columns) -> Tree {
        let n_tokens = doc.len();
        let heads: Vec<usize> = (0..n_tokens).map(|i| head(doc, i)).collect();
        let mut offsets = vec![0u32; n_tokens + 1];
        for (child, &head) in heads.iter().enumerate() {
            if child != head {
                offsets[head + 1] += 1;
            }
        }
        for i in 0..n_tokens {
            offsets[i + 1] += offsets[i];
        }
        let mut children = vec![0u32; offsets[n_tokens] as usize];
        let mut next = offsets.clone();
        for (child, &head) in heads.iter().enumerate() {
            if child != head {
                children[next[head] as usize] = child as u32;
                next[head] += 1;
            }
        }
        let (left_edge, right_edge) = edges(&heads, &offsets);
        Tree { left_edge, right_edge, offsets, children }
    }

    /// The token's children, ascending.
    pub fn children(&self, token: usize) -> &[u32] {
        &self.children[self.offsets[token] as usize..self.offsets[token + 1] as usize]
    }

    /// The token and everything below it: its left children's subtrees, itself, its right children's.
    ///
    /// That is ascending except where branches of the tree cross.
    pub fn subtree(&self, token: usize) -> Vec<u32> {
        let mut found = Vec::new();
        let mut waiting = vec![(token as u32, false)];
        while let Some((next, is_open)) = waiting.pop() {
            if is_open {
                found.push(next);
                continue;
            }
            let children = self.children(next as usize);
            let n_lefts = children.partition_point(|&child| child < next);
            waiting.extend(children[n_lefts..].iter().rev().map(|&child| (child, false)));
            waiting.push((next, true));
            waiting.extend(children[..n_lefts].iter().rev().map(|&child| (child, false)));
        }
        found
    }
}

/// Edges from the leaves up: a token is finished once all its children are.
fn edges(heads: &[usize], offsets: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let n_tokens = heads.len();
    let mut left: Vec<u32> = (0..n_tokens as u32).collect();
    let mut right = left.clone();
    let mut waiting: Vec<u32> = (0..n_tokens).map(|i| offsets[i + 1] - offsets[i]).collect();
    let mut ready: Vec<usize> = (0..n_tokens).filter(|&i| waiting[i] == 0).collect();
    while let Some(token) = ready.pop() {
        let head = heads[token];
        if head == token {
            continue;
        }
        left[head] = left[head].min(left[token]);
        right[head] = right[head].max(right[token]);
        waiting[head] -= 1;
        if waiting[head] == 0 {
            ready.push(head);
        }
    }
    (left, right)
}

/// Absolute position of the token's head; itself for a root or where no head is set.
pub fn head(doc: &Columns, token: usize) -> usize {
    (token as i64 + doc.get_signed(Column::Head, token)) as usize
}

/// Refuse relative heads that leave the document or form a cycle.
pub fn check_tree(relative: &[u64]) -> Result<(), DocError> {
    for token in 0..relative.len() {
        checked_head(relative.len(), token, relative[token] as i64)?;
    }
    // Walk up from each token; whatever an earlier walk visited leads to a root.
    let mut visited_by = vec![u32::MAX; relative.len()];
    for walk in 0..relative.len() {
        let mut token = walk;
        while visited_by[token] == u32::MAX {
            visited_by[token] = walk as u32;
            token = (token as i64 + relative[token] as i64) as usize;
        }
        if visited_by[token] == walk as u32 && relative[token] != 0 {
            return Err(DocError::Value(format!(
                "HEAD: token {token} is its own ancestor; heads must form trees, without cycles"
            )));
        }
    }
    Ok(())
}

/// Refuse to give one token a head that leaves the document or stands below it.
pub(crate) fn check_move(doc: &Columns, token: usize, relative: i64) -> Result<(), DocError> {
    let new_head = checked_head(doc.len(), token, relative)?;
    let mut above = new_head;
    while above != token {
        let next = head(doc, above);
        if next == above {
            return Ok(());
        }
        above = next;
    }
    if new_head == token {
        return Ok(());
    }
    Err(DocError::Value(format!(
        "HEAD: token {new_head} cannot be the head of token {token}, because it stands below it; \
         move token {new_head} to another head first"
    )))
}

fn checked_head(n_tokens: usize, token: usize, relative: i64) -> Result<usize, DocError> {
    match (token as i64).checked_add(relative) {
        Some(head) if (0..n_tokens as i64).contains(&head) => Ok(head as usize),
        _ => Err(DocError::Value(format!(
            "HEAD of token {token} is {relative}, which leaves the document of {n_tokens} tokens; \
             heads are offsets relative to the token"
        ))),
    }
}

/// Mark sentence starts from the tree: the left edge of every root that has a label, as spaCy does.
pub fn set_sentence_starts(doc: &mut Columns) {
    let mut starts = vec![-1i64 as u64; doc.len()];
    let tree = doc.tree();
    for token in 0..doc.len() {
        if doc.get(Column::Head, token) == 0 && doc.get(Column::Dep, token) != 0 {
            starts[tree.left_edge[token] as usize] = 1;
        }
    }
    *doc.values_mut(Column::SentStart) = starts;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn doc(heads: &[usize]) -> Columns {
        let mut doc = Columns::default();
        heads.iter().for_each(|_| doc.push(0, 1, true));
        doc.set_column(Column::Head, relative(heads)).unwrap();
        doc.set_column(Column::Dep, vec![1; heads.len()]).unwrap();
        doc
    }

    fn relative(heads: &[usize]) -> Vec<u64> {
        heads.iter().enumerate().map(|(i, &head)| (head as i64 - i as i64) as u64).collect()
    }

    #[test]
    fn cycles_and_far_heads_are_refused() {
        assert!(check_tree(&relative(&[1, 0])).is_err());
        assert!(check_tree(&relative(&[1, 2, 0, 3])).is_err());
        assert!(check_tree(&[5]).is_err());
        assert!(check_tree(&[i64::MAX as u64]).is_err());
        assert!(check_tree(&[u64::MAX]).is_err());
        assert!(check_tree(&relative(&[0, 0, 1, 3])).is_ok());
    }

    #[test]
    fn a_head_cannot_move_below_itself() {
        let mut doc = doc(&[0, 0, 1]);
        assert!(doc.set(Column::Head, 0, 2).is_err());
        assert!(doc.set(Column::Head, 2, -2i64 as u64).is_ok());
        assert_eq!(doc.tree().children(0), &[1, 2]);
    }

    #[test]
    fn crossing_roots_start_sentences_at_their_left_edges() {
        let mut doc = doc(&[2, 1, 2, 1]);
        set_sentence_starts(&mut doc);
        let starts: Vec<i64> = (0..4).map(|i| doc.get_signed(Column::SentStart, i)).collect();
        assert_eq!(starts, [1, 1, -1, -1]);
    }

    proptest! {
        #[test]
        fn check_tree_agrees_with_walking_up(heads in prop::collection::vec(0usize..12, 1..12)) {
            let n_tokens = heads.len();
            let heads: Vec<usize> = heads.into_iter().map(|head| head % n_tokens).collect();
            let reaches_root = |mut token: usize| {
                for _ in 0..=n_tokens {
                    if heads[token] == token { return true; }
                    token = heads[token];
                }
                false
            };
            let good = (0..n_tokens).all(reaches_root);
            prop_assert_eq!(check_tree(&relative(&heads)).is_ok(), good);
            if good {
                let doc = doc(&heads);
                for token in 0..n_tokens {
                    let below = doc.tree().subtree(token);
                    prop_assert_eq!(Some(&doc.tree().left_edge[token]), below.iter().min());
                    prop_assert_eq!(Some(&doc.tree().right_edge[token]), below.iter().max());
                }
            }
        }
    }
}
