//! Update: only what changed is sent, only onto what was read, and it is read back.

use super::exposure::Exposure;
use super::{Context, Gaps, Target, Verification, WriteParams, changed_too_often, read, timed_out};
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

/// Patches `id` with If-Match until the changes are in it.
///
/// # Errors
/// `outcome: unknown` when a patch was sent and the deadline passed before a read could tell.
pub async fn update(
    cx: &Context,
    scope: &Scope,
    target: &Target,
    id: &str,
    changes: &EventChanges,
    (params, verification): (WriteParams, Option<Verification>),
    exposure: &Exposure,
) -> Result<Updated, CalendarError> {
    let mut wrote: Option<String> = None;
    let mut in_doubt = false;
    let mut repaired = false;
    let mut gaps = Gaps::new();
    let mut window_ends = cx.clock.now();
    let told = |error: CalendarError, in_doubt: bool| {
        let error = error.with_event(id);
        if in_doubt { error.with_outcome(Outcome::Unknown) } else { error }
    };
    loop {
        let found = cx.calendar.get(scope, &target.calendar, id, None).await.map_err(|e| told(e, in_doubt))?;
        let Some(found) = found.filter(|found| !found.cancelled()) else {
            return Err(told(read::missing(scope, id, true), in_doubt));
        };
        let comparison = compare_changes(changes.body(), &found.event);
        let equal = comparison.critical.is_empty();
        if let Some(etag) = &wrote {
            if equal {
                return Ok(done(found, true, false, &comparison));
            }
            // Acknowledged, but not to be seen: an old read, until the window is over.
            if *etag != found.etag && cx.clock.now() < window_ends {
                cx.pause(scope, gaps.next()).await.map_err(|e| told(e, true))?;
                continue;
            }
            let again = verification.is_some_and(|verification| verification.repair) && !repaired;
            if !again {
                return Ok(Updated::Unverified { mismatches: comparison.critical });
            }
            repaired = true;
        } else if equal && (in_doubt || comparison.advisory.is_empty()) {
            return Ok(done(found, true, !in_doubt, &comparison));
        }
        if !exposure.expose() {
            return Err(timed_out(scope));
        }
        let body = changes_patch(changes.body(), &found.event);
        let patch = PatchParams {
            conference_data_version: params.conference_data_version,
            send_updates: params.send_updates,
            supports_attachments: changes.has_attachments(),
        };
        match cx.calendar.patch(scope, &target.calendar, id, Some(&found.etag), &body, patch).await {
            Ok(Patch::Done(patched)) => {
                in_doubt = false;
                let Some(verification) = verification else {
                    let comparison = compare_changes(changes.body(), &patched.event);
                    return Ok(done(patched, false, false, &comparison));
                };
                window_ends = cx.clock.now() + verification.window;
                gaps = Gaps::new();
                wrote = Some(patched.etag);
            }
            Ok(Patch::Missing) => {}
            Ok(Patch::Changed) => {
                let gap = gaps.next();
                if !scope.deadline.has_room_for(cx.clock.now(), gap) {
                    return Err(told(changed_too_often("The event"), in_doubt));
                }
                cx.pause(scope, gap).await.map_err(|e| told(e, in_doubt))?;
            }
            // With If-Match a second arrival can do no harm; the next read tells.
            Err(error) if error.outcome == Outcome::Unknown => in_doubt = true,
            Err(error) => return Err(told(error, in_doubt)),
        }
    }
}

fn done(event: Fetched, verified: bool, unchanged: bool, comparison: &Comparison) -> Updated {
    Updated::Done { event, verified, unchanged, warnings: comparison.warnings() }
}
