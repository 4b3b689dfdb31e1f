//! A lane's rounds. Each reads, tells those whose change is seen to be there, and sends one PATCH for all others; the next
//! round's read is this PATCH's read back, and takes in who has come meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep, timeout};

use super::item::{Ended, Item, Need, Write, Wrote, updated};
use super::lane::{LEAST_ATTEMPT, Lanes, Queue};
use super::{FIELDS, LaneKey, Proceed, Verb};
use crate::google::{Fetched, Hurry, Patch, PatchParams, Scope, SendUpdates};
use crate::model::guests::{Guests, hides_guests, is_guests_copy};
use crate::model::stamp::touch_member;
use crate::model::{CalendarError, Code, Outcome};
use crate::operation::{Absence, Context, Gaps, lease_lost, read};
use crate::policy::{Backoff, Deadline};

/// A party's time to answer; doubled each time it was too late.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long a state is waited for that is as new as what is known of. Then an event that is not found is believed to be gone,
/// and of an older one Google is asked by a write whether it is how the event is.
const OLD_READS: Duration = Duration::from_secs(3);
/// Waits after a 412: several processes want the same event.
const CONTENTION: Backoff =
    Backoff { max_retries: u32::MAX, base: Duration::from_millis(50), multiplier: 2.0, max: Duration::from_secs(1) };

/// The task of one lane.
pub(super) struct Lane {
    lanes: Lanes,
    key: LaneKey,
    queue: Arc<Queue>,
    /// Not over yet; goes into the next round, with who has come meanwhile.
    carried: Vec<Item>,
    /// Batches of which Google refused one change: looked at half by half, until the bad one is alone.
    suspects: Vec<Vec<Item>>,
    /// `updated` of the newest state that was read, or that a change came to know of.
    newest: Option<String>,
    /// 412s in a row.
    contended: u32,
    gaps: Gaps,
}

/// What a read found.
enum Read {
    /// As new as anything that is known of.
    Current(Fetched),
    /// Older, whatever the patience.
    Old(Fetched),
}

/// A batch in its round.
struct Round {
    items: Vec<Item>,
    scope: Scope,
    suspect: bool,
}

impl Lane {
    pub(super) fn new(lanes: Lanes, key: LaneKey, queue: Arc<Queue>) -> Self {
        let (carried, suspects) = (Vec::new(), Vec::new());
        Self { lanes, key, queue, carried, suspects, newest: None, contended: 0, gaps: Gaps::new() }
    }

    const fn cx(&self) -> &Context {
        &self.lanes.cx
    }

    /// Works until nobody waits.
    pub(super) async fn work(mut self) {
        // Who calls in the same turn of the event loop shares the first round.
        tokio::task::yield_now().await;
        loop {
            let suspect = self.suspects.pop();
            let is_suspect = suspect.is_some();
            let items = suspect.unwrap_or_else(|| {
                let mut items = std::mem::take(&mut self.carried);
                items.extend(self.queue.items());
                items
            });
            if let Some(round) = self.round_of(items, is_suspect) {
                self.round(round).await;
            } else if self.suspects.is_empty()
                && self.carried.is_empty()
                && self.lanes.close_if_idle(&self.key, &self.queue)
            {
                return;
            }
        }
    }

    /// The batch without those who have left.
    fn round_of(&self, mut items: Vec<Item>, suspect: bool) -> Option<Round> {
        items.retain(|item| item.waiter.is_waiting());
        let first = &items.first()?.waiter.request;
        let requests = || items.iter().map(|item| &item.waiter.request);
        let shortest = requests().map(|request| request.attempt_timeout).min().unwrap_or(LEAST_ATTEMPT);
        let longest = requests().map(|request| request.attempt_timeout).max().unwrap_or(LEAST_ATTEMPT);
        let begun = first.deadline.started();
        let deadline = Deadline::starts(
            begun,
            requests().map(|request| request.deadline.end()).max()?.saturating_duration_since(begun),
        );
        let mut scope = Scope::new(
            self.key.target.user.clone(),
            first.operation,
            Arc::clone(&first.credentials),
            deadline,
            // One caller's short time must not cut the others' exchanges, nor a long one hold them up.
            shortest.max(LEAST_ATTEMPT.min(longest)),
            requests().map(|request| request.max_retries).max().unwrap_or_default(),
        );
        scope.quota_user.clone_from(&first.quota_user);
        Some(Round { items, scope, suspect })
    }

