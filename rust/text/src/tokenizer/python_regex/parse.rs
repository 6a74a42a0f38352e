//! Python's `re` syntax, read into [`Node`]s.

use super::emit::{WORD, literal};
use super::{Node, PatternError};

/// Deeper nesting is refused, so that a pattern cannot exhaust the stack.
const MAX_DEPTH: usize = 200;
const SHOWN: usize = 60;

/// Reads a Python pattern.
///
/// # Errors
/// [`PatternError`] for what Python would refuse too, and for what Rust's crates have no equal of: conditional
/// groups, the flags `L`, `m` and `s` inside a pattern, names of characters.
pub fn parse(pattern: &str) -> Result<Node, PatternError> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut parser = Parser { pattern, characters, at: 0, depth: 0, verbose: false, ignore_case: false };
    parser.leading_flags()?;
    let node = parser.alternation()?;
    if parser.at < parser.characters.len() {
        return Err(parser.error("a closing parenthesis without an opening one"));
    }
    Ok(if parser.ignore_case { Node::Group { open: "(?i:".into(), node: Box::new(node) } } else { node })
}

struct Parser<'a> {
    pattern: &'a str,
    characters: Vec<char>,
    at: usize,
    depth: usize,
    verbose: bool,
    ignore_case: bool,
}

