//! PATCH semantics: null deletes, arrays are replaced, properties are merged key by key.

use serde_json::{Map, Value};

/// `patch` over `stored` (the writable fields of an event).
pub(crate) fn patch(stored: &Map<String, Value>, patch: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = stored.clone();
    for (name, value) in patch {
        match (name.as_str(), value) {
            (_, Value::Null) => {
                merged.shift_remove(name);
            }
            ("start" | "end", Value::Object(point)) => {
                let old = stored.get(name).and_then(Value::as_object);
                merged.insert(name.clone(), point_over(old, point).into());
            }
            ("extendedProperties", Value::Object(sides)) => {
                let mut all = stored.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
                for (side, value) in sides {
                    match value {
                        Value::Object(properties) => {
                            let old = all.get(side).and_then(Value::as_object);
                            all.insert(side.clone(), shallow_over(old, properties).into());
                        }
                        Value::Null => {
                            all.shift_remove(side);
                        }
                        other => {
                            all.insert(side.clone(), other.clone());
                        }
                    }
                }
                merged.insert(name.clone(), all.into());
            }
            ("reminders" | "source" | "gadget", Value::Object(given)) => {
                let old = stored.get(name).and_then(Value::as_object);
                merged.insert(name.clone(), shallow_over(old, given).into());
            }
            (_, value) => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    merged
}

fn shallow_over(old: Option<&Map<String, Value>>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = old.cloned().unwrap_or_default();
    for (key, value) in new {
        if value.is_null() {
            merged.shift_remove(key);
        } else {
            merged.insert(key.clone(), value.clone());
        }
    }
    merged
}

/// A time over a time. A date pushes out a dateTime and the reverse; the zone stays unless it is given.
fn point_over(old: Option<&Map<String, Value>>, new: &Map<String, Value>) -> Map<String, Value> {
    let given = |key: &str| new.get(key).is_some_and(|value| !value.is_null());
    let mut merged = old.cloned().unwrap_or_default();
    if given("date") && !given("dateTime") {
        merged.shift_remove("dateTime");
        merged.shift_remove("timeZone");
    }
    if given("dateTime") && !given("date") {
        merged.shift_remove("date");
    }
    shallow_over(Some(&merged), new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(stored: Value, change: Value) -> Value {
        let (Value::Object(stored), Value::Object(change)) = (stored, change) else { panic!() };
        patch(&stored, &change).into()
    }

    #[test]
    fn null_deletes_arrays_are_replaced_and_properties_merge_by_key() {
        let stored = json!({
            "summary": "a", "location": "b", "attendees": [{ "email": "x" }],
            "extendedProperties": { "private": { "one": "1", "two": "2" } },
        });
        let change = json!({
            "location": null, "attendees": [{ "email": "y" }],
            "extendedProperties": { "private": { "two": null, "three": "3" }, "shared": { "s": "s" } },
        });
        assert_eq!(
            merged(stored, change),
            json!({
                "summary": "a", "attendees": [{ "email": "y" }],
                "extendedProperties": { "private": { "one": "1", "three": "3" }, "shared": { "s": "s" } },
            })
        );
    }

    #[test]
    fn a_date_pushes_out_a_date_time() {
        let stored = json!({ "start": { "dateTime": "t", "timeZone": "z" } });
        assert_eq!(merged(stored.clone(), json!({ "start": { "date": "d" } })), json!({ "start": { "date": "d" } }));
        assert_eq!(
            merged(stored, json!({ "start": { "dateTime": "u" } })),
            json!({ "start": { "dateTime": "u", "timeZone": "z" } })
        );
    }
}
