//! The grants that a process has met, whoever uses them: one refresh at a time for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use dashmap::DashMap;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::held::Tokens;
use crate::google::Token;
use crate::model::CalendarError;

/// Grants known at most; past it, those not used for an hour are forgotten.
const KNOWN_AT_MOST: usize = 10_000;
const FORGOTTEN_AFTER_MS: u64 = 3_600_000;
/// How long a dead grant is not asked about again.
const DEAD_FOR_MS: u64 = 60_000;

/// All grants of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Grants {
    known: Arc<DashMap<GrantId, Arc<Grant>>>,
    /// Access tokens that Google has refused, whatever their date says, and until when that is remembered.
    refused: Arc<DashMap<GrantId, u64>>,
}

/// A grant's name: a hash, since what it is made of is secret.
pub(super) type GrantId = [u8; 32];

type Renewal = Result<Tokens, CalendarError>;

/// One grant.
#[derive(Default)]
pub(super) struct Grant {
    /// The newest tokens that this process got for it.
    newest: Mutex<Option<Tokens>>,
    /// The refresh that is under way.
    flight: Mutex<Option<watch::Receiver<Option<Renewal>>>>,
    dead_until: AtomicU64,
    used_at: AtomicU64,
}

impl Grants {
    /// The process's own.
    #[must_use]
    pub fn of_process() -> Self {
        static ALL: LazyLock<Grants> = LazyLock::new(Grants::default);
        ALL.clone()
    }

    pub(super) fn get(&self, id: GrantId, now_ms: u64) -> Arc<Grant> {
        if self.known.len() > KNOWN_AT_MOST {
            self.known.retain(|_, grant| grant.used_at.load(Ordering::Relaxed) + FORGOTTEN_AFTER_MS > now_ms);
        }
        let grant = Arc::clone(&self.known.entry(id).or_default());
        grant.used_at.store(now_ms, Ordering::Relaxed);
        grant
    }

    /// Google answered 401 to it: nobody in this process takes it for fresh again, from wherever it comes.
    pub(super) fn refuse(&self, token: &Token, now_ms: u64) {
        if self.refused.len() > KNOWN_AT_MOST {
            self.refused.retain(|_, until| *until > now_ms);
        }
        self.refused.insert(grant_id(&["token", token.expose()]), now_ms + FORGOTTEN_AFTER_MS);
    }

    /// Whether these tokens will do: fresh, and not refused to anybody.
    pub(super) fn fresh(&self, tokens: &Tokens, now_ms: u64, least_ms: u64, refused: Option<&Token>) -> bool {
        tokens.fresh(now_ms, least_ms, refused).is_some_and(|token| {
            self.refused.is_empty() || !self.refused.contains_key(&grant_id(&["token", token.expose()]))
        })
    }
}

/// The name of what `parts` make up.
pub(super) fn grant_id(parts: &[&str]) -> GrantId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

impl Grant {
    /// The newest tokens that this process got for it.
    pub(super) fn newest(&self) -> Option<Tokens> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn got(&self, tokens: &Tokens) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens.clone());
    }

    pub(super) fn is_dead(&self, now_ms: u64) -> bool {
        self.dead_until.load(Ordering::Relaxed) > now_ms
    }

    pub(super) fn died(&self, now_ms: u64) {
        self.dead_until.store(now_ms + DEAD_FOR_MS, Ordering::Relaxed);
    }

    /// Waits for the refresh that is under way, or starts one with `start`. Who waits may leave; the refresh goes on.
    pub(super) async fn renewed<F>(self: &Arc<Self>, start: impl FnOnce() -> F) -> Renewal
    where
        F: Future<Output = Renewal> + Send + 'static,
    {
        let mut flight = {
            let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
            match flight.as_ref() {
                // A sender that is gone without an answer was dropped with its runtime.
                Some(under_way) if under_way.borrow().is_none() && under_way.has_changed().is_ok() => under_way.clone(),
                _ => {
                    let (sender, receiver) = watch::channel(None);
                    *flight = Some(receiver.clone());
                    let (work, grant) = (start(), Arc::clone(self));
                    tokio::spawn(async move {
                        let renewal = work.await;
                        if let Ok(tokens) = &renewal {
                            grant.got(tokens);
                        }
                        *grant.flight.lock().unwrap_or_else(PoisonError::into_inner) = None;
                        sender.send_replace(Some(renewal));
                    });
                    receiver
                }
            }
        };
        let answer = flight.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        answer.unwrap_or_else(|| Err(super::passing("the refresh ended without an answer", None)))
    }
}
