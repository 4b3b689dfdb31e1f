//! Reads configuration and options strictly: every key by name, type and range; what is left over is an error.
//!
//! Values never reach a message: they can be secrets.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::{CalendarError, Code, Outcome};

/// The string that stands for a function of the caller's.
pub(super) const FUNCTION: &str = "[function]";
/// Longest time any option may name: a day.
const MAX_MILLIS: f64 = 86_400_000.0;

/// One object being read. Keys are taken out as they are read.
pub(super) struct Reader {
    path: String,
    map: Map<String, Value>,
    code: Code,
}

impl Reader {
    /// The configuration's top.
    pub(super) fn config(text: &str) -> Result<Self, CalendarError> {
        Self::parse(text, "config", Code::Configuration)
    }

    /// A call's options and arguments.
    pub(super) fn arguments(text: &str) -> Result<Self, CalendarError> {
        Self::parse(text, "", Code::ValidationFailed)
    }

    /// A named argument, apart from the others.
    pub(super) fn named(text: &str, name: &str) -> Result<Self, CalendarError> {
        Self::parse(text, name, Code::ValidationFailed)
    }

    fn parse(text: &str, path: &str, code: Code) -> Result<Self, CalendarError> {
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Self { path: path.to_owned(), map, code }),
            _ => Err(fault(code, path, "must be an object")),
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn fault(&self, key: &str, what: &str) -> CalendarError {
        fault(self.code, &self.name(key), what)
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// Whether a key is there and is an object.
    pub(super) fn holds_object(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_object)
    }

    /// Whether a key is there and is `false`; then it is taken out.
    pub(super) fn is_false(&mut self, key: &str) -> bool {
        self.takes(key, false)
    }

    /// Whether a key is there and is `true`; then it is taken out.
    pub(super) fn is_true(&mut self, key: &str) -> bool {
        self.takes(key, true)
    }

    fn takes(&mut self, key: &str, word: bool) -> bool {
        let is_it = self.map.get(key) == Some(&Value::Bool(word));
        if is_it {
            self.map.shift_remove(key);
        }
        is_it
    }

    /// A nested object; an absent one reads as empty.
    pub(super) fn object(&mut self, key: &str) -> Result<Self, CalendarError> {
        let path = self.name(key);
        match self.take(key) {
            None => Ok(Self { path, map: Map::new(), code: self.code }),
            Some(Value::Object(map)) => Ok(Self { path, map, code: self.code }),
            Some(_) => Err(fault(self.code, &path, "must be an object")),
        }
    }

    pub(super) fn string(&mut self, key: &str) -> Result<Option<String>, CalendarError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) if text != FUNCTION => Ok(Some(text)),
            Some(_) => Err(self.fault(key, "must be a string")),
        }
    }

    pub(super) fn bool(&mut self, key: &str) -> Result<Option<bool>, CalendarError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(self.fault(key, "must be true or false")),
        }
    }

    pub(super) fn number(&mut self, key: &str, least: f64, most: f64) -> Result<Option<f64>, CalendarError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|number| (least..=most).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(self.fault(key, &format!("must be a number from {least} to {most}"))),
            },
        }
    }

    pub(super) fn whole(&mut self, key: &str, least: u32, most: u32) -> Result<Option<u32>, CalendarError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let is_fit = |number: &f64| number.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(number);
        match value.as_f64().filter(is_fit) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and between two u32"
            )]
            Some(number) => Ok(Some(number as u32)),
            None => Err(self.fault(key, &format!("must be a whole number from {least} to {most}"))),
        }
    }

    /// A time in milliseconds, above `least`, at most a day.
    pub(super) fn millis(&mut self, key: &str, least: f64) -> Result<Option<Duration>, CalendarError> {
        let number = self.number(key, least, MAX_MILLIS)?;
        Ok(number.map(|millis| Duration::from_secs_f64(millis / 1000.0)))
    }

    /// A time in Unix milliseconds.
    pub(super) fn unix_ms(&mut self, key: &str) -> Result<Option<u64>, CalendarError> {
        let number = self.number(key, 0.0, 1e15)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1e15, told to the millisecond"
        )]
        Ok(number.map(|ms| ms as u64))
    }

    /// A list of strings.
    pub(super) fn strings(&mut self, key: &str) -> Result<Vec<String>, CalendarError> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        let texts = value.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        texts.flatten().ok_or_else(|| self.fault(key, "must be an array of strings"))
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, CalendarError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let found = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if let Some((_, meaning)) = found {
            Ok(Some(*meaning))
        } else {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
            Err(self.fault(key, &format!("must be one of {}", all.join(", "))))
        }
    }

    /// A callback: only that it is a function is known here. Whether it is there.
    pub(super) fn function(&mut self, key: &str) -> Result<bool, CalendarError> {
        match self.take(key) {
            None => Ok(false),
            Some(Value::String(text)) if text == FUNCTION => Ok(true),
            Some(_) => Err(self.fault(key, "must be a function")),
        }
    }

    /// An object of callbacks under names of the program's own.
    pub(super) fn functions(&mut self, key: &str) -> Result<(), CalendarError> {
        let mut all = self.object(key)?;
        let names: Vec<_> = all.map.keys().cloned().collect();
        names.iter().try_for_each(|name| match all.take(name) {
            None => Ok(()),
            Some(Value::String(text)) if text == FUNCTION => Ok(()),
            Some(_) => Err(all.fault(plain(name), "must be a function")),
        })
    }

    /// Query parameters of these names: strings, numbers, booleans, and lists of them.
    pub(super) fn query(&mut self, names: &[&str]) -> Result<Vec<(String, String)>, CalendarError> {
        let mut query = Vec::new();
        for name in names {
            let values = match self.take(name) {
                None => continue,
                Some(Value::Array(values)) => values,
                Some(value) => vec![value],
            };
            for value in values {
                let text = match value {
                    Value::Null => continue,
                    Value::String(text) if text != FUNCTION => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    _ => return Err(self.fault(name, "must be a string, a number or a boolean")),
                };
                query.push(((*name).to_owned(), text));
            }
        }
        Ok(query)
    }

    /// Every key that nobody asked for.
    pub(super) fn left_over(&self) -> Vec<String> {
        self.map.keys().map(|key| self.name(plain(key))).collect()
    }

    /// Fails if a key was not asked for.
    pub(super) fn finish(self) -> Result<(), CalendarError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.fault(plain(key), "is not known: see index.d.ts for the names")),
        }
    }
}

/// A key as it may be printed.
fn plain(key: &str) -> &str {
    let fits = key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fits { key } else { "(a key with unusual characters)" }
}

fn fault(code: Code, name: &str, what: &str) -> CalendarError {
    let name = if name.is_empty() { "the arguments" } else { name };
    let mut error = CalendarError::new(
        code,
        Outcome::NotSent,
        format!("{name} {what}. Nothing was sent to Google; correct it and try again."),
    );
    error.field = Some(name.to_owned());
    error
}
