//! What the policy in force leaves alone for a time: loud, reasoned, time-boxed, on the audit trail.
//!
//! Written as a policy is published, in the same transaction, and shown on every page of those who must know of
//! it. An exemption that says the same in the next policy is not news; one that has gone from it is. Whoever
//! opens no content is told how many accounts it is for, and not which.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use redshank_proto::clock::draw;
use redshank_proto::id::SchoolId;
use redshank_proto::{time as wire, v1};
use rusqlite::Row;

use super::audit::Action;
use super::scope::Viewer;
use super::value::{collect, time};
use super::{Edit, StoreError, View};

/// How long past its end an exemption is kept here: the policy that held it is kept for good.
const KEPT_DAYS: i64 = 30;

/// Something that is left alone for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempted {
    /// Why.
    pub reason: String,
    /// From then on.
    pub from: Timestamp,
    /// Up to then.
    pub until: Timestamp,
    /// The accounts that it is for; empty: all. Empty too for a viewer who may not know which.
    pub accounts: Vec<String>,
    /// How many accounts it is for; 0: all.
    pub account_count: usize,
    /// Categories by their field names.
    pub categories: Vec<String>,
    /// Rules by their ids.
    pub rules: Vec<String>,
    /// Phrases.
    pub phrases: Vec<String>,
}

impl Exempted {
    /// Whether nothing but severity 5 is watched while it lasts.
    #[must_use]
    pub fn is_pause(&self) -> bool {
        self.categories.is_empty() && self.rules.is_empty() && self.phrases.is_empty()
    }
}

impl View<'_> {
    /// What is left alone at a school at `now` or will be, by when it begins.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school asks.
    pub fn exemptions(
        &self,
        school: SchoolId,
        now: Timestamp,
    ) -> Result<Vec<Exempted>, StoreError> {
        self.scope().require_school(school)?;
        let Viewer::User(_, role) = self.scope().viewer() else {
            return Err(StoreError::OutOfScope);
        };
        exemptions(self, school, now, role.opens_content())
    }
}

/// What is left alone at a school; the caller knows who asks.
pub(super) fn exemptions(
    view: &View<'_>,
    school: SchoolId,
    now: Timestamp,
    names_accounts: bool,
) -> Result<Vec<Exempted>, StoreError> {
    let mut statement = view.sql().prepare_cached(
        "SELECT reason, from_at, until_at, accounts, categories, rules, phrases
         FROM exemptions
         WHERE school = ?1 AND until_at > ?2 ORDER BY from_at, exemption",
    )?;
    collect(statement.query((school.as_bytes(), now.as_microsecond()))?, |row| {
        let accounts = list(row, "accounts")?;
        Ok(Exempted {
            reason: row.get("reason")?,
            from: time(row, "from_at")?,
            until: time(row, "until_at")?,
            account_count: accounts.len(),
            accounts: if names_accounts { accounts } else { Vec::new() },
            categories: list(row, "categories")?,
            rules: list(row, "rules")?,
            phrases: list(row, "phrases")?,
        })
    })
}

impl Edit<'_> {
    /// Puts a policy's exemptions in place of those before, and what is new and what is gone on the audit trail.
    pub(super) fn replace_exemptions(
        &self,
        school: SchoolId,
        exemptions: &[&v1::Exemption],
    ) -> Result<(), StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT exemption, digest, reason, until_at FROM exemptions WHERE school = ?1",
        )?;
        type Held = ([u8; 16], [u8; 32], String, i64);
        let held: Vec<Held> = collect(statement.query([school.as_bytes()])?, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        let digests: Vec<[u8; 32]> = exemptions.iter().map(|it| sha256(it)).collect();
        for (exemption, sha256, reason, until) in &held {
            if digests.contains(sha256) {
                continue;
            }
            self.sql()
                .prepare_cached("DELETE FROM exemptions WHERE exemption = ?1")?
                .execute([exemption])?;
            // One that has run out ends by itself: its end was on the trail as it began.
            if *until > self.now().as_microsecond() {
                let detail = Some(reason.as_str());
                self.audit(Action::ExemptionWithdrawn, Some(school), Some(exemption), detail)?;
            }
        }
        for (exemption, sha256) in exemptions.iter().zip(&digests) {
            if !held.iter().any(|(_, known, ..)| known == sha256) {
                self.add_exemption(school, exemption, sha256)?;
            }
        }
        Ok(())
    }

    fn add_exemption(
        &self,
        school: SchoolId,
        exemption: &v1::Exemption,
        sha256: &[u8; 32],
    ) -> Result<(), StoreError> {
        let at = |wire| wire::from_wire(wire).ok_or(StoreError::Malformed("exemption's time"));
        let (from, until) = (at(exemption.from.as_ref())?, at(exemption.until.as_ref())?);
        let json = |list: &[String]| {
            serde_json::to_string(list).map_err(|_| StoreError::Malformed("exemption"))
        };
        let id: [u8; 16] = draw(self.randomness());
        let expires = until.saturating_add(SignedDuration::from_hours(24 * KEPT_DAYS));
        let expires = expires.map_err(|_| StoreError::Malformed("exemption's time"))?;
        let added = self
            .sql()
            .prepare_cached(
                "INSERT OR IGNORE INTO exemptions (exemption, school, kind, expires_at, digest, reason,
                   from_at, until_at, accounts, categories, rules, phrases)
                 VALUES (?1, ?2, 'exemption', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                id,
                school.as_bytes(),
                expires.as_microsecond(),
                sha256,
                &exemption.reason,
                from.as_microsecond(),
                until.as_microsecond(),
                json(&exemption.accounts)?,
                json(&exemption.categories)?,
                json(&exemption.rules)?,
                json(&exemption.phrases)?,
            ))?;
        if added == 0 {
            return Ok(());
        }
        let phrases = exemption.phrases.iter().map(|phrase| format!("words “{phrase}”"));
        let what = exemption.categories.iter().chain(&exemption.rules).cloned().chain(phrases);
        let what: Vec<String> = what.collect();
        let what = if what.is_empty() { "pause".to_owned() } else { what.join(", ") };
        let whom = match exemption.accounts.as_slice() {
            [] => "everybody".to_owned(),
            accounts => accounts.join(", "),
        };
        let detail = format!("{what}, for {whom}, {from} to {until}: {}", exemption.reason);
        self.audit(Action::ExemptionPublished, Some(school), Some(&id), Some(&detail))
    }
}

fn sha256(exemption: &v1::Exemption) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, &exemption.encode_to_vec()).as_ref());
    sha256
}

fn list(row: &Row<'_>, column: &str) -> Result<Vec<String>, StoreError> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Malformed("exemption"))
}
