//! Configuration, as the facade hands it in.

use std::time::Duration;

use serde_json::Value;
use surecal::model::{Code, Outcome};
use surecal::service::Config;

use super::{assert_error_is_silent, text};

/// The longest that any time may be set to.
const DAY: Duration = Duration::from_hours(24);

/// The input is the JSON text. What is taken keeps its bounds and is taken again; what is refused is refused as a wrong
/// configuration, without its values.
pub fn config(data: &[u8]) {
    let Some(text) = text(data).filter(|text| !names_a_file(text)) else { return };
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => {
            assert_eq!((error.code, error.outcome), (Code::Configuration, Outcome::NotSent));
            assert_error_is_silent(&error);
            return;
        }
    };
    for time in [config.timeout, config.connect_timeout, config.window, config.lease, config.attendee_timeout] {
        assert!(time <= DAY);
    }
    assert!(config.attempt_timeout_of(config.timeout) <= config.timeout);
    assert!(config.for_attendees().timeout == config.attendee_timeout);
    for attempt in [0, 1, 7, u32::MAX] {
        assert!(config.backoff.delay(attempt, 1.0, None) <= config.backoff.max);
    }
    match config.changed(text) {
        Ok(again) => {
            assert_eq!((again.timeout, again.limits, again.verify), (config.timeout, config.limits, config.verify));
        }
        Err(error) => {
            assert_error_is_silent(&error);
            assert!(error.message.contains("cannot be changed"), "taken once and not twice: {error}");
        }
    }
}

/// An authority's file is read; not by this.
fn names_a_file(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    value.get("$environment").is_some_and(|environment| environment.get("extraCaCerts").is_some())
}
