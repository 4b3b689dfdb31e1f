//! The way out of a network that lets nobody out directly: an HTTP proxy, asked for a tunnel (`CONNECT`).

use std::fmt;

use reqwest::NoProxy;
use url::{Host, Url};

/// A proxy, and which hosts it is not for. `Debug` prints nothing of it: the URL can hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    url: Url,
    not_for: String,
    /// Whether it is asked for this machine's own addresses too.
    loopback: bool,
}

impl Proxy {
    /// A proxy at `url`: `http:` or `https:` (the scheme may be left out for `http:`), with user and password where the
    /// proxy wants them. `no_proxy` is a list as in the environment variable: host names (their subdomains too), addresses
    /// and networks (`10.0.0.0/8`), with commas between, or `*`. The error completes the sentence "proxy …".
    pub fn new(url: &str, no_proxy: &str, loopback: bool) -> Result<Self, &'static str> {
        const WRONG: &str = "must be an http: or https: URL such as http://proxy.example:3128";
        let text = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let url = Url::parse(&text).map_err(|_| WRONG)?;
        let is_address = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !is_address || !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(WRONG);
        }
        // What reqwest would refuse later is refused now, by name.
        reqwest::Proxy::all(url.as_str()).map_err(|_| WRONG)?;
        Ok(Self { url, not_for: no_proxy.to_owned(), loopback })
    }

    /// What asks it on the way to `target`; `None`: that is reached directly.
    pub(super) fn towards(&self, target: &Url) -> reqwest::Result<Option<reqwest::Proxy>> {
        if is_loopback(target) && !self.loopback {
            return Ok(None);
        }
        let proxy = reqwest::Proxy::all(self.url.as_str())?;
        Ok(Some(proxy.no_proxy(NoProxy::from_string(&self.not_for))))
    }
}

/// Whether an address is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_http_address_and_nothing_else() {
        for good in ["http://proxy:3128", "https://ada:s%40cret@proxy.example/", "proxy.example:3128", "http://[::1]:8"]
        {
            assert!(Proxy::new(good, "", false).is_ok(), "{good}");
        }
        for bad in ["", "socks5://proxy:1080", "http://", "http://proxy/path", "http://proxy?x=1", "http://p:99999"] {
            assert!(Proxy::new(bad, "", false).is_err(), "{bad}");
        }
    }

    #[test]
    fn this_machine_is_reached_directly_unless_told() {
        let targets =
            ["https://localhost:1", "https://127.0.0.1", "https://[::1]:9"].map(|url| Url::parse(url).unwrap());
        for target in &targets {
            assert!(Proxy::new("http://p:1", "", false).unwrap().towards(target).unwrap().is_none());
            assert!(Proxy::new("http://p:1", "", true).unwrap().towards(target).unwrap().is_some());
        }
        let google = Url::parse("https://www.googleapis.com").unwrap();
        assert!(Proxy::new("http://p:1", "", false).unwrap().towards(&google).unwrap().is_some());
    }

    #[test]
    fn debug_prints_no_password() {
        let proxy = Proxy::new("http://ada:s3cret@proxy:1", "", false).unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(…)");
    }
}
