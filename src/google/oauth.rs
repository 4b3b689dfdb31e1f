//! The token endpoint: a grant becomes an access token. One exchange at a time, no waiting and no retries here.
//!
//! A failure says whether the grant is dead, the client is configured wrong, or the trouble will pass: a dead network
//! must never be read as a dead grant. What the endpoint says beyond its error word is never kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oauth2::basic::{BasicClient, BasicErrorResponseType as ErrorWord};
use oauth2::{AsyncHttpClient, AuthType, ClientId, ClientSecret, RequestTokenError, TokenResponse, TokenUrl};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::token::Token;
use super::transport::{FaultKind, HttpReply, TransportFault};
use super::{BoxFuture, service_account};
use crate::model::CalendarError;

/// Where grants are exchanged. A form goes in, without an `Authorization` header; any HTTP status is an answer.
pub trait TokenEndpoint: Send + Sync {
    /// Posts an `application/x-www-form-urlencoded` body. Settles within `timeout`.
    fn post(&self, form: Bytes, timeout: Duration) -> BoxFuture<'_, Result<HttpReply, TransportFault>>;
}

/// An OAuth client of the app's. `Debug` prints nothing of it.
#[derive(Clone)]
pub struct OauthClient {
    id: String,
    secret: SecretString,
}

impl OauthClient {
    /// A client id and secret as Google's console shows them.
    #[must_use]
    pub fn new(id: String, secret: String) -> Self {
        Self { id, secret: SecretString::from(secret) }
    }

    /// The id, which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for OauthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OauthClient(…)")
    }
}

/// A refresh token. `Debug` prints nothing of it.
#[derive(Clone)]
pub struct RefreshToken(Arc<SecretString>);

impl RefreshToken {
    /// A refresh token as Google gave it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Arc::new(SecretString::from(text)))
    }

    /// The secret itself: for the request's form, and for those who keep it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for RefreshToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// What the endpoint gave.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The access token.
    pub access: Token,
    /// Its "remaining lifetime"; Google gives about an hour.
    pub expires_in: Option<Duration>,
    /// A new refresh token; the old one may be dead. Google normally sends none.
    pub rotated: Option<RefreshToken>,
}

/// Why it gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantFailure {
    /// `invalid_grant`: revoked, expired, or replaced. Only the user can mend it.
    Dead,
    /// The client's id, secret or rights are wrong; the word says which. Only the app's owner can mend it.
    Misconfigured(&'static str),
    /// The endpoint cannot be reached until somebody changes the configuration of the network.
    Unreachable(FaultKind),
    /// It may work later.
    Passing(Passing),
}

/// A failure of the endpoint's or the network's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passing {
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// What stopped the HTTP exchange, before oauth2 reads anything: a 503 that carries `invalid_grant` is no dead grant.
#[derive(Debug)]
struct NotAnAnswer(GrantFailure);

impl fmt::Display for NotAnAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer of the token endpoint")
    }
}

impl std::error::Error for NotAnAnswer {}

/// Our own HTTP client, as oauth2 wants one.
struct OverEndpoint {
    endpoint: Arc<dyn TokenEndpoint>,
    timeout: Duration,
}

impl<'c> AsyncHttpClient<'c> for OverEndpoint {
    type Error = NotAnAnswer;
    type Future = BoxFuture<'c, Result<oauth2::HttpResponse, NotAnAnswer>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(async move {
            let form = Bytes::from(request.into_body());
            let reply = self.endpoint.post(form, self.timeout).await.map_err(|fault| NotAnAnswer(unanswered(fault)))?;
            answer(&reply)
        })
    }
}

fn unanswered(fault: TransportFault) -> GrantFailure {
    if fault.kind.is_lasting() { GrantFailure::Unreachable(fault.kind) } else { GrantFailure::Passing(NO_ANSWER) }
}

const NO_ANSWER: Passing = Passing { status: None, retry_after: None };

