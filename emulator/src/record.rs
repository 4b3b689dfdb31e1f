//! The log: every request that reached the server, and what became of it.

use std::collections::VecDeque;

use http::Version;
use serde::Serialize;

use crate::operation::Operation;

/// The number of the connection a request came on; an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u64);

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// From 1, in order of arrival.
    pub seq: u64,
    /// HTTP method.
    pub method: String,
    /// Path without the query, still percent-encoded.
    pub path: String,
    /// The query as sent.
    pub query: String,
    /// `events.insert` and so on; nothing for a path nobody lives at.
    pub operation: Option<&'static str>,
    /// The calendar, `primary` resolved.
    pub calendar_id: Option<String>,
    /// From the path; of an insert, the id the client chose.
    pub event_id: Option<String>,
    /// Whose token it carried.
    pub user: Option<String>,
    /// The `If-Match` header.
    pub if_match: Option<String>,
    /// The status sent, if one was; for a late write, the one it would have got when it was applied.
    pub status: Option<u16>,
    /// Whether it changed a calendar (a late write: so far).
    pub committed: bool,
    /// The fault it met, as `kind` or `kind when`.
    pub fault: Option<String>,
    /// `1.1` or `2`.
    pub http_version: &'static str,
    /// Which connection it came on; 0 in memory.
    pub connection: u64,
    /// Milliseconds since the emulator began.
    pub at_ms: u64,
    /// Size of the body.
    pub body_bytes: usize,
}

/// One request at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRecord {
    /// As sent.
    pub grant_type: String,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// `ok`, `rotated`, OAuth's error word, or the fault.
    pub outcome: String,
    /// Milliseconds since the emulator began.
    pub at_ms: u64,
}

/// The records kept, and the counts, which are never forgotten.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    records: VecDeque<RequestRecord>,
    next: u64,
    counts: [u64; Operation::ALL.len()],
}

impl RequestLog {
    /// Writes a record down and gives its number. More than `limit` push the oldest out.
    pub(crate) fn open(
        &mut self,
        mut record: RequestRecord,
        operation: Option<Operation>,
        limit: Option<usize>,
    ) -> u64 {
        self.next += 1;
        record.seq = self.next;
        if let Some(operation) = operation
            && let Some(count) = self.counts.get_mut(operation as usize)
        {
            *count += 1;
        }
        self.records.push_back(record);
        while limit.is_some_and(|limit| self.records.len() > limit) {
            self.records.pop_front();
        }
        self.next
    }

    /// The record with this number, if it is still kept.
    pub(crate) fn get_mut(&mut self, seq: u64) -> Option<&mut RequestRecord> {
        let first = self.records.front()?.seq;
        self.records.get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter()
    }

    pub(crate) fn total(&self) -> u64 {
        self.next
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Operation::ALL.iter().zip(self.counts).map(|(operation, count)| (operation.name(), count))
    }
}

pub(crate) fn version_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}
