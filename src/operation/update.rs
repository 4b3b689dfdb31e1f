//! Update: only what changed is sent, only onto what was read, and it is read back.

use serde_json::Value;
use tokio::time::Instant;

use super::exposure::Exposure;
use super::{
    Absence, Context, Gaps, Target, Verification, WriteParams, changed_too_often, may_have_changed, read, timed_out,
};
use crate::google::{Fetched, Patch, PatchParams, Scope};
use crate::model::compare::{Comparison, Difference, compare_changes};
use crate::model::event::EventChanges;
use crate::model::repair::changes_patch;
use crate::model::{CalendarError, Outcome, Warning};

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
        cx,
        scope,
        request,
        exposure,
        wrote: None,
        lost: None,
        lost_patches: 0,
        repaired: false,
        absence: Absence::default(),
        gaps: Gaps::new(),
        window_ends: cx.clock.now(),
    };
    let ended = update.run().await;
    ended.map_err(|error| update.told(error).with_event(request.id.clone()))
}

struct Update<'a> {
    cx: &'a Context,
    scope: &'a Scope,
    request: &'a UpdateRequest,
    exposure: &'a Exposure,
    /// What our acknowledged patch returned.
    wrote: Option<Wrote>,
    /// The last patch's fate is not known; what was told instead of an answer.
    lost: Option<CalendarError>,
    lost_patches: u32,
    repaired: bool,
    absence: Absence,
    gaps: Gaps,
    window_ends: Instant,
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
        loop {
            let id = &self.request.id;
            let found = self.cx.calendar.get(self.scope, &self.request.target.calendar, id, None).await?;
            let Some(found) = self.present(found).await? else { continue };
            let comparison = compare_changes(self.request.changes.body(), &found.event);
            match &self.wrote {
                Some(wrote) => {
                    let ours = wrote.etag == found.etag;
                    let old = !ours && self.cx.clock.now() < self.window_ends;
                    if comparison.critical.is_empty() && (comparison.advisory.is_empty() || !old) {
                        return Ok(done(found, true, false, &comparison));
                    }
                    // Acknowledged, but not to be seen: an old read, until the window is over.
                    if old {
                        self.pause().await?;
                        continue;
                    }
                    if !ours && wrote.is_older_than(&found) {
                        return Ok(edited(found, &comparison));
                    }
                    let again = self.request.verification.is_some_and(|verification| verification.repair);
                    if !ours || !again || self.repaired {
                        self.cx.prevented.refused();
                        return Ok(Updated::Unverified { mismatches: comparison.critical });
                    }
                    self.repaired = true;
                }
                None if comparison.critical.is_empty() && (self.lost.is_some() || comparison.advisory.is_empty()) => {
                    return Ok(done(found, true, self.lost.is_none(), &comparison));
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
            Some(found) if found.cancelled() => Err(read::missing(self.scope, &self.request.id, true)),
            Some(found) => {
                self.absence.ends();
                Ok(Some(found))
            }
            None => {
                let now = self.cx.clock.now();
                if self.absence.is_certain(now) && now >= self.window_ends {
                    return Err(read::missing(self.scope, &self.request.id, false));
                }
                self.pause().await?;
                Ok(None)
            }
        }
    }

    async fn patch(&mut self, found: &Fetched) -> Result<Option<Updated>, CalendarError> {
        if self.lost_patches > self.request.max_retries
            && let Some(error) = &self.lost
        {
            return Err(error.clone());
        }
        if !self.exposure.expose() {
            return Err(timed_out(self.scope));
        }
        let changes = &self.request.changes;
        let body = changes_patch(changes.body(), &found.event);
        let params = PatchParams {
            conference_data_version: self.request.params.conference_data_version,
            send_updates: self.request.params.send_updates,
            supports_attachments: changes.has_attachments(),
        };
        let (calendar, id) = (&self.request.target.calendar, &self.request.id);
        match self.cx.calendar.patch(self.scope, calendar, id, Some(&found.etag), &body, params).await {
            Ok(Patch::Done(patched)) => {
                self.lost = None;
                let Some(verification) = self.request.verification else {
                    let comparison = compare_changes(changes.body(), &patched.event);
                    return Ok(Some(done(patched, false, false, &comparison)));
                };
                self.window_ends = self.cx.clock.now() + verification.window;
                self.gaps = Gaps::new();
                self.wrote = Some(Wrote { updated: updated(&patched), etag: patched.etag });
            }
            Ok(Patch::Missing) => self.pause().await?,
            Ok(Patch::Changed) => {
                let gap = self.gaps.next();
                if !self.scope.deadline.has_room_for(self.cx.clock.now(), gap) {
                    return Err(changed_too_often("The event"));
                }
                self.cx.pause(self.scope, gap).await?;
            }
            // With If-Match a second arrival can do no harm; the next read tells.
            Err(error) if error.outcome == Outcome::Unknown => {
                self.lost = Some(error);
                self.lost_patches += 1;
                self.pause().await?;
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn pause(&mut self) -> Result<(), CalendarError> {
        let gap = self.gaps.next();
        self.cx.pause(self.scope, gap).await
    }

    /// An error after a patch that may have landed, or did, says so.
    fn told(&self, error: CalendarError) -> CalendarError {
        if self.lost.is_some() || self.wrote.is_some() { may_have_changed(error) } else { error }
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
