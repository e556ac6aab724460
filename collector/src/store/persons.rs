//! Persons: a random id for each account that was seen at a school, and the names in rows of their own.
//!
//! Everything else points at the id. When the names are deleted, alerts and counts stay and name nobody.
//!
//! An account is known under who vouches for it: `authority\account` for a directory's, `device id\account`
//! for one that only its device knows, `asset log\account` for one that the asset log gives without a domain.
//! The last two are shown without it.

use jiff::SignedDuration;
use redshank_proto::id::{DeviceId, PersonId, SchoolId};
use rusqlite::OptionalExtension as _;

use super::alerts::CONTENT_KEPT_DAYS;
use super::value::{collect, id, time};
use super::{Edit, Purpose, StoreError, View};

/// A sighting renews a name's expiry when it is older than this: not a write for every event.
const RENEWED_AFTER_DAYS: i64 = 1;
/// Who vouches for an account that the asset log gives without a domain: it is joined with none of the same
/// name elsewhere.
const ASSET_LOG: &str = "asset log";

/// An account under the authority that vouches for it, both in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    authority: String,
    name: String,
}

impl Account {
    /// Takes an account as evidence has it. An empty authority stands for the device that says so.
    #[must_use]
    pub fn new(authority: &str, name: &str) -> Self {
        let plain = |text: &str| text.trim().to_lowercase();
        Self { authority: plain(authority), name: plain(name) }
    }

    /// Takes an account as the asset log has it: `DOMAIN\name`, or the name alone.
    #[must_use]
    pub fn of_asset_log(text: &str) -> Self {
        match text.split_once('\\') {
            Some((domain, name)) => Self::new(domain, name),
            None => Self::new(ASSET_LOG, text),
        }
    }

    /// Who vouches for it; empty: the device that says so.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Its name, with whatever domain the operating system writes into it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part of its name that is a person's: `amy` of `SCHOOL\amy` and of `amy@school.example`.
    #[must_use]
    pub fn person_part(&self) -> &str {
        person_part(&self.name)
    }

    fn key(&self, device: DeviceId) -> String {
        if self.authority.is_empty() {
            format!("{device}\\{}", self.name)
        } else {
            format!("{}\\{}", self.authority, self.name)
        }
    }
}

/// The part of an account's name that is a person's.
#[must_use]
pub fn person_part(name: &str) -> &str {
    let name = name.rsplit('\\').next().unwrap_or(name);
    name.split('@').next().unwrap_or(name)
}

/// An account's key as people see it: without a device's id, and without the asset log's word.
pub(super) fn shown(key: &str) -> &str {
    match key.split_once('\\') {
        Some((ASSET_LOG, name)) => name,
        Some((device, name)) if device.parse::<DeviceId>().is_ok() => name,
        Some(_) | None => key,
    }
}

impl Edit<'_> {
    /// The person who uses an account that a device of the school saw, made at first sight. The account's
    /// name is kept as long after its last sighting as an alert's content: without it an alert could not say
    /// who it was.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn person_of_account(
        &self,
        school: SchoolId,
        device: DeviceId,
        account: &Account,
    ) -> Result<PersonId, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let account = &*account.key(device);
        let expires = self.now() + SignedDuration::from_hours(24 * CONTENT_KEPT_DAYS);
        let known = self
            .sql()
            .prepare_cached(
                "SELECT person, expires_at FROM person_names
                 WHERE school = ?1 AND kind = 'account' AND value = ?2",
            )?
            .query_row((school.as_bytes(), account), |row| {
                Ok(id(row, "person").and_then(|person| Ok((person, time(row, "expires_at")?))))
            })
            .optional()?
            .transpose()?;
        if let Some((person, known_until)) = known {
            if expires.duration_since(known_until)
                > SignedDuration::from_hours(24 * RENEWED_AFTER_DAYS)
            {
                self.sql()
                    .prepare_cached(
                        "UPDATE person_names SET expires_at = ?3
                         WHERE school = ?1 AND kind = 'account' AND value = ?2",
                    )?
                    .execute((school.as_bytes(), account, expires.as_microsecond()))?;
            }
            return Ok(person);
        }
        let person = PersonId::draw(self.randomness());
        self.sql()
            .prepare_cached("INSERT INTO persons (person, school, created_at) VALUES (?1, ?2, ?3)")?
            .execute((person.as_bytes(), school.as_bytes(), self.now().as_microsecond()))?;
        self.sql()
            .prepare_cached(
                "INSERT INTO person_names (person, school, kind, expires_at, value)
                 VALUES (?1, ?2, 'account', ?3, ?4)",
            )?
            .execute((person.as_bytes(), school.as_bytes(), expires.as_microsecond(), account))?;
        Ok(person)
    }
}

impl View<'_> {
    /// Every name and account of a person, for the store's own modules: they take them out of what others
    /// are given.
    pub(super) fn names_of(&self, person: PersonId) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .sql()
            .prepare_cached("SELECT value FROM person_names WHERE person = ?1 LIMIT 100")?;
        collect(statement.query([person.as_bytes()])?, |row| {
            Ok(shown(&row.get::<_, String>("value")?).to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;

    use super::*;
    use crate::store::Scope;
    use crate::store::tests::Scratch;

    #[tokio::test]
    async fn an_account_is_one_person_under_one_authority_and_another_under_another() {
        let scratch = Scratch::new();
        let line = Scope::command_line();
        let add = |name: &'static str| {
            scratch.store.write(&line, move |edit| edit.add_school(name, "Europe/London"))
        };
        let (here, there) = (add("Marsh Lane").await.unwrap(), add("Hill Top").await.unwrap());
        let (one, other) = (DeviceId::draw(&System), DeviceId::draw(&System));
        let triage = Scope::system(Purpose::Triage);
        let read = scratch.store.write(&triage, move |edit| {
            let person = |school, device, authority, name| {
                edit.person_of_account(school, device, &Account::new(authority, name))
            };
            let emma = person(here, one, "", "emma")?;
            assert_eq!(person(here, one, "", " EMMA ")?, emma);
            assert_ne!(person(here, other, "", "emma")?, emma);
            assert_ne!(person(there, one, "", "emma")?, emma);
            let amy = person(here, one, "SCHOOL", "amy")?;
            assert_eq!(person(here, other, "school", "amy")?, amy);
            assert_ne!(person(here, one, "", "amy")?, amy);
            Ok((edit.view().names_of(emma)?, edit.view().names_of(amy)?))
        });
        let (emma, amy) = read.await.unwrap();
        assert_eq!((emma, amy), (vec!["emma".to_owned()], vec!["school\\amy".to_owned()]));
    }

    #[test]
    fn an_account_of_the_asset_log_is_its_domain_s_or_the_log_s_own() {
        let device = DeviceId::draw(&System);
        for (text, key, seen) in
            [("SCHOOL\\Amy", "school\\amy", "school\\amy"), (" amy ", "asset log\\amy", "amy")]
        {
            let account = Account::of_asset_log(text);
            assert_eq!(account.key(device), key);
            assert_eq!(shown(key), seen);
        }
    }

    #[test]
    fn an_account_s_domain_is_no_part_of_the_person() {
        for name in ["SCHOOL\\amy", "amy@school.example", "amy"] {
            assert_eq!(person_part(name), "amy");
        }
    }
}
