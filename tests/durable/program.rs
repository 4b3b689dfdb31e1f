//! A program around a service: it keeps its users' tokens, and has a store that outlives it.

use std::sync::Arc;

use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::google::{BoxFuture, HttpTransport, Transport, TransportConfig};
use surecal::model::CalendarError;
use surecal::service::host::{Host, HostFault, Question};
use surecal::service::{Cancel, Foundation, Grants, Service};
use surecal::store::Store;

use crate::support::TOKENS;

/// Long after every expiry that a test meets: Unix ms.
const FAR: u64 = 4_000_000_000_000;

/// Every user's tokens.
struct TokenStore;

impl Host for TokenStore {
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Option<String>, HostFault>> {
        let answer = match question {
            Question::LoadTokens { .. } => json!({ "access_token": TOKENS[0], "expiry_date": FAR }),
            _ => Value::Null,
        };
        Box::pin(std::future::ready(Ok(Some(answer.to_string()))))
    }
}

pub fn network(root: &str) -> Arc<dyn Transport> {
    Arc::new(HttpTransport::new(&TransportConfig::new(root)).unwrap())
}

/// `options` are added to the configuration.
pub fn service(transport: Arc<dyn Transport>, store: Arc<dyn Store>, clock: Clock, options: &Value) -> Service {
    let mut config = json!({ "tokenStore": { "load": "[function]" } });
    config.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let foundation = Foundation {
        transport: Some(transport),
        store: Some(store),
        clock,
        listener: Arc::new(|_| {}),
        host: Some(Arc::new(TokenStore)),
        endpoint: None,
        grants: Grants::default(),
    };
    Service::new(&config.to_string(), foundation).unwrap()
}

fn args(options: &Value) -> String {
    json!({ "userId": "u1", "calendarId": "primary", "options": options }).to_string()
}

pub async fn create(service: &Service, event: &Value, options: &Value) -> Result<Value, CalendarError> {
    let told = service.create_event(&args(options), &event.to_string(), Cancel::default()).await;
    told.map(|text| serde_json::from_str(&text).unwrap())
}

pub async fn create_many(service: &Service, events: &Value, options: &Value) -> Result<Value, CalendarError> {
    let told = service.create_events(&args(options), &events.to_string(), Cancel::default()).await;
    told.map(|text| serde_json::from_str(&text).unwrap())
}
