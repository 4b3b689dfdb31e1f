'use strict'

// Every place where a secret, an address or a word of an event is kept from being printed, with what stands there when it
// is taken out (`scripts/mutate_redactions.js` does that), and the test that must notice.
//
// `test` of a Rust redaction is the name of a Rust test, of a JavaScript one a Jest file. Rust redactions of one `batch` are
// taken out together, in one build: each has a test of its own.

const RUST = [
  ['src/google/token.rs', 'f.write_str("Token(…)")', 'f.write_str(self.expose())', 'an_access_token'],
  ['src/google/token.rs', 'value.set_sensitive(true);', '', 'an_authorization_header'],
  ['src/google/oauth.rs', 'f.write_str("RefreshToken(…)")', 'f.write_str(self.expose())', 'a_refresh_token'],
  [
    'src/google/oauth.rs',
    'f.write_str("OauthClient(…)")',
    'f.write_str(self.secret.expose_secret())',
    'an_oauth_client',
  ],
  ['src/google/proxy.rs', 'f.write_str("Proxy(…)")', 'f.write_str(self.url.as_str())', 'a_proxy'],
  [
    'src/google/transport.rs',
    'write!(f, "HttpRequest({}, {} bytes)", self.method, self.body.len())',
    'write!(f, "{} {:?}", self.path_and_query, self.body)',
    'a_request',
  ],
  [
    'src/google/transport.rs',
    'write!(f, "HttpReply({}, {} bytes)", self.status, self.body.len())',
    'write!(f, "{:?}", self.body)',
    'a_reply',
  ],
  [
    'src/google/calendar.rs',
    'write!(f, "Fetched({} bytes, {})", self.raw.len(), if self.cancelled() { "cancelled" } else { "live" })',
    'write!(f, "{:?}", self.event)',
    'a_fetched_event',
  ],
  [
    'src/google/calendar.rs',
    'write!(f, "Page({} bytes, {})", self.raw.len(), if self.next_page_token.is_some() { "more" } else { "last" })',
    'write!(f, "{:?}", self.raw)',
    'a_page_of_events',
  ],
  [
    'src/google/error_body.rs',
    '.find(|word| is_word(word))',
    '.find(|word| is_word(word) || true)',
    'what_is_no_word_never_leaves',
  ],
  ['src/model/attendee.rs', 'f.write_str("Guest(…)")', 'f.write_str(&self.email)', 'a_guest'],
  [
    'src/operation/attendees.rs',
    'write!(f, "AttendeeChange({:?})", self.verb)',
    'f.write_str(&self.guest.email)',
    'the_change_of_an_attendee',
  ],
  [
    'src/model/event.rs',
    'write!(f, concat!(stringify!($name), "({} fields)"), self.body.len())',
    'write!(f, "{:?}", self.body)',
    'event_data',
  ],
  ['src/model/compare.rs', 'write!(f, "Difference({})", self.field)', 'write!(f, "{}", self.expected)', 'a_difference'],
  [
    'src/model/compare.rs',
    'format!("{} was read back with another value than was asked for", difference.field)',
    'format!("{} was read back as {}", difference.field, difference.expected)',
    'a_changed_other_field_is_a_warning_without_its_value',
  ],
  [
    'src/model/ids.rs',
    'format!("surecal:{VERSION}:{kind}:{}", named(&all))',
    'format!("surecal:{VERSION}:{kind}:{}", all.join(":"))',
    'a_store_key_tells_nothing_but_its_kind',
  ],
  [
    'src/store/mod.rs',
    'write!(f, "Record({} bytes at {})", self.value.len(), self.version.as_str())',
    'f.write_str(&self.value)',
    'a_record_of_the_store',
  ],
  [
    'src/store/plan.rs',
    'Act::Attendee { email, .. } => email.clear(),',
    'Act::Attendee { .. } => {}',
    'a_plan_that_is_done_has_forgotten_who_and_with_what',
  ],
  [
    'src/store/sqlite.rs',
    'PRAGMA wal_checkpoint(TRUNCATE)',
    'PRAGMA wal_checkpoint(PASSIVE)',
    'what_was_overwritten_is_nowhere_when_the_store_was_told_to_tidy',
  ],
  [
    'src/store/sqlite.rs',
    'PRAGMA secure_delete = ON',
    'PRAGMA secure_delete = OFF',
    'what_was_overwritten_is_nowhere_when_the_store_was_told_to_tidy',
    2,
  ],
  [
    'src/service/reader.rs',
    'if fits { key }',
    'if fits || true { key }',
    'the_name_of_an_option_that_looks_like_no_name',
  ],
].map(([file, from, to, test, batch = 1]) => ({ file, from, to, test, batch }))

const ERROR_NAME = 'error instanceof Error ? error.name : typeof error'

const JS = [
  ['lib/oauth_client.js', 'value: () => `${name} { … }`', 'value: undefined', 'redaction'],
  ['lib/oauth_client.js', 'value: () => ({}), enumerable', 'value: undefined, enumerable', 'redaction'],
  ['lib/operation_log.js', `['error', ${ERROR_NAME}]`, "['error', error]", 'redaction'],
  ['lib/call_credentials.js', `error: ${ERROR_NAME},`, 'error,', 'redaction'],
  [
    'lib/token_questions.js',
    `const nameOf = (error) => (${ERROR_NAME})`,
    'const nameOf = (error) => error',
    'redaction',
  ],
  ['lib/transactions.js', `{ error: ${ERROR_NAME} }`, '{ error }', 'redaction'],
  ['lib/dashboard/dashboard.js', '{ error: error?.name ?? typeof error }', '{ error }', 'redaction'],
  [
    'lib/errors.js',
    "message: 'surecal met an internal fault: the native part failed without saying why. Please report it.'",
    'message: String(nativeError?.message)',
    'facade',
  ],
].map(([file, from, to, test]) => ({ file, from, to, test }))

module.exports = { RUST, JS }
