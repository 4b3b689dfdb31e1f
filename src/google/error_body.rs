//! Google's error bodies, of which only the *reason word* ever leaves this file.
//!
//! Three shapes are met: Calendar's `error.errors[].reason`; the newer envelope with `error.status` and
//! `error.details[].reason`; the token endpoint's `{"error": "invalid_grant"}`. Any of them may have parts missing, and
//! what stands between us and Google answers HTML. Messages are never read: they may quote what we sent.

use serde_json::Value;

/// Longest reason word. Google's longest known one has 37 letters.
const MAX_REASON: usize = 64;

/// The reason word of an error body, if there is one that is safe to print: letters, digits, `_`, `-` and `.`, at most
/// 64 of them.
///
/// `errors[].reason` is the one Calendar documents; `details[].reason` says more than `status` where only the newer
/// envelope is used.
#[must_use]
pub fn reason(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    let candidates = [
        first_reason(error.get("errors")),
        first_reason(error.get("details")),
        error.get("status").and_then(Value::as_str),
        error.as_str(),
    ];
    candidates.into_iter().flatten().find(|word| is_word(word)).map(str::to_owned)
}

fn first_reason(list: Option<&Value>) -> Option<&str> {
    list?.as_array()?.iter().find_map(|entry| entry.get("reason")?.as_str())
}

fn is_word(word: &str) -> bool {
    (1..=MAX_REASON).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Option<String> {
        reason(body.as_bytes())
    }

    #[test]
    fn each_shape_of_error_body_gives_its_reason() {
        let calendar = r#"{"error":{"errors":[{"domain":"global","reason":"duplicate","message":"m"}],"code":409}}"#;
        assert_eq!(of(calendar).as_deref(), Some("duplicate"));
        let newer = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"t"},
            {"@type":"t","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}"#;
        assert_eq!(of(newer).as_deref(), Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"));
        assert_eq!(of(r#"{"error":{"status":"UNAVAILABLE"}}"#).as_deref(), Some("UNAVAILABLE"));
        assert_eq!(of(r#"{"error":"invalid_grant","error_description":"d"}"#).as_deref(), Some("invalid_grant"));
    }

    #[test]
    fn calendars_own_reason_wins_over_the_newer_status() {
        let both = r#"{"error":{"status":"PERMISSION_DENIED","errors":[{"reason":"rateLimitExceeded"}]}}"#;
        assert_eq!(of(both).as_deref(), Some("rateLimitExceeded"));
    }

    #[test]
    fn what_is_no_word_never_leaves() {
        for body in [
            r#"{"error":{"errors":[{"reason":"guest ada@example.com is busy"}]}}"#,
            r#"{"error":{"errors":[{"reason":""}],"message":"secret"}}"#,
            r#"{"error":{"errors":"x","details":7,"status":[]}}"#,
            "<html>502 Bad Gateway</html>",
            "",
            "[]",
        ] {
            assert_eq!(of(body), None, "{body}");
        }
        assert_eq!(of(&format!(r#"{{"error":"{}"}}"#, "a".repeat(65))), None);
    }
}
