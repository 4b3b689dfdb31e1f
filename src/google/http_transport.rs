//! The transport over real sockets: reqwest, with everything that resends, follows or waits by itself switched off.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, header};
use url::Url;

use super::oauth::TokenEndpoint;
use super::opening::Opening;
use super::proxy::{Proxy, is_loopback};
use super::token::Token;
use super::transport::{FaultKind, HttpReply, HttpRequest, Transport, TransportFault};
use super::trust::Trust;
use super::watched_body::{Gate, WatchedBody};
use super::{BoxFuture, fault};
use crate::clock::Clock;
use crate::model::{CalendarError, Code, Outcome};

/// Connections that nobody used for this long are closed.
const IDLE: Duration = Duration::from_mins(1);
/// How often an HTTP/2 connection is asked whether it is alive, and how soon it must answer.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_ANSWERED: Duration = Duration::from_secs(2);

/// What lies between this process and any server: the same for the API and for the token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// The proxy on the way, if there is one.
    pub proxy: Option<Proxy>,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Added to our own `User-Agent`, after a space. Visible ASCII.
    pub user_agent: Option<String>,
}

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
    /// Proxy, authorities, name.
    pub network: Network,
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
            network: Network::default(),
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

/// HTTP over real sockets. Clones share their connections.
#[derive(Clone)]
pub struct HttpTransport {
    shared: Arc<Shared>,
}

struct Shared {
    config: TransportConfig,
    root: Url,
    pool: RwLock<Arc<Pool>>,
    /// Only where ALPN decides whether one connection will do.
    opening: Option<Opening>,
}

/// A client with its connections, and how often any of them brought an answer.
struct Pool {
    client: reqwest::Client,
    answers: AtomicU64,
}

