//! Where in the input a fault is: `eventData.attendees[3].email`. Written out only when there is a fault.

use std::fmt;

use super::error::CalendarError;

/// A path into the input, as a chain on the stack.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The input itself: `eventData`.
    Root(&'static str),
    /// A member of an object.
    Member(&'a Path<'a>, &'a str),
    /// An item of a list.
    Item(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    /// The member of this name. The name is told: give only names of our own table.
    pub(crate) const fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }

    pub(crate) const fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }

    /// The fault: `what` completes the sentence "`path` …".
    pub(crate) fn fault(&self, what: &str) -> CalendarError {
        CalendarError::validation(&self.to_string(), what)
    }

    /// The fault that a member has no name in our table. Its name is the caller's own text, so it is told only when it
    /// looks like a name and not like content.
    pub(crate) fn unknown(&self, name: &str) -> CalendarError {
        let is_plain = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        if is_plain {
            self.member(name).fault("is not a field of a Google event that can be written")
        } else {
            self.fault("has an unknown field")
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
