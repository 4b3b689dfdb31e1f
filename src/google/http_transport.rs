//! The transport over real sockets: reqwest, with everything that resends, follows or waits by itself switched off.

use std::fmt;
use std::time::Duration;

use super::BoxFuture;
use super::token::Token;
use super::transport::{HttpReply, HttpRequest, Transport, TransportFault};
use crate::model::CalendarError;

/// How to reach Google.
#[derive(Clone, PartialEq, Eq)]
pub struct TransportConfig {
    /// Where the API is. `https:`, or `http:` to a loopback host; no user, query or fragment.
    pub root_url: String,
    /// The most that opening a connection may take, TLS included.
    pub connect_timeout: Duration,
    /// Bytes of an answer's body, decompressed, that are read at most.
    pub max_body: usize,
    /// Speak HTTP/2 without asking: for plain-text servers in tests.
    pub http2_prior_knowledge: bool,
}

impl TransportConfig {
    /// Google's own address, 2 s to connect, 8 MiB.
    #[must_use]
    pub fn new(root_url: impl Into<String>) -> Self {
        Self {
            root_url: root_url.into(),
            connect_timeout: Duration::from_secs(2),
            max_body: 8 * 1024 * 1024,
            http2_prior_knowledge: false,
        }
    }
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self::new("https://www.googleapis.com")
    }
}

impl fmt::Debug for TransportConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportConfig(…)")
    }
}

/// HTTP over real sockets.
#[derive(Clone)]
pub struct HttpTransport {}

impl HttpTransport {
    /// Checks `config`; opens nothing yet.
    pub fn new(_config: TransportConfig) -> Result<Self, CalendarError> {
        Ok(Self {})
    }
}

impl Transport for HttpTransport {
    fn exchange(
        &self,
        _request: HttpRequest,
        _token: &Token,
        _timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        todo!()
    }
}
