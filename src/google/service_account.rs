//! A service account's key: signs assertions that the token endpoint exchanges for access tokens.

use std::fmt;

use bytes::Bytes;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::{CalendarError, Code, Outcome};

/// Who an assertion is for, whatever address the endpoint really has (google-auth-library, `gtoken`).
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// Seconds an assertion is good for; Google takes no more.
const LIFE: u64 = 3600;
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A JSON key of a service account. `Debug` prints nothing of it.
pub struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: RsaKeyPair,
    scopes: String,
    subject: Option<String>,
    key_print: String,
}

impl ServiceAccount {
    /// `private_key` is PEM as in Google's JSON key; `subject` is the user to act for (domain-wide delegation).
    pub fn new(
        email: String,
        private_key: &str,
        key_id: Option<String>,
        scopes: &[String],
        subject: Option<String>,
    ) -> Result<Self, CalendarError> {
        let wrong = || {
            let message = "auth.private_key must be the PEM text (PKCS#8) of a service account's JSON key. Nothing was sent to Google.";
            let mut error = CalendarError::new(Code::Configuration, Outcome::NotSent, message);
            error.field = Some("auth.private_key".to_owned());
            error
        };
        // A key that went through an environment variable has its line ends escaped.
        let text: String = private_key
            .replace("\\n", "\n")
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(str::chars)
            .filter(|c| !c.is_whitespace())
            .collect();
        let der = BASE64.decode(text.as_bytes()).map_err(|_| wrong())?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| wrong())?;
        let key_print = BASE64URL_NOPAD.encode(&Sha256::digest(&der));
        Ok(Self { email, key_id, key, scopes: scopes.join(" "), subject, key_print })
    }

    /// The form of one exchange, signed at `now_ms` (Unix ms).
    pub fn form(&self, now_ms: u64) -> Result<Bytes, CalendarError> {
        let issued = now_ms / 1000;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(key_id) = &self.key_id {
            header["kid"] = json!(key_id);
        }
        let mut claims = json!({
            "iss": self.email, "scope": self.scopes, "aud": AUDIENCE, "iat": issued, "exp": issued + LIFE,
        });
        if let Some(subject) = &self.subject {
            claims["sub"] = json!(subject);
        }
        let part = |value: &serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| CalendarError::internal(Outcome::NotSent, "an assertion could not be signed"))?;
        let assertion = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
        let grant = utf8_percent_encode(GRANT_TYPE, NON_ALPHANUMERIC);
        // An assertion's letters need no escaping in a form.
        Ok(Bytes::from(format!("grant_type={grant}&assertion={assertion}")))
    }

    /// A hash of the private key: whoever knows only the account's address must not share its tokens.
    #[must_use]
    pub fn key_print(&self) -> &str {
        &self.key_print
    }

    /// What tells one source of tokens from another; no secret.
    #[must_use]
    pub fn identity(&self) -> [&str; 3] {
        [&self.email, &self.scopes, self.subject.as_deref().unwrap_or_default()]
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceAccount(…)")
    }
}
