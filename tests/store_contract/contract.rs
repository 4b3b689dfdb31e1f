//! The store itself.

use std::sync::Arc;
use std::time::Duration;

use surecal::store::{Expected, Keep, Put, Store, Version, Written};

use crate::home::{Home, put};

const HOUR: Keep = Keep::For(Duration::from_hours(1));

pub async fn a_put_is_applied_only_on_what_it_expects(home: &Home) {
    assert_eq!(home.put(put("a", "0", Some(9), 1, HOUR)).await, Written::Refused, "nothing is there");
    assert_eq!(home.value("a").await, None);
    assert_eq!(home.put(put("a", "1", None, 1, HOUR)).await, Written::Applied);
    assert_eq!(home.put(put("a", "2", None, 2, HOUR)).await, Written::Refused, "something is there");
    assert_eq!(home.put(put("a", "2", Some(9), 2, HOUR)).await, Written::Refused, "another version is there");
    assert_eq!(home.value("a").await.unwrap(), "1");
    assert_eq!(home.put(put("a", "2", Some(1), 2, HOUR)).await, Written::Applied);
    assert_eq!(home.value("a").await.unwrap(), "2");
    assert_eq!(home.store.get("a").await.unwrap().unwrap().version, Version::from_bits(2));
    assert_eq!(home.value("b").await, None, "another key is another key");
}

pub async fn what_is_read_is_what_was_written_to_the_last_byte(home: &Home) {
    let long = "Zürich ".repeat(50_000);
    for (number, value) in ["", "{}", "a\nb\r\n\0c", "\u{2028}😀\"\\'", long.as_str()].into_iter().enumerate() {
        let key = format!("surecal:1:value:{number}");
        home.put(put(&key, value, None, 1, HOUR)).await;
        assert!(home.value(&key).await.unwrap() == value, "value {number}");
    }
}

async fn count_up(store: &Arc<dyn Store>, key: &str) {
    loop {
        let there = store.get(key).await.unwrap();
        let count: u32 = there.as_ref().map_or(0, |record| record.value.parse().unwrap());
        let put = Put {
            key: key.to_owned(),
            value: (count + 1).to_string(),
            expected: there.map_or(Expected::Absent, |record| Expected::Version(record.version)),
            version: Version::from_bits(rand::random()),
            keep: HOUR,
        };
        if store.put(put).await.unwrap() == Written::Applied {
            return;
        }
    }
}

