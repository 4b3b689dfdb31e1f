//! The truth: calendars, accounts, mails, the log, the faults in force. No sockets, no tasks, no sleeping.

mod audit;
mod behaviour;
mod calendars;
mod exchange;
mod held;
mod list;
mod oauth;
mod owner;
mod present;
mod read;
mod write;

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub use audit::Counts;
pub use behaviour::{Behaviour, ConferenceOutcome};
pub use calendars::NewCalendar;

use crate::account::{AccessToken, Accounts, Credentials, FULL_SCOPE, Grant, NewUser, Principal};
use crate::calendar::{Calendar, Role};
use crate::call::Call;
use crate::clock::Clock;
use crate::event::stored::Revision;
use crate::fault::Plan;
use crate::mail::{Mail, MailKind, Notify};
use crate::operation::Operation;
use crate::record::{RequestLog, TokenRecord};
use crate::reply::Refusal;

/// How an emulator starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Seed of ids, tokens and rule probabilities.
    pub seed: u64,
    /// Round trip of every exchange.
    pub latency: Duration,
    /// The wall time at the start; the real one when absent.
    pub now: Option<Timestamp>,
}

/// What a write did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) response: Response<Bytes>,
    pub(crate) touched: Option<Touched>,
}

/// What a write changed.
#[derive(Debug, Clone)]
pub(crate) struct Touched {
    calendar_id: String,
    /// Nothing: the calendar itself is new.
    event_id: Option<String>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) latency: Duration,
    pub(crate) behaviour: Behaviour,
    pub(crate) plan: Plan,
    pub(crate) accounts: Accounts,
    pub(crate) client: (String, String),
    clock: Clock,
    rng: StdRng,
    calendars: BTreeMap<String, Calendar>,
    mails: Vec<Mail>,
    log: RequestLog,
    token_log: Vec<TokenRecord>,
    held: held::Held,
    last_revision: i64,
}

/// The client id that is right until another is set.
pub const CLIENT_ID: &str = "emulator-client-id";
/// The client secret that is right until another is set.
pub const CLIENT_SECRET: &str = "emulator-client-secret";

