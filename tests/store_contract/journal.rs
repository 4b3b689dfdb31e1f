//! The journal on each store.

use std::time::Duration;

use surecal::store::{Change, Entry, Journal, Resumed, State};

use crate::home::{Home, LEASE};

const LEFT: Duration = Duration::from_secs(5);

pub fn entry(journal: &Journal) -> Entry {
    Entry {
        operation: "createEvent".to_owned(),
        user: "u1".to_owned(),
        calendar: "primary".to_owned(),
        event_id: "e1".to_owned(),
        generation: 0,
        claim: journal.claim(),
        print: "print".to_owned(),
        state: State::Running,
        group: None,
        guests: false,
        keyless: false,
        unseen: false,
        lease_until: 0,
        since: 0,
        plan: None,
    }
}

pub async fn an_entry_is_taken_over_after_its_lease_and_not_before_and_its_old_owner_writes_no_more(home: &Home) {
    let [owner, taker] = home.journals();
    let held = owner.begin(entry(&owner), LEFT).await.unwrap();
    let open = taker.open(LEFT).await.unwrap();
    assert_eq!(open.len(), 1);
    assert!(matches!(taker.resume(held.name(), LEFT).await.unwrap(), Resumed::Busy));
    home.pass_for_leases(LEASE + Duration::from_secs(1));
    assert!(!held.alive(), "an owner that was silent for so long sends nothing more");
    let Resumed::Held(again) = taker.resume(held.name(), LEFT).await.unwrap() else {
        panic!("the lease has run out");
    };
    assert!(matches!(again.entry().await.state, State::Failed));
    let change = held.change(LEFT, |entry| entry.state = State::Succeeded { verified: true }).await;
    assert_eq!(change, Change::Refused);
    let settled = State::Settled { disposal: surecal::store::Disposal::Deleted };
    assert_eq!(again.change(LEFT, |entry| entry.state = settled).await, Change::Applied);
    assert!(owner.open(LEFT).await.unwrap().is_empty());
}

pub async fn of_two_that_recover_one_entry_at_once_one_gets_it(home: &Home) {
    let [owner, other] = home.journals();
    for _ in 0..10 {
        let held = owner.begin(entry(&owner), LEFT).await.unwrap();
        home.pass_for_leases(LEASE + Duration::from_secs(1));
        let name = held.name().to_owned();
        let resume = |journal: Journal| {
            let name = name.clone();
            tokio::spawn(async move { journal.resume(&name, LEFT).await.unwrap() })
        };
        let (one, two) = (resume(owner.clone()), resume(other.clone()));
        let got = [one.await.unwrap(), two.await.unwrap()];
        let holders: Vec<_> = got.iter().filter(|resumed| matches!(resumed, Resumed::Held(_))).collect();
        assert_eq!(holders.len(), 1);
    }
}

pub async fn a_success_is_never_taken_over(home: &Home) {
    let [owner, other] = home.journals();
    let held = owner.begin(entry(&owner), LEFT).await.unwrap();
    let success = State::Succeeded { verified: true };
    assert_eq!(held.change(LEFT, |entry| entry.state = success).await, Change::Applied);
    home.pass_for_leases(LEASE * 10);
    assert!(other.open(LEFT).await.unwrap().is_empty());
    assert!(matches!(other.resume(held.name(), LEFT).await.unwrap(), Resumed::Decided(Some(_))));
}

pub async fn the_first_calendar_of_a_key_stands_for_all_its_calls(home: &Home) {
    let [one, other] = home.journals();
    assert_eq!(one.intent("u1", "k", "primary", LEFT).await.unwrap().calendar, "primary");
    assert_eq!(other.intent("u1", "k", "elsewhere", LEFT).await.unwrap().calendar, "primary");
    assert_eq!(other.intent("u2", "k", "elsewhere", LEFT).await.unwrap().calendar, "elsewhere");
    one.advance("u1", "k", 2, LEFT).await;
    other.advance("u1", "k", 1, LEFT).await;
    assert_eq!(other.intent("u1", "k", "primary", LEFT).await.unwrap().generation, 2);
}
