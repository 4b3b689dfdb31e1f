//! The limit: reqwest alone, doing the same two exchanges (insert with an id of its own, read back) and looking at nothing.
//!
//! Its argument is the contestant's JSON; for each line `{ "operations": N, "inFlight": N }` on standard input it works one
//! round and prints one line, as the contestants in JavaScript do.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use surecal_bench::{Contestant, Fault, given, run, serve_rounds};

#[derive(Deserialize)]
struct Given {
    url: String,
    ca: Option<String>,
    event: Value,
}

struct Bare {
    client: reqwest::Client,
    url: String,
    /// The event's text from its second field on.
    rest: String,
    /// Names this process's events.
    run: u32,
    made: AtomicU64,
}

impl Bare {
    fn open(given: &Given) -> Result<Self, Fault> {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder().retry(reqwest::retry::never()).tcp_nodelay(true).no_proxy();
        builder = match &given.ca {
            Some(pem) => builder.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes())?]),
            None => builder.tls_certs_only([]),
        };
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer access-token"));
        let rest = given.event.to_string().get(1..).unwrap_or_default().to_owned();
        Ok(Self {
            client: builder.default_headers(headers).build()?,
            url: format!("{}/calendar/v3/calendars/primary/events", given.url),
            rest,
            run: std::process::id(),
            made: AtomicU64::new(0),
        })
    }
}

impl Contestant for Bare {
    async fn create(&self, _worker: u64) -> Result<(), Fault> {
        let id = format!("bare{}x{}", self.run, self.made.fetch_add(1, Ordering::Relaxed));
        let body = Bytes::from(format!("{{\"id\":\"{id}\",{}", self.rest));
        let insert = self.client.post(format!("{}?sendUpdates=all", self.url));
        let insert = insert.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        let _made = insert.send().await?.error_for_status()?.bytes().await?;
        let _read = self.client.get(format!("{}/{id}", self.url)).send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}

fn main() -> Result<(), Fault> {
    run(2, async { serve_rounds(Bare::open(&given()?)?).await })
}
