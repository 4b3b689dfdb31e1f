//! From a request on a connection to a verdict, and from a verdict to what hyper sends.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::Core;
use super::line::{Line, Order};
use super::play::Play;
use crate::control;
use crate::record::ConnectionId;
use crate::reply::json_reply;
use crate::verdict::Verdict;

/// Larger request bodies are answered with 413 and read no further.
const MAX_REQUEST_BODY: usize = 10 * 1024 * 1024;

/// No answer: hyper drops an HTTP/1.1 connection for it, and resets an HTTP/2 stream with the reason inside.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    reason: h2::Error,
}

impl NoAnswer {
    fn new(reason: h2::Reason) -> Self {
        Self { reason: reason.into() }
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was reset on purpose")
    }
}

impl std::error::Error for NoAnswer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

/// Serves one connection.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    core: Arc<Core>,
    line: Arc<Line>,
    main: bool,
}

impl Service {
    pub(crate) fn new(core: Arc<Core>, line: Arc<Line>, main: bool) -> Self {
        Self { core, line, main }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Play>, NoAnswer> {
        let version = request.version();
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, MAX_REQUEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => return Ok(too_large()),
            // The client went away in the middle of its own request: nothing has happened.
            Err(_) => return Err(NoAnswer::new(h2::Reason::CANCEL)),
        };
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(ConnectionId(self.line.id()));
        let path = request.uri().path();
        if let Some(order) = path.strip_prefix(control::PREFIX)
            && let Some(response) = self.network(order, request.body()).await
        {
            return Ok(whole(response));
        }
        if !self.main && !control::is_control(path) {
            return Ok(whole(json_reply(404, &json!({ "error": "only the control API lives here" }))));
        }
        let mut verdict = self.core.emulator.deliver(&request).await;
        loop {
            match verdict {
                Verdict::Delay { by, then } => {
                    tokio::time::sleep(by).await;
                    verdict = *then;
                }
                Verdict::Respond(response) => return Ok(whole(response)),
                Verdict::Truncate { response, keep } => return Ok(promised(response, |body| Play::cut(body, keep))),
                Verdict::Drip { response, chunk, every } => {
                    return Ok(promised(response, |body| Play::drip(body, chunk, every)));
                }
                Verdict::Hang => std::future::pending().await,
                Verdict::Reset => return Err(self.reset(version, h2::Reason::INTERNAL_ERROR)),
                Verdict::RefuseStream => return Err(self.reset(version, h2::Reason::REFUSED_STREAM)),
            }
        }
    }

    fn reset(&self, version: Version, reason: h2::Reason) -> NoAnswer {
        if version != Version::HTTP_2 {
            self.line.reset_on_close();
        }
        NoAnswer::new(reason)
    }

    /// The controls of the network itself, which the emulator in memory does not have.
    async fn network(&self, order: &str, body: &Bytes) -> Option<Response<Bytes>> {
        let connections = |count: usize| json_reply(200, &json!({ "connections": count }));
        Some(match order {
            "outage" => {
                let on = serde_json::from_slice::<Value>(body).ok().and_then(|body| body.get("on")?.as_bool());
                let Some(on) = on else { return Some(json_reply(400, &json!({ "error": "on: true or false" }))) };
                match self.core.outage(on).await {
                    Ok(()) => json_reply(200, &json!({})),
                    Err(_) => json_reply(500, &json!({ "error": "the port is taken" })),
                }
            }
            "blackHole" => connections(self.core.order(Order::BlackHole)),
            "closeIdle" => connections(self.core.order(Order::Close)),
            "resetConnections" => connections(self.core.order(Order::Reset)),
            _ => return None,
        })
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Play>;
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Play>, NoAnswer>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

fn whole(response: Response<Bytes>) -> Response<Play> {
    response.map(Play::whole)
}

/// The head promises the whole body, whatever then comes of it.
fn promised(response: Response<Bytes>, play: impl FnOnce(&Bytes) -> Play) -> Response<Play> {
    let (mut head, body) = response.into_parts();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(head, play(&body))
}

fn too_large() -> Response<Play> {
    let mut response =
        whole(json_reply(413, &json!({ "error": { "code": 413, "message": "Request Entity Too Large" } })));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
