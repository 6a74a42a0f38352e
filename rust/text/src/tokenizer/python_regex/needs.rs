//! Which characters a pattern cannot do without, so that most words need not be searched at all.
//!
//! Sets are of ASCII characters; other characters are never told apart, and every test lets them pass.

use regex_syntax::hir::{Class, HirKind};

use super::Node;

/// ASCII characters, a bit each.
pub type AsciiSet = u128;

const EVERY: AsciiSet = AsciiSet::MAX;

impl Node {
    /// Characters of which every text with a match holds one, in the match or around it. None where there are none.
    pub fn needed(&self) -> Option<AsciiSet> {
        match self {
            Node::Literal(_) | Node::Any | Node::Class(_) => Some(self.one_character()),
            Node::Group { open, node } if minds_case(open) => node.needed(),
            Node::Look { negated: false, node, .. } => node.needed(),
            Node::Repeat { node, min: 1.., .. } => node.needed(),
            Node::Concat(nodes) => nodes.iter().filter_map(Node::needed).min_by_key(|set| how_common(*set)),
            Node::Alternation(nodes) => {
                nodes.iter().map(Node::needed).try_fold(0, |all, set| Some(all | set?))
            }
            _ => None,
        }
    }

    /// The characters that a match begins with. None where it may be empty, or begin with anything.
    pub fn first(&self) -> Option<AsciiSet> {
        self.edge(false)
    }

    /// The characters that a match ends with. None where it may be empty, or end with anything.
    pub fn last(&self) -> Option<AsciiSet> {
        self.edge(true)
    }

    fn edge(&self, last: bool) -> Option<AsciiSet> {
        let (set, may_be_empty) = self.edge_or_empty(last);
        (!may_be_empty).then_some(set)
    }

    /// What is at an edge of a match that is not empty, and whether one may be empty.
    fn edge_or_empty(&self, last: bool) -> (AsciiSet, bool) {
        match self {
            Node::Literal(_) | Node::Any | Node::Class(_) => (self.one_character(), false),
            Node::Group { open, node } if minds_case(open) => node.edge_or_empty(last),
            Node::Group { .. } | Node::BackReference(_) => (EVERY, true),
            Node::Repeat { node, min, .. } => {
                let (set, may_be_empty) = node.edge_or_empty(last);
                (set, may_be_empty || *min == 0)
            }
            Node::Concat(nodes) => {
                let mut sum = (0, true);
                for at in 0..nodes.len() {
                    let node = &nodes[if last { nodes.len() - 1 - at } else { at }];
                    let (set, may_be_empty) = node.edge_or_empty(last);
                    sum = (sum.0 | set, may_be_empty);
                    if !may_be_empty {
                        break;
                    }
                }
                sum
            }
            Node::Alternation(nodes) => {
                let edges = nodes.iter().map(|node| node.edge_or_empty(last));
                edges.fold((0, false), |sum, (set, may_be_empty)| (sum.0 | set, sum.1 || may_be_empty))
            }
            _ => (0, true),
        }
    }

    /// The ASCII characters that a pattern of one character matches.
    fn one_character(&self) -> AsciiSet {
        match self {
            Node::Literal(character) => bits(*character, *character),
            Node::Class(class) => class_bits(class).unwrap_or(EVERY),
            _ => EVERY,
        }
    }
}

/// Whether a group with this opening matches its characters as they are.
fn minds_case(open: &str) -> bool {
    ["(", "(?:", "(?>"].contains(&open) || open.starts_with("(?P<")
}

/// How much of usual text has one of the characters: letters count most.
fn how_common(set: AsciiSet) -> (u32, u32, u32) {
    let letters = bits('a', 'z') | bits('A', 'Z');
    ((set & letters).count_ones(), (set & bits('0', '9')).count_ones(), set.count_ones())
}

fn bits(first: char, last: char) -> AsciiSet {
    let ascii = (first as u32)..=(last as u32).min(127);
    ascii.fold(0, |bits, character| bits | 1 << character)
}

fn class_bits(class: &str) -> Option<AsciiSet> {
    let hir = regex_syntax::parse(class).ok()?;
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            Some(class.iter().fold(0, |all, range| all | bits(range.start(), range.end())))
        }
        HirKind::Class(Class::Bytes(class)) => {
            Some(class.iter().fold(0, |all, range| all | bits(range.start().into(), range.end().into())))
        }
        HirKind::Literal(literal) => {
            let character = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(bits(character, character))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn shown(set: Option<u128>) -> Option<String> {
        set.map(|set| (0..128u8).filter(|&bit| set >> bit & 1 == 1).map(char::from).collect())
    }

    #[test]
    fn a_pattern_needs_the_least_common_of_its_characters() {
        for (pattern, needed, first, last) in [
            (r"(?<=[a-z])\.(?=[A-Z])|[0-4]+x", Some(".01234"), Some(".01234"), Some(".x")),
            (r"^(?:US|C)\$|['’][sS]$", Some("$'"), Some("'CU"), Some("$Ss")),
            (r"a*b?", None, None, None),
            (r"(?:a|)(?!q)b+(c)?", Some("b"), Some("ab"), Some("bc")),
            (r"[ä-ü]ö", Some(""), Some(""), Some("")),
            (r"(?i:k)|-x", None, None, None),
            (r"(a)?\1", None, None, None),
        ] {
            let node = parse(pattern).unwrap();
            let found = [node.needed(), node.first(), node.last()].map(shown);
            assert_eq!(found, [needed, first, last].map(|set| set.map(str::to_owned)), "{pattern}");
        }
    }
}
