//! Takes over what a process left that is no more: entries of the journal whose lease has run out.
//!
//! Cleaning up needs the user's credentials. Until a call of that user brings some, an entry is only listed: a process
//! that has them may be quicker.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::background::{Background, Pending};
use crate::google::Credentials;
use crate::operation::Context;
use crate::store::{Entry, Record, Resumed};

/// The store's time for one look.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a call's credentials are kept for clean-ups: an access token's life.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Users whose credentials are kept at once.
const USERS: usize = 1_000;

/// See the module.
pub(super) struct Recovery {
    cx: Context,
    background: Background,
    credentials: Mutex<HashMap<String, Brought>>,
    /// Users whose left-overs were seen while no credentials were.
    wanted: Mutex<HashSet<String>>,
    started: AtomicBool,
    stopped: AtomicBool,
    kick: Arc<Notify>,
}

/// Credentials, and when a call brought them.
type Brought = (Instant, Arc<dyn Credentials>);

impl Recovery {
    pub(super) fn new(cx: Context, background: Background) -> Self {
        Self {
            cx,
            background,
            credentials: Mutex::default(),
            wanted: Mutex::default(),
            started: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            kick: Arc::default(),
        }
    }

    /// Looks for left-overs at once and then every `every`, until the service is dropped or closed.
    pub(super) fn start(this: &Arc<Self>, every: Duration) {
        if this.started.swap(true, Ordering::AcqRel) {
            return;
        }
        let (weak, kick) = (Arc::downgrade(this), Arc::clone(&this.kick));
        tokio::spawn(async move {
            // Held only while it looks: an idle service that its user drops is gone.
            while let Some(this) = weak.upgrade().filter(|this| !this.stopped.load(Ordering::Acquire)) {
                this.sweep().await;
                drop(this);
                let _ = timeout(every, kick.notified()).await;
            }
        });
    }

    /// Looks no more by itself: the service is closed.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.kick.notify_one();
    }

    /// A call of `user` brought credentials.
    pub(super) fn supply(&self, user: &str, credentials: &Arc<dyn Credentials>) {
        let now = self.cx.clock.now();
        let mut all = lock(&self.credentials);
        if all.len() >= USERS && !all.contains_key(user) {
            all.retain(|_, (since, _)| now.saturating_duration_since(*since) < REMEMBERED);
            if all.len() >= USERS
                && let Some(oldest) = all.iter().min_by_key(|(_, (since, _))| *since).map(|(user, _)| user.clone())
            {
                all.remove(&oldest);
            }
        }
        all.insert(user.to_owned(), (now, Arc::clone(credentials)));
        drop(all);
        if lock(&self.wanted).remove(user) {
            self.kick.notify_one();
        }
    }

    fn credentials_of(&self, user: &str) -> Option<Arc<dyn Credentials>> {
        let all = lock(&self.credentials);
        let (since, credentials) = all.get(user)?;
        (self.cx.clock.now().saturating_duration_since(*since) < REMEMBERED).then(|| Arc::clone(credentials))
    }

    /// Takes over what it can. A store that does not answer is asked again next time.
    pub(super) async fn sweep(&self) {
        let Ok(open) = self.cx.journal.open(PATIENCE).await else { return };
        let groups: HashSet<_> = open.iter().filter_map(|(_, _, entry)| entry.group.clone()).collect();
        for (name, record, entry) in open {
            if !self.is_left(&name, &entry) {
                continue;
            }
            if entry.is_group() {
                // Its events are worked off by themselves; it must outlive them, for it decides about them.
                if !groups.contains(&name) {
                    self.cx.journal.close_group(&name, PATIENCE).await;
                }
                continue;
            }
            self.take(&name, &record, &entry.user).await;
        }
    }

    async fn take(&self, name: &str, record: &Record, user: &str) {
        let Some(credentials) = self.credentials_of(user) else {
            lock(&self.wanted).insert(user.to_owned());
            return;
        };
        if let Resumed::Held(held) = self.cx.journal.take_over(name, record, PATIENCE).await {
            self.background.adopt(held, credentials).await;
        }
    }

    /// What was left and nobody works on, as `pending()` lists it.
    pub(super) async fn pending(&self) -> Vec<Pending> {
        let open = self.cx.journal.open(PATIENCE).await.unwrap_or_default();
        open.into_iter()
            .filter(|(name, _, entry)| !entry.is_group() && self.is_left(name, entry))
            .map(|(_, _, entry)| Pending::of(entry, 0, None))
            .collect()
    }

    fn is_left(&self, name: &str, entry: &Entry) -> bool {
        entry.lease_until <= self.cx.clock.wall_ms() && !self.background.works_on(name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
