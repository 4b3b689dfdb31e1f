//! Tokens that do not fail in mid-operation: fresh before an operation begins, renewed once for all who need it.
//!
//! One refresh is under way per grant, whatever number of calls, services and auth objects wait for it. The user's store
//! is read again before it: another process may have done it. A dead network is never read as a dead grant.

mod grants;
mod held;
mod tally;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

pub use self::grants::Grants;
use self::grants::{Grant, GrantId, grant_id};
pub(super) use self::held::Tokens;
pub use self::tally::TokenCount;
pub(super) use self::tally::{Reached, TokenTally};
use super::host::{Host, Question};
use super::notice::{Level, Listener, Notice};
use super::open_work::OpenWork;
use crate::clock::Clock;
use crate::google::oauth;
use crate::google::{
    BoxFuture, Credentials, GrantFailure, Issued, OauthClient, Passing, RefreshToken, ServiceAccount, Token,
    TokenEndpoint, describe,
};
use crate::model::{CalendarError, Code, Outcome};
use crate::policy::Backoff;
use crate::store::{RefreshLease, RefreshLeases, Taken};

/// One refresh, retries and all, whoever waits for it; a caller's own deadline may be shorter.
const REFRESH: Duration = Duration::from_secs(20);
/// One exchange with the token endpoint.
const EXCHANGE: Duration = Duration::from_secs(4);
/// One answer of the user's token store.
const STORE: Duration = Duration::from_secs(4);
/// How long a refresh waits for its first save; after that the save goes on by itself.
const SAVE: Duration = Duration::from_secs(2);
/// Gaps between looks into the store after a grant has died: another process that refreshed at the same moment saves soon.
const SAVED_BY_ANOTHER: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(200), Duration::from_millis(400)];
/// How soon the store is read again while another process refreshes.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Gaps between tries to save.
const SAVE_AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(10)];

/// Where a call's tokens come from.
pub(super) enum Source {
    /// A refresh token, of the call's or of the user's in the store; the client is the call's own, if it brought one.
    Grant(Option<OauthClient>),
    /// An object that makes access tokens by itself.
    Asked(u32),
    /// A service account's key.
    Account(Arc<ServiceAccount>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Grant(None)
    }
}

/// What a call brought to be let in; nothing: the user's own tokens in the store.
#[derive(Default)]
pub(super) struct Auth {
    pub(super) tokens: Tokens,
    pub(super) source: Source,
    /// The caller's object that wants to hear of new tokens.
    pub(super) write_back: Option<u32>,
}

impl Auth {
    /// What tells the credentials of two calls apart, without telling what they are.
    pub(super) fn identity(&self) -> String {
        let (kind, words) = match (&self.source, &self.tokens) {
            (Source::Asked(auth_ref), _) => ("object", auth_ref.to_string()),
            (Source::Account(account), _) => ("account", account.identity().join("\n")),
            (Source::Grant(_), Tokens { refresh: Some(refresh), .. }) => ("grant", refresh.expose().to_owned()),
            (Source::Grant(_), Tokens { access: Some(access), .. }) => ("token", access.expose().to_owned()),
            (Source::Grant(_), _) => ("stored", String::new()),
        };
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(words).finalize();
        HEXLOWER.encode(&hash)
    }
}

/// Renews the tokens of all users of a service.
pub(super) struct Keyring {
    pub(super) clock: Clock,
    pub(super) endpoint: Arc<dyn TokenEndpoint>,
    pub(super) client: Option<OauthClient>,
    pub(super) host: Arc<dyn Host>,
    /// Whether the user's store can be read and written.
    pub(super) loads: bool,
    pub(super) saves: bool,
    pub(super) grants: Grants,
    /// One refresh of a grant among all processes; `None`: this process is alone.
    pub(super) leases: Option<RefreshLeases>,
    pub(super) listener: Listener,
    pub(super) open: OpenWork,
    /// New tokens that a caller's object has not taken yet.
    pub(super) fresh: DashMap<u32, Tokens>,
    pub(super) tally: TokenTally,
}

/// One call's credentials.
pub(super) struct UserCredentials {
    keyring: Arc<Keyring>,
    user: String,
    /// [`Auth::identity`] of what the call brought.
    identity: String,
    source: Source,
    write_back: Option<u32>,
    held: Mutex<Tokens>,
    /// Less than this is too little to begin with.
    least_ms: u64,
}

