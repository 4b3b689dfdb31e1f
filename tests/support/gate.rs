//! A network whose requests a test can hold: each process has its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use serde_json::Value;
use surecal::google::{BoxFuture, HttpReply, HttpRequest, Token, Transport};
use surecal::policy::{FaultKind, TransportFault};
use tokio::sync::watch;

use super::network::InMemory;

type Wanted = Box<dyn Fn(&HttpRequest) -> bool + Send + Sync>;

/// Requests held on their way. Each is delivered on release, even if nobody waits for its answer any more.
#[derive(Clone)]
pub struct Hold {
    wanted: Arc<Wanted>,
    open: watch::Sender<bool>,
    caught: watch::Sender<usize>,
    delivered: watch::Sender<usize>,
}

impl Hold {
    /// Waits until `count` requests are held.
    pub async fn caught(&self, count: usize) {
        self.caught.subscribe().wait_for(|caught| *caught >= count).await.unwrap();
    }

    pub fn count(&self) -> usize {
        *self.caught.borrow()
    }

    /// Delivers all that is held and holds nothing more. Returns when Google has seen it.
    pub async fn release(&self) {
        self.open.send_replace(true);
        let caught = self.count();
        self.delivered.subscribe().wait_for(|delivered| *delivered >= caught).await.unwrap();
    }
}

/// See the module.
#[derive(Clone)]
pub struct Gate {
    network: Arc<InMemory>,
    holds: Arc<Mutex<Vec<Hold>>>,
    dead: watch::Sender<bool>,
    sent: Arc<Mutex<Vec<HttpRequest>>>,
    twice: Arc<Mutex<Option<Wanted>>>,
}

impl Gate {
    pub fn new(network: InMemory) -> Self {
        let dead = watch::Sender::new(false);
        Self { network: Arc::new(network), holds: Arc::default(), dead, sent: Arc::default(), twice: Arc::default() }
    }

    /// Holds every request that is `wanted` until the hold is released.
    pub fn hold(&self, wanted: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) -> Hold {
        let hold = Hold {
            wanted: Arc::new(Box::new(wanted)),
            open: watch::Sender::new(false),
            caught: watch::Sender::new(0),
            delivered: watch::Sender::new(0),
        };
        self.holds.lock().unwrap().push(hold.clone());
        hold
    }

    /// Something on the way sends the next request that is `wanted` twice, and hands on the answer to the second copy.
    pub fn send_twice(&self, wanted: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) {
        *self.twice.lock().unwrap() = Some(Box::new(wanted));
    }

    /// The process ends here: nothing it asks for is answered any more.
    pub fn kill(&self) {
        self.dead.send_replace(true);
    }

    pub fn dead(&self) -> watch::Receiver<bool> {
        self.dead.subscribe()
    }

    /// The methods of all requests begun.
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|request| request.method.to_string()).collect()
    }

    /// The bodies sent with `method`, as JSON.
    pub fn bodies(&self, method: &Method) -> Vec<Value> {
        let sent = self.sent.lock().unwrap();
        let bodies = sent.iter().filter(|request| request.method == *method).map(|request| request.body.whole());
        bodies.map(|body| serde_json::from_slice(&body).unwrap_or_default()).collect()
    }
}

/// Whether a body names `word`; bodies are JSON text.
pub fn names(request: &HttpRequest, word: &str) -> bool {
    String::from_utf8_lossy(&request.body.whole()).contains(word)
}

impl Transport for Gate {
    fn exchange(
        &self,
        request: HttpRequest,
        token: &Token,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<HttpReply, TransportFault>> {
        let (mut dead, token) = (self.dead(), token.clone());
        Box::pin(async move {
            if *dead.borrow() {
                return std::future::pending().await;
            }
            self.sent.lock().unwrap().push(request.clone());
            if self.twice.lock().unwrap().take_if(|wanted| wanted(&request)).is_some() {
                self.network.exchange(request.clone(), &token, timeout).await?;
            }
            let hold =
                self.holds.lock().unwrap().iter().find(|hold| !*hold.open.borrow() && (hold.wanted)(&request)).cloned();
            let answered = async {
                let Some(hold) = hold else { return self.network.exchange(request, &token, timeout).await };
                hold.caught.send_modify(|caught| *caught += 1);
                let network = Arc::clone(&self.network);
                let late = tokio::spawn(async move {
                    hold.open.subscribe().wait_for(|open| *open).await.unwrap();
                    let answer = network.exchange(request, &token, timeout).await;
                    hold.delivered.send_modify(|delivered| *delivered += 1);
                    answer
                });
                match tokio::time::timeout(timeout, late).await {
                    Ok(answer) => answer.unwrap(),
                    Err(_) => Err(TransportFault::unknown(FaultKind::Timeout)),
                }
            };
            let answer = tokio::select! {
                biased;
                _ = dead.wait_for(|dead| *dead) => None,
                answer = answered => Some(answer),
            };
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}