pub async fn sixty_four_tasks_that_fight_for_one_key_count_exactly(home: &Home) {
    let tasks: Vec<_> = (0..64)
        .map(|number| {
            let store = Arc::clone(if number % 2 == 0 { &home.store } else { &home.other });
            tokio::spawn(async move {
                for _ in 0..4 {
                    count_up(&store, "counter").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(home.value("counter").await.unwrap(), "256");
}

pub async fn of_many_that_expect_the_same_exactly_one_is_applied(home: &Home) {
    home.put(put("race", "0", None, 1_000, Keep::Open)).await;
    for (round, expected) in [None, Some(1_000)].into_iter().enumerate() {
        let key = if expected.is_none() { "fresh race" } else { "race" };
        let tasks: Vec<_> = (0..32u128)
            .map(|number| {
                let store = Arc::clone(if number % 2 == 0 { &home.store } else { &home.other });
                let put = put(key, &number.to_string(), expected, number, Keep::Open);
                tokio::spawn(async move { store.put(put).await.unwrap() })
            })
            .collect();
        let mut winners = Vec::new();
        for (number, task) in tasks.into_iter().enumerate() {
            if task.await.unwrap() == Written::Applied {
                winners.push(number);
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(home.value(key).await.unwrap(), winners[0].to_string(), "what is there is the winner's");
    }
}

pub async fn what_is_settled_is_forgotten_after_its_time_and_what_is_open_never(home: &Home) {
    let kept = home.while_kept();
    home.put(put("open", "1", None, 1, Keep::Open)).await;
    home.put(put("settled", "1", None, 1, Keep::For(kept))).await;
    home.put(put("was open", "1", None, 1, Keep::Open)).await;
    home.put(put("was open", "2", Some(1), 2, Keep::For(kept))).await;
    home.put(put("is open again", "1", None, 1, Keep::For(kept))).await;
    home.put(put("is open again", "2", Some(1), 2, Keep::Open)).await;
    assert_eq!(home.value("settled").await.unwrap(), "1", "not before its time");
    home.pass(kept * 2).await;
    assert_eq!(home.value("settled").await, None);
    assert_eq!(home.value("was open").await, None);
    assert_eq!(home.value("open").await.unwrap(), "1");
    assert_eq!(home.value("is open again").await.unwrap(), "2");
    let open = home.store.open("").await.unwrap();
    assert_eq!(open.len(), 2, "{:?}", open.iter().map(|(key, _)| key).collect::<Vec<_>>());
}

pub async fn an_expired_value_is_no_value(home: &Home) {
    let kept = home.while_kept();
    home.put(put("a", "1", None, 1, Keep::For(kept))).await;
    home.pass(kept * 2).await;
    assert_eq!(home.put(put("a", "2", Some(1), 2, HOUR)).await, Written::Refused, "its version is gone with it");
    assert_eq!(home.put(put("a", "3", None, 3, HOUR)).await, Written::Applied);
    assert_eq!(home.value("a").await.unwrap(), "3");
    home.put(put("b", "1", None, 1, HOUR)).await;
    assert_eq!(home.value("a").await.unwrap(), "3", "the first value's time is not the second's");
}

pub async fn a_value_written_again_lives_by_its_last_time(home: &Home) {
    let kept = home.while_kept();
    home.put(put("a", "1", None, 1, Keep::For(kept))).await;
    home.put(put("a", "2", Some(1), 2, Keep::For(kept * 100))).await;
    home.pass(kept * 2).await;
    for number in 0..8 {
        home.put(put(&format!("other {number}"), "1", None, 1, HOUR)).await;
    }
    assert_eq!(home.value("a").await.unwrap(), "2");
}

pub async fn exactly_the_open_values_under_a_prefix_are_listed(home: &Home) {
    for key in ["entry:a", "entry:b", "entry_x", "Entry:c", "entry%", "entr", "other:entry:d", "entry:[*]?"] {
        home.put(put(key, key, None, 1, Keep::Open)).await;
    }
    home.put(put("entry:settled", "1", None, 1, HOUR)).await;
    home.put(put("entry:closed", "1", None, 1, Keep::Open)).await;
    home.put(put("entry:closed", "2", Some(1), 2, HOUR)).await;
    let listed = async |prefix: &str| {
        let mut open = home.store.open(prefix).await.unwrap();
        open.sort_by(|one, other| one.0.cmp(&other.0));
        for (key, record) in &open {
            assert_eq!((key, &record.version), (&record.value, &Version::from_bits(1)));
        }
        open.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(listed("entry:").await, ["entry:[*]?", "entry:a", "entry:b"]);
    assert_eq!(listed("entry:[*").await, ["entry:[*]?"]);
    assert_eq!(listed("entry%").await, ["entry%"]);
    assert_eq!(listed("entry:*").await, [""; 0]);
    assert_eq!(listed("").await.len(), 8);
}

pub async fn a_put_that_comes_late_changes_nothing(home: &Home) {
    // Its reply was lost, it was sent again, and the first one lands after everything else.
    let intent = put("entry", "running", None, 1, Keep::Open);
    assert_eq!(home.put(intent.clone()).await, Written::Applied);
    assert_eq!(home.put(intent.clone()).await, Written::Refused, "its own nonce tells the sender that it is applied");
    home.put(put("entry", "settled", Some(1), 2, HOUR)).await;
    assert_eq!(home.other.put(intent).await.unwrap(), Written::Refused);
    assert_eq!(home.other.put(put("entry", "renewed", Some(1), 3, Keep::Open)).await.unwrap(), Written::Refused);
    assert_eq!(home.value("entry").await.unwrap(), "settled");
    assert!(home.store.open("entry").await.unwrap().is_empty());
}

pub async fn a_delete_needs_the_version_and_an_open_value_that_is_deleted_is_not_listed(home: &Home) {
    home.put(put("a", "1", None, 1, Keep::Open)).await;
    assert_eq!(home.store.delete("a", Version::from_bits(2)).await.unwrap(), Written::Refused);
    assert_eq!(home.value("a").await.unwrap(), "1");
    assert_eq!(home.store.delete("a", Version::from_bits(1)).await.unwrap(), Written::Applied);
    assert_eq!(home.value("a").await, None);
    assert_eq!(home.store.delete("a", Version::from_bits(1)).await.unwrap(), Written::Refused);
    assert!(home.store.open("").await.unwrap().is_empty());
}

pub async fn another_process_sees_at_once_what_was_written(home: &Home) {
    for version in 0..200 {
        let expected = (version > 0).then(|| version - 1);
        home.put(put("a", &version.to_string(), expected, version, Keep::Open)).await;
        let seen = home.other.get("a").await.unwrap().unwrap();
        assert_eq!(seen.value, version.to_string());
        assert_eq!(home.other.open("a").await.unwrap().len(), 1);
    }
}