    async fn round(&mut self, mut round: Round) {
        round.dismiss_the_lost();
        if round.items.is_empty() {
            return;
        }
        let queue = Arc::clone(&self.queue);
        self.newest = round.items.iter_mut().map(|item| item.newest.take()).fold(self.newest.take(), Ord::max);
        let read = tokio::select! {
            biased;
            read = self.read(&round.scope) => read,
            // Their own read, begun now, may be answered sooner.
            () = queue.impatient() => return self.carry(round),
        };
        round.count();
        let usable = |read: Read| {
            let (Read::Current(seen) | Read::Old(seen)) = &read;
            usable(&round.scope, seen).map(|()| read)
        };
        match read.and_then(usable) {
            Ok(Read::Current(seen)) => self.act(round, &seen).await,
            Ok(Read::Old(seen)) => self.prove(round, &seen).await,
            Err(error) => {
                for mut item in std::mem::take(&mut round.items) {
                    let again = item.bears(&error);
                    if again { &mut self.carried } else { &mut round.items }.push(item);
                }
                round.fail(&error);
                if !self.carried.is_empty() {
                    self.pause().await;
                }
            }
        }
    }

    /// Asks Google by a write whether this is how the event is. `updated` has gone back then, or was never so new: its clock, or
    /// a write that was acknowledged and not stored. Nothing is asked for anybody by it, so it may go again.
    async fn prove(&mut self, mut round: Round, seen: &Fetched) {
        let body = Bytes::from(format!("{{{}}}", touch_member(self.cx().journal.claim().as_str())));
        let (sent, given_up) = self.patch(&mut round, seen, body, SendUpdates::None).await;
        match sent {
            Ok(Patch::Done(patched)) => {
                self.newest = updated(&patched);
                self.act(round, &patched).await;
            }
            Ok(Patch::Changed | Patch::Missing) => self.carry(round),
            Err(error) if error.outcome == Outcome::Unknown => {
                self.carry(round);
                if !given_up {
                    self.pause().await;
                }
            }
            Err(error) => self.refused(round, &error),
        }
    }

    /// Sends a PATCH with If-Match for all of a round; also whether it was given up for others who wait.
    async fn patch(
        &self,
        round: &mut Round,
        seen: &Fetched,
        body: Bytes,
        send_updates: SendUpdates,
    ) -> (Result<Patch, CalendarError>, bool) {
        let parties: Vec<_> = round.items.iter().map(|item| Arc::clone(&item.waiter.request.party)).collect();
        let (hurry, given_up) = impatience(&self.queue);
        round.scope.lease = Some(Arc::new(move || parties.iter().all(|party| party.alive())));
        round.scope.hurry = Some(hurry);
        let params = PatchParams { conference_data_version: 0, send_updates, supports_attachments: false };
        let (calendar, id) = (&self.key.target.calendar, &self.key.event_id);
        let before = round.scope.attempts();
        let told = self.cx().calendar.patch_text(&round.scope, calendar, id, Some(&seen.etag), body, params).await;
        for item in &mut round.items {
            item.attempts += round.scope.attempts() - before;
        }
        (told, given_up.load(Ordering::Acquire))
    }

    /// Tells what is over, and writes for the rest.
    async fn act(&mut self, mut round: Round, seen: &Fetched) {
        let Some(guests) = Guests::of(&seen.raw) else {
            let error = CalendarError::internal(Outcome::Rejected, "a guest list could not be read");
            return round.fail(&error);
        };
        let hurried = !self.queue.is_empty();
        let mut writes = Vec::new();
        let mut looks = Vec::new();
        // One address is put on the list or taken off it at a time: who came later waits.
        let mut under_way: HashMap<String, bool> = HashMap::new();
        for mut item in std::mem::take(&mut round.items) {
            let adds = item.verb() == Verb::Add;
            if under_way.get(item.address()).is_some_and(|other| *other != adds) {
                looks.push(item);
                continue;
            }
            let need = item.need(seen, &guests, hurried);
            if matches!(need, Need::Look | Need::Write(_)) && item.waiter.is_waiting() {
                under_way.insert(item.address().to_owned(), adds);
            }
            match need {
                Need::Done { already } => item.settle(Ended { already, verified: true, left: false }, seen, &guests),
                Need::Failed(error) => item.fail(error, round.scope.operation),
                Need::Look => looks.push(item),
                Need::Write(write) => writes.push((item, write)),
            }
        }
        let writes = self.permitted(&round.scope, writes, &mut looks, seen, &guests).await;
        if writes.is_empty() {
            round.items = looks;
            let over = round.items.is_empty();
            self.carry(round);
            if !over {
                self.pause().await;
            }
            return;
        }
        let (suspect, scope) = (round.suspect, round.scope);
        self.write(writes, scope, suspect, seen, &guests).await;
        self.carried.extend(looks);
    }

