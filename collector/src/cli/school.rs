//! `school add`: keys, trust bundle and first policy of a school, in two steps that can be repeated.
//!
//! The school, its keys and its bundle are one transaction. After it come a file for what the school decides,
//! with the defaults and what they mean, unless one is there already, and its first policy; if that is
//! interrupted, the next `serve` or `policy publish` signs it.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::policy::{publish_to, write_template};
use super::{Format, Host};
use crate::keys::NewSchool;
use crate::policy::{Decisions, Rules};
use crate::store::schools::School;
use crate::store::{Scope, StoreError};

pub(super) async fn add(
    host: &Host,
    name: &str,
    time_zone: &str,
    root_ca: Option<&Path>,
    format: Format,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    if jiff::tz::TimeZone::get(time_zone).is_err() {
        bail!("--time-zone {time_zone}: no such time zone; write an IANA name, Europe/London");
    }
    // Before anything is written: rules with mistakes leave no school without a policy.
    let rules = Rules::read(host.settings.rules.as_deref())?;
    let (root, ring) = (host.root_key()?, host.ring().await?);
    let [issuing, certificate] = ring.issuers() else {
        bail!("the database holds a malformed chain of the issuing CA");
    };
    let ca = host.folder.root_ca(root_ca, &root, certificate.clone())?;
    let new = NewSchool::draw(&root, &*host.randomness)?;
    let (issuing, name_kept, zone) = (issuing.clone(), name.to_owned(), time_zone.to_owned());
    let scope = Scope::command_line();
    let school = host
        .store
        .write(&scope, move |edit| {
            let school = edit.add_school(&name_kept, &zone)?;
            for key in new.keys_of(school) {
                edit.add_key(&key)?;
            }
            let bundle = new
                .bundle_of(school, &ca, &issuing, edit.now())
                .map_err(|_| StoreError::Conflict("the offline root could not sign the bundle"))?;
            edit.add_bundle(school, crate::keys::FIRST_BUNDLE, &bundle)?;
            Ok(school)
        })
        .await
        .context("the school was not added")?;
    ring.refresh(&host.store).await?;
    let added = School { school, name: name.to_owned(), time_zone: time_zone.to_owned() };
    write_template(host, &added)?;
    let decisions = Decisions::read(&host.folder.policies(), &host.schools().await?)?;
    publish_to(host, &ring, &scope, &added, &rules, &decisions).await?;
    if format.json {
        writeln!(out, "{}", json!({ "school": school.to_string(), "name": name }))?;
    } else {
        writeln!(out, "{name} is school {school}.")?;
    }
    Ok(())
}
