//! Paths and queries below the root URL. What callers give becomes one segment or one value, whatever is in it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::CalendarError;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The events of a calendar.
pub(super) fn events(calendar: &str) -> Result<String, CalendarError> {
    Ok(format!("/calendar/v3/calendars/{}/events", segment("calendarId", calendar)?))
}

/// One event.
pub(super) fn event(calendar: &str, id: &str) -> Result<String, CalendarError> {
    Ok(format!("{}/{}", events(calendar)?, segment("eventId", id)?))
}

/// A path and query with one more pair.
pub(super) fn with_pair(path_and_query: &str, name: &str, value: &str) -> String {
    let pair = Query::new().pair(name, value).finish();
    let separator = if path_and_query.contains('?') { "&" } else { "?" };
    format!("{path_and_query}{separator}{}", pair.trim_start_matches('?'))
}

/// One segment. Encoding does not help against `.` and `..`: URL parsers take `%2e%2e` for `..` as well.
fn segment(field: &str, value: &str) -> Result<String, CalendarError> {
    if matches!(value, "" | "." | "..") {
        return Err(CalendarError::validation(field, "must be an id, not empty and not a path"));
    }
    Ok(utf8_percent_encode(value, RESERVED).to_string())
}

/// A query string in the making.
#[derive(Default)]
pub(super) struct Query(String);

impl Query {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn pair(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.extend(utf8_percent_encode(name, RESERVED));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, RESERVED));
        self
    }

    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    /// With its question mark; empty if there are no pairs.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_an_id_holds_it_stays_one_segment() {
        assert_eq!(
            event("a/b@x.com", "../?#%\r\nü").unwrap(),
            "/calendar/v3/calendars/a%2Fb%40x.com/events/..%2F%3F%23%25%0D%0A%C3%BC"
        );
        for id in ["", ".", ".."] {
            assert!(event("primary", id).is_err() && events(id).is_err());
        }
    }

    #[test]
    fn a_query_keeps_names_and_values_apart() {
        let query = Query::new().pair("q", "a&b=c d").maybe("none", None).pair("fields", "id,items(id)");
        assert_eq!(query.finish(), "?q=a%26b%3Dc%20d&fields=id%2Citems%28id%29");
        assert_eq!(Query::new().finish(), "");
        assert_eq!(with_pair("/a?b=c", "quotaUser", "d&e"), "/a?b=c&quotaUser=d%26e");
        assert_eq!(with_pair("/a", "quotaUser", "d"), "/a?quotaUser=d");
    }
}