    /// Asks the parties at once. Whoever is late is asked again after the next read.
    async fn permitted(
        &self,
        scope: &Scope,
        mut writes: Vec<(Item, Write)>,
        later: &mut Vec<Item>,
        seen: &Fetched,
        guests: &Guests<'_>,
    ) -> Vec<(Item, Write)> {
        writes.retain(|(item, _)| item.waiter.is_waiting());
        let late = writes.iter().map(|(item, _)| item.late).max().unwrap_or_default();
        let mut asked: FuturesUnordered<_> = writes
            .iter()
            .enumerate()
            .map(|(index, (item, _))| {
                let (party, present) = (Arc::clone(&item.waiter.request.party), guests.has(item.address()));
                let answer = tokio::spawn(async move { party.before_write(present).await });
                async move { (index, answer.await) }
            })
            .collect();
        let mut answers = HashMap::new();
        let all = async {
            while let Some((index, answer)) = asked.next().await {
                answers.insert(index, answer);
            }
        };
        let _ = timeout(PATIENCE * 2_u32.saturating_pow(late.min(8)), all).await;
        let mut permitted = Vec::new();
        for (index, (mut item, write)) in writes.into_iter().enumerate() {
            // Left while the parties were asked.
            if !item.waiter.is_waiting() {
                continue;
            }
            let refusal = match answers.remove(&index) {
                _ if !item.waiter.request.party.alive() => lease_lost(scope).with_outcome(Outcome::NotSent),
                Some(Ok(Ok(Proceed::Write))) => {
                    permitted.push((item, write));
                    continue;
                }
                Some(Ok(Ok(Proceed::Leave))) => {
                    item.settle(Ended { left: true, ..Ended::default() }, seen, guests);
                    continue;
                }
                None => {
                    item.late += 1;
                    later.push(item);
                    continue;
                }
                Some(Ok(Err(error))) => error,
                Some(Err(_)) => CalendarError::internal(Outcome::NotSent, "a party did not answer"),
            };
            item.fail(refusal, scope.operation);
        }
        permitted
    }

    async fn write(
        &mut self,
        writes: Vec<(Item, Write)>,
        scope: Scope,
        suspect: bool,
        seen: &Fetched,
        guests: &Guests<'_>,
    ) {
        let claim = self.cx().journal.claim();
        let batch = Batch::of(writes, claim.as_str());
        if batch.items.is_empty() {
            return;
        }
        let body = batch.body(guests, claim.as_str());
        let mut round = Round { items: batch.items, scope, suspect };
        let (sent, given_up) = self.patch(&mut round, seen, body, self.key.send_updates).await;
        match sent {
            Ok(Patch::Done(patched)) => {
                self.contended = 0;
                self.gaps = Gaps::new();
                round.acknowledged(&patched);
                self.carry(round);
            }
            Ok(Patch::Changed | Patch::Missing) => {
                round.items.iter().for_each(Item::refused);
                let gap = CONTENTION.delay(self.contended, rand::random(), None);
                self.contended = self.contended.saturating_add(1);
                self.carry(round);
                sleep(gap).await;
            }
            Err(error) if error.outcome == Outcome::Unknown => {
                round.items.iter_mut().for_each(|item| item.lost(&error, given_up));
                self.carry(round);
                // Those for whom it was given up read at once: If-Match and what they find decide what became of it.
                if !given_up {
                    self.pause().await;
                }
            }
            Err(error) => {
                round.items.iter().for_each(Item::refused);
                self.refused(round, &error);
            }
        }
    }

    /// Google, or the way to it, refused the PATCH.
    fn refused(&mut self, mut round: Round, error: &CalendarError) {
        // Somebody has lost a lease: the others go on without them.
        if round.items.iter().any(|item| !item.waiter.request.party.alive()) {
            return self.carry(round);
        }
        // One change may be the bad one of many.
        let separable = matches!(error.code, Code::ValidationFailed | Code::PermissionDenied);
        if separable && round.items.len() > 1 {
            let (mut one, mut two): (Vec<_>, Vec<_>) = round.items.drain(..).partition(|item| item.verb() == Verb::Add);
            if one.is_empty() || two.is_empty() {
                one.append(&mut two);
                two = one.split_off(one.len() / 2);
            }
            self.suspects.extend([two, one]);
            return;
        }
        round.fail(error);
    }

    fn carry(&mut self, round: Round) {
        if round.suspect {
            self.suspects.push(round.items);
        } else {
            self.carried.extend(round.items);
        }
    }

    async fn pause(&mut self) {
        sleep(self.gaps.next()).await;
    }

    /// The event, as new as anything that is known of it, if that is to be had in time.
    async fn read(&mut self, scope: &Scope) -> Result<Read, CalendarError> {
        let mut absence = Absence::default();
        let mut gaps = Gaps::new();
        let patience_ends = self.cx().clock.now() + OLD_READS;
        loop {
            let (calendar, id) = (&self.key.target.calendar, &self.key.event_id);
            let found = self.cx().calendar.get(scope, calendar, id, Some(FIELDS)).await?;
            let now = self.cx().clock.now();
            match found {
                Some(found) if found.cancelled() => return Err(read::missing(scope, id, true)),
                Some(found) => {
                    absence.ends();
                    let shown = updated(&found);
                    if shown >= self.newest {
                        self.newest = shown;
                        return Ok(Read::Current(found));
                    }
                    if now >= patience_ends {
                        return Ok(Read::Old(found));
                    }
                }
                // An event that was seen before is not gone because a copy of the calendar does not know of it yet.
                None if absence.is_certain(now) && (self.newest.is_none() || now >= patience_ends) => {
                    return Err(read::missing(scope, id, false));
                }
                None => {}
            }
            self.cx().pause(scope, gaps.next()).await?;
        }
    }
}

