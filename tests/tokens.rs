//! Tokens that do not fail in mid-operation, told by what Google's endpoints saw.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Google, Process, USER, class};
use surecal::clock::Clock;
use surecal::google::BoxFuture;
use surecal::model::{Code, Outcome};
use surecal::service::Cancel;
use surecal::service::host::{Host, HostFault, Question};
use surecal_emulator::{CLIENT_ID, CLIENT_SECRET, Credentials, Fault, NewUser, Rule, When};

/// A token store of the app's.
#[derive(Default)]
struct Users {
    tokens: Mutex<Option<Value>>,
    loads: AtomicU32,
    saves: AtomicU32,
    saves_that_fail: AtomicU32,
}

impl Users {
    fn holds(&self, tokens: Value) {
        *self.tokens.lock().unwrap() = Some(tokens);
    }

    fn held(&self) -> Value {
        self.tokens.lock().unwrap().clone().unwrap()
    }
}

impl Host for Users {
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        let answer = match question {
            Question::LoadTokens { .. } => {
                self.loads.fetch_add(1, Ordering::Relaxed);
                Ok(self.tokens.lock().unwrap().as_ref().map(Value::to_string))
            }
            Question::SaveTokens { tokens, .. } => {
                self.saves.fetch_add(1, Ordering::Relaxed);
                let left = self.saves_that_fail.load(Ordering::Relaxed);
                if left > 0 {
                    self.saves_that_fail.store(left - 1, Ordering::Relaxed);
                    Err(HostFault)
                } else {
                    *self.tokens.lock().unwrap() = Some(tokens);
                    Ok(None)
                }
            }
            _ => Err(HostFault),
        };
        Box::pin(std::future::ready(answer))
    }
}

struct Stage {
    google: Google,
    users: Arc<Users>,
    granted: Credentials,
}

fn config() -> Value {
    json!({
        "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET,
        "tokenStore": { "load": "[function]", "save": "[function]" },
    })
}

impl Stage {
    /// A user whose access token has `seconds` left.
    fn with_seconds_left(seconds: i64) -> Self {
        let users = Arc::new(Users::default());
        let mut google = Google::new();
        google.host = Some(Arc::clone(&users) as Arc<dyn Host>);
        let granted = Self::granted(&google, seconds);
        Self { google, users, granted }
    }

    /// New tokens for the user; the old ones stay.
    fn granted(google: &Google, seconds: i64) -> Credentials {
        google
            .emulator
            .add_user(NewUser {
                email: USER.to_owned(),
                access_token: None,
                refresh_token: None,
                expires_in_seconds: Some(seconds),
                time_zone: None,
                scope: None,
                service_account: false,
            })
            .unwrap()
    }

    fn process(&self) -> Process {
        self.google.process_with(&config())
    }

    /// What an auth object of the user's holds; the date as our clock sees it.
    fn auth(&self, seconds: i64) -> Value {
        json!({
            "accessToken": self.granted.access_token,
            "refreshToken": self.granted.refresh_token,
            "expiryDate": i64::try_from(support::START_MS).unwrap() + seconds * 1000,
        })
    }

    fn token_requests(&self) -> usize {
        self.google.emulator.token_requests().len()
    }

    fn calendar_requests(&self) -> usize {
        self.google.emulator.requests().iter().filter(|r| r.operation.is_some_and(|o| o.starts_with("events."))).count()
    }

    fn refused(&self) -> usize {
        self.google.emulator.requests().iter().filter(|request| request.status == Some(401)).count()
    }
}

