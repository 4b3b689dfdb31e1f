//! What the contestants in Rust share: rounds over standard input and output, as benches/contestants/rounds.js has them.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Whatever ends a benchmark.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Round {
    operations: u64,
    in_flight: u64,
}

/// A contestant.
pub trait Contestant: Send + Sync + Sized + 'static {
    /// One create with its read back, by the worker of that number.
    fn create(&self, worker: u64) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Works one round; milliseconds of each operation.
async fn work(contestant: &Arc<impl Contestant>, round: &Round) -> Result<Vec<f64>, Fault> {
    let left = Arc::new(AtomicU64::new(round.operations));
    let workers: Vec<_> = (0..round.in_flight)
        .map(|worker| {
            let (contestant, left) = (Arc::clone(contestant), Arc::clone(&left));
            tokio::spawn(async move {
                let mut took = Vec::new();
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let began = Instant::now();
                    contestant.create(worker).await?;
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

/// The contestant's JSON: its first argument.
pub fn given<T: DeserializeOwned>() -> Result<T, Fault> {
    Ok(serde_json::from_str(&std::env::args().nth(1).unwrap_or_default())?)
}

/// Works a round for each line `{ "operations": N, "inFlight": N }` on standard input, and says what it cost.
pub async fn serve_rounds(contestant: impl Contestant) -> Result<(), Fault> {
    let contestant = Arc::new(contestant);
    say(&json!({ "ready": true }))?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let round: Round = serde_json::from_str(&line)?;
        let (before, _) = used()?;
        let began = Instant::now();
        let took = work(&contestant, &round).await?;
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

/// Runs `main` on a runtime of so many threads, and ends the process: reading standard input holds a thread of the runtime,
/// which would wait for it.
pub fn run(worker_threads: usize, main: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(worker_threads).enable_all().build()?;
    runtime.block_on(main)?;
    std::process::exit(0)
}
