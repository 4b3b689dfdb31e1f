//! Extended properties, with the limits at which Google loses them without a word.

use serde_json::{Map, Value};

use crate::reply::Refusal;

/// Longer keys vanish. Source: the guide "Extended properties".
const MAX_KEY: usize = 44;
/// Longer values are cut.
const MAX_VALUE: usize = 1024;
/// More properties than this on one event are refused.
const MAX_COUNT: usize = 300;
/// More text than this (keys and values, bytes) on one event is refused.
const MAX_BYTES: usize = 32 * 1024;

/// Checks `extendedProperties` and gives what is stored of them; nothing if nothing is left.
pub(crate) fn normalise(given: &Value) -> Result<Option<Value>, Refusal> {
    let given = given.as_object().ok_or_else(|| Refusal::invalid("Invalid extended properties."))?;
    let mut stored = Map::new();
    let (mut count, mut bytes) = (0, 0);
    for side in ["private", "shared"] {
        let properties = match given.get(side) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(properties)) => properties,
            Some(_) => return Err(Refusal::invalid("Invalid extended properties.")),
        };
        let mut kept = Map::new();
        for (key, value) in properties {
            let value = match value {
                Value::Null => continue,
                Value::String(value) => value,
                _ => return Err(Refusal::invalid("Invalid extended property value.")),
            };
            if key.chars().count() > MAX_KEY {
                continue;
            }
            let cut: String = value.chars().take(MAX_VALUE).collect();
            count += 1;
            bytes += key.len() + cut.len();
            kept.insert(key.clone(), cut.into());
        }
        if !kept.is_empty() {
            stored.insert(side.into(), kept.into());
        }
    }
    if count > MAX_COUNT || bytes > MAX_BYTES {
        return Err(Refusal::invalid("The extended properties of the event are too large."));
    }
    Ok((!stored.is_empty()).then(|| stored.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_keys_are_dropped_and_long_values_cut_without_an_error() {
        let stored = normalise(&json!({
            "private": { "k".repeat(44): "kept", "k".repeat(45): "dropped", "long": "é".repeat(1025) },
            "shared": { "s": null },
        }));
        let stored = stored.unwrap().unwrap();
        assert_eq!(stored["private"].as_object().unwrap().len(), 2);
        assert_eq!(stored["private"]["long"].as_str().unwrap().chars().count(), 1024);
        assert!(stored.get("shared").is_none());
    }
}
