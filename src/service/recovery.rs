//! Takes over what a process left that is no more: entries of the journal whose lease has run out.
//!
//! Cleaning up needs the user's credentials: those a call has brought, or the tokens that the program keeps. Until there
//! are some, an entry is only listed: a process that has them may be quicker.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::background::{Background, Pending};
use super::tokens::{Auth, Keyring};
use crate::google::Credentials;
use crate::model::CalendarError;
use crate::operation::Context;
use crate::store::{Entry, Record, Resumed, State};

/// The store's time for one look.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a call's credentials are kept for clean-ups: an access token's life.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How long a kept token may take to be renewed before anything is taken over for it.
const RENEWAL: Duration = Duration::from_secs(10);
/// How long after another's lease has run out it is looked at: clocks of machines differ a little.
const SLACK: Duration = Duration::from_millis(100);
/// Users whose credentials are kept at once.
const USERS: usize = 1_000;

/// See the module.
pub(super) struct Recovery {
    cx: Context,
    background: Background,
    keyring: Arc<Keyring>,
    min_validity: Duration,
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
    pub(super) fn new(cx: Context, background: Background, keyring: Arc<Keyring>, min_validity: Duration) -> Self {
        Self {
            cx,
            background,
            keyring,
            min_validity,
            credentials: Mutex::default(),
            wanted: Mutex::default(),
            started: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            kick: Arc::default(),
        }
    }

    /// Looks for left-overs at once and then every `every`, or when the next lease of another process runs out, until the
    /// service is dropped or closed. With nothing open that is one short question to the store.
    pub(super) fn start(this: &Arc<Self>, every: Duration) {
        if this.started.swap(true, Ordering::AcqRel) {
            return;
        }
        let (weak, kick) = (Arc::downgrade(this), Arc::clone(&this.kick));
        tokio::spawn(async move {
            // Held only while it looks: an idle service that its user drops is gone.
            while let Some(this) = weak.upgrade().filter(|this| !this.stopped.load(Ordering::Acquire)) {
                let next = this.sweep().await.map_or(every, |lease| (lease + SLACK).min(every));
                drop(this);
                let _ = timeout(next, kick.notified()).await;
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

    async fn credentials_of(&self, user: &str) -> Option<Arc<dyn Credentials>> {
        let brought = lock(&self.credentials).get(user).cloned();
        if let Some((since, credentials)) = brought
            && self.cx.clock.now().saturating_duration_since(since) < REMEMBERED
        {
            return Some(credentials);
        }
        if !self.keyring.loads {
            return None;
        }
        let kept: Arc<dyn Credentials> = self.keyring.credentials(user, Auth::default(), self.min_validity);
        // Nothing is taken over that could only be held then.
        let works = timeout(RENEWAL, kept.token(None)).await.is_ok_and(|token| token.is_ok());
        works.then_some(kept)
    }

    /// Takes over what it can; how long until the next lease of another process runs out. A store that does not answer
    /// is asked again next time.
    pub(super) async fn sweep(&self) -> Option<Duration> {
        let open = self.cx.journal.open(PATIENCE).await.ok()?;
        let groups: HashSet<_> = open.iter().filter_map(|(_, _, entry)| entry.group.clone()).collect();
        let now = self.cx.clock.wall_ms();
        let mut next = None;
        let mut known: HashMap<String, Option<Arc<dyn Credentials>>> = HashMap::new();
        for (name, record, entry) in open {
            if entry.lease_until > now {
                next = Some(next.map_or(entry.lease_until, |next: u64| next.min(entry.lease_until)));
            }
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
            if !known.contains_key(&entry.user) {
                known.insert(entry.user.clone(), self.credentials_of(&entry.user).await);
            }
            let credentials = known.get(&entry.user).cloned().flatten();
            self.take(&name, &record, &entry.user, credentials).await;
        }
        next.map(|lease| Duration::from_millis(lease.saturating_sub(self.cx.clock.wall_ms())))
    }

    async fn take(&self, name: &str, record: &Record, user: &str, credentials: Option<Arc<dyn Credentials>>) {
        let Some(credentials) = credentials else {
            lock(&self.wanted).insert(user.to_owned());
            return;
        };
        if let Resumed::Held(held) = self.cx.journal.take_over(name, record, PATIENCE).await {
            self.background.adopt(held, credentials).await;
        }
    }

    /// What the store holds open that nobody here works on, as `pending()` lists it: what was left, and what another
    /// process is cleaning up.
    pub(super) async fn pending(&self) -> Result<Vec<Pending>, CalendarError> {
        let listed = |name: &str, entry: &Entry| {
            let here = self.background.works_on(name) || self.background.called_here(name);
            let left = entry.state == State::Failed || entry.lease_until <= self.cx.clock.wall_ms();
            Pending::concerns(entry) && !here && left
        };
        let open = self.cx.journal.open(PATIENCE).await?;
        Ok(open
            .into_iter()
            .filter(|(name, _, entry)| listed(name, entry))
            .map(|(_, _, entry)| Pending::of(entry, 0, None))
            .collect())
    }

    fn is_left(&self, name: &str, entry: &Entry) -> bool {
        entry.lease_until <= self.cx.clock.wall_ms() && !self.background.works_on(name)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
