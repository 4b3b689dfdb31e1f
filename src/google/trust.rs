//! Whose certificates are believed: the system's authorities, those the program names, and Mozilla's list where the system
//! has none (distroless and Alpine images without `ca-certificates`).

use std::fmt;
#[cfg(all(unix, not(target_vendor = "apple")))]
use std::sync::{Arc, Mutex, PoisonError, Weak};

use data_encoding::BASE64_MIME;
#[cfg(all(unix, not(target_vendor = "apple")))]
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Authorities that a program trusts besides the system's own. `Debug` tells their number only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Takes in every certificate of `pem`. The error completes the sentence "ca …".
    pub fn add(&mut self, pem: &[u8]) -> Result<(), &'static str> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|_| "holds a PEM block that cannot be read")?;
        if certificates.is_empty() {
            return Err("holds no certificate: PEM text is wanted, from -----BEGIN CERTIFICATE----- on");
        }
        let mut checked = RootCertStore::empty();
        for certificate in certificates {
            checked.add(certificate.clone()).map_err(|_| "holds a certificate that cannot be used as an authority")?;
            self.extra.push(certificate);
        }
        Ok(())
    }

    /// A client that believes these authorities and the system's; where the system has none, Mozilla's in their place.
    /// `alpn`: what it offers to speak, best first.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    pub(super) fn applied_to(&self, builder: reqwest::ClientBuilder, alpn: &[&[u8]]) -> reqwest::ClientBuilder {
        let mut tls = ClientConfig::builder().with_root_certificates(self.roots()).with_no_client_auth();
        tls.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        builder.tls_backend_preconfigured(tls)
    }

    /// The same. macOS and Windows verify by themselves and have authorities; reqwest offers what `alpn` says unasked.
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    pub(super) fn applied_to(&self, builder: reqwest::ClientBuilder, _alpn: &[&[u8]]) -> reqwest::ClientBuilder {
        let readable = |certificate: &CertificateDer<'_>| reqwest::Certificate::from_der(certificate).ok();
        builder.tls_certs_merge(self.extra.iter().filter_map(readable))
    }

    /// One list for all clients of the process that trust the same: to read the system's takes milliseconds and megabytes.
    /// It goes with the last of these clients, so that a later one sees what was installed meanwhile.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn roots(&self) -> Arc<RootCertStore> {
        static IN_USE: Mutex<Vec<(Trust, Weak<RootCertStore>)>> = Mutex::new(Vec::new());
        // Held while the system's are read: who comes meanwhile wants the same.
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|(_, roots)| roots.strong_count() > 0);
        if let Some(roots) = in_use.iter().find(|(trust, _)| trust == self).and_then(|(_, roots)| roots.upgrade()) {
            return roots;
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        }
        roots.add_parsable_certificates(self.extra.iter().cloned());
        let roots = Arc::new(roots);
        in_use.push((self.clone(), Arc::downgrade(&roots)));
        roots
    }

    /// All of it as one PEM text, for a client that takes nothing else.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        let system = rustls_native_certs::load_native_certs().certs;
        let system = if system.is_empty() { webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec() } else { system };
        // What rustls cannot use would make the whole bundle unusable.
        let usable = |certificate: &CertificateDer<'static>| RootCertStore::empty().add(certificate.clone()).is_ok();
        let mut bundle = String::new();
        for certificate in system.iter().filter(|certificate| usable(certificate)).chain(&self.extra) {
            bundle.push_str("-----BEGIN CERTIFICATE-----\r\n");
            bundle.push_str(&BASE64_MIME.encode(certificate));
            bundle.push_str("-----END CERTIFICATE-----\r\n");
        }
        bundle.into_bytes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({} extra)", self.extra.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem_of(certificate: &CertificateDer<'_>) -> String {
        let text = BASE64_MIME.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
    }

    #[test]
    fn what_holds_no_usable_certificate_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "/etc/ssl/company.pem", broken, no_certificate] {
            assert!(Trust::default().add(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_bundle_holds_what_was_added_and_more() {
        let mut trust = Trust::default();
        let [one, other] = [0, 1].map(|at| webpki_root_certs::TLS_SERVER_ROOT_CERTS[at].clone());
        trust.add(format!("{}{}", pem_of(&one), pem_of(&other)).as_bytes()).unwrap();
        let bundle = trust.bundle();
        let there: Vec<_> = CertificateDer::pem_slice_iter(&bundle).map(Result::unwrap).collect();
        assert!(there.len() > 2 && there.ends_with(&[one, other]));
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn the_authorities_are_read_once_for_all_who_trust_the_same_and_go_with_the_last() {
        let mut trust = Trust::default();
        trust.add(pem_of(&webpki_root_certs::TLS_SERVER_ROOT_CERTS[2]).as_bytes()).unwrap();
        let first = trust.roots();
        assert!(Arc::ptr_eq(&first, &trust.clone().roots()));
        let plain = Trust::default().roots();
        assert!(!Arc::ptr_eq(&first, &plain));
        assert_eq!(first.len(), plain.len() + 1);
        let gone = Arc::downgrade(&first);
        drop(first);
        assert!(gone.upgrade().is_none());
        assert_eq!(trust.roots().len(), plain.len() + 1);
    }

    #[test]
    fn the_built_in_list_knows_googles_own_authority() {
        // Google Trust Services' root, which signs googleapis.com.
        let name = b"GTS Root R1";
        let has_it = |certificate: &CertificateDer<'_>| certificate.windows(name.len()).any(|part| part == name);
        assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().any(has_it));
    }
}
