//! An access token, and where it comes from.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::google::BoxFuture;
use crate::model::{CalendarError, Code, Outcome};

/// Longest access token accepted. Google reserves 2,048 bytes for access tokens (OAuth guide, "token size").
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// An access token. Cheap to clone; `Debug` prints nothing of it; memory is wiped when the last clone goes.
#[derive(Clone)]
pub struct Token(Arc<SecretString>);

impl Token {
    /// A token as Google gave it. Refuses what cannot stand in an HTTP header, so that nothing can be smuggled in.
    pub fn new(text: &str) -> Result<Self, CalendarError> {
        if text.is_empty() || text.len() > MAX_TOKEN_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CalendarError::validation("auth.access_token", "must be an access token as Google gave it"));
        }
        Ok(Self(Arc::new(SecretString::from(text))))
    }

    /// The value of an `Authorization` header, marked as sensitive; for a transport.
    #[must_use]
    pub fn bearer(&self) -> HeaderValue {
        let text = format!("Bearer {}", self.expose());
        // Checked when the token was made: it can stand in a header.
        let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"));
        value.set_sensitive(true);
        value
    }

    /// The secret itself, for those who keep it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Token {
    /// Looks at every byte whatever the first difference, so that timing tells nothing about a prefix.
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (self.expose().as_bytes(), other.expose().as_bytes());
        one.len() == two.len() && one.iter().zip(two).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Where a call's access token comes from.
pub trait Credentials: Send + Sync {
    /// What tells them apart from others of the same user, without telling what they are: changes made with credentials
    /// of one identity may travel together. As long as these live, by default nobody else's is the same.
    fn identity(&self) -> String {
        format!("{:p}", std::ptr::from_ref(self).cast::<()>())
    }

    /// A token to use. `refused` is one that Google has just answered 401 to: return a different one, or an error.
    /// When several calls report the same refused token, one refresh should serve them all.
    ///
    /// The future may be dropped at the call's deadline.
    fn token<'a>(&'a self, refused: Option<&'a Token>) -> BoxFuture<'a, Result<Token, CalendarError>>;
}

/// One token and no way to another.
#[derive(Debug, Clone)]
pub struct StaticToken(pub Token);

impl Credentials for StaticToken {
    fn token<'a>(&'a self, refused: Option<&'a Token>) -> BoxFuture<'a, Result<Token, CalendarError>> {
        let answer = match refused {
            Some(refused) if *refused == self.0 => Err(CalendarError::new(
                Code::GoogleAuthRequired,
                Outcome::NotSent,
                "Google refused the access token and there is no refresh token to renew it with: nothing was written. \
                 Let the user reconnect their Google account, or pass credentials that can be refreshed.",
            )),
            _ => Ok(self.0.clone()),
        };
        Box::pin(std::future::ready(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_prints_nothing_of_itself() {
        let token = Token::new("ya29.secret").unwrap();
        assert!(!format!("{token:?} {:?}", StaticToken(token.clone())).contains("secret"));
    }

    #[test]
    fn what_could_smuggle_a_header_is_no_token_and_is_not_repeated() {
        for text in ["", "a b", "a\r\nX-Evil: 1", "tök", &"a".repeat(MAX_TOKEN_BYTES + 1)] {
            let error = Token::new(text).unwrap_err();
            assert_eq!(error.code, Code::ValidationFailed);
            assert!(!error.message.contains("Evil"));
        }
    }

    #[test]
    fn tokens_are_equal_only_when_every_byte_is() {
        let token = |text| Token::new(text).unwrap();
        assert_eq!(token("abc"), token("abc"));
        assert_ne!(token("abc"), token("abd"));
        assert_ne!(token("abc"), token("abcd"));
    }

    #[tokio::test]
    async fn a_static_token_that_google_refused_asks_for_a_new_consent() {
        let credentials = StaticToken(Token::new("abc").unwrap());
        assert_eq!(credentials.token(None).await.unwrap(), credentials.0);
        let error = credentials.token(Some(&credentials.0)).await.unwrap_err();
        assert_eq!(
            (error.code, error.outcome, error.requires_reauth),
            (Code::GoogleAuthRequired, Outcome::NotSent, true)
        );
    }
}
