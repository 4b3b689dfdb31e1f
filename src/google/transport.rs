//! One HTTP exchange: what goes out, what comes back, and, when nothing does, whether it can have arrived.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, header};

use super::BoxFuture;
use super::token::Token;
pub use crate::policy::{Fate, FaultKind, TransportFault};

pub use super::http_transport::{HttpTransport, Network, TransportConfig, check_address};

/// A request below the root URL. `Debug` prints neither path nor body: they hold addresses.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Path and query, percent-encoded, beginning with `/`.
    pub path_and_query: String,
    /// `If-Match`, `If-None-Match`, and the `Content-Type` of a body that is not JSON. Never `Authorization`: that is the
    /// transport's, as is the `Content-Type` of JSON: most requests have no headers of their own to be kept for a repeat.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Body,
}

/// A body in one piece, or in two that are put together when they are sent: what waits for that holds no copy of data that is
/// kept besides. `Debug` prints no content.
#[derive(Clone, Default)]
pub struct Body {
    head: Bytes,
    rest: Bytes,
}

impl Body {
    /// `head` with `rest` behind it.
    #[must_use]
    pub const fn new(head: Bytes, rest: Bytes) -> Self {
        Self { head, rest }
    }

    /// Bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.head.len() + self.rest.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In one piece.
    #[must_use]
    pub fn whole(&self) -> Bytes {
        if self.rest.is_empty() { self.head.clone() } else { [&*self.head, &*self.rest].concat().into() }
    }
}

impl From<Bytes> for Body {
    fn from(head: Bytes) -> Self {
        Self { head, rest: Bytes::new() }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
}

impl HttpRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, path_and_query: String) -> Self {
        Self { method, path_and_query, headers: HeaderMap::new(), body: Body::default() }
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({}, {} bytes)", self.method, self.body.len())
    }
}

/// A whole answer. `Debug` prints no body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// `ETag`, with its quotes.
    pub etag: Option<String>,
    /// `Retry-After`, as a time to wait.
    pub retry_after: Option<Duration>,
    /// The body, decompressed.
    pub body: Bytes,
}

impl HttpReply {
    /// An answer with the headers that matter read.
    #[must_use]
    pub fn new(status: u16, headers: &HeaderMap, body: Bytes) -> Self {
        let etag = text(headers, header::ETAG).map(str::to_owned);
        Self { status, etag, retry_after: retry_after(headers), body }
    }
}

impl fmt::Debug for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpReply({}, {} bytes)", self.status, self.body.len())
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Seconds, or a date (RFC 9110, 10.2.3). A date is read against the answer's own `Date`, so that the two machines'
/// clocks need not agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let seconds = |date: &str| Some(jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second());
    let wait = seconds(value)? - seconds(text(headers, header::DATE)?)?;
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// What carries a request to Google and its answer back.
///
/// `exchange` settles within `timeout` and sends the request at most once. [`Fate::NotSent`] is a proof, not a guess:
/// no server has acted on the request, nor will. The future may be dropped at any time.
pub trait Transport: Send + Sync {
    /// One exchange. Any HTTP status is an answer, redirects too.
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>>;
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn waits(value: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        headers.insert(header::DATE, HeaderValue::from_static("Fri, 31 Dec 1999 23:59:50 GMT"));
        HttpReply::new(429, &headers, Bytes::new()).retry_after
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_against_the_answers_own() {
        assert_eq!(waits("7"), Some(Duration::from_secs(7)));
        assert_eq!(waits("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::from_secs(9)));
        assert_eq!(waits("Fri, 31 Dec 1999 23:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(waits("-1"), None);
        assert_eq!(waits("soon"), None);
    }

    #[test]
    fn debug_of_a_request_and_a_reply_tells_no_content() {
        let request = HttpRequest {
            body: Bytes::from_static(b"secret").into(),
            ..HttpRequest::new(Method::GET, "/ada@x".into())
        };
        let reply = HttpReply::new(200, &HeaderMap::new(), Bytes::from_static(b"secret"));
        let printed = format!("{request:?} {reply:?}");
        assert!(!printed.contains("ada") && !printed.contains("secret"));
    }
}
