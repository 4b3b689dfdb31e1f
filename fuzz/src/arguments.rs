//! What the facade hands in for a call: arguments with options and credentials, and the method's own data.

use surecal::model::{CalendarError, Code, Outcome};

use super::service::{OneAnswer, call};
use super::{assert_error_is_silent, first_line, text};

/// The input is a line with the method's name, a line of arguments, and the rest. What is refused as wrong has sent nothing,
/// and no error repeats a value.
pub fn arguments(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (method, rest) = first_line(text);
    let (args, more) = first_line(rest);
    let google = OneAnswer::new(403, None, r#"{"error":{"errors":[{"reason":"forbidden"}],"code":403}}"#);
    let Some(told) = call(&google, method, args, more) else { return };
    let Err(error) = told else { return };
    // An event's id is the caller's own, and has a field of its own.
    assert_error_is_silent(&CalendarError { event_id: None, rollback: Box::default(), ..error.clone() });
    if error.code == Code::ValidationFailed && error.outcome == Outcome::NotSent {
        assert_eq!(google.asked(), 0, "{method} was refused as wrong after a request");
    }
    assert_ne!(error.code, Code::Internal, "{method}: {error}");
}
