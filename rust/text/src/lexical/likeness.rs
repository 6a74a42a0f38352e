//! What a word looks like: a number, a web address, an e-mail address.

use std::borrow::Cow;

use super::character::is_digit;
use super::top_level_domains::TOP_LEVEL_DOMAINS;
use super::web_address::is_web_address;

const SCHEMES: [&str; 2] = ["http://", "https://"];
const HOST_PREFIX: &str = "www.";

/// Whether `text` works like a web address in running text, valid or not.
///
/// True of anything after `http://`, `https://` or `www.`, and of a dotted name without `@` whose last part ends
/// in a slash or, up to a colon, is a known top-level domain in lower case, or that is a whole address.
pub fn like_url(text: &str) -> bool {
    if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return true;
    }
    if text.len() > HOST_PREFIX.len() && text.starts_with(HOST_PREFIX) {
        return true;
    }
    if text.starts_with('.') || text.ends_with('.') || text.contains('@') {
        return false;
    }
    let Some((_, last_part)) = text.rsplit_once('.') else {
        return false;
    };
    let domain = last_part.split(':').next().unwrap_or_default();
    domain.ends_with('/') || TOP_LEVEL_DOMAINS.binary_search(&domain).is_ok() || is_web_address(text)
}

/// Whether `text` begins with an e-mail address: a local part, `@`, and a domain with a dot.
pub fn like_email(text: &str) -> bool {
    let bytes = text.as_bytes();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let local = bytes.iter().take_while(|byte| word(byte) || b"_.+".contains(byte)).count();
    if local == 0 || bytes.get(local) != Some(&b'@') {
        return false;
    }
    let domain = &bytes[local + 1..];
    let first_part = domain.iter().take_while(|byte| word(byte)).count();
    first_part > 0
        && domain.get(first_part) == Some(&b'.')
        && domain.get(first_part + 1).is_some_and(|byte| word(byte) || *byte == b'.')
}

/// Whether a word [`without_separators`] is a number in digits, or a fraction of two.
pub fn like_numeral(digits: &str) -> bool {
    is_all_digits(digits)
        || digits.split_once('/').is_some_and(|(over, under)| is_all_digits(over) && is_all_digits(under))
}

/// Whether a word in lower case, [`without_separators`], is digits with one of `endings`, like `1000th`.
pub fn like_ordinal_numeral(lower: &str, endings: &[String]) -> bool {
    endings.iter().any(|ending| lower.strip_suffix(ending.as_str()).is_some_and(is_all_digits))
}

/// Without one leading sign, dots and commas, and in that order.
pub fn without_separators(text: &str) -> Cow<'_, str> {
    let unsigned = text.strip_prefix(['+', '-', '±', '~']).unwrap_or(text);
    match unsigned.contains([',', '.']) {
        true => Cow::Owned(unsigned.replace([',', '.'], "")),
        false => Cow::Borrowed(unsigned),
    }
}

fn is_all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_digit)
}
