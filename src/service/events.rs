//! The methods over events that are there.

use super::admission::scope_of;
use super::call::Call;
use super::cancel::Cancel;
use super::metrics::Ending;
use super::{Service, answer};
use crate::model::event::{EventChanges, Expected};
use crate::model::{CalendarError, Outcome};
use crate::operation::delete::{self, DeleteRequest};
use crate::operation::read;
use crate::operation::update::{self, UpdateRequest, Updated};
use crate::operation::verify::{self, Verdict};

impl Service {
    /// `verifyEvent`. Rejections become its answer in the facade: it never rejects.
    pub async fn verify_event(&self, args: &str, expected: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let config = self.config();
            let call = Call::parse(args, &config, 1)?;
            let expected = Expected::parse(expected, call.time_zone.as_deref())?;
            let id = call.event_id()?.to_owned();
            let verification = crate::operation::Verification { window: config.window, repair: false };
            let cx = self.shared.cx.clone();
            self.alone("verifyEvent", call, cancel, async move |call, credentials, deadline, _| {
                let scope = scope_of(&call, "verifyEvent", &credentials, deadline);
                let verdict = verify::verify(&cx, &scope, &call.target, &id, expected.body(), verification).await?;
                let verified = matches!(verdict, Verdict::Verified(..));
                let left = Some(Outcome::NotSent);
                let ending = Ending { verified, unverified: !verified, left, ..Ending::default() };
                Ok((answer::verdict(&verdict, &id, scope.attempts())?, ending))
            })
            .await
        });
        self.counted("verifyEvent", work).await
    }

    /// `getEvent`.
    pub async fn get_event(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let call = Call::parse(args, &self.config(), 1)?;
            let id = call.event_id()?.to_owned();
            let cx = self.shared.cx.clone();
            self.alone("getEvent", call, cancel, async move |call, credentials, deadline, _| {
                let scope = scope_of(&call, "getEvent", &credentials, deadline);
                let found = read::get(&cx, &scope, &call.target, &id).await?;
                Ok((answer::read(&found.raw, &id)?, Ending::default()))
            })
            .await
        });
        self.counted("getEvent", work).await
    }

    /// One page of `listEvents`, as Google sent it.
    pub async fn list_page(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let call = Call::parse(args, &self.config(), 1)?;
            let cx = self.shared.cx.clone();
            self.alone("listEvents", call, cancel, async move |call, credentials, deadline, _| {
                let scope = scope_of(&call, "listEvents", &credentials, deadline);
                let query: Vec<_> = call.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let page = read::list(&cx, &scope, &call.target, &query).await?;
                let text = String::from_utf8(page.raw.to_vec())
                    .map_err(|_| CalendarError::internal(Outcome::Rejected, "a page was not UTF-8"))?;
                Ok((text, Ending::default()))
            })
            .await
        });
        self.counted("listEvents", work).await
    }

    /// `updateEvent`.
    pub async fn update_event(&self, args: &str, changes: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let call = Call::parse(args, &self.config(), 1)?;
            let changes = EventChanges::parse(changes, call.time_zone.as_deref())?;
            let request = UpdateRequest {
                target: call.target.clone(),
                id: call.event_id()?.to_owned(),
                changes,
                params: call.params,
                verification: call.verification,
                max_retries: call.max_retries,
            };
            let cx = self.shared.cx.clone();
            self.alone("updateEvent", call, cancel, async move |call, credentials, deadline, exposure| {
                let scope = scope_of(&call, "updateEvent", &credentials, deadline);
                let updated = update::update(&cx, &scope, &request, &exposure).await?;
                let ending = match updated {
                    Updated::Done { verified, .. } => Ending { verified, ..Ending::default() },
                    Updated::Unverified { .. } => {
                        Ending { unverified: true, left: Some(Outcome::Applied), ..Ending::default() }
                    }
                };
                Ok((answer::updated(&updated, &request.id, scope.attempts())?, ending))
            })
            .await
        });
        self.counted("updateEvent", work).await
    }

    /// `deleteEvent`.
    pub async fn delete_event(&self, args: &str, cancel: Cancel) -> Result<String, CalendarError> {
        let work = Box::pin(async {
            let call = Call::parse(args, &self.config(), 1)?;
            let request = DeleteRequest {
                target: call.target.clone(),
                id: call.event_id()?.to_owned(),
                send_updates: call.params.send_updates,
                verification: call.verification,
                max_retries: call.max_retries,
            };
            let cx = self.shared.cx.clone();
            self.alone("deleteEvent", call, cancel, async move |call, credentials, deadline, exposure| {
                let scope = scope_of(&call, "deleteEvent", &credentials, deadline);
                let deleted = delete::delete(&cx, &scope, &request, &exposure).await?;
                let ending = Ending { verified: deleted.verified, ..Ending::default() };
                Ok((answer::deleted(deleted, &request.id, scope.attempts())?, ending))
            })
            .await
        });
        self.counted("deleteEvent", work).await
    }
}
