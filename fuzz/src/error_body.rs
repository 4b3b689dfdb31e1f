//! A body of an answer that is no success: what is taken from it, and what that may decide.

use surecal::google::error_body::reason;
use surecal::policy::{Kind, Seen, Verdict, classify};

/// The input is the body. Of it a word may leave, that stands in it; and no word may make a write of unknown fate one
/// that is sent again.
pub fn error_body(data: &[u8]) {
    let word = reason(data);
    if let Some(word) = &word {
        assert!((1..=64).contains(&word.len()));
        assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)), "{word}");
        let body: serde_json::Value = serde_json::from_slice(data).expect("no word comes from what is no JSON");
        assert!(holds(&body, word), "{word} was made up");
    }
    for status in 0..=999 {
        let seen = Seen::Reply(status, word.as_deref());
        let (read, write) = (classify(Kind::Read, seen), classify(Kind::Write, seen));
        assert!(!matches!(read, Verdict::Unknown(_)), "a read changes nothing: {status} {word:?}");
        assert!(
            !matches!(write, Verdict::Transient(_)),
            "a write is not repeated for a read's reason: {status} {word:?}"
        );
        let by_status_alone = classify(Kind::Write, Seen::Reply(status, None));
        if matches!(by_status_alone, Verdict::Unknown(_) | Verdict::Accept) {
            assert_eq!(write, by_status_alone, "a word overruled the status {status}: {word:?}");
        }
    }
}

fn holds(value: &serde_json::Value, word: &str) -> bool {
    match value {
        serde_json::Value::String(text) => text == word,
        serde_json::Value::Array(items) => items.iter().any(|item| holds(item, word)),
        serde_json::Value::Object(members) => members.values().any(|member| holds(member, word)),
        _ => false,
    }
}
