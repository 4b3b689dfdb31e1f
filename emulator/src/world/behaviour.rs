//! Where the facts about Google leave a choice, or a test wants a smaller world.

use serde::{Deserialize, Serialize};

/// How a conference request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConferenceOutcome {
    /// With a link.
    #[default]
    Success,
    /// Without one.
    Failure,
}

/// The choices, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Behaviour {
    /// A PUT or PATCH with `status: confirmed` revives a cancelled event. Reports differ; off by default: 403.
    pub revive_cancelled: bool,
    /// Reads (get or list) that still see a conference pending. 0: the first read after the insert sees it done.
    pub conference_pending_reads: u32,
    /// Milliseconds for which a conference stays pending, whatever is read.
    pub conference_pending_ms: u64,
    /// How the wait ends.
    pub conference_outcome: ConferenceOutcome,
    /// Addresses that Google does not take as guests: 400 for the whole list that has one.
    pub refused_guests: Vec<String>,
    /// Guests an event can have; 400 for a longer list. Google documents no figure: no limit when absent.
    pub guest_limit: Option<usize>,
    /// At most this many events on one page of a list, whatever `maxResults` says.
    pub page_limit: Option<usize>,
    /// Requests kept in the log; all when absent.
    pub log_limit: Option<usize>,
}