async fn create(process: &Process, auth: &Value) -> support::Told {
    let args = json!({ "userId": "u1", "calendarId": "primary", "auth": auth, "options": {} }).to_string();
    let text = process.service.create_event(&args, &class().to_string(), Cancel::default()).await?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[tokio::test(start_paused = true)]
async fn two_hundred_operations_on_an_expired_token_make_one_token_request_and_no_call_with_the_old_token() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    let calls: Vec<_> = (0..200)
        .map(|index| {
            let (process, auth) = (process.clone(), stage.auth(0));
            tokio::spawn(async move {
                let args = json!({
                    "userId": "u1", "calendarId": "primary", "auth": auth, "options": {},
                    "query": { "maxResults": index % 20 + 1 },
                });
                process.service.list_page(&args.to_string(), Cancel::default()).await
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((stage.token_requests(), stage.refused(), stage.calendar_requests()), (1, 0, 200));
}

#[tokio::test(start_paused = true)]
async fn an_operation_with_less_than_ten_minutes_left_refreshes_first_and_one_with_more_does_not() {
    let stage = Stage::with_seconds_left(1800);
    create(&stage.process(), &stage.auth(1800)).await.unwrap();
    assert_eq!(stage.token_requests(), 0);
    create(&stage.process(), &stage.auth(599)).await.unwrap();
    assert_eq!(stage.token_requests(), 1);
    let saved = stage.users.held();
    assert_eq!(saved["refresh_token"], stage.granted.refresh_token.as_str());
    assert_ne!(saved["access_token"], stage.granted.access_token.as_str());
}

#[tokio::test(start_paused = true)]
async fn a_401_in_mid_operation_is_one_forced_refresh_for_all_who_met_it() {
    let stage = Stage::with_seconds_left(3600);
    let process = stage.process();
    stage.google.emulator.expire_tokens(Some(USER), None);
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (process, auth) = (process.clone(), stage.auth(3600));
            tokio::spawn(async move { create(&process, &auth).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap()["verified"], true);
    }
    assert_eq!(stage.token_requests(), 1);
    assert_eq!(stage.google.live().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_token_saved_by_another_process_is_used_without_a_refresh() {
    let stage = Stage::with_seconds_left(0);
    create(&stage.process(), &stage.auth(0)).await.unwrap();
    assert_eq!(stage.token_requests(), 1);
    // Another process: its own grants; its auth object still holds the old token.
    create(&stage.process(), &stage.auth(0)).await.unwrap();
    assert_eq!((stage.token_requests(), stage.refused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_grant_makes_no_calendar_call_is_remembered_and_forgotten_when_the_user_has_reconnected() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    stage.google.emulator.revoke_grants(Some(USER), None);
    for _ in 0..3 {
        let error = create(&process, &stage.auth(0)).await.unwrap_err();
        assert_eq!((error.code, error.requires_reauth, error.retryable), (Code::GoogleAuthRequired, true, false));
        assert_eq!(error.outcome, Outcome::NotSent);
    }
    assert_eq!((stage.calendar_requests(), stage.token_requests()), (0, 1), "a dead grant is not hammered");
    let again = Stage::granted(&stage.google, 0);
    let brought = json!({ "refreshToken": again.refresh_token });
    assert_eq!(create(&process, &brought).await.unwrap()["verified"], true, "a new grant, before it is in the store");
    let again = Stage::granted(&stage.google, 3600);
    stage.users.holds(json!({ "refresh_token": again.refresh_token }));
    assert_eq!(create(&process, &stage.auth(0)).await.unwrap()["verified"], true);
    assert_eq!(create(&process, &Value::Null).await.unwrap()["verified"], true, "the user's own tokens");
}

#[tokio::test(start_paused = true)]
async fn a_user_without_any_token_is_asked_to_connect_and_nothing_is_sent() {
    let stage = Stage::with_seconds_left(0);
    let error = create(&stage.process(), &Value::Null).await.unwrap_err();
    assert_eq!((error.code, error.requires_reauth), (Code::GoogleAuthRequired, true));
    assert_eq!((stage.calendar_requests(), stage.token_requests()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn trouble_of_the_token_endpoint_is_retried_and_never_read_as_a_dead_grant() {
    let faults = [
        Fault::Hang { when: When::Before },
        Fault::Reset { when: When::Before },
        Fault::status(500),
        Fault::status(503),
        Fault::Html { when: When::Before },
        Fault::truncate(),
        Fault::Status {
            when: When::Before,
            status: 429,
            reason: None,
            retry_after_seconds: Some(1),
            domain: None,
            message: None,
        },
    ];
    for fault in faults {
        let stage = Stage::with_seconds_left(0);
        stage.google.fault(Rule::next("oauth.token", fault.clone()));
        assert_eq!(create(&stage.process(), &stage.auth(0)).await.unwrap()["verified"], true, "{fault:?} once");

        let stage = Stage::with_seconds_left(0);
        stage.google.fault(Rule::always("oauth.token", fault.clone()));
        let clock = Clock::paused(0);
        let error = create(&stage.process(), &stage.auth(0)).await.unwrap_err();
        assert!(clock.wall_ms() <= 11_000, "{fault:?}: {} ms", clock.wall_ms());
        let told = (error.code, error.retryable, error.requires_reauth, error.outcome);
        assert_eq!(told, (Code::GoogleAuthFailed, true, false, Outcome::NotSent), "{fault:?}");
        assert_eq!(stage.calendar_requests(), 0, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_client_secret_is_the_apps_own_trouble() {
    let stage = Stage::with_seconds_left(0);
    stage.google.emulator.set_client(CLIENT_ID, "another");
    let error = create(&stage.process(), &stage.auth(0)).await.unwrap_err();
    assert_eq!((error.code, error.requires_reauth), (Code::Configuration, false));
    assert_eq!(stage.token_requests(), 1, "nor is it retried");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_refresh_token_is_saved_and_used_from_then_on() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    stage.google.fault(Rule::next("oauth.token", Fault::Rotate));
    create(&process, &stage.auth(0)).await.unwrap();
    let rotated = stage.users.held()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(rotated, stage.granted.refresh_token);
    stage.google.emulator.expire_tokens(Some(USER), None);
    // The caller's own object was never told: it still holds the dead refresh token.
    assert_eq!(create(&process, &stage.auth(0)).await.unwrap()["verified"], true);
}

#[tokio::test(start_paused = true)]
async fn a_save_that_fails_is_tried_again_and_the_call_goes_on_with_the_new_token() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    stage.users.saves_that_fail.store(2, Ordering::Relaxed);
    assert_eq!(create(&process, &stage.auth(0)).await.unwrap()["verified"], true);
    process.settle().await;
    assert_eq!(stage.users.saves.load(Ordering::Relaxed), 3);
    assert_eq!(stage.users.held()["refresh_token"], stage.granted.refresh_token.as_str());
    let logged =
        stage.google.notices.lock().unwrap().iter().filter(|n| format!("{n:?}").contains("save failed")).count();
    assert_eq!(logged, 2);
}

#[tokio::test(start_paused = true)]
async fn fresh_tokens_wait_for_the_callers_object_once() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    let mut auth = stage.auth(0);
    auth["authRef"] = json!(7);
    create(&process, &auth).await.unwrap();
    let taken: Value = serde_json::from_str(&process.service.take_tokens(7).unwrap()).unwrap();
    assert_eq!(taken["access_token"], stage.users.held()["access_token"]);
    assert!(process.service.take_tokens(7).is_none());
}

#[tokio::test(start_paused = true)]
async fn no_token_and_no_secret_is_in_any_error_or_notice() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    stage.users.saves_that_fail.store(9, Ordering::Relaxed);
    let mut told = String::new();
    create(&process, &stage.auth(0)).await.unwrap();
    for fault in [Fault::InvalidGrant, Fault::status(500), Fault::status(400), Fault::Html { when: When::Before }] {
        stage.google.emulator.clear_faults();
        stage.google.fault(Rule::always("oauth.token", fault));
        let mut auth = stage.auth(0);
        auth["refreshToken"] = json!(format!("1//canary-{}", told.len()));
        let error = create(&stage.process(), &auth).await.unwrap_err();
        write!(told, "{error} {error:?} {}", serde_json::to_string(&error).unwrap()).unwrap();
    }
    write!(told, "{:?}", stage.google.notices.lock().unwrap()).unwrap();
    let saved = stage.users.tokens.lock().unwrap().clone().unwrap_or_default();
    for secret in [
        stage.granted.access_token.as_str(),
        stage.granted.refresh_token.as_str(),
        CLIENT_SECRET,
        "canary",
        saved["access_token"].as_str().unwrap_or("ya29."),
    ] {
        assert!(!told.contains(secret), "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_google_refused_is_taken_for_fresh_from_nowhere_again() {
    // Two processes refreshed at once: one token is remembered here, the other's stands in the store. Then both die.
    let stage = Stage::with_seconds_left(0);
    let (process, other) = (stage.process(), stage.process());
    create(&process, &stage.auth(0)).await.unwrap();
    stage.users.holds(json!({ "refresh_token": stage.granted.refresh_token }));
    create(&other, &Value::Null).await.unwrap();
    stage.google.emulator.expire_tokens(Some(USER), None);
    assert_eq!(create(&process, &Value::Null).await.unwrap()["verified"], true);
    assert_eq!((stage.token_requests(), stage.refused()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_grant_another_has_just_rotated_waits_for_what_that_one_saves() {
    let stage = Stage::with_seconds_left(0);
    let process = stage.process();
    stage.users.holds(json!({ "refresh_token": stage.granted.refresh_token }));
    // The other process has its answer already, and saves it a moment later.
    stage.google.fault(Rule::next("oauth.token", Fault::InvalidGrant));
    let call = tokio::spawn({
        let process = process.clone();
        async move { create(&process, &Value::Null).await }
    });
    tokio::time::sleep(Duration::from_millis(250)).await;
    let fresh = Stage::granted(&stage.google, 3600);
    stage.users.holds(json!({ "refresh_token": fresh.refresh_token, "access_token": fresh.access_token }));
    assert_eq!(call.await.unwrap().unwrap()["verified"], true, "no logout");
    assert_eq!(stage.token_requests(), 1);
}
