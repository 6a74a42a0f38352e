//! Patterns written for Python's `re`, as saved tokenizers hold them, in the syntax of Rust's regex crates.
//!
//! A pattern is parsed into [`Node`]s by Python's rules and written out again by Rust's. What has no equal there
//! is refused with its place; nothing is matched differently in silence.

mod emit;
mod needs;
mod parse;

pub use needs::AsciiSet;
pub use parse::parse;

/// A pattern that could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at character {at} of the pattern {shown:?}")]
pub struct PatternError {
    /// What is wrong with it.
    pub reason: String,
    /// The character it is wrong at, counted from 0.
    pub at: usize,
    /// The pattern, or its beginning.
    pub shown: String,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Matches the empty string.
    Empty,
    /// One character, itself.
    Literal(char),
    /// `.`: any character but a newline.
    Any,
    /// A character class, brackets included, in Rust's syntax.
    Class(String),
    /// `^` and `\A`.
    Start,
    /// `$`: the end, or before a newline at the end.
    End,
    /// `\Z`: the very end.
    VeryEnd,
    /// `\b` and, negated, `\B`.
    WordBoundary {
        /// Whether it is `\B`.
        negated: bool,
    },
    /// A group; its opening in Rust's syntax: `(`, `(?:`, `(?i:`, `(?P<name>`, `(?>`.
    Group {
        /// The opening.
        open: String,
        /// What is in it.
        node: Box<Node>,
    },
    /// Look-around.
    Look {
        /// Forward or back.
        ahead: bool,
        /// Whether it must not match.
        negated: bool,
        /// What is looked for.
        node: Box<Node>,
    },
    /// A repetition; the quantifier in Rust's syntax.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// At least so often.
        min: u32,
        /// At most so often, without end if None.
        max: Option<u32>,
        /// "", "?" (lazy) or "+" (possessive).
        mode: &'static str,
    },
    /// `\1`: what a group matched.
    BackReference(u32),
    /// One after the other.
    Concat(Vec<Node>),
    /// One or the other, the first that matches.
    Alternation(Vec<Node>),
}

impl Node {
    /// The alternatives at the top, also those inside one group around them all.
    pub fn alternatives(&self) -> Vec<&Node> {
        match self {
            Node::Alternation(nodes) => nodes.iter().flat_map(Node::alternatives).collect(),
            Node::Group { open, node } if open == "(?:" => node.alternatives(),
            other => vec![other],
        }
    }

    /// The parts of a sequence; a single part for anything else.
    pub fn parts(&self) -> &[Node] {
        match self {
            Node::Concat(nodes) => nodes,
            other => std::slice::from_ref(other),
        }
    }

    /// Whether a finite automaton can run it: no look-around, back-reference, atomic group or the like.
    pub fn is_regular(&self) -> bool {
        match self {
            Node::Look { .. } | Node::BackReference(_) | Node::WordBoundary { .. } | Node::End => false,
            Node::Group { open, node } => open != "(?>" && node.is_regular(),
            Node::Repeat { node, mode, .. } => *mode != "+" && node.is_regular(),
            Node::Concat(nodes) | Node::Alternation(nodes) => nodes.iter().all(Node::is_regular),
            _ => true,
        }
    }

    /// The number of characters of every match, or None where they differ or cannot be told.
    pub fn width(&self) -> Option<usize> {
        match self {
            Node::Empty | Node::Look { .. } | Node::WordBoundary { .. } => Some(0),
            Node::Literal(_) | Node::Any | Node::Class(_) => Some(1),
            Node::Group { node, .. } => node.width(),
            Node::Repeat { node, min, max: Some(max), .. } if min == max => {
                Some(node.width()? * *min as usize)
            }
            Node::Concat(nodes) => nodes.iter().map(Node::width).sum(),
            Node::Alternation(nodes) => {
                let first = nodes.first()?.width()?;
                nodes.iter().all(|node| node.width() == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    /// The most characters a match can have, or None where there is no bound.
    pub fn widest(&self) -> Option<usize> {
        match self {
            Node::Group { node, .. } => node.widest(),
            Node::Repeat { node, max: Some(max), .. } => node.widest()?.checked_mul(*max as usize),
            Node::Concat(nodes) => nodes.iter().map(Node::widest).sum(),
            Node::Alternation(nodes) => {
                nodes.iter().map(Node::widest).try_fold(0, |most, width| Some(most.max(width?)))
            }
            _ => self.width(),
        }
    }

    /// How many characters after its place the widest look-ahead sees, or None where there is no bound.
    pub fn look_ahead(&self) -> Option<usize> {
        match self {
            Node::Look { ahead: true, node, .. } => Some(node.widest()? + node.look_ahead()?),
            Node::WordBoundary { .. } | Node::End => Some(1),
            Node::Look { node, .. } | Node::Group { node, .. } | Node::Repeat { node, .. } => {
                node.look_ahead()
            }
            Node::Concat(nodes) | Node::Alternation(nodes) => {
                nodes.iter().map(Node::look_ahead).try_fold(0, |most, width| Some(most.max(width?)))
            }
            _ => Some(0),
        }
    }
}
