//! A look at a word before it is searched: most words lack what a pattern cannot do without.

use super::cost;
use super::python_regex::{AsciiSet, Node};

/// In longer texts only their edge is looked at: a search is short where nothing is to be found, and a look at all of
/// the rest for each affix would make the time grow with the square of the length.
const SHORT: usize = 32;

/// Bytes that may stand somewhere: the given ASCII characters, and all of other characters.
pub(super) struct Bytes([bool; 256]);

impl Bytes {
    pub(super) fn new(set: AsciiSet) -> Self {
        Self(std::array::from_fn(|byte| byte >= 128 || set >> byte & 1 == 1))
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// Where a match must lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tied {
    ToStart,
    ToEnd,
    Nowhere,
}

/// What a text must hold for a pattern to match.
pub(super) struct Screen {
    edge: Option<Bytes>,
    needed: Option<Bytes>,
    tied: Tied,
}

impl Screen {
    pub(super) fn new(node: &Node, tied: Tied) -> Self {
        let edge = match tied {
            Tied::ToStart => node.first(),
            Tied::ToEnd => node.last(),
            Tied::Nowhere => None,
        };
        Self { edge: edge.map(Bytes::new), needed: node.needed().map(Bytes::new), tied }
    }

    /// Whether the pattern may match in the text. Where not, it does not.
    pub(super) fn lets_pass(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let at_edge = if self.tied == Tied::ToEnd { bytes.last() } else { bytes.first() };
        if let Some(edge) = &self.edge
            && !at_edge.is_some_and(|&byte| edge.has(byte))
        {
            cost::read(|| 1);
            return false;
        }
        let Some(needed) = self.needed.as_ref().filter(|_| bytes.len() <= SHORT) else { return true };
        cost::read(|| bytes.len());
        bytes.iter().any(|&byte| needed.has(byte))
    }
}
