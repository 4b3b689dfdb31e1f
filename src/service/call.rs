//! A call's arguments, read strictly before anything is sent.

use std::sync::Arc;
use std::time::Duration;

use super::config::{Config, UnknownOptions};
use super::network;
use super::reader::Reader;
use super::tokens::{Auth, Source, Tokens};
use crate::google::{OauthClient, QuotaUser, SendUpdates, ServiceAccount};
use crate::model::CalendarError;
use crate::model::ids::{check_calendar_id, check_event_id, check_idempotency_key, check_user_id};
use crate::model::instant::known_zone;
use crate::operation::create::OnDeleted;
use crate::operation::{Target, Verification, WriteParams};

/// Time a call over N events gets for each, beyond the call's own.
const PER_EVENT: Duration = Duration::from_millis(500);
/// The most a call over many events gets by itself.
const MANY_AT_MOST: Duration = Duration::from_mins(1);

/// Parameters of `events.list`, as Google's reference names them; without `fields`, which could leave out the next page.
const LIST_PARAMETERS: &[&str] = &[
    "alwaysIncludeEmail",
    "eventTypes",
    "iCalUID",
    "maxAttendees",
    "maxResults",
    "orderBy",
    "pageToken",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "showDeleted",
    "showHiddenInvitations",
    "singleEvents",
    "syncToken",
    "timeMax",
    "timeMin",
    "timeZone",
    "updatedMin",
];

/// What every method is called with.
pub(super) struct Call {
    pub(super) target: Target,
    pub(super) auth: Auth,
    pub(super) time_zone: Option<String>,
    /// The whole call, callbacks included.
    pub(super) timeout: Duration,
    /// Gone already, in callbacks.
    pub(super) spent: Duration,
    pub(super) attempt_timeout: Duration,
    /// The same of an attendee's step in an enrollment or transaction: such a step has a shorter time of its own, and one
    /// exchange that hangs must not use it up.
    pub(super) step_attempt_timeout: Duration,
    pub(super) max_retries: u32,
    /// Google's parameter of that name.
    pub(super) quota_user: Option<QuotaUser>,
    pub(super) params: WriteParams,
    pub(super) verification: Option<Verification>,
    pub(super) key: Option<String>,
    pub(super) on_deleted: OnDeleted,
    pub(super) event_id: Option<String>,
    /// Google's own list parameters.
    pub(super) query: Vec<(String, String)>,
    /// Options nobody knows, when they are only warned of.
    pub(super) unknown: Vec<String>,
    /// Renew the token whatever is left of it.
    pub(super) force_refresh: bool,
    /// `minValidityMs` must be left of it.
    pub(super) require_fresh: bool,
}

