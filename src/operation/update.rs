//! Update: only what changed is sent, only onto what was read, and it is read back.

use serde_json::Value;

use super::conditional::ConditionalWrite;
use super::exposure::Exposure;
use super::{Context, Target, Verification, WriteParams, read};
use crate::google::{Fetched, Patch, PatchParams, Scope};
use crate::model::compare::{Comparison, Difference, compare_changes};
use crate::model::event::EventChanges;
use crate::model::repair::changes_patch;
use crate::model::{CalendarError, Warning};

/// How an update ended without an error.
pub enum Updated {
    /// The event has the changes.
    Done {
        /// As read back, or as Google answered when `verified` is false.
        event: Fetched,
        /// Read back and compared.
        verified: bool,
        /// It had them before: nothing was written.
        unchanged: bool,
        /// What the caller should know.
        warnings: Vec<Warning>,
    },
    /// Google acknowledged the changes and shows something else.
    Unverified {
        /// Which fields.
        mismatches: Vec<Difference>,
    },
}

/// What was asked for.
pub struct UpdateRequest {
    /// Whose calendar.
    pub target: Target,
    /// Which event.
    pub id: String,
    /// What is to be so.
    pub changes: EventChanges,
    /// How the write is sent.
    pub params: WriteParams,
    /// `None`: it is not read back.
    pub verification: Option<Verification>,
    /// Patches after the first whose answer was lost.
    pub max_retries: u32,
}

/// Patches the event with If-Match until the changes are in it.
///
/// # Errors
/// `outcome: unknown` when a patch was sent and the deadline passed before a read could tell.
pub async fn update(
    cx: &Context,
    scope: &Scope,
    request: &UpdateRequest,
    exposure: &Exposure,
) -> Result<Updated, CalendarError> {
    let mut update = Update {
        write: ConditionalWrite::new(cx, scope, exposure, request.max_retries),
        request,
        wrote: None,
        repaired: false,
    };
    let ended = update.run().await;
    ended.map_err(|error| update.write.told(error, &request.id))
}

struct Update<'a> {
    write: ConditionalWrite<'a>,
    request: &'a UpdateRequest,
    /// What our acknowledged patch returned.
    wrote: Option<Wrote>,
    repaired: bool,
}

/// The state of the event that an acknowledged patch made.
struct Wrote {
    etag: String,
    updated: Option<String>,
}

impl Wrote {
    /// Whether somebody has changed the event since. Google's `updated` is RFC 3339 in UTC with milliseconds, so text
    /// compares as time does.
    fn is_older_than(&self, found: &Fetched) -> bool {
        updated(found).is_some_and(|then| self.updated.as_ref().is_some_and(|ours| then > *ours))
    }
}

fn updated(event: &Fetched) -> Option<String> {
    event.event.get("updated").and_then(Value::as_str).map(str::to_owned)
}

impl Update<'_> {
    async fn run(&mut self) -> Result<Updated, CalendarError> {
        let (cx, scope, request) = (self.write.cx, self.write.scope, self.request);
        loop {
            let found = cx.calendar.get(scope, &request.target.calendar, &request.id, None).await?;
            let Some(found) = self.present(found).await? else { continue };
            let comparison = compare_changes(request.changes.body(), &found.event);
            match &self.wrote {
                Some(wrote) => {
                    let ours = wrote.etag == found.etag;
                    let old = !ours && self.write.may_read_old();
                    if comparison.critical.is_empty() && (comparison.advisory.is_empty() || !old) {
                        return Ok(done(found, true, false, &comparison));
                    }
                    // Acknowledged, but not to be seen: an old read, until the window is over.
                    if old {
                        self.write.pause().await?;
                        continue;
                    }
                    if !ours && wrote.is_older_than(&found) {
                        return Ok(edited(found, &comparison));
                    }
                    let again = request.verification.is_some_and(|verification| verification.repair);
                    if !ours || !again || self.repaired {
                        cx.prevented.refused();
                        return Ok(Updated::Unverified { mismatches: comparison.critical });
                    }
                    self.repaired = true;
                }
                None if comparison.critical.is_empty() && (self.write.is_lost() || comparison.advisory.is_empty()) => {
                    return Ok(done(found, true, !self.write.is_lost(), &comparison));
                }
                None => {}
            }
            if let Some(ended) = self.patch(&found).await? {
                return Ok(ended);
            }
        }
    }

    /// The event, if there is one to change. Nothing there may be an old read; a tombstone is none.
    async fn present(&mut self, found: Option<Fetched>) -> Result<Option<Fetched>, CalendarError> {
        match found {
            Some(found) if found.cancelled() => Err(read::missing(self.write.scope, &self.request.id, true)),
            Some(found) => {
                self.write.absence.ends();
                Ok(Some(found))
            }
            None => {
                let now = self.write.cx.clock.now();
                if self.write.absence.is_certain(now) && !self.write.may_read_old() {
                    return Err(read::missing(self.write.scope, &self.request.id, false));
                }
                self.write.pause().await?;
                Ok(None)
            }
        }
    }

    async fn patch(&mut self, found: &Fetched) -> Result<Option<Updated>, CalendarError> {
        self.write.may_be_sent()?;
        let (cx, scope, request) = (self.write.cx, self.write.scope, self.request);
        let changes = &request.changes;
        let body = changes_patch(changes.body(), &found.event);
        let params = PatchParams {
            conference_data_version: request.params.conference_data_version,
            send_updates: request.params.send_updates,
            supports_attachments: changes.has_attachments(),
        };
        let calendar = &request.target.calendar;
        match cx.calendar.patch(scope, calendar, &request.id, Some(&found.etag), &body, params).await {
            Ok(Patch::Done(patched)) => {
                self.write.acknowledge(request.verification);
                if request.verification.is_none() {
                    let comparison = compare_changes(changes.body(), &patched.event);
                    return Ok(Some(done(patched, false, false, &comparison)));
                }
                self.wrote = Some(Wrote { updated: updated(&patched), etag: patched.etag });
            }
            Ok(Patch::Missing) => self.write.pause().await?,
            Ok(Patch::Changed) => self.write.refused().await?,
            Err(error) => self.write.failed(error).await?,
        }
        Ok(None)
    }
}

fn done(event: Fetched, verified: bool, unchanged: bool, comparison: &Comparison) -> Updated {
    Updated::Done { event, verified, unchanged, warnings: comparison.warnings() }
}

/// Somebody changed the event after our acknowledged change, which is not repeated over theirs.
fn edited(event: Fetched, comparison: &Comparison) -> Updated {
    let mut warnings = comparison.warnings();
    warnings.extend(comparison.critical.iter().map(|difference| {
        Warning::new("EDITED", "The change was made, and somebody has changed the field again since; that was left.")
            .of_field(difference.field.clone())
    }));
    Updated::Done { event, verified: false, unchanged: false, warnings }
}
