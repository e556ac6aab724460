//! `user add` and `reader add`: people who sign in, and services that read the feed.

use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use data_encoding::BASE32_NOPAD;
use rcgen::{CertificateParams, KeyPair};
use redshank_proto::clock::{Randomness, draw};
use redshank_proto::peer::Peer;
use serde_json::json;
use zeroize::Zeroizing;

use super::{AddUser, Format, Host};
use crate::console::password;
use crate::keys::DataFolder;
use crate::store::Scope;
use crate::store::users::{NewUser, UserStatus};

/// Bytes of a password's file.
const PASSWORD_BYTES: u64 = 4_096;

pub(super) async fn add_user(
    host: &Host,
    add: AddUser,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let school = host.school(&add.school).await?;
    let (password, drawn) = match &add.password_file {
        Some(path) => (read_password(path)?, false),
        None => (draw_password(&*host.randomness), true),
    };
    let role = add.role.into();
    let hash = password::hash(&password, &*host.randomness)?;
    let new = NewUser { school, role, name: add.name, email: add.email, password: hash };
    let email = new.email.clone();
    let (user, status) =
        host.store.write(&Scope::command_line(), move |edit| edit.add_user(&new)).await?;
    if add.format.json {
        let mut answer = json!({
            "user": user.to_string(),
            "school": school.to_string(),
            "email": email,
            "status": status.as_str(),
        });
        if drawn {
            answer["password"] = json!(*password);
        }
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    match status {
        UserStatus::Active => writeln!(out, "{email} may sign in.")?,
        UserStatus::Pending => writeln!(
            out,
            "{email} may sign in once somebody whose role opens content has approved it in the console."
        )?,
        UserStatus::Disabled => writeln!(out, "{email} may not sign in.")?,
    }
    if drawn {
        writeln!(out, "Password, shown this once: {}", *password)?;
    }
    Ok(())
}

pub(super) async fn add_reader(
    host: &Host,
    name: String,
    schools: &[String],
    folder: &Path,
    format: Format,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let mut ids = Vec::new();
    for school in schools {
        ids.push(host.school(school).await?);
    }
    let ring = host.ring().await?;
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let request = CertificateParams::default().serialize_request(&key)?;
    DirBuilder::new()
        .recursive(true)
        .create(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let files = DataFolder::new(folder);
    // The key first: a folder that cannot be written leaves no reader behind.
    let private = Zeroizing::new(key.serialize_pem());
    files.write_new(&folder.join("reader.key"), private.as_bytes())?;
    let scope = Scope::command_line();
    let reader = host.store.write(&scope, move |edit| edit.add_reader(&name, &ids)).await?;
    let holder = Peer::Reader { reader };
    let issued = ring.issue_client(holder, request.der())?;
    let (serial, expires_at) = (issued.serial, issued.expires_at);
    host.store
        .write(&scope, move |edit| edit.record_certificate(&serial, Some(holder), expires_at))
        .await?;
    let Some(root) = ring.issuers().last() else { bail!("there is no root certificate") };
    files.write_new(&folder.join("reader.pem"), pem(&issued.chain).as_bytes())?;
    files.write_new(&folder.join("root.pem"), pem(std::slice::from_ref(root)).as_bytes())?;
    if format.json {
        let answer = json!({
            "reader": reader.to_string(),
            "expires_at": expires_at.to_string(),
            "folder": folder.display().to_string(),
        });
        writeln!(out, "{answer}")?;
    } else {
        writeln!(out, "Reader {reader}: its credential is in {}.", folder.display())?;
        writeln!(out, "It is good until {expires_at}.")?;
    }
    Ok(())
}

fn read_password(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?)
    };
    source
        .take(PASSWORD_BYTES)
        .read_to_string(&mut text)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A password of 100 random bits in four groups that can be read out on the telephone.
fn draw_password(randomness: &dyn Randomness) -> Zeroizing<String> {
    let letters = Zeroizing::new(BASE32_NOPAD.encode(&draw::<13>(randomness)).to_lowercase());
    let groups: Vec<_> = (0..4).filter_map(|group| letters.get(group * 5..group * 5 + 5)).collect();
    Zeroizing::new(groups.join("-"))
}

/// Certificates in PEM (RFC 7468).
fn pem(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| one_pem(der)).collect()
}

fn one_pem(der: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
