//! The certificate of our own listeners: kept as long as it is good, issued anew before it ends.

use jiff::{Timestamp, ToSpan as _};
use rcgen::KeyPair;
use redshank_proto::id::KeyId;
use redshank_proto::tls::Identity;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};
use zeroize::Zeroizing;

use super::{KeyError, KeyRing};
use crate::store::keys::{KeyKind, WrappedKey};
use crate::store::{Purpose, Scope, Store};

/// How long before its end a certificate is replaced: time enough to notice that it was not.
const RENEW_DAYS: i64 = 30;

/// The identity of our listeners under `names`: the one kept, or a new one if it ends within 30 days or is
/// for other names.
///
/// # Errors
/// [`KeyError`] if a name is not one, the database fails, or the kept key does not open.
pub async fn server_identity(
    store: &Store,
    ring: &KeyRing,
    names: &[String],
) -> Result<Identity, KeyError> {
    let scope = Scope::system(Purpose::Start);
    let keys = store.read(&scope, |view| view.keys()).await?;
    if let Some(kept) = keys.iter().find(|key| key.kind == KeyKind::Server)
        && kept.chain.first().is_some_and(|leaf| serves(leaf, names, ring.clock().now()))
    {
        let private = ring.root().unwrap(kept.kind.as_str(), kept.key, &kept.wrapped)?;
        return Ok(identity(&kept.chain, &private));
    }
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let private = Zeroizing::new(key.serialize_der());
    let issued = ring.issue_server(names, &key)?;
    let id = KeyId::draw(ring.randomness());
    let kind = KeyKind::Server;
    let wrapped = ring.root().wrap(kind.as_str(), id, &private, ring.randomness())?;
    let chain = issued.chain.clone();
    let row = WrappedKey { key: id, school: None, kind, wrapped, chain: issued.chain };
    store
        .write(&scope, move |edit| {
            edit.record_certificate(&issued.serial, None, issued.expires_at)?;
            edit.add_key(&row)?;
            edit.keep_server_key(row.key)
        })
        .await?;
    Ok(identity(&chain, &private))
}

fn identity(chain: &[Vec<u8>], private: &[u8]) -> Identity {
    Identity {
        chain: chain.iter().cloned().map(CertificateDer::from).collect(),
        key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(private.to_vec())),
    }
}

/// Whether a certificate is for exactly these names and good for a while.
fn serves(leaf: &[u8], names: &[String], now: Timestamp) -> bool {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else { return false };
    let until = leaf.validity().not_after.timestamp();
    let soon = now.checked_add((RENEW_DAYS * 24).hours()).unwrap_or(Timestamp::MAX);
    let Ok(Some(held)) = leaf.subject_alternative_name() else { return false };
    let mut held: Vec<_> = held.value.general_names.iter().filter_map(written).collect();
    let mut wanted: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    held.sort();
    wanted.sort();
    wanted.dedup();
    until > soon.as_second() && held == wanted
}

fn written(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(std::net::IpAddr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string()),
            16 => Some(std::net::IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
            _ => None,
        },
        _ => None,
    }
}