impl Keyring {
    pub(super) fn credentials(self: &Arc<Self>, user: &str, auth: Auth, least: Duration) -> Arc<UserCredentials> {
        Arc::new(UserCredentials {
            keyring: Arc::clone(self),
            user: user.to_owned(),
            identity: auth.identity(),
            source: auth.source,
            write_back: auth.write_back,
            held: Mutex::new(auth.tokens),
            least_ms: crate::clock::millis(least),
        })
    }

    fn warn(&self, message: &str) {
        (self.listener)(Notice::Log { level: Level::Warn, message: message.to_owned() });
    }

    /// The user's tokens in the store; `Err`: it does not answer.
    async fn load(&self, user: &str) -> Result<Option<Tokens>, CalendarError> {
        if !self.loads {
            return Ok(None);
        }
        let question = Question::LoadTokens { user_id: user.to_owned() };
        match timeout(STORE, self.host.ask(question)).await {
            Ok(Ok(Some(text))) => Ok(Tokens::from_store(&text)),
            Ok(Ok(None)) => Ok(None),
            Ok(Err(_)) | Err(_) => Err(CalendarError::new(
                Code::StoreUnavailable,
                Outcome::NotSent,
                "tokenStore.load failed or did not answer. Nothing was sent to Google; call again when it is back.",
            )),
        }
    }

    /// Saves new tokens, and goes on trying by itself when that fails: the call has its token.
    async fn save(self: &Arc<Self>, user: &str, tokens: &Tokens) {
        if !self.saves {
            return;
        }
        let (told, first) = oneshot::channel();
        let (this, user, value, open) = (Arc::clone(self), user.to_owned(), tokens.to_value(), self.open.begin());
        tokio::spawn(async move {
            let mut told = Some(told);
            let mut gaps = SAVE_AGAIN.into_iter();
            loop {
                let question = Question::SaveTokens { user_id: user.clone(), tokens: value.clone() };
                let saved = matches!(timeout(STORE, this.host.ask(question)).await, Ok(Ok(_)));
                if let Some(told) = told.take() {
                    let _ = told.send(());
                }
                if saved {
                    break;
                }
                let Some(gap) = gaps.next() else {
                    this.warn("tokenStore.save failed again and is given up: a rotated refresh token may be lost, and then the user must reconnect");
                    break;
                };
                this.warn("tokenStore.save failed; it is tried again, and the call goes on with the new token");
                sleep(gap).await;
            }
            drop(open);
        });
        let _ = timeout(SAVE, first).await;
    }

    /// Asks the endpoint until it says yes or no, or the time is over.
    async fn exchange(&self, exchange: &(dyn Fn() -> Exchanged + Sync)) -> Result<Issued, GrantFailure> {
        let result = self.until_answered(exchange).await;
        self.tally.settled(&result);
        result
    }

    async fn until_answered(&self, exchange: &(dyn Fn() -> Exchanged + Sync)) -> Result<Issued, GrantFailure> {
        let ends = self.clock.now() + REFRESH;
        let backoff = Backoff::default();
        let mut attempt = 0;
        loop {
            let result = exchange().await;
            self.tally.exchanged(self.clock.now(), &result);
            let failure = match result {
                Ok(issued) => return Ok(issued),
                Err(failure) => failure,
            };
            let GrantFailure::Passing(passing) = failure else { return Err(failure) };
            let delay = backoff.delay(attempt, rand::random(), passing.retry_after);
            attempt += 1;
            if attempt > backoff.max_retries || self.clock.now() + delay >= ends {
                return Err(failure);
            }
            sleep(delay).await;
            self.tally.retried();
        }
    }

    fn with_expiry(&self, issued: Issued, refresh: Option<RefreshToken>) -> Tokens {
        let now = self.clock.wall_ms();
        let expires_at = issued.expires_in.map(|life| now.saturating_add(crate::clock::millis(life)));
        Tokens { access: Some(issued.access), refresh: issued.rotated.or(refresh), expires_at }
    }

    fn grant(&self, client: &OauthClient, refresh: &RefreshToken) -> Arc<Grant> {
        self.grants.get(grant_id(&["grant", client.id(), refresh.expose()]), self.clock.wall_ms())
    }

