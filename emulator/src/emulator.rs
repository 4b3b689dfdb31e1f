//! The handle: Google, in memory.

use std::borrow::Borrow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};

use crate::account::{Credentials, NewUser};
use crate::control;
use crate::fault::{Profile, Rule};
use crate::mail::Mail;
use crate::record::{RequestRecord, TokenRecord};
use crate::verdict::Verdict;
use crate::world::{Behaviour, Counts, NewCalendar, Options, World};

/// A Google Calendar and OAuth server without a socket. Clones share one world.
///
/// All time is tokio's: under a paused clock the emulator stands still too. Nothing needs a task to make progress:
/// late writes whose time has come are applied before the next exchange or question.
///
/// Methods that make or change something give `Err` with a sentence for the author of the test.
#[derive(Debug, Clone)]
pub struct Emulator {
    world: Arc<Mutex<World>>,
}

impl Default for Emulator {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Emulator {
    /// An empty world.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(options))) }
    }

    /// The world with every due late write applied. A test that panicked elsewhere does not make it unusable.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle_due();
        world
    }

    /// Takes one request and says what the network does with it. Paths below `/_control/` reach the control API,
    /// which faults never touch.
    #[must_use]
    pub fn exchange(&self, request: impl Borrow<Request<Bytes>>) -> Verdict {
        let request = request.borrow();
        if control::is_control(request.uri().path()) {
            return Verdict::Respond(control::answer(self, request));
        }
        self.world().receive(request)
    }

    /// The same after the way in: half of the latency (the other half is in the verdict).
    pub async fn deliver(&self, request: impl Borrow<Request<Bytes>>) -> Verdict {
        let request = request.borrow();
        if !control::is_control(request.uri().path()) {
            let way_in = self.world().latency / 2;
            if !way_in.is_zero() {
                tokio::time::sleep(way_in).await;
            }
        }
        self.exchange(request)
    }

    /// Makes a user with a calendar of their own, or gives an old user new tokens.
    pub fn add_user(&self, user: NewUser) -> Result<Credentials, String> {
        self.world().add_user(user)
    }

    /// Makes a calendar and gives its id.
    pub fn add_calendar(&self, calendar: NewCalendar) -> Result<String, String> {
        self.world().add_calendar(calendar)
    }

    /// Ends the life of access tokens (one, all of a user, or all) and says of how many.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn expire_tokens(&self, email: Option<&str>, access_token: Option<&str>) -> usize {
        self.world().expire_tokens(email, access_token)
    }

    /// Revokes refresh tokens (one, all of a user, or all), their access tokens with them, and says how many.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn revoke_grants(&self, email: Option<&str>, refresh_token: Option<&str>) -> usize {
        self.world().revoke_grants(email, refresh_token)
    }

    /// The client id and secret that are right from now on.
    pub fn set_client(&self, id: &str, secret: &str) {
        self.world().client = (id.to_owned(), secret.to_owned());
    }

    /// Adds a scripted fault.
    pub fn fault(&self, rule: Rule) -> Result<(), String> {
        rule.check()?;
        self.world().plan.add(rule);
        Ok(())
    }

    /// Starts, replaces or (nothing) ends the seeded faults.
    pub fn profile(&self, profile: Option<Profile>) -> Result<(), String> {
        profile.as_ref().map_or(Ok(()), Profile::check)?;
        self.world().plan.set_profile(profile);
        Ok(())
    }

    /// Ends all faults, scripted and seeded. Late writes stay on their way; events stay hidden or stale.
    pub fn clear_faults(&self) {
        self.world().plan.clear();
    }

    /// Applies every late write now, in order of arrival, and says how many there were.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn release(&self) -> usize {
        self.world().release()
    }

    /// Applies late writes whose time has come. Every other method does it too.
    pub fn settle_due(&self) {
        drop(self.world());
    }

    /// Sets the round trip of every exchange.
    pub fn set_latency(&self, latency: Duration) {
        self.world().latency = latency;
    }

    /// Sets the choices the facts about Google leave open.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.world().behaviour = behaviour;
    }

    /// The choices in force.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.world().behaviour.clone()
    }

    /// The calendar's owner changes fields of an event: no fault, no log entry, no mail. With `put`, as a program
    /// does that writes its whole old copy back and knows nothing of extended properties: they are wiped.
    pub fn owner_edit(
        &self,
        calendar_id: &str,
        event_id: &str,
        fields: &Map<String, Value>,
        put: bool,
    ) -> Result<Value, String> {
        self.world().owner_edit(calendar_id, event_id, fields, put)
    }

    /// The calendar's owner deletes an event.
    pub fn owner_delete(&self, calendar_id: &str, event_id: &str) -> Result<(), String> {
        self.world().owner_delete(calendar_id, event_id)
    }

    /// Stores an event as it is, whatever Google would say to it.
    pub fn put_event(&self, calendar_id: &str, event: Map<String, Value>) -> Result<Value, String> {
        self.world().put_event(calendar_id, event)
    }

    /// Forgets an event and its id, as Google does with old tombstones. Says whether it was there.
    #[allow(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn purge_event(&self, calendar_id: &str, event_id: &str) -> bool {
        self.world().purge_event(calendar_id, event_id)
    }

    /// Every event of a calendar as stored, cancelled ones too, oldest first.
    #[must_use]
    pub fn events(&self, calendar_id: &str) -> Vec<Value> {
        self.world().events(calendar_id, false)
    }

    /// The events of a calendar that are not cancelled.
    #[must_use]
    pub fn live_events(&self, calendar_id: &str) -> Vec<Value> {
        self.world().events(calendar_id, true)
    }

    /// Every state an event was in, oldest first: `{ etag, atMs, operation }`.
    #[must_use]
    pub fn history(&self, calendar_id: &str, event_id: &str) -> Vec<Value> {
        self.world().history(calendar_id, event_id)
    }

    /// Every request, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.world().requests()
    }

    /// Every mail that would have been sent, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.world().mails().to_vec()
    }

    /// Every request at the token endpoint, oldest first.
    #[must_use]
    pub fn token_requests(&self) -> Vec<TokenRecord> {
        self.world().token_requests().to_vec()
    }

    /// Numbers that are cheap to ask for.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.world().counts()
    }

    /// Everything there is to know, as the control API tells it.
    #[must_use]
    pub fn state(&self) -> Value {
        let world = self.world();
        json!({
            "calendars": world.calendars_state(),
            "requests": world.requests(),
            "mails": world.mails(),
            "tokenRequests": world.token_requests(),
        })
    }

    /// An empty world again, with the options of the start. Chance goes on: no token is given out a second time.
    pub fn reset(&self) {
        self.world().reset();
    }
}
