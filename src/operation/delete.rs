//! Delete: gone, and seen to be gone. An event that is gone already is a success.

use super::conditional::ConditionalWrite;
use super::exposure::Exposure;
use super::{Context, Target, Verification};
use crate::google::{Delete, Fetched, Scope, SendUpdates};
use crate::model::CalendarError;

/// What `fields=` a delete reads.
const FIELDS: &str = "id,status,etag";

/// How the event came to be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// It was gone before this call.
    pub already: bool,
    /// A read after the delete saw the tombstone, or nothing twice.
    pub verified: bool,
}

/// What was asked for.
pub struct DeleteRequest {
    /// Whose calendar.
    pub target: Target,
    /// Which event.
    pub id: String,
    /// Whom Google mails.
    pub send_updates: SendUpdates,
    /// `None`: it is not read back.
    pub verification: Option<Verification>,
    /// Deletes after the first whose answer was lost.
    pub max_retries: u32,
}

/// Deletes the event with If-Match, so that nobody's edit is deleted unseen, and reads back.
///
/// # Errors
/// `outcome: unknown` when a delete was sent and the deadline passed before a read could tell.
pub async fn delete(
    cx: &Context,
    scope: &Scope,
    request: &DeleteRequest,
    exposure: &Exposure,
) -> Result<Deleted, CalendarError> {
    let mut deletion = Deletion { write: ConditionalWrite::new(cx, scope, exposure, request.max_retries), request };
    let ended = deletion.run().await;
    ended.map_err(|error| deletion.write.told(error, &request.id))
}

struct Deletion<'a> {
    write: ConditionalWrite<'a>,
    request: &'a DeleteRequest,
}

impl Deletion<'_> {
    async fn run(&mut self) -> Result<Deleted, CalendarError> {
        let (cx, scope, request) = (self.write.cx, self.write.scope, self.request);
        loop {
            let found = cx.calendar.get(scope, &request.target.calendar, &request.id, Some(FIELDS)).await?;
            let gone = Deleted { already: !self.write.was_sent(), verified: true };
            match found {
                Some(found) if found.cancelled() => return Ok(gone),
                // A single read that finds nothing may be an old one, of an event that lives.
                None if self.write.absence.is_certain(cx.clock.now()) => return Ok(gone),
                None => self.write.pause().await?,
                // Acknowledged, and still there: an old read, until the window is over.
                Some(_) if self.write.is_acknowledged() && self.write.may_read_old() => {
                    self.write.absence.ends();
                    self.write.pause().await?;
                }
                Some(found) => {
                    self.write.absence.ends();
                    if let Some(ended) = self.delete(&found).await? {
                        return Ok(ended);
                    }
                }
            }
        }
    }

    async fn delete(&mut self, found: &Fetched) -> Result<Option<Deleted>, CalendarError> {
        self.write.may_be_sent()?;
        let (cx, scope, request) = (self.write.cx, self.write.scope, self.request);
        let (calendar, etag) = (&request.target.calendar, Some(found.etag.as_str()));
        match cx.calendar.delete(scope, calendar, &request.id, etag, request.send_updates).await {
            Ok(Delete::Done | Delete::Gone) => {
                self.write.acknowledge(request.verification);
                if request.verification.is_none() {
                    return Ok(Some(Deleted { already: false, verified: false }));
                }
            }
            Ok(Delete::Missing) => self.write.pause().await?,
            Ok(Delete::Changed) => self.write.refused().await?,
            Err(error) => self.write.failed(error).await?,
        }
        Ok(None)
    }
}