    /// Tokens that this process got for a grant, if they will do.
    fn newest(&self, grant: &Grant, least_ms: u64, refused: Option<&Token>) -> Option<Tokens> {
        let now = self.clock.wall_ms();
        grant.newest().filter(|tokens| self.grants.fresh(tokens, now, least_ms, refused))
    }

    /// One refresh, for all who wait for it.
    async fn refresh(self: Arc<Self>, wish: Wish) -> Result<Tokens, CalendarError> {
        let mut tried: Vec<RefreshToken> = Vec::new();
        let mut died = false;
        let mut unread = None;
        // Again after a dead grant: another process may have rotated it, and be about to save what it got.
        for gap in [Duration::ZERO].into_iter().chain(SAVED_BY_ANOTHER) {
            sleep(gap).await;
            let stored = match self.load(&wish.user).await {
                Ok(stored) => stored.unwrap_or_default(),
                Err(error) => {
                    unread = Some(error);
                    Tokens::default()
                }
            };
            if self.serves(&wish, &stored, !tried.is_empty()) {
                return Ok(stored);
            }
            for refresh in [wish.held.refresh.as_ref(), stored.refresh.as_ref()].into_iter().flatten() {
                if tried.contains(refresh) {
                    continue;
                }
                let refresh = refresh.clone();
                let saves = wish.stored || stored.refresh.as_ref().is_none_or(|stored| *stored == refresh);
                let known = self.is_dead(&wish, &refresh);
                if let Some(tokens) = self.refresh_one(&wish, &refresh, saves).await? {
                    return Ok(tokens);
                }
                died |= !known;
                tried.push(refresh);
            }
            // Nobody saves for a grant that was dead before.
            if !died || !self.loads {
                break;
            }
        }
        Err(match unread {
            // Without the store nobody can say that the user has no grant.
            Some(error) if tried.is_empty() => error,
            _ => reconnect(!tried.is_empty()),
        })
    }

    /// Whether what the store holds will do.
    fn serves(&self, wish: &Wish, stored: &Tokens, died: bool) -> bool {
        // What the caller brought may be another account than the user's own: while it lives, the store's token is
        // no substitute for it, and it is not saved over the store's.
        let same = wish.stored || stored.refresh.is_none() || stored.refresh == wish.held.refresh;
        let new = stored.access != wish.held.access;
        let now = self.clock.wall_ms();
        (same || died) && new && self.grants.fresh(stored, now, wish.least_ms, wish.refused.as_ref())
    }

    /// Waits until no other process refreshes this grant. `Err`: one has, and this is what it saved.
    async fn our_turn(&self, wish: &Wish, grant: &GrantId) -> Result<Option<RefreshLease>, Tokens> {
        let Some(leases) = &self.leases else { return Ok(None) };
        let ends = self.clock.now() + REFRESH;
        let mut has_waited = false;
        loop {
            let answer = leases.take(grant).await;
            // Asked again after the lease is known: who had it may have saved between our first look and now. Another
            // refresh token there is what a rotation left, and serves.
            let stored = self.load(&wish.user).await.ok().flatten().unwrap_or_default();
            let serves = self.serves(wish, &stored, has_waited);
            match answer {
                Taken::Ours(lease) if serves => {
                    lease.give_back().await;
                    return Err(stored);
                }
                _ if serves => return Err(stored),
                Taken::Ours(lease) => return Ok(Some(lease)),
                Taken::Others(left) if self.clock.now() < ends => sleep(left.min(LOOK_AGAIN)).await,
                // A token is needed now; a second refresh does less harm than none.
                Taken::Others(_) | Taken::Unknown => return Ok(None),
            }
            has_waited = true;
        }
    }

    fn is_dead(&self, wish: &Wish, refresh: &RefreshToken) -> bool {
        let client = wish.client.as_ref().or(self.client.as_ref());
        client.is_some_and(|client| self.grant(client, refresh).is_dead(self.clock.wall_ms()))
    }

