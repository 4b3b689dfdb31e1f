//! A store that remembers what it was given.

use std::sync::{Arc, Mutex};

use surecal::google::BoxFuture;
use surecal::store::{Put, Record, Store, StoreFault, Version, Written};

pub struct Spy {
    store: Arc<dyn Store>,
    puts: Mutex<Vec<(String, String)>>,
}

impl Spy {
    pub fn on(store: &Arc<dyn Store>) -> Self {
        Self { store: Arc::clone(store), puts: Mutex::default() }
    }

    pub fn keys(&self) -> Vec<String> {
        self.puts.lock().unwrap().iter().map(|(key, _)| key.clone()).collect()
    }

    pub fn values(&self) -> Vec<String> {
        self.puts.lock().unwrap().iter().map(|(_, value)| value.clone()).collect()
    }
}

impl Store for Spy {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Record>, StoreFault>> {
        self.store.get(key)
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written, StoreFault>> {
        self.puts.lock().unwrap().push((put.key.clone(), put.value.clone()));
        self.store.put(put)
    }

    fn delete<'a>(&'a self, _: &'a str, _: Version) -> BoxFuture<'a, Result<Written, StoreFault>> {
        panic!("nothing that a protocol relies on is deleted")
    }

    fn open<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Record)>, StoreFault>> {
        self.store.open(prefix)
    }
}
