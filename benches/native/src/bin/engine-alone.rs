//! surecal without Node: what a create with its read back costs below the binding. Speaks as `bare-reqwest` does.

use serde::Deserialize;
use serde_json::{Value, json};
use surecal::clock::Clock;
use surecal::service::{Cancel, Foundation, Service};
use surecal_bench::{Contestant, Fault, given, run, serve_rounds};

#[derive(Deserialize)]
struct Given {
    url: String,
    ca: Option<String>,
    event: Value,
}

struct Engine {
    service: Service,
    event: String,
}

impl Engine {
    fn open(given: &Given) -> Result<Self, Fault> {
        let mut config = json!({
            "rootUrl": given.url,
            "tokenUrl": format!("{}/token", given.url),
            "clientId": "client",
            "clientSecret": "secret",
            "limits": { "perUserPerMinute": 1_000_000, "perProjectPerMinute": 1_000_000, "maxInFlight": 8192 },
        });
        if let Some(ca) = &given.ca {
            config["ca"] = json!([ca]);
        }
        let service =
            Service::new(&config.to_string(), Foundation::new(Clock::system())).map_err(|error| error.message)?;
        Ok(Self { service, event: given.event.to_string() })
    }
}

impl Contestant for Engine {
    async fn create(&self, worker: u64) -> Result<(), Fault> {
        let args = format!(
            r#"{{"userId":"teacher{worker}","calendarId":"primary","auth":{{"accessToken":"access-token","refreshToken":"refresh","expiryDate":4102444800000}},"options":{{}}}}"#
        );
        let created = self.service.create_event(&args, &self.event, Cancel::default()).await;
        let text = created.map_err(|error| error.message)?;
        if text.contains(r#""verified":true"#) { Ok(()) } else { Err("an event was not verified".into()) }
    }
}

fn main() -> Result<(), Fault> {
    run(1, async { serve_rounds(Engine::open(&given()?)?).await })
}