/// Exchanges a refresh token. The client's credentials go in the body, as Google's own client sends them.
pub async fn refresh(
    endpoint: Arc<dyn TokenEndpoint>,
    client: OauthClient,
    token: RefreshToken,
    timeout: Duration,
) -> Result<Issued, GrantFailure> {
    // The address is the endpoint's own business; oauth2 wants one that is well-formed.
    let url = TokenUrl::new("https://oauth2.googleapis.com/token".to_owned())
        .map_err(|_| GrantFailure::Misconfigured("tokenUrl"))?;
    let oauth = BasicClient::new(ClientId::new(client.id))
        .set_client_secret(ClientSecret::new(client.secret.expose_secret().to_owned()))
        .set_token_uri(url)
        .set_auth_type(AuthType::RequestBody);
    let token = oauth2::RefreshToken::new(token.expose().to_owned());
    let http = OverEndpoint { endpoint, timeout };
    let issued = oauth.exchange_refresh_token(&token).request_async(&http).await;
    // Matched, never formatted: the error holds the endpoint's own words, and sometimes the whole body.
    let issued = issued.map_err(|error| match error {
        RequestTokenError::ServerResponse(answer) => judge(answer.error()),
        RequestTokenError::Request(NotAnAnswer(failure)) => failure,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => GrantFailure::Passing(NO_ANSWER),
    })?;
    Ok(Issued {
        access: readable(issued.access_token().secret())?,
        expires_in: issued.expires_in(),
        rotated: issued.refresh_token().map(|rotated| RefreshToken::new(rotated.secret())),
    })
}

/// Exchanges a service account's signed assertion.
pub async fn assert(
    endpoint: Arc<dyn TokenEndpoint>,
    account: Arc<service_account::ServiceAccount>,
    now_ms: u64,
    timeout: Duration,
) -> Result<Issued, GrantFailure> {
    #[derive(Deserialize)]
    struct Given {
        access_token: String,
        expires_in: Option<u64>,
    }
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    let form = account.form(now_ms).map_err(|_: CalendarError| GrantFailure::Misconfigured("private_key"))?;
    let reply = endpoint.post(form, timeout).await.map_err(unanswered)?;
    let answer = answer(&reply).map_err(|NotAnAnswer(failure)| failure)?;
    if !answer.status().is_success() {
        return Err(match serde_json::from_slice::<Refused>(answer.body()) {
            Ok(refused) => match refused.error.as_str() {
                "invalid_grant" => GrantFailure::Misconfigured("invalid_grant"),
                "invalid_client" => GrantFailure::Misconfigured("invalid_client"),
                "unauthorized_client" => GrantFailure::Misconfigured("unauthorized_client"),
                "invalid_scope" => GrantFailure::Misconfigured("invalid_scope"),
                _ => GrantFailure::Misconfigured("invalid_request"),
            },
            Err(_) => GrantFailure::Passing(Passing { status: Some(reply.status), retry_after: None }),
        });
    }
    let given: Given = serde_json::from_slice(answer.body()).map_err(|_| GrantFailure::Passing(NO_ANSWER))?;
    let expires_in = given.expires_in.map(Duration::from_secs);
    Ok(Issued { access: readable(&given.access_token)?, expires_in, rotated: None })
}

fn readable(text: &str) -> Result<Token, GrantFailure> {
    Token::new(text).map_err(|_| GrantFailure::Passing(NO_ANSWER))
}

/// An answer that speaks of the grant: a success or a refusal, not "slower", and JSON from end to end (oauth2 reads one
/// value and leaves what follows it).
fn answer(reply: &HttpReply) -> Result<oauth2::HttpResponse, NotAnAnswer> {
    let passing = GrantFailure::Passing(Passing { status: Some(reply.status), retry_after: reply.retry_after });
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body).is_ok();
    let speaks = matches!(reply.status, 200 | 400..=499) && !matches!(reply.status, 408 | 429);
    if !speaks || !is_json {
        return Err(NotAnAnswer(passing));
    }
    http::Response::builder()
        .status(reply.status)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(reply.body.to_vec())
        .map_err(|_| NotAnAnswer(passing))
}