impl HttpTransport {
    /// Checks `config`; opens nothing yet. A wrong one is [`Code::Configuration`], field `rootUrl`.
    pub fn new(config: &TransportConfig) -> Result<Self, CalendarError> {
        let root = check_url(&config.root_url, "rootUrl")?;
        let is_https = root.scheme() == "https";
        // Once per process; an error says that it was done before, by us or by the program around us.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The error's text may hold what was configured.
        let pool = Pool::open(config, &root).map_err(|_| {
            let message = "The HTTP client could not be set up on this system.";
            CalendarError::new(Code::Configuration, Outcome::NotSent, message)
        })?;
        let shared = Shared {
            config: config.clone(),
            root,
            pool: RwLock::new(Arc::new(pool)),
            opening: is_https.then(|| Opening::new(Clock::system(), IDLE)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Pool {
    fn open(config: &TransportConfig, target: &Url) -> reqwest::Result<Self> {
        const OURS: &str = concat!("surecal/", env!("CARGO_PKG_VERSION"));
        let network = &config.network;
        let mut builder = reqwest::Client::builder()
            .user_agent(network.user_agent.as_ref().map_or_else(|| OURS.to_owned(), |more| format!("{OURS} {more}")))
            // By default reqwest resends some HTTP/2 POSTs by itself.
            .retry(reqwest::retry::never())
            // A redirect would carry the token and the event to an address that nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .gzip(true)
            // Without these, an idle connection that went silent is only found out by the call that needs it.
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_ANSWERED)
            .http2_keep_alive_while_idle(true)
            // The environment is read by whoever made the configuration, not behind its back.
            .no_proxy();
        if let Some(proxy) = &network.proxy
            && let Some(proxy) = proxy.towards(target)?
        {
            builder = builder.proxy(proxy);
        }
        builder = if target.scheme() == "https" || network.proxy.is_some() {
            let alpn: &[&[u8]] = if config.http2_prior_knowledge { &[b"h2"] } else { &[b"h2", b"http/1.1"] };
            network.trust.applied_to(builder, alpn)
        } else {
            // Nothing to check: reading the system's authorities would only cost time.
            builder.tls_certs_only([])
        };
        if config.http2_prior_knowledge {
            builder = builder.http2_prior_knowledge();
        }
        Ok(Self { client: builder.build()?, answers: AtomicU64::new(0) })
    }
}

impl Transport for HttpTransport {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        // Nothing can have been sent while the request is still ours: until then the gate stands for all of it.
        let gate = Gate::default();
        let has_body = !request.body.is_empty();
        let request = self.shared.prepare(request, Some(token), &gate);
        Box::pin(async move {
            let pool = self.shared.pool();
            let answers = pool.answers.load(Ordering::Relaxed);
            let handed_over = AtomicBool::new(false);
            let once = self.shared.exchange(&pool, request, has_body.then_some(&gate), &handed_over);
            // Around everything, unlike reqwest's own timeout; the future dropped with it gives up the stream (HTTP/2) or
            // closes the connection (HTTP/1.1), so that no later call meets a late answer.
            tokio::time::timeout(timeout, once).await.unwrap_or_else(|_| {
                let handed_over = handed_over.load(Ordering::Acquire);
                if handed_over && pool.answers.load(Ordering::Relaxed) == answers {
                    self.shared.leave(&pool);
                }
                Err(fault::of_body(FaultKind::Timeout, (has_body || !handed_over).then_some(&gate)))
            })
        })
    }
}

impl Shared {
    fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves a pool that answered nobody in the whole time of one attempt. HTTP/2 puts every call on the one
    /// connection there is, and should that one have gone silent, each of them would time out until a ping finds out.
    /// What is under way in the old pool goes on. (HTTP/1.1 has closed the silent connection already.)
    fn leave(&self, silent: &Arc<Pool>) {
        let may_be_http2 = self.opening.is_some() || self.config.http2_prior_knowledge;
        if !may_be_http2 || !Arc::ptr_eq(&self.pool(), silent) {
            return;
        }
        if let Ok(fresh) = Pool::open(&self.config, &self.root) {
            let mut pool = self.pool.write().unwrap_or_else(PoisonError::into_inner);
            if Arc::ptr_eq(&pool, silent) {
                *pool = Arc::new(fresh);
            }
            self.broke();
        }
    }

    fn broke(&self) {
        if let Some(opening) = &self.opening {
            opening.broke();
        }
    }

    async fn exchange(
        &self,
        pool: &Pool,
        request: Option<Box<reqwest::Request>>,
        body_gate: Option<&Gate>,
        handed_over: &AtomicBool,
    ) -> Result<HttpReply, TransportFault> {
        let request = request.ok_or(TransportFault::not_sent(FaultKind::Garbled))?;
        let alone = match &self.opening {
            Some(opening) => opening.enter(self.config.connect_timeout).await,
            None => None,
        };
        handed_over.store(true, Ordering::Release);
        let response = pool.client.execute(*request).await.map_err(|error| {
            self.broke();
            fault::of_request(&error, body_gate)
        })?;
        pool.answers.fetch_add(1, Ordering::Relaxed);
        if let Some(opening) = &self.opening {
            opening.opened();
        }
        drop(alone);
        Box::pin(self.read(response)).await
    }

    /// `None`: it cannot be sent as it is meant. Boxed, so that waiting for the reply takes no room for it.
    fn prepare(&self, request: HttpRequest, token: Option<&Token>, gate: &Gate) -> Option<Box<reqwest::Request>> {
        let url = self.below_root(&request.path_and_query)?;
        let mut prepared = Box::new(reqwest::Request::new(request.method, url));
        *prepared.headers_mut() = request.headers;
        if let Some(token) = token {
            prepared.headers_mut().insert(header::AUTHORIZATION, token.bearer());
        }
        if !request.body.is_empty() {
            let json = || HeaderValue::from_static("application/json; charset=utf-8");
            prepared.headers_mut().entry(header::CONTENT_TYPE).or_insert_with(json);
            *prepared.body_mut() = Some(reqwest::Body::wrap(WatchedBody::new(request.body.whole(), gate.clone())));
        }
        Some(prepared)
    }

    /// `None`: the parser would change it (`..`, a stray `#`), so it is not the path that was meant. Host and port are those of
    /// the root, whatever it holds: they are not parsed again.
    fn below_root(&self, path_and_query: &str) -> Option<Url> {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let mut url = self.root.clone();
        url.set_path(&[self.root.path().trim_end_matches('/'), path].concat());
        url.set_query(query);
        let is_kept = url.as_str().strip_prefix(self.root.as_str().trim_end_matches('/')) == Some(path_and_query);
        (is_kept && path.starts_with('/')).then_some(url)
    }

    /// From here on the request was answered: whatever fails now proves nothing about it.
    async fn read(&self, mut response: reqwest::Response) -> Result<HttpReply, TransportFault> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let max_body = self.config.max_body;
        let too_large = TransportFault::unknown(FaultKind::TooLarge);
        if response.content_length().is_some_and(|length| length > max_body as u64) {
            return Err(too_large);
        }
        let (mut first, mut more) = (Bytes::new(), BytesMut::new());
        // Counted as it comes: a compressed or chunked body does not tell its size.
        while let Some(chunk) = response.chunk().await.map_err(|_| TransportFault::unknown(FaultKind::Cut))? {
            if first.len() + more.len() + chunk.len() > max_body {
                return Err(too_large);
            }
            if first.is_empty() {
                first = chunk;
            } else {
                more.extend_from_slice(&chunk);
            }
        }
        let body = if more.is_empty() { first } else { [first, more.freeze()].concat().into() };
        Ok(HttpReply::new(status, &headers, body))
    }
}

/// The token endpoint over the same kind of client.
pub struct HttpTokenEndpoint {
    shared: Arc<Shared>,
    path: String,
}

impl HttpTokenEndpoint {
    /// Checks `url` as a transport's root is checked; field `tokenUrl`.
    pub fn new(url: &str, connect_timeout: Duration, network: &Network) -> Result<Self, CalendarError> {
        let checked = check_url(url, "tokenUrl")?;
        let root_url = checked.origin().ascii_serialization();
        let transport = HttpTransport::new(&TransportConfig {
            connect_timeout,
            network: network.clone(),
            ..TransportConfig::new(root_url)
        })?;
        Ok(Self { shared: transport.shared, path: checked.path().to_owned() })
    }
}

impl TokenEndpoint for HttpTokenEndpoint {
    fn post(&self, form: Bytes, timeout: Duration) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        Box::pin(async move {
            let pool = self.shared.pool();
            let mut request = HttpRequest::new(Method::POST, self.path.clone());
            request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            request.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            request.body = form.into();
            let (gate, handed_over) = (Gate::default(), AtomicBool::new(false));
            let has_body = !request.body.is_empty();
            let request = self.shared.prepare(request, None, &gate);
            let once = self.shared.exchange(&pool, request, has_body.then_some(&gate), &handed_over);
            tokio::time::timeout(timeout, once)
                .await
                .unwrap_or_else(|_| Err(TransportFault::unknown(FaultKind::Timeout)))
        })
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTransport(…)")
    }
}

