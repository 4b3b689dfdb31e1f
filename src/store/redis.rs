//! The store of any number of machines: one Redis server.
//!
//! Each value is a hash with its version; compare-and-set is a script, so the server does it at once. Open keys are
//! listed in a set. The server forgets what is settled by itself.
//!
//! The promises of [`Store`] hold for one server that answers reads itself. A failover that loses acknowledged writes, or
//! reads from a replica, break them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, RedisError, Script, TlsCertificates};

use super::{Expected, Keep, Put, Record, Store, StoreFault, Version, Written};
use crate::clock::millis;
use crate::google::{BoxFuture, Trust};
use crate::model::{CalendarError, Code, Outcome};

/// One command's answer. Below what a caller waits for one, so that it can ask again. A command that met this may be
/// applied later all the same: a paused server does it when it wakes.
const RESPONSE: Duration = Duration::from_millis(800);
/// Connecting, TLS and password included.
const CONNECTION: Duration = Duration::from_millis(800);
/// Connections tried after the first one failed. The manager's own default of 6 takes 9 s to say that a server is gone.
const RETRIES: usize = 1;
const RETRY_DELAY_AT_MOST: Duration = Duration::from_millis(200);
/// Timeouts in a row after which the connection is given up: over a cut network it would time out for a quarter of an hour.
const TIMEOUTS_OF_A_DEAD_CONNECTION: u32 = 3;
/// The set of open keys; no value's key starts like this.
const OPEN_SET: &str = "open-keys";

/// KEYS: the value, the open set. ARGV: expected version or "", new version, value, ms to live or "".
const PUT: &str = r"
local there = redis.call('HGET', KEYS[1], 'version')
if ARGV[1] == '' then
  if there then return 0 end
elseif there ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
if ARGV[4] == '' then
  redis.call('PERSIST', KEYS[1])
  redis.call('SADD', KEYS[2], KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  redis.call('SREM', KEYS[2], KEYS[1])
end
return 1";

/// KEYS as above. ARGV: expected version.
const DELETE: &str = r"
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], KEYS[1])
return 1";

