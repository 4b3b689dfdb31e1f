//! A call's arguments, read strictly before anything is sent.

use std::time::Duration;

use super::config::{Config, UnknownOptions};
use super::reader::Reader;
use crate::google::{SendUpdates, Token};
use crate::model::CalendarError;
use crate::model::ids::{check_calendar_id, check_event_id, check_idempotency_key, check_user_id};
use crate::model::instant::known_zone;
use crate::operation::create::OnDeleted;
use crate::operation::{Target, Verification, WriteParams};

/// Time a call over N events gets for each, beyond the call's own.
const PER_EVENT: Duration = Duration::from_millis(500);
/// The most a call over many events gets by itself.
const MANY_AT_MOST: Duration = Duration::from_mins(1);

/// What every method is called with.
pub(super) struct Call {
    pub(super) target: Target,
    pub(super) token: Option<Token>,
    pub(super) time_zone: Option<String>,
    /// The whole call, callbacks included.
    pub(super) timeout: Duration,
    /// Gone already, in callbacks.
    pub(super) spent: Duration,
    pub(super) attempt_timeout: Duration,
    pub(super) max_retries: u32,
    pub(super) params: WriteParams,
    pub(super) verification: Option<Verification>,
    pub(super) key: Option<String>,
    pub(super) on_deleted: OnDeleted,
    pub(super) event_id: Option<String>,
    /// Google's own list parameters.
    pub(super) query: Vec<(String, String)>,
    /// Options nobody knows, when they are only warned of.
    pub(super) unknown: Vec<String>,
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
        let mut auth = top.object("auth")?;
        let token = auth.string("accessToken")?.map(|text| Token::new(&text)).transpose()?;
        auth.finish()?;
        let query = top.object("query")?.into_query()?;

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
        let attempt_timeout = options.millis("attemptTimeoutMs", 1.0)?;
        let attempt_timeout = attempt_timeout.map_or_else(|| config.attempt_timeout_of(base), |time| time.min(base));
        let max_retries = options.whole("maxRetries", 0, 100)?.unwrap_or(config.backoff.max_retries);
        let key = options.string("idempotencyKey")?;
        if let Some(key) = &key {
            check_idempotency_key(key)?;
        }
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
        let unknown = if config.unknown_options == UnknownOptions::Warn {
            options.left_over()
        } else {
            options.finish()?;
            Vec::new()
        };
        top.finish()?;

        Ok(Self {
            target: Target { user, calendar },
            token,
            time_zone,
            timeout,
            spent,
            attempt_timeout,
            max_retries,
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
        })
    }

    /// The event the call is about.
    pub(super) fn event_id(&self) -> Result<&str, CalendarError> {
        self.event_id.as_deref().ok_or_else(|| CalendarError::validation("eventId", "must be a non-empty string"))
    }
}
