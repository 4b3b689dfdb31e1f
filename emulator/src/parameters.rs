//! The query parameters that several methods share, checked.

use jiff::tz::TimeZone;

use crate::call::Call;
use crate::event::field_names::REPLY_ORDER;
use crate::event::time;
use crate::fields::Selection;
use crate::mail::Notify;
use crate::operation::Operation;
use crate::reply::Refusal;

const LIST_FIELDS: [&str; 11] = [
    "kind",
    "etag",
    "summary",
    "description",
    "updated",
    "timeZone",
    "accessRole",
    "defaultReminders",
    "nextPageToken",
    "nextSyncToken",
    "items",
];

/// Fields of a reply that the emulator never fills but a client may ask for.
const RARE_FIELDS: [&str; 5] =
    ["eventType", "originalStartTime", "recurringEventId", "endTimeUnspecified", "eventLabelId"];

/// What a request asks for beside its body.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    pub(crate) notify: Notify,
    /// `conferenceDataVersion=1`.
    pub(crate) conference: bool,
    pub(crate) attachments: bool,
    /// The zone of the reply; the calendar's when absent.
    pub(crate) zone: Option<TimeZone>,
    pub(crate) max_attendees: Option<usize>,
    pub(crate) selection: Option<Selection>,
}

impl Parameters {
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let notify = match (call.parameter("sendUpdates"), call.is_on("sendNotifications")) {
            (Some("all"), _) | (None, true) => Notify::All,
            (Some("externalOnly"), _) => Notify::ExternalOnly,
            (Some("none"), _) | (None, false) => Notify::Nobody,
            (Some(_), _) => return Err(Refusal::invalid_parameter("sendUpdates", "Invalid value for: sendUpdates")),
        };
        let conference = match call.parameter("conferenceDataVersion") {
            None | Some("0") => false,
            Some("1") => true,
            Some(_) => {
                let message = "Invalid value for: conferenceDataVersion";
                return Err(Refusal::invalid_parameter("conferenceDataVersion", message));
            }
        };
        let bad_zone = || Refusal::invalid_parameter("timeZone", "Invalid time zone definition.");
        let zone = call.parameter("timeZone").map(|name| time::zone(name).ok_or_else(bad_zone)).transpose()?;
        let bad_count = |_| Refusal::invalid_parameter("maxAttendees", "Invalid value for: maxAttendees");
        let max_attendees = call.parameter("maxAttendees").map(|count| count.parse().map_err(bad_count)).transpose()?;
        let selection = call.parameter("fields").map(|text| selection(call.operation, text)).transpose()?;
        Ok(Self { notify, conference, attachments: call.is_on("supportsAttachments"), zone, max_attendees, selection })
    }
}

fn selection(operation: Operation, text: &str) -> Result<Selection, Refusal> {
    match operation {
        Operation::EventsList => Selection::parse(text, &LIST_FIELDS),
        Operation::CalendarsGet | Operation::CalendarsInsert => Selection::parse(text, &crate::calendar::FIELDS),
        _ => {
            let known: Vec<&str> = REPLY_ORDER.iter().chain(&RARE_FIELDS).copied().collect();
            Selection::parse(text, &known)
        }
    }
}
