//! A process that dies at a moment of the test's choice: before, in the middle of, or after the n-th thing it does to the
//! store or to Google.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use surecal::google::{BoxFuture, HttpReply, HttpRequest, Token, Transport};
use surecal::policy::TransportFault;
use surecal::store::{Put, Record, Store, StoreFault, Version, Written};

/// How long into an exchange "in the middle" is: the request has arrived then.
const MIDDLE: Duration = Duration::from_millis(100);

/// What the process is told to do, in its environment.
const ROLE: &str = "SURECAL_TEST_ROLE";

/// What the mortal process came to.
#[derive(Debug, PartialEq)]
pub enum End {
    Killed,
    /// Whether its caller was told success.
    Told(bool),
}

impl End {
    /// Of a process that runs this one test, which does its role.
    pub async fn of(test: &str, role: &Value) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env(ROLE, role.to_string()).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        if let Some(told) = said.split("told: ").nth(1) {
            return Self::Told(told.starts_with("true"));
        }
        assert!(!output.status.success() && !said.contains("panicked"), "{output:?}");
        Self::Killed
    }
}

/// The role of this process; in the test run itself, none.
pub fn role() -> Option<Value> {
    let role = std::env::var(ROLE).ok()?;
    Some(serde_json::from_str(&role).unwrap())
}

/// The process says what its caller was told.
pub fn says(success: bool) {
    std::io::stdout().write_all(format!("told: {success}\n").as_bytes()).unwrap();
}

/// Counts the moments.
#[derive(Clone)]
pub struct Fate {
    moment: Arc<AtomicU32>,
    dies_at: u32,
}

impl Fate {
    /// The moment that the role names.
    pub fn of(role: &Value) -> Self {
        Self { moment: Arc::default(), dies_at: role["diesAt"].as_u64().unwrap().try_into().unwrap() }
    }

    fn is_now(&self) -> bool {
        self.moment.fetch_add(1, Ordering::AcqRel) == self.dies_at
    }

    fn passes(&self) {
        if self.is_now() {
            die();
        }
    }
}

/// As `kill -9` does it: nothing is unwound, flushed or told.
fn die() -> ! {
    let me = std::process::id().to_string();
    let _ = Command::new("kill").args(["-9", &me]).status();
    loop {
        std::thread::park();
    }
}

pub struct MortalStore {
    pub store: Arc<dyn Store>,
    pub fate: Fate,
}

impl Store for MortalStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        self.store.get(key)
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            self.fate.passes();
            let written = self.store.put(put).await;
            self.fate.passes();
            written
        })
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        self.store.delete(key, expected)
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        self.store.open(prefix)
    }
}

pub struct MortalNetwork {
    pub network: Arc<dyn Transport>,
    pub fate: Fate,
}

impl Transport for MortalNetwork {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let token = token.clone();
        Box::pin(async move {
            self.fate.passes();
            let middle = self.fate.is_now();
            let reply = tokio::select! {
                () = tokio::time::sleep(MIDDLE), if middle => die(),
                reply = self.network.exchange(request, &token, timeout) => reply,
            };
            if middle {
                die();
            }
            self.fate.passes();
            reply
        })
    }
}
