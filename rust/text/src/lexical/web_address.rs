//! Web addresses without a user name: scheme, host, port, path.

use super::character::{is_letter, is_space, is_titlecase};

const LABEL_LENGTH: usize = 64;
const LAST_LABEL_LENGTHS: std::ops::RangeInclusive<usize> = 2..=63;
const PORT_LENGTHS: std::ops::RangeInclusive<usize> = 2..=5;

/// Whether all of `text` is an address: a host name whose last part is in small letters, or a public IPv4 address,
/// with a scheme, a port and a path where it has them. Behaviour as of spaCy's `URL_MATCH`, less the user name.
pub(super) fn is_web_address(text: &str) -> bool {
    let rest = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).map_or(text, |(_, rest)| rest);
    let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_start);
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    !path.contains(is_space)
        && port.is_none_or(|port| PORT_LENGTHS.contains(&port.len()) && is_ascii_number(port))
        && (is_host_name(host) || is_public_ip_address(host))
}

fn is_scheme(text: &str) -> bool {
    text.chars().nth(1).is_some() && text.chars().all(|c| c.is_alphanumeric() || "_+-.".contains(c))
}

fn is_host_name(host: &str) -> bool {
    let Some((labels, last)) = host.rsplit_once('.') else { return false };
    labels.split('.').all(is_label)
        && LAST_LABEL_LENGTHS.contains(&last.chars().count())
        && last.chars().all(|c| is_letter(c) && !c.is_uppercase() && !is_titlecase(c))
}

fn is_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '\u{a1}'..='\u{ffff}');
    label.chars().count() <= LABEL_LENGTH
        && label.starts_with(inner)
        && label.ends_with(inner)
        && label.chars().all(|c| inner(c) || c == '_' || c == '-')
}

fn is_public_ip_address(host: &str) -> bool {
    let numbers: Vec<u8> = host.split('.').map_while(address_part).collect();
    let &[first, second, _, last] = numbers.as_slice() else { return false };
    let private = matches!((first, second), (10 | 127, _) | (169, 254) | (192, 168))
        || (first == 172 && (16..32).contains(&second));
    host.split('.').count() == 4 && (1..=223).contains(&first) && (1..=254).contains(&last) && !private
}

fn address_part(text: &str) -> Option<u8> {
    if is_ascii_number(text) { text.parse().ok() } else { None }
}

fn is_ascii_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