impl Parser<'_> {
    fn error(&self, reason: impl Into<String>) -> PatternError {
        let shown = self.pattern.chars().take(SHOWN).collect();
        PatternError { reason: reason.into(), at: self.at, shown }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.at += usize::from(character.is_some());
        character
    }

    fn take(&mut self, expected: &str) -> bool {
        let length = expected.chars().count();
        let found = self.characters.get(self.at..self.at + length);
        let matches = found.is_some_and(|found| found.iter().copied().eq(expected.chars()));
        self.at += if matches { length } else { 0 };
        matches
    }

    fn leading_flags(&mut self) -> Result<(), PatternError> {
        loop {
            let rest = &self.characters[self.at..];
            let Some(length) = rest.iter().position(|&character| character == ')') else { return Ok(()) };
            let is_flags =
                length > 2 && rest[..2] == ['(', '?'] && rest[2..length].iter().all(char::is_ascii_lowercase);
            if !is_flags {
                return Ok(());
            }
            let flags: Vec<char> = rest[2..length].to_vec();
            for flag in flags {
                match flag {
                    'u' => {}
                    'i' => self.ignore_case = true,
                    'x' => self.verbose = true,
                    other => {
                        return Err(self
                            .error(format!("the flag `{other}`, of which only `i`, `u` and `x` are known")));
                    }
                }
            }
            self.at += length + 1;
        }
    }

    fn alternation(&mut self) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("groups nested deeper than {MAX_DEPTH}")));
        }
        let mut alternatives = vec![self.sequence()?];
        while self.take("|") {
            alternatives.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Node::Alternation(alternatives) })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        loop {
            self.skip_verbose();
            match self.peek() {
                None | Some('|' | ')') => break,
                Some(_) => {
                    let node = self.item()?;
                    nodes.push(self.quantified(node)?);
                }
            }
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.remove(0),
            _ => Node::Concat(nodes),
        })
    }

    fn skip_verbose(&mut self) {
        while self.verbose {
            match self.peek() {
                Some(character) if character.is_whitespace() => self.at += 1,
                Some('#') => while self.next().is_some_and(|character| character != '\n') {},
                _ => break,
            }
        }
    }

    fn item(&mut self) -> Result<Node, PatternError> {
        Ok(match self.next() {
            Some('.') => Node::Any,
            Some('^') => Node::Start,
            Some('$') => Node::End,
            Some('(') => self.group()?,
            Some('[') => self.class()?,
            Some('\\') => self.escape()?,
            Some('*' | '+' | '?') => {
                self.at -= 1;
                return Err(self.error("nothing to repeat"));
            }
            Some(character) => Node::Literal(character),
            None => Node::Empty,
        })
    }

    fn quantified(&mut self, mut node: Node) -> Result<Node, PatternError> {
        loop {
            self.skip_verbose();
            let (min, max) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => match self.bounds()? {
                    Some(bounds) => bounds,
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            self.at += 1;
            let mode = if self.take("?") {
                "?"
            } else if self.take("+") {
                "+"
            } else {
                ""
            };
            if matches!(node, Node::Repeat { .. }) {
                return Err(self.error("a repetition of a repetition"));
            }
            node = Node::Repeat { node: Box::new(node), min, max, mode };
        }
    }

    /// `{m}`, `{m,}`, `{,n}` or `{m,n}`, left at the closing brace; None where the brace is just a brace.
    fn bounds(&mut self) -> Result<Option<(u32, Option<u32>)>, PatternError> {
        let Some(length) = self.characters[self.at..].iter().position(|&character| character == '}') else {
            return Ok(None);
        };
        let inside: String = self.characters[self.at + 1..self.at + length].iter().collect();
        let (low, high) = inside.split_once(',').unwrap_or((&inside, &inside));
        let digits = |text: &str| text.chars().all(|character| character.is_ascii_digit());
        if inside.is_empty() || !digits(low) || !digits(high) {
            return Ok(None);
        }
        let number =
            |text: &str| text.parse::<u32>().map_err(|_| self.error("a repetition count that is too large"));
        let min = if low.is_empty() { 0 } else { number(low)? };
        let max = if high.is_empty() { None } else { Some(number(high)?) };
        if max.is_some_and(|max| max < min) {
            return Err(self.error("a repetition whose upper bound is below its lower one"));
        }
        self.at += length;
        Ok(Some((min, max)))
    }

    fn group(&mut self) -> Result<Node, PatternError> {
        let look = [("?=", true, false), ("?!", true, true), ("?<=", false, false), ("?<!", false, true)];
        for (open, ahead, negated) in look {
            if self.take(open) {
                let node = Box::new(self.closed()?);
                return Ok(Node::Look { ahead, negated, node });
            }
        }
        if self.take("?#") {
            while self.next().is_some_and(|character| character != ')') {}
            return Ok(Node::Empty);
        }
        let open = if !self.take("?") {
            "(".to_owned()
        } else if self.take(":") {
            "(?:".to_owned()
        } else if self.take(">") {
            "(?>".to_owned()
        } else if self.take("P<") {
            let mut name = String::new();
            while self.peek().is_some_and(|character| character != '>') {
                name.extend(self.next());
            }
            self.at += 1;
            format!("(?P<{name}>")
        } else {
            self.flag_group()?
        };
        Ok(Node::Group { open, node: Box::new(self.closed()?) })
    }

    fn flag_group(&mut self) -> Result<String, PatternError> {
        let start = self.at;
        while self.peek().is_some_and(|character| character.is_ascii_lowercase() || character == '-') {
            self.at += 1;
        }
        let flags: String = self.characters[start..self.at].iter().collect();
        match (flags.as_str(), self.take(":")) {
            ("i", true) => Ok("(?i:".into()),
            ("-i", true) => Ok("(?-i:".into()),
            ("u", true) => Ok("(?:".into()),
            _ => Err(self.error(format!("the group `(?{flags}`, which has no equal here"))),
        }
    }

    fn closed(&mut self) -> Result<Node, PatternError> {
        let node = self.alternation()?;
        if self.take(")") { Ok(node) } else { Err(self.error("a group that is not closed")) }
    }

    fn escape(&mut self) -> Result<Node, PatternError> {
        let Some(character) = self.next() else {
            return Err(self.error("a backslash at the end"));
        };
        Ok(match character {
            'A' => Node::Start,
            'Z' => Node::VeryEnd,
            'b' => Node::WordBoundary { negated: false },
            'B' => Node::WordBoundary { negated: true },
            '1'..='9' => Node::BackReference(character as u32 - '0' as u32),
            _ => match category(character) {
                Some(class) => Node::Class(format!("[{class}]")),
                None => Node::Literal(self.escaped_character(character)?),
            },
        })
    }

    /// The character that an escape other than a category stands for; `first` is what follows the backslash.
    fn escaped_character(&mut self, first: char) -> Result<char, PatternError> {
        let digits = match first {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            'f' => return Ok('\u{c}'),
            'v' => return Ok('\u{b}'),
            'a' => return Ok('\u{7}'),
            '0' => return Ok('\0'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other if other.is_ascii_alphanumeric() => {
                return Err(self.error(format!("the escape `\\{other}`, which has no equal here")));
            }
            other => return Ok(other),
        };
        let code: String = self.characters.iter().skip(self.at).take(digits).collect();
        let character = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        match character {
            Some(character) if code.len() == digits => {
                self.at += digits;
                Ok(character)
            }
            _ => Err(self.error(format!("`\\{first}{code}`, which is not a character"))),
        }
    }

    fn class(&mut self) -> Result<Node, PatternError> {
        let mut class = String::from(if self.take("^") { "[^" } else { "[" });
        let mut first = true;
        loop {
            let Some(character) = self.next() else {
                return Err(self.error("a character class that is not closed"));
            };
            if character == ']' && !first {
                class.push(']');
                return Ok(Node::Class(class));
            }
            first = false;
            let Some(low) = self.class_member(character, &mut class)? else { continue };
            class.push_str(&literal(low));
            let is_range =
                self.peek() == Some('-') && self.characters.get(self.at + 1).is_some_and(|&c| c != ']');
            if is_range {
                self.at += 1;
                let Some(last) = self.next() else { continue };
                let Some(high) = self.class_member(last, &mut class)? else {
                    return Err(self.error("a range that ends in a class"));
                };
                if high < low {
                    return Err(self.error(format!("the range {low}-{high}, which is upside down")));
                }
                class.push('-');
                class.push_str(&literal(high));
            }
        }
    }

    /// One member of a class: the character, or None where it was a category, which is written to `class`.
    fn class_member(&mut self, character: char, class: &mut String) -> Result<Option<char>, PatternError> {
        if character != '\\' {
            return Ok(Some(character));
        }
        match self.next() {
            None => Err(self.error("a character class that is not closed")),
            Some('b') => Ok(Some('\u{8}')),
            Some(escaped) => match category(escaped) {
                Some(category) => {
                    class.push_str(category);
                    Ok(None)
                }
                None => self.escaped_character(escaped).map(Some),
            },
        }
    }
}

/// A category escape as members of a Rust class, with Python's meaning.
fn category(escape: char) -> Option<&'static str> {
    Some(match escape {
        'd' => r"\p{Nd}",
        'D' => r"\P{Nd}",
        's' => r"\s\x1c-\x1f",
        'S' => r"[^\s\x1c-\x1f]",
        'w' => WORD,
        'W' => r"[^\p{L}\p{N}_]",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(pattern: &str) -> String {
        parse(pattern).unwrap().exact()
    }

    #[test]
    fn what_rust_reads_otherwise_is_written_out() {
        assert_eq!(exact(r"[a[&&~\]]"), r"[a\x{5b}\x{26}\x{26}\x{7e}\x{5d}]");
        assert_eq!(exact(r"[]^-]"), r"[\x{5d}\x{5e}\x{2d}]");
        assert_eq!(exact("a{"), r"a\x{7b}");
        assert_eq!(exact("x{,3}"), "(?:x){0,3}");
        assert_eq!(exact(r"(?u)^\w$"), r"\A[\p{L}\p{N}_](?=\n?\z)");
    }

    #[test]
    fn what_has_no_equal_is_refused_with_its_place() {
        for pattern in ["(?(1)a|b)", r"\N{DASH}", "(?m)^a", "a**", "(a", "a)", "[a", "[b-a]", r"\q", "*a"] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
        assert_eq!(parse("ab(").unwrap_err().at, 3);
        assert!(parse(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn an_outline_is_regular() {
        let node = parse(r"(?<=[a-z])\.(?=[A-Z])|(a)\1|\bx{2,63}$").unwrap();
        assert!(!node.is_regular());
        assert!(regex_syntax::parse(&node.outline()).is_ok());
    }
}
