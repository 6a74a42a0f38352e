//! The documents of a batch and the rows that their windows need.

use std::ops::Range;

use crate::KernelError;
use crate::gemm::byte_pairs::Pair;
use crate::gemm::winograd::Blocks;

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

    /// Checks that lengths, types and features fit together, and that feature rows have the columns that are `needed`.
    ///
    /// # Errors
    /// [`KernelError::Shape`] or [`KernelError::Index`].
    pub(crate) fn check(&self, needed: usize) -> Result<(), KernelError> {
        if self.n_columns < needed {
            return Err(KernelError::Shape {
                what: "encoder: the columns of the feature rows",
                expected: format!("at least {needed}"),
                found: self.n_columns.to_string(),
            });
        }
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

/// What windows read beyond the ends of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beyond {
    /// spaCy's rows: zeros that go through the layers like tokens.
    #[default]
    Rows,
    /// Zeros at every level.
    Zeros,
}

/// Which rows each level of the encoder has.
///
/// spaCy puts `depth * window` rows of zeros on both sides of each document, and these rows go through the layers like
/// tokens. Of them, level `l` needs the `(depth - l) * window` nearest on each side: the others cannot reach a token
/// any more. So level 0 has all of them and the last level none.
///
/// With [`Beyond::Zeros`] each level but the last has `window` rows of zeros on each side, which nothing is calculated
/// for.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Of the documents that have tokens; the others get no rows at all, as in spaCy.
    lengths: Vec<usize>,
    pub groups: Vec<Group>,
    pub width: usize,
    pub depth: usize,
    pub window: usize,
    beyond: Beyond,
}

/// Where a document is in a level.
struct Place {
    rows: Range<usize>,
    /// The document's first row in the level below, where the window of its first calculated row begins.
    below: usize,
}

/// Tokens that make a group: enough that weights read from the second cache are used often, few enough that the group's
/// rows stay in it beside them.
const TOKENS_PER_GROUP: Range<usize> = 48..256;
/// Groups that a batch should have if they are not too small then, so that several threads are done at the same time.
const GROUPS: usize = 10;

impl Layout {
    pub fn new(
        lengths: &[u32],
        width: usize,
        depth: usize,
        (window, beyond): (usize, Beyond),
    ) -> Result<Layout, KernelError> {
        let lengths: Vec<usize> = lengths.iter().filter(|&&n| n > 0).map(|&n| n as usize).collect();
        let token: usize = lengths.iter().sum();
        let enough = (token / GROUPS).clamp(TOKENS_PER_GROUP.start, TOKENS_PER_GROUP.end);
        let mut layout = Layout { lengths, groups: Vec::new(), width, depth, window, beyond };
        layout.groups = layout.cut(|_| enough);
        if layout.n_rows(0) * width.max(2 * window + 1) >= u32::MAX as usize {
            return Err(KernelError::Value {
                what: "encoder: the number of tokens in a batch",
                expected: format!("fewer than {}", u32::MAX as usize / width.max(1)),
                found: token.to_string(),
            });
        }
        Ok(layout)
    }

    /// Cuts the groups anew, for as many threads, where results do not depend on them: large ones first, so that weights
    /// are read seldom, and smaller ones towards the end, so that all threads are done at the same time.
    pub fn group_for(&mut self, n_threads: usize) {
        let share = if n_threads > 1 { 2 * n_threads } else { 1 };
        self.groups = self.cut(|rest| (rest / share).clamp(TOKENS_PER_GROUP.start, TOKENS_PER_GROUP.end));
    }

    /// Groups of at least as many tokens as `enough` says, given how many there are from a group's first one on.
    fn cut(&self, enough: impl Fn(usize) -> usize) -> Vec<Group> {
        let n_tokens: usize = self.lengths.iter().sum();
        let mut groups = Vec::new();
        let (mut first_doc, mut first_token, mut token) = (0, 0, 0);
        for (doc, length) in self.lengths.iter().enumerate() {
            token += length;
            if token - first_token >= enough(n_tokens - first_token) || doc + 1 == self.lengths.len() {
                groups.push(Group { docs: first_doc..doc + 1, tokens: first_token..token });
                (first_doc, first_token) = (doc + 1, token);
            }
        }
        groups
    }

