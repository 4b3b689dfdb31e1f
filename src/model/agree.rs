//! Whether two values of a field say the same. Text is compared by its words, for Google promises nothing about spaces.

use serde_json::{Map, Value};

use super::fields::{Field, Shape, is_unset};

/// Whether `actual` says what `expected` says. Members that `expected` does not name do not matter.
pub(crate) fn agrees(field: &Field, expected: &Value, actual: Option<&Value>) -> bool {
    let actual = actual.unwrap_or(&Value::Null);
    if is_unset(field, expected) {
        return is_unset(field, actual);
    }
    match (field.shape, expected, actual) {
        (_, Value::String(a), Value::String(b)) if field.name == "description" => same_html(a, b),
        (Shape::Object(table), Value::Object(wanted), _) => agree_members(table, wanted, actual.as_object()),
        (Shape::List(shape, _), Value::Array(wanted), Value::Array(found)) => {
            let item = Field { name: "", shape: *shape, unset: field.unset };
            wanted.len() == found.len()
                && wanted.iter().all(|value| found.iter().any(|other| agrees(&item, value, Some(other))))
        }
        _ => covers(expected, actual),
    }
}

fn agree_members(table: &[Field], wanted: &Map<String, Value>, found: Option<&Map<String, Value>>) -> bool {
    wanted.iter().all(|(name, value)| {
        // A member that is not in the table is Google's own business.
        let Some(member) = table.iter().find(|member| member.name == name) else { return true };
        agrees(member, value, found.and_then(|found| found.get(name)))
    })
}

/// Whether everything that `expected` names is in `actual`. Our own properties are not the caller's.
fn covers(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Null, other) => other.is_null() || other.as_str() == Some(""),
        (Value::String(a), Value::String(b)) => same_text(a, b),
        (Value::String(a), Value::Null) => a.is_empty(),
        (Value::Bool(false), Value::Null) => true,
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| covers(a, b)),
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .filter(|(name, _)| !name.starts_with(super::stamp::RESERVED_PREFIX))
            .all(|(name, value)| covers(value, found.get(name).unwrap_or(&Value::Null))),
        (Value::Object(wanted), Value::Null) => {
            wanted.keys().all(|name| name.starts_with(super::stamp::RESERVED_PREFIX))
        }
        (a, b) => a == b,
    }
}

/// The same words, whatever stands between them.
pub(crate) fn same_text(a: &str, b: &str) -> bool {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words = |text| str::split(text, is_gap).filter(|word| !word.is_empty());
    words(a).eq(words(b))
}

/// The same text to a reader's eye: tags, entities and spaces do not count.
pub(crate) fn same_html(a: &str, b: &str) -> bool {
    a == b || visible(a) == visible(b)
}

/// The text of an HTML fragment, without spaces.
fn visible(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(next) = rest.chars().next() {
        let used = match next {
            '<' => tag_length(rest),
            '&' => entity(rest).map(|(c, used)| {
                text.push(c);
                used
            }),
            _ => None,
        };
        let used = used.unwrap_or_else(|| {
            text.push(next);
            next.len_utf8()
        });
        rest = rest.get(used..).unwrap_or_default();
    }
    text.retain(|c| !c.is_whitespace() && !c.is_control());
    text
}

/// The length of the tag that starts here; a `<` in plain text starts none.
fn tag_length(text: &str) -> Option<usize> {
    let second = text[1..].chars().next()?;
    (second.is_ascii_alphabetic() || second == '/' || second == '!').then(|| text.find('>'))?.map(|end| end + 1)
}

/// The character of the entity that starts here, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    // The longest we know is `&#1114111;`.
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_description_that_google_wrote_as_html_is_still_the_same() {
        for (a, b) in [
            ("Bring your laptop.\nRoom 5 & 6", "Bring your laptop.<br>Room 5 &amp; 6"),
            ("<p>Hello <b>world</b></p>", "Hello world"),
            ("a < b", "a &lt; b"),
            ("caf\u{e9}", "caf&#233;"),
            ("it's", "it&#x27;s "),
        ] {
            assert!(same_html(a, b) && same_html(b, a), "{a} {b}");
        }
        for (a, b) in [("Room 5", "Room 6"), ("a < b", "a"), ("&amp", "&"), ("<b>", "")] {
            assert_eq!(same_html(a, b), a == "<b>", "{a} {b}");
        }
    }

    #[test]
    fn text_is_compared_by_its_words() {
        assert!(same_text(" Class  7\r\n", "Class 7"));
        assert!(!same_text("Class 7", "Class 8"));
        assert!(!same_text("Class7", "Class 7"));
    }

    proptest! {
        #[test]
        fn text_is_the_same_as_itself_and_no_text_makes_it_panic(text in "[a<>&;#x/!é \\n]{0,40}", other in "\\PC{0,20}") {
            prop_assert!(same_html(&text, &text) && same_text(&text, &text));
            let _ = same_html(&text, &other);
        }
    }
}