    /// `None`: this grant is dead.
    async fn refresh_one(
        self: &Arc<Self>,
        wish: &Wish,
        refresh: &RefreshToken,
        saves: bool,
    ) -> Result<Option<Tokens>, CalendarError> {
        let Some(client) = wish.client.as_ref().or(self.client.as_ref()) else {
            return Err(misconfigured("there is no clientId and clientSecret to refresh the user's token with"));
        };
        let grant = self.grant(client, refresh);
        if grant.is_dead(self.clock.wall_ms()) {
            return Ok(None);
        }
        if let Some(tokens) = self.newest(&grant, wish.least_ms, wish.refused.as_ref()) {
            return Ok(Some(tokens));
        }
        let once = || -> Exchanged {
            Box::pin(oauth::refresh(Arc::clone(&self.endpoint), client.clone(), refresh.clone(), EXCHANGE))
        };
        // Without a place where all of them look, the others could not find what one has got.
        let lease = if saves && self.loads && self.saves {
            match self.our_turn(wish, &grant_id(&["lease", client.id(), refresh.expose()])).await {
                Ok(lease) => lease,
                Err(theirs) => return Ok(Some(theirs)),
            }
        } else {
            None
        };
        let exchanged = self.exchange(&once).await;
        let renewed = match exchanged {
            Ok(issued) => {
                let tokens = self.with_expiry(issued, Some(refresh.clone()));
                grant.got(&tokens);
                if let Some(rotated) = &tokens.refresh {
                    self.grant(client, rotated).got(&tokens);
                }
                if saves {
                    self.save(&wish.user, &tokens).await;
                }
                Ok(Some(tokens))
            }
            Err(GrantFailure::Dead) => {
                grant.died(self.clock.wall_ms());
                Ok(None)
            }
            Err(failure) => Err(told(failure)),
        };
        if let Some(lease) = lease {
            // By itself: who waits for the token does not wait for this.
            tokio::spawn(lease.give_back());
        }
        renewed
    }

    async fn assert(self: Arc<Self>, account: Arc<ServiceAccount>) -> Result<Tokens, CalendarError> {
        let once = || -> Exchanged {
            let (endpoint, account) = (Arc::clone(&self.endpoint), Arc::clone(&account));
            Box::pin(oauth::assert(endpoint, account, self.clock.wall_ms(), EXCHANGE))
        };
        self.exchange(&once).await.map(|issued| self.with_expiry(issued, None)).map_err(told)
    }

    async fn ask_object(&self, auth_ref: u32, refused: Option<&Token>) -> Result<Tokens, CalendarError> {
        let question = Question::AccessToken { auth_ref, refused: refused.is_some() };
        let Ok(Ok(answer)) = timeout(STORE, self.host.ask(question)).await else {
            return Err(passing("the auth object gave no access token", None));
        };
        let tokens = answer.as_deref().and_then(Tokens::from_store).unwrap_or_default();
        if tokens.fresh(self.clock.wall_ms(), 0, refused).is_some() {
            Ok(tokens)
        } else {
            Err(passing("the auth object gave no new access token", None))
        }
    }
}

type Exchanged = BoxFuture<'static, Result<Issued, GrantFailure>>;

/// What one refresh is for.
struct Wish {
    user: String,
    held: Tokens,
    refused: Option<Token>,
    client: Option<OauthClient>,
    least_ms: u64,
    /// What is held was read from the user's store.
    stored: bool,
}