fn judge(word: &ErrorWord) -> GrantFailure {
    match word {
        ErrorWord::InvalidGrant => GrantFailure::Dead,
        ErrorWord::InvalidClient => GrantFailure::Misconfigured("invalid_client"),
        ErrorWord::UnauthorizedClient => GrantFailure::Misconfigured("unauthorized_client"),
        ErrorWord::InvalidScope => GrantFailure::Misconfigured("invalid_scope"),
        ErrorWord::UnsupportedGrantType => GrantFailure::Misconfigured("unsupported_grant_type"),
        ErrorWord::InvalidRequest => GrantFailure::Misconfigured("invalid_request"),
        ErrorWord::Extension(_) => GrantFailure::Passing(NO_ANSWER),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http::HeaderMap;

    use super::*;

    struct Scripted(Mutex<Vec<Result<HttpReply, TransportFault>>>, Mutex<Vec<String>>);

    impl Scripted {
        fn with(status: u16, body: &str) -> Arc<Self> {
            let reply = HttpReply::new(status, &HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()));
            Arc::new(Self(Mutex::new(vec![Ok(reply)]), Mutex::default()))
        }
    }

    impl TokenEndpoint for Scripted {
        fn post(&self, form: Bytes, _: Duration) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
            self.1.lock().unwrap().push(String::from_utf8(form.to_vec()).unwrap());
            let next = self.0.lock().unwrap().pop().unwrap();
            Box::pin(std::future::ready(next))
        }
    }

    async fn exchanged(endpoint: &Arc<Scripted>) -> Result<Issued, GrantFailure> {
        let client = OauthClient::new("id".into(), "s3cret".into());
        refresh(Arc::clone(endpoint) as _, client, RefreshToken::new("1//r"), Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn a_refresh_is_sent_as_googles_own_client_sends_it() {
        let endpoint = Scripted::with(200, r#"{"access_token":"a","expires_in":3599,"token_type":"Bearer"}"#);
        let issued = exchanged(&endpoint).await.unwrap();
        assert_eq!(issued.expires_in, Some(Duration::from_secs(3599)));
        let form = endpoint.1.lock().unwrap().remove(0);
        for part in ["grant_type=refresh_token", "client_id=id", "client_secret=s3cret", "refresh_token=1%2F%2Fr"] {
            assert!(form.contains(part), "{part}");
        }
    }

    #[tokio::test]
    async fn a_dead_network_is_never_read_as_a_dead_grant() {
        let dead = r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#;
        assert_eq!(exchanged(&Scripted::with(400, dead)).await.unwrap_err(), GrantFailure::Dead);
        for status in [140, 290, 302, 408, 429, 500, 503, 999] {
            let failure = exchanged(&Scripted::with(status, dead)).await.unwrap_err();
            assert!(matches!(failure, GrantFailure::Passing(_)), "{status}");
        }
        // Two answers run together, or a page behind one, were not written by the endpoint.
        let run_on = format!("{dead}<html>");
        for (status, body) in [(200, "<html>"), (400, "<html>"), (400, run_on.as_str()), (200, "{}"), (200, "")] {
            let failure = exchanged(&Scripted::with(status, body)).await.unwrap_err();
            assert!(matches!(failure, GrantFailure::Passing(_)), "{status} {body}");
        }
        let cut = vec![Err(TransportFault::unknown(FaultKind::Cut))];
        let cut = Arc::new(Scripted(Mutex::new(cut), Mutex::default()));
        assert!(matches!(exchanged(&cut).await.unwrap_err(), GrantFailure::Passing(_)));
    }

    #[tokio::test]
    async fn a_wrong_client_is_the_app_owners_trouble() {
        let endpoint = Scripted::with(401, r#"{"error":"invalid_client","error_description":"Unauthorized"}"#);
        assert_eq!(exchanged(&endpoint).await.unwrap_err(), GrantFailure::Misconfigured("invalid_client"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let client = OauthClient::new("id".into(), "canary".into());
        assert!(!format!("{client:?} {:?}", RefreshToken::new("canary")).contains("canary"));
    }
}