impl Call {
    /// Reads `{ userId, calendarId, timeZone?, auth, eventId?, query?, options, spentMs }`. `events`: how many the
    /// call is over, for its time.
    pub(super) fn parse(text: &str, config: &Config, events: usize) -> Result<Self, CalendarError> {
        let mut top = Reader::arguments(text)?;
        let user = top.string("userId")?.ok_or_else(|| top.fault("userId", "must be a non-empty string"))?;
        check_user_id(&user)?;
        let calendar = top.string("calendarId")?;
        let time_zone = top.string("timeZone")?.or_else(|| config.time_zone.clone());
        if time_zone.as_deref().is_some_and(|zone| !known_zone(zone)) {
            return Err(top.fault("timeZone", "must be an IANA time zone such as 'Europe/Berlin'"));
        }
        let spent = top.millis("spentMs", 0.0)?.unwrap_or_default();
        let event_id = top.string("eventId")?;
        if let Some(id) = &event_id {
            check_event_id(id)?;
        }
        let auth = read_auth(top.object("auth")?)?;
        let mut given = top.object("query")?;
        let query = given.query(LIST_PARAMETERS)?;

        let mut options = top.object("options")?;
        let calendar = options.string("calendarId")?.or(calendar).unwrap_or_else(|| "primary".to_owned());
        check_calendar_id(&calendar)?;
        let base = options.millis("timeoutMs", 1.0)?.unwrap_or(config.timeout);
        let timeout = if events > 1 {
            let extra = PER_EVENT * u32::try_from(events).unwrap_or(u32::MAX);
            base.saturating_add(extra).min(MANY_AT_MOST.max(base))
        } else {
            base
        };
        let own_attempt_timeout = options.millis("attemptTimeoutMs", 1.0)?.map(|time| time.min(base));
        let attempt_timeout = own_attempt_timeout.unwrap_or_else(|| config.attempt_timeout_of(base));
        let max_retries = options.whole("maxRetries", 0, 100)?.unwrap_or(config.backoff.max_retries);
        let key = options.string("idempotencyKey")?;
        if let Some(key) = &key {
            check_idempotency_key(key)?;
        }
        let quota_user = network::read_quota_user(&mut options)?;
        let conference_data_version = options.whole("conferenceDataVersion", 0, 1)?;
        // Accepted for the sake of old call sites: attachments and hidden guests are handled by themselves, and reads
        // are polled anyway.
        options.bool("supportsAttachments")?;
        options.bool("waitForConsistency")?;
        options.whole("maxAttendees", 1, u32::MAX)?;
        let legacy = options.bool("sendNotifications")?;
        let words =
            [("all", SendUpdates::All), ("externalOnly", SendUpdates::ExternalOnly), ("none", SendUpdates::None)];
        let send_updates = options.word("sendUpdates", &words)?;
        let skip = options.bool("skipVerification")?.unwrap_or(false);
        let on_deleted =
            options.word("onDeleted", &[("recreate", OnDeleted::Recreate), ("reject", OnDeleted::Reject)])?;
        let force_refresh = options.bool("forceRefresh")?.unwrap_or(false);
        let require_fresh = options.bool("requireFresh")?.unwrap_or(false);
        let unknown = if config.unknown_options == UnknownOptions::Warn {
            [given.left_over(), options.left_over()].concat()
        } else {
            given.finish()?;
            options.finish()?;
            Vec::new()
        };
        top.finish()?;

        Ok(Self {
            target: Target { user, calendar },
            auth,
            time_zone,
            timeout,
            spent,
            attempt_timeout,
            step_attempt_timeout: own_attempt_timeout
                .unwrap_or_else(|| attempt_timeout.min(config.attempt_timeout_of(config.attendee_timeout))),
            max_retries,
            quota_user,
            params: WriteParams {
                send_updates: send_updates.unwrap_or(if legacy == Some(false) {
                    SendUpdates::None
                } else {
                    SendUpdates::All
                }),
                conference_data_version: u8::from(conference_data_version != Some(0)),
            },
            verification: (config.verify && !skip)
                .then_some(Verification { window: config.window, repair: config.repair }),
            key,
            on_deleted: on_deleted.unwrap_or(OnDeleted::Recreate),
            event_id,
            query,
            unknown,
            force_refresh,
            require_fresh,
        })
    }

    /// The event the call is about.
    pub(super) fn event_id(&self) -> Result<&str, CalendarError> {
        self.event_id.as_deref().ok_or_else(|| CalendarError::validation("eventId", "must be a non-empty string"))
    }
}

/// Scope of a service account that names none: all of Google Calendar.
const CALENDAR_SCOPE: &str = "https://www.googleapis.com/auth/calendar";

/// What a call brought to be let in; nothing at all means the user's own tokens in the store.
fn read_auth(mut auth: Reader) -> Result<Auth, CalendarError> {
    let access = auth.string("accessToken")?;
    let refresh = auth.string("refreshToken")?;
    let expires_at = auth.unix_ms("expiryDate")?;
    let auth_ref = auth.whole("authRef", 1, u32::MAX)?;
    let asks = auth.bool("asks")?.unwrap_or(false);
    let mut named = auth.object("client")?;
    let client = match (named.string("id")?, named.string("secret")?) {
        (Some(id), Some(secret)) => Some(OauthClient::new(id, secret)),
        _ => None,
    };
    named.finish()?;
    let account = if auth.has("serviceAccount") {
        let mut key = auth.object("serviceAccount")?;
        let email = key.string("clientEmail")?.unwrap_or_default();
        let private = key.string("privateKey")?.unwrap_or_default();
        let (key_id, subject) = (key.string("privateKeyId")?, key.string("subject")?);
        let mut scopes = key.strings("scopes")?;
        if scopes.is_empty() {
            scopes.push(CALENDAR_SCOPE.to_owned());
        }
        key.finish()?;
        Some(ServiceAccount::new(email, &private, key_id, &scopes, subject)?)
    } else {
        None
    };
    auth.finish()?;
    let source = match (account, auth_ref.filter(|_| asks)) {
        (Some(account), _) => Source::Account(Arc::new(account)),
        (None, Some(auth_ref)) => Source::Asked(auth_ref),
        (None, None) => Source::Grant(client),
    };
    let tokens = Tokens::from_call(access.as_deref(), refresh.as_deref(), expires_at)?;
    Ok(Auth { tokens, source, write_back: auth_ref })
}
