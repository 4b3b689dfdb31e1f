//! What Google, or whoever stands in its place, may answer to a call.

use serde_json::Value;

use super::service::{OneAnswer, call};
use super::{assert_error_is_silent, assert_silent, first_line, text};

const ARGS: &str = r#"{"userId":"u1","calendarId":"primary","eventId":"someevent",
    "auth":{"accessToken":"ya29.can@ry"},"options":{"idempotencyKey":"key","timeoutMs":3000}}"#;

const EVENT: &str = r#"{"summary":"Algebra","description":"can@ry","start":{"dateTime":"2027-03-01T10:00:00Z"},
    "end":{"dateTime":"2027-03-01T11:00:00Z"},"attendees":[{"email":"can@ry.example"}]}"#;

/// The input is a line `status method retryAfterSeconds`, and the body. The call settles, its error repeats nothing of the
/// body, and it is told as verified only if the body is the event.
pub fn answer(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (head, body) = first_line(text);
    let mut words = head.split_ascii_whitespace();
    let Some(status) = words.next().and_then(|status| status.parse().ok()) else { return };
    let Some(method) = words.next() else { return };
    // A longer one is as good as none: the deadline is nearer.
    let retry_after_s = words.next().and_then(|seconds| seconds.parse().ok()).filter(|seconds| *seconds < 100);
    let google = OneAnswer::new(status, retry_after_s, body);
    let more = match method {
        "createEvents" => format!("[{EVENT}]"),
        "addAttendeeToEvent" | "removeAttendeeFromEvent" => r#"{"email":"can@ry.example"}"#.to_owned(),
        "enroll" => r#"{"events":[{"eventId":"someevent"}],"attendee":{"email":"can@ry.example"}}"#.to_owned(),
        _ => EVENT.to_owned(),
    };
    match call(&google, method, ARGS, &more) {
        None => {}
        Some(Err(error)) => assert_error_is_silent(&error),
        Some(Ok(told)) => {
            let told: Value = serde_json::from_str(&told).expect("a result is JSON");
            if method == "createEvent" && told["verified"] == true {
                let event: Value = serde_json::from_str(body).expect("a verified event was read");
                assert_eq!(event["summary"].as_str().map(str::trim), Some("Algebra"));
                assert!((200..300).contains(&status), "{status}");
            }
            for warning in told["warnings"].as_array().into_iter().flatten() {
                assert_silent(&warning.to_string());
            }
        }
    }
}
