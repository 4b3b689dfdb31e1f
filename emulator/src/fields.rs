//! Partial responses: `fields=kind,items(id,start/dateTime)`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::reply::Refusal;

/// What to keep of a value. No children: all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    children: BTreeMap<String, Selection>,
}

impl Selection {
    /// Parses `a,b(c,d),e/f`. `known` holds the names allowed at the top (nested ones are not checked).
    pub(crate) fn parse(text: &str, known: &[&str]) -> Result<Self, Refusal> {
        let refused = || Refusal::invalid_parameter("fields", format!("Invalid field selection {text}"));
        let mut rest = text;
        let selection = parse_list(&mut rest).filter(|_| rest.is_empty()).ok_or_else(refused)?;
        match selection.children.keys().find(|name| *name != "*" && !known.contains(&name.as_str())) {
            None => Ok(selection),
            Some(name) => Err(Refusal::invalid_parameter("fields", format!("Invalid field selection {name}"))),
        }
    }

    /// The part of `value` that was asked for.
    pub(crate) fn apply(&self, value: Value) -> Value {
        if self.children.is_empty() {
            return value;
        }
        match value {
            Value::Object(map) => Value::Object(self.apply_to_object(map)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.apply(item)).collect()),
            other => other,
        }
    }

    fn apply_to_object(&self, map: Map<String, Value>) -> Map<String, Value> {
        let any = self.children.get("*");
        map.into_iter()
            .filter_map(|(name, value)| {
                let chosen = self.children.get(&name).or(any)?;
                Some((name, chosen.apply(value)))
            })
            .collect()
    }

    fn merge(&mut self, other: Self) {
        for (name, selection) in other.children {
            match self.children.get_mut(&name) {
                // "All of it" swallows a part of it.
                Some(old) if old.children.is_empty() || selection.children.is_empty() => *old = Self::default(),
                Some(old) => old.merge(selection),
                None => {
                    self.children.insert(name, selection);
                }
            }
        }
    }
}

fn parse_list(rest: &mut &str) -> Option<Selection> {
    let mut selection = Selection::default();
    loop {
        selection.merge(parse_item(rest)?);
        match rest.strip_prefix(',') {
            Some(more) => *rest = more,
            None => return Some(selection),
        }
    }
}

fn parse_item(rest: &mut &str) -> Option<Selection> {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '*')).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    *rest = after;
    let inner = if let Some(more) = rest.strip_prefix('/') {
        *rest = more;
        parse_item(rest)?
    } else if let Some(more) = rest.strip_prefix('(') {
        *rest = more;
        let inner = parse_list(rest)?;
        *rest = rest.strip_prefix(')')?;
        inner
    } else {
        Selection::default()
    };
    Some(Selection { children: BTreeMap::from([(name.to_owned(), inner)]) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: &[&str] = &["kind", "items", "a", "b"];

    fn apply(fields: &str, value: Value) -> Value {
        Selection::parse(fields, KNOWN).unwrap().apply(value)
    }

    #[test]
    fn nested_selections_keep_only_what_is_named() {
        let value =
            json!({ "kind": "k", "etag": "e", "items": [{ "id": 1, "start": { "date": "d", "timeZone": "z" } }] });
        assert_eq!(
            apply("kind,items(id,start/date)", value.clone()),
            json!({ "kind": "k", "items": [{ "id": 1, "start": { "date": "d" } }] })
        );
        assert_eq!(apply("items/id", value.clone()), json!({ "items": [{ "id": 1 }] }));
        assert_eq!(apply("*", value.clone()), value);
        assert_eq!(apply("a/b,a", json!({ "a": { "b": 1, "c": 2 } })), json!({ "a": { "b": 1, "c": 2 } }));
    }

    #[test]
    fn a_malformed_or_unknown_selection_is_refused() {
        for bad in ["", "a(", "a(b", "a)", "a,", "a//b", "nope", "a(b))"] {
            assert!(Selection::parse(bad, KNOWN).is_err(), "{bad}");
        }
    }
}
