//! Verify: is the event there, and is it what it should be? Compares meaning, not text.

use serde_json::{Map, Value};

use super::{Absence, Context, Gaps, Target, Verification};
use crate::google::{Fetched, Scope};
use crate::model::compare::{Difference, compare};
use crate::model::{CalendarError, Warning};

/// What a look at an event told.
pub enum Verdict {
    /// There, and equal where it matters.
    Verified(Fetched, Vec<Warning>),
    /// There, and different.
    Mismatch(Fetched, Vec<Difference>),
    /// Not there, or deleted.
    Absent,
}

/// Reads `id` and compares it with `expected`, giving an event that is not visible or not equal yet the whole window.
pub async fn verify(
    cx: &Context,
    scope: &Scope,
    target: &Target,
    id: &str,
    expected: &Map<String, Value>,
    verification: Verification,
) -> Result<Verdict, CalendarError> {
    let ends = cx.clock.now() + verification.window;
    let mut gaps = Gaps::new();
    let mut absence = Absence::default();
    loop {
        let found = cx.calendar.get(scope, &target.calendar, id, None).await?;
        let verdict = match found {
            Some(found) if !found.cancelled() => {
                absence.ends();
                let comparison = compare(expected, &found.event);
                if comparison.critical.is_empty() {
                    return Ok(Verdict::Verified(found, comparison.warnings()));
                }
                Verdict::Mismatch(found, comparison.critical)
            }
            // A tombstone is final: nothing appears there any more.
            Some(_) => return Ok(Verdict::Absent),
            // A slow read may have used the window up: a single one that finds nothing still proves nothing.
            None if !absence.is_certain(cx.clock.now()) => {
                cx.pause(scope, gaps.next()).await?;
                continue;
            }
            None => Verdict::Absent,
        };
        let gap = gaps.next();
        if cx.clock.now() + gap >= ends || !scope.deadline.has_room_for(cx.clock.now(), gap) {
            return Ok(verdict);
        }
        cx.pause(scope, gap).await?;
    }
}
