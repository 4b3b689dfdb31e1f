//! One store for several processes, and each process's own way to it, which a test can cut or slow down.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use surecal::google::BoxFuture;
use surecal::store::{MemoryStore, Put, Record, Store, StoreFault, Version, Written};
use tokio::sync::watch;

type Wanted = Box<dyn Fn(&Put) -> bool + Send + Sync>;

/// Puts held on their way: their callers hear nothing; they are applied on release.
#[derive(Clone)]
pub struct LatePuts {
    wanted: Arc<Wanted>,
    most: usize,
    held: Arc<Mutex<Vec<Put>>>,
    open: Arc<Mutex<bool>>,
    store: Arc<MemoryStore>,
}

impl LatePuts {
    /// Waits until there are so many.
    pub async fn caught(&self, count: usize) {
        while self.count() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn count(&self) -> usize {
        self.held.lock().unwrap().len()
    }

    /// Applies what is held, in order; what became of each.
    pub async fn release(&self) -> Vec<Written> {
        *self.open.lock().unwrap() = true;
        let puts = std::mem::take(&mut *self.held.lock().unwrap());
        let mut written = Vec::new();
        for put in puts {
            written.push(self.store.put(put).await.unwrap());
        }
        written
    }

    fn catches(&self, put: &Put) -> bool {
        if *self.open.lock().unwrap() || self.count() >= self.most || !(self.wanted)(put) {
            return false;
        }
        self.held.lock().unwrap().push(put.clone());
        true
    }
}

/// One process's way to the store.
#[derive(Clone)]
pub struct StoreLine {
    store: Arc<MemoryStore>,
    late: Arc<Mutex<Vec<LatePuts>>>,
    /// Nothing gets through, and nobody says so.
    cut: watch::Sender<bool>,
    /// The server's end: applied, but the answer is lost, this many times.
    deaf: Arc<Mutex<usize>>,
    written: Arc<Mutex<Vec<(String, String)>>>,
}

impl StoreLine {
    pub fn to(store: &Arc<MemoryStore>) -> Self {
        let cut = watch::Sender::new(false);
        Self { store: Arc::clone(store), late: Arc::default(), cut, deaf: Arc::default(), written: Arc::default() }
    }

    /// Holds the first `most` puts that are `wanted`.
    pub fn hold(&self, most: usize, wanted: impl Fn(&Put) -> bool + Send + Sync + 'static) -> LatePuts {
        let late = LatePuts {
            wanted: Arc::new(Box::new(wanted)),
            most,
            held: Arc::default(),
            open: Arc::default(),
            store: Arc::clone(&self.store),
        };
        self.late.lock().unwrap().push(late.clone());
        late
    }

    /// Keys and values of every put that this process made.
    pub fn written(&self) -> Vec<(String, String)> {
        self.written.lock().unwrap().clone()
    }

    pub fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }

    /// The next `count` puts are applied and not answered.
    pub fn lose_answers(&self, count: usize) {
        *self.deaf.lock().unwrap() = count;
    }

    async fn through(&self) {
        if *self.cut.borrow() {
            std::future::pending::<()>().await;
        }
    }
}

impl Store for StoreLine {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        Box::pin(async move {
            self.through().await;
            self.store.get(key).await
        })
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        Box::pin(async move {
            self.through().await;
            self.written.lock().unwrap().push((put.key.clone(), put.value.clone()));
            if self.late.lock().unwrap().iter().any(|late| late.catches(&put)) {
                return std::future::pending().await;
            }
            let written = self.store.put(put).await;
            let lost = {
                let mut deaf = self.deaf.lock().unwrap();
                let lost = *deaf > 0;
                *deaf = deaf.saturating_sub(1);
                lost
            };
            if lost { Err(StoreFault { what: "the answer was lost" }) } else { written }
        })
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        Box::pin(async move {
            self.through().await;
            self.store.delete(key, expected).await
        })
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        Box::pin(async move {
            self.through().await;
            self.store.open(prefix).await
        })
    }
}

/// Whether a put writes an attempt's or schedule's entry in this state (`running`, `failed`, `succeeded`, `settled`).
pub fn writes(put: &Put, state: &str) -> bool {
    put.key.contains(":entry:") && put.value.contains(&format!(r#""state":{{"is":"{state}""#))
}