fn check_url(text: &str, field: &str) -> Result<Url, CalendarError> {
    check_address(text).map_err(|what| {
        let message = format!("{field} {what}. Nothing was sent; correct the configuration.");
        CalendarError {
            field: Some(field.to_owned()),
            ..CalendarError::new(Code::Configuration, Outcome::NotSent, message)
        }
    })
}

/// An address to which tokens may be sent: `https:` anywhere, `http:` on this machine, and nothing but scheme, host, port
/// and path. The error completes the sentence "rootUrl …".
pub fn check_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "must be an absolute URL")?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err("must be https:, or http: to a loopback host"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must hold no query and no fragment");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_https_or_this_machine_and_carries_nothing_else() {
        for good in [
            "https://www.googleapis.com",
            "https://proxy.example/google/",
            "http://127.0.0.1:8080",
            "http://[::1]:1/",
            "http://localhost:1",
        ] {
            assert!(HttpTransport::new(&TransportConfig::new(good)).is_ok(), "{good}");
        }
        for bad in [
            "http://www.googleapis.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0:1",
            "ftp://127.0.0.1",
            "https://ada:pw@www.googleapis.com",
            "https://www.googleapis.com?x=1",
            "https://www.googleapis.com#x",
            "www.googleapis.com",
            "",
        ] {
            let error = HttpTransport::new(&TransportConfig::new(bad)).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (Code::Configuration, Some("rootUrl")), "{bad}");
            assert!(!error.message.contains("ada") && !error.message.contains("example"));
        }
    }

    #[test]
    fn a_path_that_the_url_parser_would_change_is_not_sent() {
        let transport = HttpTransport::new(&TransportConfig::new("http://127.0.0.1:1/root/")).unwrap();
        let token = Token::new("t").unwrap();
        let prepare = |path: &str| {
            let request = HttpRequest::new(http::Method::GET, path.to_owned());
            transport.shared.prepare(request, Some(&token), &Gate::default())
        };
        for path in ["/a%2Fb?q=%0D", "/", "/a?", "/a?q=/../?", "//evil.example/", "/@evil.example:80/"] {
            assert_eq!(prepare(path).unwrap().url().as_str(), format!("http://127.0.0.1:1/root{path}"));
        }
        for path in [
            "/a/../b",
            "/%2e%2E/b",
            "/..",
            "@evil.example/",
            ":80/",
            "x",
            "",
            "?q",
            "/a\r\nb",
            "/a?q\n",
            "/a b",
            "/a\\b",
            "/a#b",
            "/a?q#b",
            "/ü",
        ] {
            assert!(prepare(path).is_none(), "{path:?}");
        }
    }
}
