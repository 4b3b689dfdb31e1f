//! The calls the emulator knows, by the names fault rules use.

use http::Method;

/// A method of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the variants are Google's own method names, told by `name`")]
pub enum Operation {
    EventsInsert,
    EventsGet,
    EventsList,
    EventsUpdate,
    EventsPatch,
    EventsDelete,
    CalendarsInsert,
    CalendarsGet,
    OauthToken,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::EventsInsert,
        Self::EventsGet,
        Self::EventsList,
        Self::EventsUpdate,
        Self::EventsPatch,
        Self::EventsDelete,
        Self::CalendarsInsert,
        Self::CalendarsGet,
        Self::OauthToken,
    ];

    /// `events.insert`, `oauth.token`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsInsert => "events.insert",
            Self::EventsGet => "events.get",
            Self::EventsList => "events.list",
            Self::EventsUpdate => "events.update",
            Self::EventsPatch => "events.patch",
            Self::EventsDelete => "events.delete",
            Self::CalendarsInsert => "calendars.insert",
            Self::CalendarsGet => "calendars.get",
            Self::OauthToken => "oauth.token",
        }
    }

    /// Whether it can change a calendar.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::EventsInsert | Self::EventsUpdate | Self::EventsPatch | Self::EventsDelete | Self::CalendarsInsert
        )
    }

    /// Whether `pattern` (a name, `events.*` or `*`) covers it.
    #[must_use]
    pub fn matches(self, pattern: &str) -> bool {
        pattern.strip_suffix('*').map_or(pattern == self.name(), |start| self.name().starts_with(start))
    }

    /// Whether `pattern` covers any operation at all.
    #[must_use]
    pub fn is_pattern(pattern: &str) -> bool {
        Self::ALL.iter().any(|operation| operation.matches(pattern))
    }

    /// The operation behind a method and the path below `/calendar/v3/calendars`.
    pub(crate) fn of_route(method: &Method, below: &[String]) -> Option<Self> {
        match (method.as_str(), below) {
            ("POST", []) => Some(Self::CalendarsInsert),
            ("GET", [_]) => Some(Self::CalendarsGet),
            ("POST", [_, events]) if events == "events" => Some(Self::EventsInsert),
            ("GET", [_, events]) if events == "events" => Some(Self::EventsList),
            (verb, [_, events, _]) if events == "events" => match verb {
                "GET" => Some(Self::EventsGet),
                "PUT" => Some(Self::EventsUpdate),
                "PATCH" => Some(Self::EventsPatch),
                "DELETE" => Some(Self::EventsDelete),
                _ => None,
            },
            _ => None,
        }
    }
}
