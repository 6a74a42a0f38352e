//! The documents of a batch and the rows that their windows need.

use std::ops::Range;

use crate::KernelError;
use crate::gemm::winograd::Pair;

/// The documents as word types: each token is an index into rows of feature ids.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Feature ids, a row for each word type.
    pub features: &'a [u64],
    /// How many ids a row has.
    pub n_columns: usize,
    /// The word type of each token.
    pub types: &'a [u32],
    /// How many tokens each document has.
    pub lengths: &'a [u32],
}

impl Batch<'_> {
    /// How many word types there are.
    #[must_use]
    pub fn n_types(&self) -> usize {
        self.features.len() / self.n_columns.max(1)
    }

    /// Checks that lengths, types and features fit together.
    ///
    /// # Errors
    /// [`KernelError::Shape`] or [`KernelError::Index`].
    pub fn check(&self) -> Result<(), KernelError> {
        let n_types = self.n_types();
        KernelError::expect_len("encoder: the feature ids", n_types * self.n_columns, self.features.len())?;
        let total: u64 = self.lengths.iter().map(|&length| u64::from(length)).sum();
        KernelError::expect_len("encoder: the sum of the lengths", self.types.len(), total as usize)?;
        match self.types.iter().position(|&index| index as usize >= n_types) {
            None => Ok(()),
            Some(position) => Err(KernelError::Index {
                what: "encoder: types",
                position,
                found: i64::from(self.types[position]),
                expected: format!("0 to {}, one of the {n_types} word types", n_types.saturating_sub(1)),
            }),
        }
    }
}

/// Consecutive documents that are calculated together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Among the documents that have tokens.
    pub docs: Range<usize>,
    pub tokens: Range<usize>,
}

/// The rows of a level, by what they read; see [`Layout::divide`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Divided {
    pub read: Vec<u32>,
    pub blank: Vec<u32>,
}

/// Which rows each level of the encoder has.
///
/// spaCy puts `depth * window` rows of zeros on both sides of each document, and these rows go through the layers like
/// tokens. Of them, level `l` needs the `(depth - l) * window` nearest on each side: the others cannot reach a token
/// any more. So level 0 has all of them, the last level none, and a row of level `l` reads the `2 * window + 1` rows of
/// level `l - 1` that begin at its own position.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Of the documents that have tokens; the others get no rows at all, as in spaCy.
    lengths: Vec<usize>,
    pub groups: Vec<Group>,
    pub width: usize,
    pub depth: usize,
    pub window: usize,
}

/// Tokens that make a group: enough that weights read from the second cache are used often, few enough that the group's
/// rows stay in it beside them.
const TOKENS_PER_GROUP: Range<usize> = 48..128;
/// Groups that a batch should have if they are not too small then, so that several threads are done at the same time.
const GROUPS: usize = 10;

impl Layout {
    pub fn new(lengths: &[u32], width: usize, depth: usize, window: usize) -> Result<Layout, KernelError> {
        let lengths: Vec<usize> = lengths.iter().filter(|&&n| n > 0).map(|&n| n as usize).collect();
        let n_tokens: usize = lengths.iter().sum();
        let enough = (n_tokens / GROUPS).clamp(TOKENS_PER_GROUP.start, TOKENS_PER_GROUP.end);
        let mut layout = Layout { lengths, groups: Vec::new(), width, depth, window };
        let (mut first_doc, mut first_token, mut token) = (0, 0, 0);
        for (doc, length) in layout.lengths.iter().enumerate() {
            token += length;
            if token - first_token >= enough || doc + 1 == layout.lengths.len() {
                layout.groups.push(Group { docs: first_doc..doc + 1, tokens: first_token..token });
                (first_doc, first_token) = (doc + 1, token);
            }
        }
        if layout.n_rows(0) * width.max(2 * window + 1) >= u32::MAX as usize {
            return Err(KernelError::Value {
                what: "encoder: the number of tokens in a batch",
                expected: format!("fewer than {}", u32::MAX as usize / width.max(1)),
                found: token.to_string(),
            });
        }
        Ok(layout)
    }

    /// Rows on each side of a document.
    pub fn margin(&self, level: usize) -> usize {
        (self.depth - level) * self.window
    }

    pub fn group_rows(&self, level: usize, group: &Group) -> usize {
        group.tokens.len() + 2 * self.margin(level) * group.docs.len()
    }

    pub fn n_rows(&self, level: usize) -> usize {
        let tokens: usize = self.lengths.iter().sum();
        tokens + 2 * self.margin(level) * self.lengths.len()
    }

    /// Where the window of each row of a level begins, in numbers of the level below; both from the first of `docs` on.
    pub fn starts(&self, level: usize, docs: Range<usize>, starts: &mut Vec<u32>) {
        self.window_rows(level, docs, starts);
        for start in starts {
            *start *= self.width as u32;
        }
    }

    /// The same in rows.
    pub fn window_rows(&self, level: usize, docs: Range<usize>, starts: &mut Vec<u32>) {
        starts.clear();
        let mut below = 0;
        for &length in &self.lengths[docs] {
            let rows = length + 2 * self.margin(level);
            starts.extend((below..below + rows).map(|row| row as u32));
            below += rows + 2 * self.window;
        }
    }

    /// The rows of a level whose windows have a token in them two by two, each document by itself; for windows of one
    /// token on either side.
    pub fn pairs(&self, level: usize, docs: Range<usize>, pairs: &mut Vec<Pair>) {
        pairs.clear();
        let (mut below, mut first) = (0, 0);
        let blank = self.blank_margin(level);
        for &length in &self.lengths[docs] {
            let rows = length + 2 * self.margin(level);
            let last = rows - blank;
            pairs.extend((blank..last).step_by(2).map(|row| Pair {
                start: (below + row) * self.width,
                row: first + row,
                both: row + 1 < last,
            }));
            below += rows + 2 * self.window;
            first += rows;
        }
    }

    /// How many rows on each side of a document have a window of nothing but zeros: in level 1 all but the nearest, above
    /// it none.
    fn blank_margin(&self, level: usize) -> usize {
        if level == 1 { self.margin(1).saturating_sub(self.window) } else { 0 }
    }

    /// Divides the rows of a level, from the first of `docs` on, by whether their windows have a token in them: those
    /// with one, and those of nothing but zeros.
    pub fn divide(&self, level: usize, docs: Range<usize>) -> Divided {
        let mut divided = Divided::default();
        let blank = self.blank_margin(level) as u32;
        let mut first = 0;
        for &length in &self.lengths[docs] {
            let end = first + (length + 2 * self.margin(level)) as u32;
            divided.blank.extend((first..first + blank).chain(end - blank..end));
            divided.read.extend(first + blank..end - blank);
            first = end;
        }
        divided
    }

    /// The rows of a level's tokens, document by document, from the first of `docs` on.
    pub fn token_rows(&self, level: usize, docs: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let margin = self.margin(level);
        let mut next = 0;
        self.lengths[docs].iter().flat_map(move |&length| {
            let first = next + margin;
            next = first + length + margin;
            first..first + length
        })
    }

    pub fn n_docs(&self) -> usize {
        self.lengths.len()
    }
}
