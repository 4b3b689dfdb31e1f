//! A store of the program's own: four methods of a JS object, asked as questions.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::host::{Host, Question};
use crate::google::BoxFuture;
use crate::store::{Expected, Keep, Put, Record, Store, StoreFault, Version, Written};

/// See the module.
pub struct HostStore(Arc<dyn Host>);

#[derive(Deserialize)]
struct There {
    value: String,
    version: String,
}

#[derive(Deserialize)]
struct Open {
    key: String,
    value: String,
    version: String,
}

impl HostStore {
    /// A store that `host` keeps.
    #[must_use]
    pub fn new(host: Arc<dyn Host>) -> Self {
        Self(host)
    }

    /// An answer that is not what the method promises is no answer: what became of a put is not known then.
    async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<Option<T>, StoreFault> {
        let fault = StoreFault { what: "the store object threw or gave something unusable" };
        match self.0.ask(question).await {
            Ok(None) => Ok(None),
            Ok(Some(text)) => serde_json::from_str(&text).map_err(|_| fault),
            Err(_) => Err(fault),
        }
    }

    async fn ask_whether(&self, question: Question) -> Result<Written, StoreFault> {
        match self.ask(question).await? {
            Some(true) => Ok(Written::Applied),
            Some(false) => Ok(Written::Refused),
            None => Err(StoreFault { what: "the store object gave no answer" }),
        }
    }
}

impl Store for HostStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        Box::pin(async move {
            let there: Option<There> = self.ask(Question::StoreGet { key: key.to_owned() }).await?;
            Ok(there.map(|there| Record { value: there.value, version: Version::from_text(there.version) }))
        })
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        let question = Question::StorePut {
            key: put.key,
            value: put.value,
            expected: match put.expected {
                Expected::Absent => None,
                Expected::Version(version) => Some(version.as_str().to_owned()),
            },
            version: put.version.as_str().to_owned(),
            ttl_ms: match put.keep {
                Keep::Open => None,
                Keep::For(time) => Some(crate::clock::millis(time)),
            },
        };
        Box::pin(self.ask_whether(question))
    }

    fn delete<'a>(&'a self, key: &'a str, expected: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        let question = Question::StoreDelete { key: key.to_owned(), expected: expected.as_str().to_owned() };
        Box::pin(self.ask_whether(question))
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        Box::pin(async move {
            let open: Option<Vec<Open>> = self.ask(Question::StoreOpen { prefix: prefix.to_owned() }).await?;
            let record =
                |open: Open| (open.key, Record { value: open.value, version: Version::from_text(open.version) });
            Ok(open.unwrap_or_default().into_iter().map(record).collect())
        })
    }
}