    /// Rows on each side of a document.
    pub fn margin(&self, level: usize) -> usize {
        match self.beyond {
            Beyond::Rows => (self.depth - level) * self.window,
            Beyond::Zeros if level < self.depth => self.window,
            Beyond::Zeros => 0,
        }
    }

    /// How many rows on each side of a document stay zeros.
    fn still(&self, level: usize) -> usize {
        if self.beyond == Beyond::Zeros { self.margin(level) } else { 0 }
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

    /// The same in rows. Rows that stay zeros have the window of the nearest row.
    pub fn window_rows(&self, level: usize, docs: Range<usize>, starts: &mut Vec<u32>) {
        starts.clear();
        let still = self.still(level);
        for place in self.places(level, docs) {
            let last = place.rows.len() - still - 1;
            starts.extend(
                (0..place.rows.len()).map(|row| (place.below + row.clamp(still, last) - still) as u32),
            );
        }
    }

    /// The windows of a level that have a token in them, cut into blocks, each document by itself; for windows of one
    /// token on either side.
    pub fn blocks(&self, level: usize, docs: Range<usize>, blocks: &mut Blocks) {
        blocks.clear();
        let (still, blank) = (self.still(level), self.blank_margin(level));
        for place in self.places(level, docs) {
            let first = still + blank;
            let n = place.rows.len() - 2 * first;
            blocks.add((place.below + blank) * self.width, place.rows.start + first, n, self.width);
        }
    }

    /// The same windows two by two.
    pub fn pairs(&self, level: usize, docs: Range<usize>, pairs: &mut Vec<Pair>) {
        pairs.clear();
        let (still, blank) = (self.still(level), self.blank_margin(level));
        for place in self.places(level, docs) {
            let n = place.rows.len() - 2 * (still + blank);
            pairs.extend((0..n).step_by(2).map(|row| Pair {
                start: (place.below + blank + row) * self.width,
                row: place.rows.start + still + blank + row,
                both: row + 1 < n,
            }));
        }
    }

    /// The rows of a level that are calculated, from the first of `docs` on; the others are zeros.
    pub fn calculated(&self, level: usize, docs: Range<usize>) -> Vec<Range<usize>> {
        let still = self.still(level);
        self.places(level, docs).map(|place| place.rows.start + still..place.rows.end - still).collect()
    }

    /// Those of them whose windows are nothing but zeros.
    pub fn blank(&self, level: usize, docs: Range<usize>) -> Vec<u32> {
        let blank = self.blank_margin(level);
        let rows = self.calculated(level, docs).into_iter();
        rows.flat_map(|rows| (rows.start..rows.start + blank).chain(rows.end - blank..rows.end))
            .map(|row| row as u32)
            .collect()
    }

    /// The others of them, document by document.
    pub fn read_ranges(&self, level: usize, docs: Range<usize>) -> Vec<Range<usize>> {
        let blank = self.blank_margin(level);
        let rows = self.calculated(level, docs).into_iter();
        rows.map(|rows| rows.start + blank..rows.end - blank).collect()
    }

    /// Those of them whose windows have a token in them.
    pub fn read(&self, level: usize, docs: Range<usize>) -> Vec<u32> {
        let blank = self.blank_margin(level);
        let rows = self.calculated(level, docs).into_iter();
        rows.flat_map(|rows| rows.start + blank..rows.end - blank).map(|row| row as u32).collect()
    }

    /// How many calculated rows on each side of a document have a window of nothing but zeros: in level 1 all but the
    /// nearest, above it none.
    fn blank_margin(&self, level: usize) -> usize {
        match self.beyond {
            Beyond::Rows if level == 1 => self.margin(1).saturating_sub(self.window),
            _ => 0,
        }
    }

    /// Where the documents are in a level and in the one below, from the first of `docs` on.
    fn places(&self, level: usize, docs: Range<usize>) -> impl Iterator<Item = Place> + '_ {
        let (margin, margin_below) = (self.margin(level), self.margin(level - 1));
        let (mut first, mut below) = (0, 0);
        self.lengths[docs].iter().map(move |&length| {
            let place = Place { rows: first..first + length + 2 * margin, below };
            first = place.rows.end;
            below += length + 2 * margin_below;
            place
        })
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

/// Takes the first `n` elements off a slice: what a group has of the rows of all.
pub(crate) fn cut<'a, T>(slice: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (head, tail) = std::mem::take(slice).split_at_mut(n);
    *slice = tail;
    head
}
