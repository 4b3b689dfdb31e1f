//! A store as a program would write one in JS, behind the questions that JS is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::google::BoxFuture;
use surecal::service::host::{Host, HostFault, Question};

struct Kept {
    value: String,
    version: String,
    /// Unix ms; `None`: open.
    expires: Option<u64>,
}

/// The object itself: what several processes would share is a database of theirs.
#[derive(Clone)]
pub struct StoreObject {
    clock: Clock,
    rows: Arc<Mutex<BTreeMap<String, Kept>>>,
}

impl StoreObject {
    pub fn new(clock: Clock) -> Self {
        Self { clock, rows: Arc::default() }
    }

    /// Takes what JS gets and gives what JS gives.
    fn call(&self, question: &Value) -> Option<Value> {
        let now = self.clock.wall_ms();
        let mut rows = self.rows.lock().unwrap();
        rows.retain(|_, row| row.expires.is_none_or(|at| at > now));
        let key = question["key"].as_str().unwrap_or_default();
        let there = rows.get(key).map(|row| row.version.clone());
        let fits = there.as_deref() == question["expected"].as_str();
        match question["type"].as_str().unwrap() {
            "storeGet" => rows.get(key).map(|row| json!({ "value": row.value, "version": row.version })),
            "storePut" => {
                if fits {
                    let text = |name: &str| question[name].as_str().unwrap().to_owned();
                    let expires = question["ttlMs"].as_u64().map(|ttl| now.saturating_add(ttl));
                    rows.insert(key.to_owned(), Kept { value: text("value"), version: text("version"), expires });
                }
                Some(json!(fits))
            }
            "storeDelete" => Some(json!(fits && rows.remove(key).is_some())),
            "storeOpen" => {
                let prefix = question["prefix"].as_str().unwrap();
                let open = rows.iter().filter(|(key, row)| row.expires.is_none() && key.starts_with(prefix));
                Some(open.map(|(key, row)| json!({ "key": key, "value": row.value, "version": row.version })).collect())
            }
            other => panic!("{other} is no question of a store"),
        }
    }
}

impl Host for StoreObject {
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        let question = serde_json::to_value(question).unwrap();
        Box::pin(async move {
            tokio::task::yield_now().await;
            let answer = self.call(&question);
            tokio::task::yield_now().await;
            Ok(answer.map(|answer| answer.to_string()))
        })
    }
}
