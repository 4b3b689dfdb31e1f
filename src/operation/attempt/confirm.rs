//! Is what stands at the id what was asked for? If not: whose difference is it, and may it be put right?

use super::{Attempt, Failure, Step};
use crate::google::Patch;
use crate::model::repair::repair_patch;
use crate::model::{CalendarError, Claims, Code, Outcome};
use crate::operation::sight::Standing;
use crate::store::Fate;

impl Attempt<'_> {
    /// Our claim is on it: is it what was asked for?
    pub(super) async fn verify(&mut self, found: Standing, claims: &Claims) -> Result<Step, Failure> {
        self.occupied = true;
        self.reply_lost |= self.in_doubt && !self.landed && !self.claimed;
        self.landed = true;
        if found.comparison.critical.is_empty() {
            let warnings = found.comparison.warnings();
            return Ok(self.done(found.raw, true, warnings));
        }
        let Some(verification) = self.request.verification else {
            let warnings = found.comparison.warnings();
            return Ok(self.done(found.raw, false, warnings));
        };
        let others = claims.without(&self.claim);
        if !others.is_empty() {
            let fates = self.cx.journal.fates(&others, &self.id, self.cx.left(&self.scope)).await;
            let any = |wanted: fn(&Fate) -> bool| fates.iter().any(|(_, fate)| wanted(fate));
            if any(|fate| *fate == Fate::Succeeded { verified: true }) {
                return Ok(self.done_with_owners_edit(found));
            }
            if any(|fate| matches!(fate, Fate::Succeeded { .. })) {
                return Err(self.stands_otherwise("was told success without being read back").into());
            }
            if any(|fate| *fate == Fate::Running) {
                let gap = self.gaps.next();
                self.cx.pause(&self.scope, gap).await?;
                return Ok(Step::Look);
            }
            if any(|fate| *fate == Fate::Unknown) {
                return Err(self.stands_otherwise("is known only to another process or was forgotten").into());
            }
        }
        // An ETag that is not our last write's is an old read, or somebody's edit: let old reads pass first.
        let old = self.written.as_ref().is_some_and(|etag| *etag != found.etag);
        if old && self.cx.clock.now() < self.window_ends {
            let gap = self.gaps.next();
            self.cx.pause(&self.scope, gap).await?;
            return Ok(Step::Look);
        }
        if self.repaired || !verification.repair {
            return Err(Failure::Mismatch(found.comparison.critical));
        }
        Box::pin(self.repair(&found)).await
    }

    async fn repair(&mut self, found: &Standing) -> Result<Step, Failure> {
        let patch = repair_patch(&self.request.data.body()?, &found.event);
        self.may_patch()?;
        let params = self.mailed();
        let etag = Some(found.etag.as_str());
        self.repair_in_doubt = true;
        match self.cx.calendar.patch(&self.scope, &self.calendar, &self.id, etag, &patch, params).await {
            Ok(Patch::Done(found)) => {
                self.repaired = true;
                self.wrote(Some(found.etag));
            }
            Ok(Patch::Changed | Patch::Missing) => {
                let gap = self.gaps.next();
                self.cx.pause(&self.scope, gap).await?;
            }
            // If it landed, the next look finds the event right, or wrong at another ETag: that is repaired once more,
            // with If-Match, so a second arrival can do no harm.
            Err(error) if error.outcome == Outcome::Unknown => self.patch_lost(error).await?,
            Err(error) => return Err(error.into()),
        }
        Ok(Step::Look)
    }

    fn stands_otherwise(&self, whose: &str) -> CalendarError {
        CalendarError::new(
            Code::VerificationFailed,
            Outcome::Applied,
            format!("An event made with this key is in the calendar with other content, and the call that made it {whose}. It was left as it is; read it and decide."),
        )
        .with_event(self.id.clone())
    }
}
