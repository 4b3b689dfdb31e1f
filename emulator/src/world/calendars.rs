//! Calendars: made by a test, or through the API.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value;

use super::{Done, Touched, World};
use crate::account::Principal;
use crate::calendar::{Calendar, Role};
use crate::call::Call;
use crate::event::time;
use crate::parameters::Parameters;
use crate::reply::{Refusal, json_reply_with_etag};

/// A calendar to make.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCalendar {
    /// Chosen by the emulator when absent.
    pub id: Option<String>,
    /// IANA name; `UTC` when absent.
    pub time_zone: Option<String>,
    /// Address of the user whose it is.
    pub owner: String,
    /// Who else may do what.
    #[serde(default)]
    pub shared_with: BTreeMap<String, Role>,
    /// Its title; the id when absent.
    pub summary: Option<String>,
}

impl World {
    /// Makes a calendar and gives its id.
    pub(crate) fn add_calendar(&mut self, new: NewCalendar) -> Result<String, String> {
        let id = new.id.unwrap_or_else(|| format!("c_{}@group.calendar.google.com", self.random_id(26)));
        if self.calendars.contains_key(&id) {
            return Err("a calendar with this id exists".to_owned());
        }
        let time_zone = new.time_zone.unwrap_or_else(|| "UTC".to_owned());
        let zone = time::zone(&time_zone).ok_or_else(|| format!("timeZone: no zone is called {time_zone}"))?;
        let (_, revision) = self.next_revision("calendars.insert");
        let calendar = Calendar {
            summary: new.summary.unwrap_or_else(|| id.clone()),
            time_zone,
            zone,
            owner: new.owner,
            shared_with: new.shared_with,
            etag: revision.etag,
            events: HashMap::new(),
            next_seq: 1,
            id: id.clone(),
        };
        self.calendars.insert(id.clone(), calendar);
        Ok(id)
    }

    pub(super) fn insert_calendar(&mut self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let body = call.object()?;
        let parameters = Parameters::of(call)?;
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let summary = text("summary").ok_or_else(|| Refusal::required("Required"))?;
        let time_zone = text("timeZone").or_else(|| Some(self.calendars.get(&principal.email)?.time_zone.clone()));
        let new =
            NewCalendar { time_zone, owner: principal.email.clone(), summary: Some(summary), ..NewCalendar::default() };
        let id = self.add_calendar(new).map_err(|_| Refusal::invalid("Invalid time zone definition."))?;
        let calendar = self.calendars.get(&id).ok_or_else(Refusal::not_found)?;
        Ok(Done {
            response: told(calendar, parameters),
            touched: Some(Touched { calendar_id: id.clone(), event_id: None }),
        })
    }

    pub(super) fn get_calendar(&self, call: &Call, principal: &Principal) -> Result<Done, Refusal> {
        let parameters = Parameters::of(call)?;
        let (calendar, _) = self.calendar_of(call, principal)?;
        Ok(Done { response: told(calendar, parameters), touched: None })
    }
}

fn told(calendar: &Calendar, parameters: Parameters) -> http::Response<bytes::Bytes> {
    let resource = calendar.resource();
    let resource = parameters.selection.map_or(resource.clone(), |selection| selection.apply(resource));
    json_reply_with_etag(&resource, &calendar.etag)
}