impl UserCredentials {
    /// The tokens, renewed if they have to be, or if `force`.
    pub(super) async fn tokens(&self, refused: Option<&Token>, force: bool) -> Result<Tokens, CalendarError> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.keyring.clock.wall_ms();
        if let Some(refused) = refused {
            self.keyring.grants.refuse(refused, now);
        }
        if !force && self.keyring.grants.fresh(&held, now, self.least_ms, refused) {
            return Ok(held);
        }
        let renewed = self.renew(&held, refused, force).await?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = renewed.clone();
        if let Some(auth_ref) = self.write_back
            && renewed.access != held.access
        {
            self.keyring.fresh.insert(auth_ref, renewed.clone());
            (self.keyring.listener)(Notice::Tokens { auth_ref });
        }
        Ok(renewed)
    }

    async fn renew(&self, held: &Tokens, refused: Option<&Token>, force: bool) -> Result<Tokens, CalendarError> {
        let (keyring, now) = (&self.keyring, self.keyring.clock.wall_ms());
        let client = match &self.source {
            Source::Asked(auth_ref) => return keyring.ask_object(*auth_ref, refused).await,
            Source::Account(account) => {
                let [email, scopes, subject] = account.identity();
                let grant =
                    keyring.grants.get(grant_id(&["account", email, scopes, subject, account.key_print()]), now);
                if let Some(tokens) = keyring.newest(&grant, self.least_ms, refused) {
                    return Ok(tokens);
                }
                let (keyring, account) = (Arc::clone(keyring), Arc::clone(account));
                return grant.renewed(move || keyring.assert(account)).await;
            }
            Source::Grant(client) => client.clone(),
        };
        let (mut held, mut from_store) = (held.clone(), false);
        if held.refresh.is_none() && keyring.loads {
            // Not remembered: the user may have connected another account, and another service has another store.
            match keyring.load(&self.user).await {
                Ok(stored) => {
                    let stored = stored.unwrap_or_default();
                    if !force && keyring.grants.fresh(&stored, now, self.least_ms, refused) {
                        return Ok(stored);
                    }
                    if stored.refresh.is_some() || held.access.is_none() {
                        (held, from_store) = (stored, true);
                    }
                }
                Err(error) if held.fresh(now, 0, refused).is_none() => return Err(error),
                Err(_) => {}
            }
        }
        let Some(refresh) = &held.refresh else {
            // Nothing renews it: what is left of it is all there is.
            return if held.fresh(now, 0, refused).is_some() { Ok(held) } else { Err(reconnect(false)) };
        };
        let client_id = client.as_ref().or(keyring.client.as_ref()).map(OauthClient::id).unwrap_or_default();
        let grant = keyring.grants.get(grant_id(&["grant", client_id, refresh.expose()]), now);
        let newest = keyring.newest(&grant, 0, None).unwrap_or_else(|| held.clone());
        let refused = refused.cloned().or_else(|| newest.access.filter(|_| force));
        if let Some(tokens) = keyring.newest(&grant, self.least_ms, refused.as_ref()) {
            return Ok(tokens);
        }
        let wish = Wish { user: self.user.clone(), held, refused, client, least_ms: self.least_ms, stored: from_store };
        let keyring = Arc::clone(keyring);
        grant.renewed(move || keyring.refresh(wish)).await
    }
}

impl Credentials for UserCredentials {
    fn identity(&self) -> String {
        self.identity.clone()
    }

    fn token<'a>(&'a self, refused: Option<&'a Token>) -> BoxFuture<'a, Result<Token, CalendarError>> {
        Box::pin(async move {
            let tokens = self.tokens(refused, false).await?;
            tokens.access.filter(|access| Some(access) != refused).ok_or_else(|| reconnect(true))
        })
    }
}

/// Only the user can mend it.
fn reconnect(had_a_grant: bool) -> CalendarError {
    let why = if had_a_grant {
        "Google says that the user's grant was revoked or has expired (invalid_grant)"
    } else {
        "there is no refresh token for this user"
    };
    let message = format!("{why}. Nothing was sent to the calendar; let the user reconnect their Google account.");
    let mut error = CalendarError::new(Code::GoogleAuthRequired, Outcome::NotSent, message);
    error.reason = had_a_grant.then(|| "invalid_grant".to_owned());
    error
}

/// Only the app's owner can mend it.
fn misconfigured(why: &str) -> CalendarError {
    let message = format!("{why}. Nothing was sent to the calendar; correct the configuration.");
    CalendarError::new(Code::Configuration, Outcome::NotSent, message)
}

/// It may work later.
fn passing(why: &str, status: Option<u16>) -> CalendarError {
    let message =
        format!("The access token could not be refreshed: {why}. Nothing was sent to the calendar; call again later.");
    let mut error = CalendarError::new(Code::GoogleAuthFailed, Outcome::NotSent, message);
    error.status = status;
    error
}

fn told(failure: GrantFailure) -> CalendarError {
    match failure {
        GrantFailure::Dead => reconnect(true),
        GrantFailure::Misconfigured(word) => {
            let mut error =
                misconfigured(&format!("Google's token endpoint does not accept this app's credentials ({word})"));
            error.reason = Some(word.to_owned());
            error
        }
        GrantFailure::Unreachable(fault) => {
            let message = format!(
                "The access token could not be refreshed: {}. Nothing was sent to the calendar; a retry will not help.",
                describe(fault)
            );
            let mut error = CalendarError::new(Code::NetworkError, Outcome::NotSent, message);
            error.retryable = false;
            error.reason = Some(fault.name().to_owned());
            error
        }
        GrantFailure::Passing(Passing { status: Some(status), .. }) => {
            passing(&format!("the token endpoint answered HTTP {status}"), Some(status))
        }
        GrantFailure::Passing(_) => passing("the token endpoint gave no usable answer", None),
    }
}
