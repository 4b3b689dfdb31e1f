//! The limit: reqwest alone, doing the same two exchanges (insert with an id of its own, read back) and looking at nothing.
//!
//! Its argument is the contestant's JSON; for each line `{ "operations": N, "inFlight": N }` on standard input it works one
//! round and prints one line, as the contestants in JavaScript do.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
struct Given {
    url: String,
    ca: Option<String>,
    event: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    operations: u64,
    in_flight: u64,
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

    async fn create(&self) -> Result<(), Fault> {
        let id = format!("bare{}x{}", self.run, self.made.fetch_add(1, Ordering::Relaxed));
        let body = Bytes::from(format!("{{\"id\":\"{id}\",{}", self.rest));
        let insert = self.client.post(format!("{}?sendUpdates=all", self.url));
        let insert = insert.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        let _made = insert.send().await?.error_for_status()?.bytes().await?;
        let _read = self.client.get(format!("{}/{id}", self.url)).send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}

/// Works one round; milliseconds of each operation.
async fn work(bare: &Arc<Bare>, round: &Round) -> Result<Vec<f64>, Fault> {
    let left = Arc::new(AtomicU64::new(round.operations));
    let workers: Vec<_> = (0..round.in_flight)
        .map(|_| {
            let (bare, left) = (Arc::clone(bare), Arc::clone(&left));
            tokio::spawn(async move {
                let mut took = Vec::new();
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let began = Instant::now();
                    bare.create().await?;
                    took.push(began.elapsed().as_secs_f64() * 1e3);
                }
                Ok::<_, Fault>(took)
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await??);
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

#[cfg(unix)]
fn used() -> Result<(Duration, u64), Fault> {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF)?;
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default())
    };
    let scale = if cfg!(target_os = "macos") { 1024 } else { 1 };
    let peak = u64::try_from(usage.max_rss()).unwrap_or_default() / scale;
    Ok((micros(usage.user_time()) + micros(usage.system_time()), peak))
}

#[cfg(not(unix))]
fn used() -> Result<(Duration, u64), Fault> {
    Err("the processor's time is only known on Unix".into())
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn say(line: &Value) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")?;
    io::stdout().flush()
}

async fn run() -> Result<(), Fault> {
    let given: Given = serde_json::from_str(&std::env::args().nth(1).unwrap_or_default())?;
    let bare = Arc::new(Bare::open(&given)?);
    say(&json!({ "ready": true }))?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let round: Round = serde_json::from_str(&line)?;
        let (before, _) = used()?;
        let began = Instant::now();
        let took = work(&bare, &round).await?;
        let seconds = began.elapsed().as_secs_f64();
        let (after, peak_kb) = used()?;
        say(&json!({
            "seconds": seconds,
            "cpuMs": after.saturating_sub(before).as_secs_f64() * 1e3,
            "p50": percentile(&took, 0.5),
            "p99": percentile(&took, 0.99),
            "peakRssKb": peak_kb,
        }))?;
    }
    Ok(())
}

fn main() -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())?;
    // Reading standard input holds a thread of the runtime, which would wait for it.
    std::process::exit(0)
}
