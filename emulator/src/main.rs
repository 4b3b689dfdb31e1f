//! `surecal-emulator [--port N] [--seed N] [--latency-ms N] [--tls]`: prints one line of JSON with its addresses
//! (and, with TLS, the PEM of the authority to trust), and ends when its standard input ends or at SIGTERM or SIGINT.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use surecal_emulator::{Emulator, Options, Server};
use tokio::io::AsyncReadExt as _;

const USAGE: &str = "usage: surecal-emulator [--port N] [--seed N] [--latency-ms N] [--tls]";

struct Arguments {
    port: u16,
    tls: bool,
    options: Options,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { port: 0, tls: false, options: Options::default() };
    while let Some(word) = words.next() {
        if word == "--tls" {
            arguments.tls = true;
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, words.next()),
        };
        let number =
            value.and_then(|value| value.parse::<u64>().ok()).ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--port" => arguments.port = u16::try_from(number).map_err(|_| "--port is at most 65535".to_owned())?,
            "--seed" => arguments.options.seed = number,
            "--latency-ms" => arguments.options.latency = Duration::from_millis(number),
            other => return Err(format!("unknown argument {other}\n{USAGE}")),
        }
    }
    Ok(arguments)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _told = writeln!(io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<(), String> {
    let arguments = arguments(std::env::args().skip(1))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let emulator = Emulator::new(arguments.options);
    let started =
        if arguments.tls { Server::start_tls(emulator, address).await } else { Server::start(emulator, address).await };
    let (server, address) = started.map_err(|error| error.to_string())?;
    let control_url = format!("http://{}", server.control_address());
    let line = match server.authority() {
        Some(ca) => {
            json!({ "url": format!("https://localhost:{}", address.port()), "controlUrl": control_url, "ca": ca })
        }
        None => json!({ "url": format!("http://{address}"), "controlUrl": control_url }),
    };
    writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush()).map_err(|error| error.to_string())?;
    wait_for_the_end().await;
    // Reading standard input holds a thread of the runtime, which would wait for it: the process ends at once instead.
    drop(server);
    std::process::exit(0)
}

/// The parent is gone, or somebody asks us to go.
async fn wait_for_the_end() {
    let parent_is_gone = async {
        let (mut stdin, mut buffer) = (tokio::io::stdin(), [0; 256]);
        while stdin.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = parent_is_gone => {}
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
