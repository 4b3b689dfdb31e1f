//! Carries requests into an emulator, without sockets, so that tokio's clock can stand still.

use std::time::Duration;

use bytes::Bytes;
use surecal::google::{BoxFuture, HttpReply, HttpRequest, Token, TokenEndpoint, Transport};
use surecal::policy::{FaultKind, TransportFault};
use surecal_emulator::{Emulator, Verdict};

/// The access tokens of all tests.
pub const TOKENS: &[&str] = &["ya29.teacher", "ya29.other", "ya29.unknown", "ya29.canary-token"];

/// See the module.
pub struct InMemory(pub Emulator);

impl Transport for InMemory {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let mut http = http::Request::builder()
            .method(request.method)
            .uri(format!("http://google.test{}", request.path_and_query))
            .header("authorization", token.bearer());
        for (name, value) in &request.headers {
            http = http.header(name, value);
        }
        let http = http.body(request.body.whole()).unwrap();
        let emulator = self.0.clone();
        let exchange = async move {
            let verdict = emulator.deliver(&http).await;
            play(verdict).await
        };
        Box::pin(async move {
            tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(TransportFault::unknown(FaultKind::Timeout)))
        })
    }
}

impl TokenEndpoint for InMemory {
    fn post(&self, form: Bytes, timeout: Duration) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let http = http::Request::post("http://google.test/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .unwrap();
        let emulator = self.0.clone();
        let exchange = async move { play(emulator.deliver(&http).await).await };
        Box::pin(async move {
            tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(TransportFault::unknown(FaultKind::Timeout)))
        })
    }
}

async fn play(mut verdict: Verdict) -> Result<HttpReply, TransportFault> {
    loop {
        let response = match verdict {
            Verdict::Delay { by, then } => {
                tokio::time::sleep(by).await;
                verdict = *then;
                continue;
            }
            Verdict::Respond(response) => response,
            Verdict::Drip { response, chunk, every } => {
                let pieces = response.body().len().div_ceil(chunk.max(1));
                tokio::time::sleep(every * u32::try_from(pieces).unwrap()).await;
                response
            }
            Verdict::Truncate { .. } => return Err(TransportFault::unknown(FaultKind::Cut)),
            Verdict::Reset => return Err(TransportFault::unknown(FaultKind::Reset)),
            Verdict::RefuseStream => return Err(TransportFault::not_sent(FaultKind::TurnedAway)),
            Verdict::Hang => return std::future::pending().await,
        };
        let (head, body) = response.into_parts();
        return Ok(HttpReply::new(head.status.as_u16(), &head.headers, body));
    }
}
