//! Reads what the configuration says of the network: proxy, authorities, names. The environment comes with it, as
//! `$environment`: whoever holds the process decides what of it counts.

use std::fs;

use super::reader::Reader;
use crate::google::transport::Network;
use crate::google::{Proxy, QUOTA_USER_AT_MOST, QuotaUser};
use crate::model::CalendarError;

/// A name and a version, and some words about them.
const USER_AGENT_AT_MOST: usize = 200;

/// `proxy`, `ca`, `userAgent`, and `$environment: { httpsProxy, noProxy, extraCaCerts }`.
pub(super) fn read(network: &mut Network, top: &mut Reader) -> Result<(), CalendarError> {
    let mut environment = top.object("$environment")?;
    let from_environment = (environment.string("httpsProxy")?, environment.string("noProxy")?.unwrap_or_default());
    let extra_ca_certs = environment.string("extraCaCerts")?;
    environment.finish()?;

    if top.is_false("proxy") {
        network.proxy = None;
    } else if let Some(proxy) = read_proxy(top)? {
        network.proxy = Some(proxy);
    } else if let Some(url) = from_environment.0 {
        let proxy = Proxy::new(&url, &from_environment.1, false);
        network.proxy = Some(proxy.map_err(|what| top.fault("HTTPS_PROXY", what))?);
    }
    if let Some(path) = extra_ca_certs {
        const NAME: &str = "NODE_EXTRA_CA_CERTS";
        let pem = fs::read(path).map_err(|_| top.fault(NAME, "names a file that cannot be read"))?;
        network.trust.add(&pem).map_err(|what| top.fault(NAME, what))?;
    }
    for pem in top.strings("ca")? {
        network.trust.add(pem.as_bytes()).map_err(|what| top.fault("ca", what))?;
    }
    if let Some(agent) = top.string("userAgent")? {
        let fits = (1..=USER_AGENT_AT_MOST).contains(&agent.len());
        if !fits || !agent.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(top.fault("userAgent", "must be 1 to 200 visible ASCII characters"));
        }
        network.user_agent = Some(agent);
    }
    Ok(())
}

/// A URL, or `{ url, noProxy?, loopback? }`.
fn read_proxy(top: &mut Reader) -> Result<Option<Proxy>, CalendarError> {
    let (url, no_proxy, loopback) = if top.holds_object("proxy") {
        let mut proxy = top.object("proxy")?;
        let url = proxy.string("url")?.ok_or_else(|| proxy.fault("url", "must be given"))?;
        let no_proxy = proxy.string("noProxy")?.unwrap_or_default();
        let loopback = proxy.bool("loopback")?.unwrap_or(false);
        proxy.finish()?;
        (url, no_proxy, loopback)
    } else {
        let Some(url) = top.string("proxy")? else { return Ok(None) };
        (url, String::new(), false)
    };
    Proxy::new(&url, &no_proxy, loopback).map(Some).map_err(|what| top.fault("proxy", what))
}

/// `true` for a hash of the user's id, false for none, or a text.
pub(super) fn read_quota_user(options: &mut Reader) -> Result<Option<QuotaUser>, CalendarError> {
    const NAME: &str = "quotaUser";
    if options.is_false(NAME) {
        return Ok(Some(QuotaUser::Unsaid));
    }
    if options.is_true(NAME) {
        return Ok(Some(QuotaUser::Hashed));
    }
    match options.string(NAME)? {
        None => Ok(None),
        Some(text) if (1..=QUOTA_USER_AT_MOST).contains(&text.chars().count()) => Ok(Some(QuotaUser::Named(text))),
        Some(_) => Err(options.fault(NAME, "must be true, false, or a text of 1 to 40 characters")),
    }
}