/// KEYS: the open set. ARGV: the prefix. In one script: a key that is settled meanwhile must not look open.
const OPEN: &str = r"
local found = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if string.sub(key, 1, #ARGV[1]) == ARGV[1] then
    local record = redis.call('HMGET', key, 'value', 'version')
    if record[2] then found[#found + 1] = {key, record[1], record[2]} end
  end
end
return found";

/// See the module.
pub struct RedisStore {
    client: Client,
    prefix: String,
    /// Made at first use: it starts a task, which needs a runtime.
    manager: Mutex<Option<ConnectionManager>>,
    /// In a row.
    timeouts: AtomicU32,
    put: Script,
    delete: Script,
    open: Script,
}

impl RedisStore {
    /// A store at `url` (`redis://` or `rediss://`, with user and password where there are any), whose keys all begin with
    /// `prefix`. Nothing is connected yet: a server that is down now may be up when it is needed.
    ///
    /// # Errors
    /// `CONFIGURATION`: it is no such URL.
    pub fn new(url: &str, prefix: &str) -> Result<Self, CalendarError> {
        Self::trusting(url, prefix, &Trust::default())
    }

    /// The same; over `rediss://`, the server's certificate must come from an authority that `trust` believes.
    ///
    /// # Errors
    /// `CONFIGURATION`: it is no such URL.
    pub fn trusting(url: &str, prefix: &str, trust: &Trust) -> Result<Self, CalendarError> {
        // The client's own words can hold the URL, and that the password.
        let client = if url.starts_with("rediss://") {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(trust.bundle()) };
            Client::build_with_tls(url, certificates).ok()
        } else {
            url.starts_with("redis://").then(|| Client::open(url).ok()).flatten()
        };
        let client = client.ok_or_else(|| {
            let message = "store.redis must be a redis:// or rediss:// URL, such as redis://:password@host:6379/0.";
            CalendarError::new(Code::Configuration, Outcome::NotSent, message)
        })?;
        Ok(Self {
            client,
            prefix: prefix.to_owned(),
            manager: Mutex::default(),
            timeouts: AtomicU32::new(0),
            put: Script::new(PUT),
            delete: Script::new(DELETE),
            open: Script::new(OPEN),
        })
    }

    fn manager(&self) -> Result<ConnectionManager, StoreFault> {
        let mut manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manager) = &*manager {
            return Ok(manager.clone());
        }
        // Redis over TLS takes the process's default provider; the first to ask for one installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE))
            .set_connection_timeout(Some(CONNECTION))
            .set_number_of_retries(RETRIES)
            .set_max_delay(RETRY_DELAY_AT_MOST);
        let made =
            ConnectionManager::new_lazy_with_config(self.client.clone(), config).map_err(|error| fault(&error))?;
        Ok(manager.insert(made).clone())
    }

    async fn run<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, StoreFault> {
        let answer = cmd.query_async(&mut self.manager()?).await;
        self.told(answer)
    }

    /// Lets a connection go that does not answer any more. What it was asked may be done all the same.
    fn told<T>(&self, answer: Result<T, RedisError>) -> Result<T, StoreFault> {
        let timed_out = answer.as_ref().is_err_and(RedisError::is_timeout);
        let in_a_row = if timed_out { self.timeouts.fetch_add(1, Ordering::Relaxed) + 1 } else { 0 };
        if !timed_out || in_a_row >= TIMEOUTS_OF_A_DEAD_CONNECTION {
            self.timeouts.store(0, Ordering::Relaxed);
        }
        if in_a_row >= TIMEOUTS_OF_A_DEAD_CONNECTION {
            *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        answer.map_err(|error| fault(&error))
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

fn fault(error: &redis::RedisError) -> StoreFault {
    let what = if error.is_timeout() {
        "the Redis server did not answer in time"
    } else if error.is_connection_refusal() {
        "the Redis server refuses connections"
    } else if error.is_io_error() {
        "the connection to the Redis server broke"
    } else {
        "the Redis server refused a command"
    };
    StoreFault { what }
}

const fn written(applied: bool) -> Written {
    if applied { Written::Applied } else { Written::Refused }
}

impl Store for RedisStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        Box::pin(async move {
            let mut cmd = redis::cmd("HMGET");
            cmd.arg(self.key(key)).arg("value").arg("version");
            let (value, version): (Option<String>, Option<String>) = self.run(&cmd).await?;
            Ok(value.zip(version).map(|(value, version)| Record { value, version: Version::from_text(version) }))
        })
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            let expected = match &put.expected {
                Expected::Absent => "",
                Expected::Version(version) => version.as_str(),
            };
            let lives = match put.keep {
                Keep::Open => String::new(),
                // PEXPIRE takes no 0, and nothing near the end of its range.
                Keep::For(time) => millis(time).clamp(1, u64::from(u32::MAX) * 1000).to_string(),
            };
            let mut script = self.put.prepare_invoke();
            script.key(self.key(&put.key)).key(self.key(OPEN_SET));
            script.arg(expected).arg(put.version.as_str()).arg(&put.value).arg(lives);
            let answer = script.invoke_async(&mut self.manager()?).await;
            self.told(answer).map(written)
        })
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        Box::pin(async move {
            let mut script = self.delete.prepare_invoke();
            script.key(self.key(key)).key(self.key(OPEN_SET)).arg(expected.as_str());
            let answer = script.invoke_async(&mut self.manager()?).await;
            self.told(answer).map(written)
        })
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        Box::pin(async move {
            let mut script = self.open.prepare_invoke();
            script.key(self.key(OPEN_SET)).arg(self.key(prefix));
            let answer = script.invoke_async(&mut self.manager()?).await;
            let found: Vec<(String, String, String)> = self.told(answer)?;
            let record = |(key, value, version): (String, String, String)| {
                let key = key.get(self.prefix.len()..).unwrap_or_default().to_owned();
                (key, Record { value, version: Version::from_text(version) })
            };
            Ok(found.into_iter().map(record).collect())
        })
    }
}
