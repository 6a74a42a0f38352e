//! Nodes written in the syntax of the `regex` and `fancy-regex` crates.

use super::Node;

/// Python's `\w`: letters, numbers of every kind, and the underscore.
pub(super) const WORD: &str = r"\p{L}\p{N}_";

/// From this many on, a bounded repetition is widened in [`Node::outline`]: it costs an automaton a state each.
const MANY: u32 = 3;

/// How a pattern is written out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Exact,
    Outline,
    /// An outline that does not mind what follows.
    Open,
}

impl Node {
    /// The pattern, matching exactly what Python's matches.
    pub fn exact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Form::Exact);
        out
    }

    /// A regular pattern that matches wherever the exact one does, and in more places: look-around left out,
    /// bounded repetitions widened. An automaton runs it in a few nanoseconds a character.
    pub fn outline(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Form::Outline);
        out
    }

    /// An outline to be found anywhere, with what the edges of each alternative look for spelled out: it is in a
    /// text wherever the exact pattern is, though not with the same ends.
    pub fn outline_in_context(&self) -> String {
        let in_context = |alternative: &&Node| {
            let parts = alternative.parts();
            let spelled = parts.iter().enumerate().map(|(at, part)| match part {
                Node::Look { ahead: false, negated: false, node } if at == 0 => node.outline(),
                Node::Look { ahead: true, negated: false, node } if at + 1 == parts.len() => node.outline(),
                other => other.outline(),
            });
            spelled.map(|part| format!("(?:{part})")).collect::<String>()
        };
        self.alternatives().iter().map(in_context).collect::<Vec<_>>().join("|")
    }

    /// An outline that also matches a text which only goes on after the match: without the ends of the text.
    pub fn open_outline(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Form::Open);
        out
    }

    fn write(&self, out: &mut String, form: Form) {
        let outline = form != Form::Exact;
        match self {
            Node::End | Node::VeryEnd if form == Form::Open => out.push_str("(?:)"),
            Node::Empty => out.push_str("(?:)"),
            Node::Literal(character) => out.push_str(&literal(*character)),
            Node::Any => out.push_str(r"[^\n]"),
            Node::Class(class) => out.push_str(class),
            Node::Start => out.push_str(r"\A"),
            Node::End if outline => out.push_str(r"(?:\n?\z)"),
            Node::End => out.push_str(r"(?=\n?\z)"),
            Node::VeryEnd => out.push_str(r"\z"),
            Node::WordBoundary { .. } | Node::Look { .. } if outline => out.push_str("(?:)"),
            Node::WordBoundary { negated: false } => {
                out.push_str(&format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"));
            }
            Node::WordBoundary { negated: true } => {
                out.push_str(&format!("(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))"));
            }
            Node::Group { open, node } => {
                out.push_str(if outline && open == "(?>" { "(?:" } else { open });
                node.write(out, form);
                out.push(')');
            }
            Node::Look { ahead, negated, node } => {
                out.push_str(if *ahead { "(?" } else { "(?<" });
                out.push(if *negated { '!' } else { '=' });
                node.write(out, form);
                out.push(')');
            }
            Node::Repeat { node, min, max, mode } => {
                out.push_str("(?:");
                node.write(out, form);
                out.push(')');
                if outline {
                    out.push_str(&quantifier((*min).min(MANY), max.filter(|&max| max <= MANY)));
                } else {
                    out.push_str(&quantifier(*min, *max));
                    out.push_str(mode);
                }
            }
            Node::BackReference(_) if outline => out.push_str(r"(?s:.*)"),
            Node::BackReference(group) => out.push_str(&format!(r"(?:\{group})")),
            Node::Concat(nodes) => nodes.iter().for_each(|node| node.write(out, form)),
            Node::Alternation(nodes) => {
                out.push_str("(?:");
                for (at, node) in nodes.iter().enumerate() {
                    out.push_str(if at > 0 { "|" } else { "" });
                    node.write(out, form);
                }
                out.push(')');
            }
        }
    }
}

fn quantifier(min: u32, max: Option<u32>) -> String {
    match (min, max) {
        (0, None) => "*".into(),
        (1, None) => "+".into(),
        (0, Some(1)) => "?".into(),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    }
}

/// A character as Rust's syntax writes it, in a class or outside: ASCII other than letters and digits by number.
pub(super) fn literal(character: char) -> String {
    if character.is_ascii_alphanumeric() || !character.is_ascii() {
        character.to_string()
    } else {
        format!("\\x{{{:x}}}", character as u32)
    }
}
