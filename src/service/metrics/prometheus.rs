//! The counters in Prometheus's text format, version 0.0.4: what every scraper reads, and what can be appended to the page
//! of another library (the newer format ends with a mark after which nothing may follow).
//!
//! Label values are this package's own words: methods, codes, kinds. None comes from a caller.

use std::fmt::{Display, Write};
use std::time::Duration;

use super::latency::BOUNDS_MS;
use super::{MetricsSnapshot, OperationCount};

/// A page under construction.
#[derive(Default)]
struct Page(String);

/// One metric's samples.
struct Family<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Page {
    fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.0, "# HELP surecal_{name} {help}\n# TYPE surecal_{name} {kind}\n");
        Family { page: &mut self.0, name }
    }
}

impl Family<'_> {
    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.suffixed("", labels, value);
    }

    fn suffixed(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.page, "surecal_{}{suffix}{labels} {value}", self.name);
    }

    fn by<'a>(&mut self, label: &str, values: impl IntoIterator<Item = (&'a str, u64)>) {
        for (name, value) in values {
            self.sample(&[(label, name)], value);
        }
    }

    fn histogram(&mut self, operation: &str, count: &OperationCount) {
        let label = ("operation", operation);
        for (bound, calls) in BOUNDS_MS.iter().zip(count.buckets) {
            let bound = seconds(Duration::from_millis(*bound)).to_string();
            self.suffixed("_bucket", &[label, ("le", &bound)], calls);
        }
        self.suffixed("_bucket", &[label, ("le", "+Inf")], count.calls());
        self.suffixed("_sum", &[label], seconds(count.total));
        self.suffixed("_count", &[label], count.calls());
    }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

impl MetricsSnapshot {
    /// See the module.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut page = Page::default();
        self.calls(&mut page);
        self.kept_off(&mut page);
        self.exchanges(&mut page);
        page.0
    }

    fn calls(&self, page: &mut Page) {
        let version = env!("CARGO_PKG_VERSION");
        page.gauge("build_info", "The version of surecal; always 1.").sample(&[("version", version)], 1);
        let mut calls = page.counter("operations_total", "Calls that were answered, by method and result.");
        for (name, count) in &self.operations {
            let failed: u64 = count.failed.values().sum();
            for (result, value) in
                [("succeeded", count.succeeded), ("unverified", count.unverified), ("failed", failed)]
            {
                calls.sample(&[("operation", name), ("result", result)], value);
            }
        }
        let mut by_operation = |name, help, read: fn(&OperationCount) -> u64| {
            page.counter(name, help).by("operation", self.operations.iter().map(|(name, c)| (name.as_str(), read(c))));
        };
        by_operation("operations_verified_total", "Successes that were read back and compared.", |c| c.verified);
        by_operation("operations_replayed_total", "Successes found done by an earlier call with the key.", |c| {
            c.replayed
        });
        by_operation("operations_repaired_total", "Successes that were stored wrong and put right.", |c| c.repaired);
        by_operation("operations_hung_total", "Calls that settled over a second after their deadline.", |c| c.hung);
        let mut failures = page.counter(
            "operation_failures_total",
            "Rejected calls, by code and by what may have happened in the calendar.",
        );
        for (name, count) in &self.operations {
            for ((code, outcome), value) in &count.failures {
                failures.sample(&[("operation", name), ("code", code), ("outcome", outcome)], value);
            }
        }
        let mut durations = page.family("operation_duration_seconds", "histogram", "How long calls took.");
        for (name, count) in &self.operations {
            durations.histogram(name, count);
        }
        page.gauge("operations_in_flight", "Calls at work.").sample(&[], self.in_flight);
        page.gauge("open_work", "Writes and clean-ups that are open.").sample(&[], self.open_work);
        let overdue = self.success.hung.count - self.operations.values().map(|count| count.hung).sum::<u64>();
        page.gauge("operations_overdue", "Calls at work over a second after their deadline.").sample(&[], overdue);
    }

    fn kept_off(&self, page: &mut Page) {
        let prevented = &self.prevented;
        page.counter("silent_failures_caught_total", "Writes that Google acknowledged and did not do as asked.").by(
            "kind",
            [("repaired", prevented.repaired), ("restored", prevented.restored), ("refused", prevented.refused)],
        );
        page.counter("cleanups_total", "Clean-ups after failed calls that ended, by what became of the event.")
            .by("disposal", [("removed", prevented.removed), ("left", prevented.left)]);
        page.counter("cleanups_settled_total", "Clean-ups that ended after their call was answered.")
            .sample(&[], self.settled);
        page.counter("duplicates_prevented_total", "Second events that were not made, by what told of the first.").by(
            "kind",
            [
                ("adopted", prevented.adopted),
                ("lost_reply", prevented.lost_replies),
                ("shared", self.shared),
                ("request_replayed", self.requests.replayed),
                ("request_refused", self.requests.refused),
            ],
        );
        let tokens = &self.tokens;
        page.counter("token_refreshes_total", "Renewals of access tokens, by result.").by(
            "result",
            [
                ("refreshed", tokens.refreshed),
                ("dead", tokens.dead),
                ("misconfigured", tokens.misconfigured),
                ("failed", tokens.failed),
            ],
        );
        page.counter("token_refresh_retries_total", "Repeats of an exchange with the token endpoint.")
            .sample(&[], tokens.retries);
    }

    fn exchanges(&self, page: &mut Page) {
        let google = &self.google;
        page.counter("http_requests_total", "HTTP requests to Google's calendar API.")
            .by("kind", [("read", google.reads), ("write", google.writes)]);
        page.counter("http_responses_total", "Answers, by class of status.").by(
            "status",
            [
                ("2xx", google.status2xx),
                ("3xx", google.status3xx),
                ("4xx", google.status4xx),
                ("5xx", google.status5xx),
            ],
        );
        page.counter("http_faults_total", "Requests without a usable answer, by kind.")
            .by("kind", google.faults.iter().map(|(kind, value)| (*kind, *value)));
        page.counter("http_retries_total", "Repeats, by the code of what went wrong before.")
            .by("reason", google.retries.iter().map(|(code, value)| (*code, *value)));
        page.counter("http_stops_total", "Requests that ended in an error, by what ended them.")
            .by("reason", google.stops.iter().map(|(why, value)| (*why, *value)));
        page.counter("http_token_renewals_total", "Fresh tokens asked for after a 401.")
            .sample(&[], google.token_renewals);
        page.counter("http_request_bytes_total", "Bytes of request bodies.").sample(&[], google.bytes_sent);
        page.counter("http_response_bytes_total", "Bytes of answers, decompressed.").sample(&[], google.bytes_received);
        let waited = |ms| seconds(Duration::from_millis(ms));
        page.counter("http_throttled_seconds_total", "Time that requests waited for their turn.")
            .sample(&[], waited(google.throttled_ms));
        page.counter("http_backoff_seconds_total", "Time that requests waited before a repeat.")
            .sample(&[], waited(google.backoff_ms));
    }
}