impl Round {
    /// For who has lost a lease nothing is sent any more, not even a read.
    fn dismiss_the_lost(&mut self) {
        let (alive, lost): (Vec<_>, Vec<_>) = self.items.drain(..).partition(|item| item.waiter.request.party.alive());
        self.items = alive;
        for item in lost {
            item.fail(lease_lost(&self.scope).with_outcome(Outcome::NotSent), self.scope.operation);
        }
    }

    /// Tells all of them.
    fn fail(&self, error: &CalendarError) {
        for item in &self.items {
            item.fail(error.clone(), self.scope.operation);
        }
    }

    fn count(&mut self) {
        for item in &mut self.items {
            item.attempts += self.scope.attempts();
        }
    }

    /// Whoever does not want it read back is answered now.
    fn acknowledged(&mut self, patched: &Fetched) {
        let wrote = Wrote::of(patched);
        let guests = Guests::of(&patched.raw);
        for item in &mut self.items {
            item.acknowledged(&wrote);
            if let (Some(guests), Verb::Add, false) = (&guests, item.verb(), item.waiter.request.verify) {
                item.settle(Ended::default(), patched, guests);
            }
        }
    }
}

/// Who is in one PATCH.
struct Batch {
    items: Vec<Item>,
    add: Vec<usize>,
    remove: HashSet<String>,
    marked: bool,
}

impl Batch {
    /// Those who have not left: from here on, their change may be in the calendar.
    fn of(writes: Vec<(Item, Write)>, nonce: &str) -> Self {
        let mut batch = Self { items: Vec::new(), add: Vec::new(), remove: HashSet::new(), marked: false };
        let mut added = HashSet::new();
        for (mut item, write) in writes {
            if !item.waiter.request.exposure.expose() {
                continue;
            }
            // Of several who add one address the first adds it.
            let echo = write == Write::Add && !added.insert(item.address().to_owned());
            let marks = matches!(write, Write::Expel | Write::Touch);
            if write == Write::Add && !echo {
                batch.add.push(batch.items.len());
            }
            if matches!(write, Write::Remove | Write::Expel) {
                batch.remove.insert(item.address().to_owned());
            }
            batch.marked |= marks;
            item.sending(marks.then_some(nonce), echo);
            batch.items.push(item);
        }
        batch
    }

    fn body(&self, guests: &Guests<'_>, nonce: &str) -> Bytes {
        let mut members = Vec::new();
        if !self.add.is_empty() || !self.remove.is_empty() {
            let add = self.add.iter().filter_map(|index| self.items.get(*index));
            let list = guests.changed(add.map(|item| &item.waiter.request.change.guest), &self.remove);
            members.push(format!(r#""attendees":{list}"#));
        }
        if self.marked {
            members.push(touch_member(nonce));
        }
        Bytes::from(format!("{{{}}}", members.join(",")))
    }
}

/// What gives a write up that others have waited for long enough, and whether it did.
fn impatience(queue: &Arc<Queue>) -> (Hurry, Arc<AtomicBool>) {
    let (queue, given_up) = (Arc::clone(queue), Arc::new(AtomicBool::new(false)));
    let noted = Arc::clone(&given_up);
    let hurry: Hurry = Arc::new(move || {
        let (queue, noted) = (Arc::clone(&queue), Arc::clone(&noted));
        Box::pin(async move {
            queue.impatient().await;
            noted.store(true, Ordering::Release);
        })
    });
    (hurry, given_up)
}

/// Refuses an event whose guest list cannot be changed here.
fn usable(scope: &Scope, seen: &Fetched) -> Result<(), CalendarError> {
    let (code, why) = if hides_guests(&seen.event) {
        (
            Code::AttendeesHidden,
            "Google left a part of the guest list out, and writing the rest back would take the others off it. Nothing was \
             changed; use the account of the organizer",
        )
    } else if is_guests_copy(&seen.event) {
        (
            Code::Conflict,
            "this calendar holds a guest's copy of the event, and what is written to its guest list does not reach the \
             organizer's. Nothing was changed; use the calendar of the organizer",
        )
    } else {
        return Ok(());
    };
    Err(CalendarError::new(code, Outcome::Rejected, format!("{} failed: {why}.", scope.operation)))
}
