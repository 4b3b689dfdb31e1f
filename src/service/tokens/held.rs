//! A user's tokens, as somebody holds them.

use serde_json::{Value, json};

use crate::google::{RefreshToken, Token};
use crate::model::CalendarError;

/// An access token, how long it lives, and what renews it. `Debug` prints nothing of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    pub(crate) access: Option<Token>,
    pub(crate) refresh: Option<RefreshToken>,
    /// Unix ms. Without it, the access token is used until Google answers 401.
    pub(crate) expires_at: Option<u64>,
}

impl Tokens {
    /// Reads what a token store gave: `{ access_token, refresh_token, expiry_date }`, the date in Unix ms or as RFC 3339.
    pub(crate) fn from_store(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let word = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let access = match word("access_token") {
            Some(text) => Some(Token::new(text).ok()?),
            None => None,
        };
        let refresh = word("refresh_token").map(RefreshToken::new);
        let date = value.get("expiry_date");
        Some(Self { access, refresh, expires_at: date.and_then(unix_ms) })
    }

    /// The access token, if it is not the one that Google refused and lives for `least_ms` more.
    pub(crate) fn fresh(&self, now_ms: u64, least_ms: u64, refused: Option<&Token>) -> Option<Token> {
        let access = self.access.as_ref().filter(|access| Some(*access) != refused)?;
        let lives = self.expires_at.is_none_or(|at| at >= now_ms.saturating_add(least_ms) && at > now_ms);
        lives.then(|| access.clone())
    }

    /// As a token store and google-auth-library name them.
    pub(crate) fn to_value(&self) -> Value {
        json!({
            "access_token": self.access.as_ref().map(Token::expose),
            "refresh_token": self.refresh.as_ref().map(RefreshToken::expose),
            "expiry_date": self.expires_at,
            "token_type": "Bearer",
        })
    }

    /// What came with a call.
    pub(crate) fn from_call(
        access: Option<&str>,
        refresh: Option<&str>,
        expires_at: Option<u64>,
    ) -> Result<Self, CalendarError> {
        let access = access.filter(|text| !text.is_empty()).map(Token::new).transpose()?;
        let refresh = refresh.filter(|text| !text.is_empty()).map(RefreshToken::new);
        Ok(Self { access, refresh, expires_at })
    }
}

fn unix_ms(date: &Value) -> Option<u64> {
    match date {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: finite and not negative")]
        Value::Number(number) => number.as_f64().filter(|ms| *ms >= 0.0 && *ms < 1e15).map(|ms| ms as u64),
        Value::String(text) => {
            let at: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(at.as_millisecond()).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fresh_while_it_lives_long_enough_and_was_not_refused() {
        let tokens = Tokens::from_store(r#"{"access_token":"a","expiry_date":1000}"#).unwrap();
        assert!(tokens.fresh(400, 600, None).is_some());
        assert!(tokens.fresh(401, 600, None).is_none());
        assert!(tokens.fresh(1000, 0, None).is_none());
        assert!(tokens.fresh(0, 0, Some(&Token::new("a").unwrap())).is_none());
    }

    #[test]
    fn a_token_without_a_date_is_used_until_it_is_refused() {
        let tokens = Tokens::from_store(r#"{"access_token":"a"}"#).unwrap();
        assert!(tokens.fresh(u64::MAX, 600_000, None).is_some());
    }

    #[test]
    fn a_date_may_be_a_number_or_text() {
        for text in [r#"{"expiry_date":1767225600000}"#, r#"{"expiry_date":"2026-01-01T00:00:00.000Z"}"#] {
            assert_eq!(Tokens::from_store(text).unwrap().expires_at, Some(1_767_225_600_000), "{text}");
        }
    }
}