impl World {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            latency: options.latency,
            behaviour: Behaviour::default(),
            plan: Plan::default(),
            accounts: Accounts::default(),
            client: (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned()),
            clock: Clock::new(options.now),
            rng: StdRng::seed_from_u64(options.seed),
            calendars: BTreeMap::new(),
            mails: Vec::new(),
            log: RequestLog::default(),
            token_log: Vec::new(),
            held: held::Held::default(),
            last_revision: 0,
            options,
        }
    }

    /// Everything goes but chance: a client may remember that a token was revoked, so none may come back.
    pub(crate) fn reset(&mut self) {
        let empty = Self::new(self.options.clone());
        self.rng = mem::replace(self, empty).rng;
    }

    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The next value of the revision counter, and the etag that belongs to it.
    fn next_revision(&mut self, operation: &'static str) -> (i64, Revision) {
        self.last_revision = self.clock.wall().as_microsecond().max(self.last_revision + 1);
        let etag = format!("\"{}\"", self.last_revision.saturating_mul(2));
        (self.last_revision, Revision { etag, at_ms: self.now_ms(), operation })
    }

    /// Random lower-case base32hex.
    fn random_id(&mut self, length: usize) -> String {
        let digits = b"0123456789abcdefghijklmnopqrstuv";
        let mut pick = || digits.get(self.rng.random_range(0..digits.len())).copied().unwrap_or(b'0');
        (0..length).map(|_| char::from(pick())).collect()
    }

    /// Makes a user, or gives an old one new tokens. The user's own calendar is made with it.
    pub(crate) fn add_user(&mut self, user: NewUser) -> Result<Credentials, String> {
        if user.email.is_empty() {
            return Err("email is missing".to_owned());
        }
        let zone = user.time_zone.clone().unwrap_or_else(|| "UTC".to_owned());
        self.accounts.users.insert(user.email.clone(), user.service_account);
        if !self.calendars.contains_key(&user.email) {
            let calendar = NewCalendar {
                id: Some(user.email.clone()),
                time_zone: Some(zone),
                owner: user.email.clone(),
                ..NewCalendar::default()
            };
            self.add_calendar(calendar)?;
        }
        let access_token = user.access_token.unwrap_or_else(|| format!("ya29.{}", self.random_id(40)));
        let refresh_token = user.refresh_token.unwrap_or_else(|| format!("1//{}", self.random_id(40)));
        let scope = user.scope.unwrap_or_else(|| FULL_SCOPE.to_owned());
        let grant = Grant { email: user.email.clone(), scope: scope.clone(), revoked: false };
        self.accounts.grants.insert(refresh_token.clone(), grant);
        let expires = self.clock.wall_in(user.expires_in_seconds.unwrap_or(3600));
        let token =
            AccessToken { email: user.email.clone(), scope, expires, refresh_token: Some(refresh_token.clone()) };
        self.accounts.access_tokens.insert(access_token.clone(), token);
        Ok(Credentials { email: user.email, access_token, refresh_token, expiry_date: expires.as_millisecond() })
    }

    pub(crate) fn expire_tokens(&mut self, email: Option<&str>, access_token: Option<&str>) -> usize {
        let now = self.clock.wall();
        self.accounts.expire(email, access_token, now)
    }

    pub(crate) fn revoke_grants(&mut self, email: Option<&str>, refresh_token: Option<&str>) -> usize {
        let now = self.clock.wall();
        self.accounts.revoke(email, refresh_token, now)
    }

    /// Does what a call asks for.
    fn perform(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        match call.operation {
            Operation::EventsInsert => self.insert_event(call, principal),
            Operation::EventsGet => self.get_event(call, principal),
            Operation::EventsList => self.list_events(call, principal),
            Operation::EventsUpdate | Operation::EventsPatch => self.change_event(call, principal),
            Operation::EventsDelete => self.delete_event(call, principal),
            Operation::CalendarsInsert => self.insert_calendar(call, principal),
            Operation::CalendarsGet => self.get_calendar(call, principal),
            Operation::OauthToken => Err(Refusal::not_found()),
        }
    }

    /// The id behind a path's calendar id.
    fn resolve_calendar_id(given: &str, email: &str) -> String {
        if given == "primary" { email.to_owned() } else { given.to_owned() }
    }

    /// The calendar of a call, if the caller may read (or, for a write, change) its events.
    fn calendar_of(&self, call: &Call, principal: &Principal) -> Result<(&Calendar, Role), Refusal> {
        let id = Self::resolve_calendar_id(call.calendar_id.as_deref().unwrap_or_default(), &principal.email);
        let calendar = self.calendars.get(&id).ok_or_else(Refusal::not_found)?;
        let role = calendar.role_of(&principal.email).ok_or_else(Refusal::not_found)?;
        match call.operation {
            Operation::CalendarsGet => Ok((calendar, role)),
            _ if role == Role::FreeBusyReader => Err(Refusal::not_found()),
            operation if operation.is_write() && role < Role::Writer => Err(Refusal::writer_access_needed()),
            _ => Ok((calendar, role)),
        }
    }

    /// Sends what the change is news of to whom it concerns.
    fn send_mails(&mut self, calendar_id: &str, event_id: &str, notify: Notify, news: Vec<(MailKind, String)>) {
        let at_ms = self.now_ms();
        let owner = self.calendars.get(calendar_id).map(|calendar| calendar.owner.clone()).unwrap_or_default();
        for (kind, to) in news {
            let organizes = to.eq_ignore_ascii_case(calendar_id) || to.eq_ignore_ascii_case(&owner);
            let told = match notify {
                Notify::All => true,
                Notify::ExternalOnly => !self.accounts.is_user(&to),
                Notify::Nobody => false,
            };
            if told && !organizes {
                let (calendar_id, event_id) = (calendar_id.to_owned(), event_id.to_owned());
                self.mails.push(Mail { kind, calendar_id, event_id, to, at_ms });
            }
        }
    }
}
