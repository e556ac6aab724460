//! The audit chain: append-only, each entry hashed with the one before, no content in it.
//!
//! An entry's hash is SHA-256 over its encoded fields and the hash of the entry before, so that nothing can
//! be changed, taken out or put in between without every later hash changing. What an entry says in words
//! (a reason, a name) lies in `audit_details`, a row that can be deleted; the chain holds its digest under a
//! random salt that is deleted with it, so that the chain stays whole and yet tells nothing.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{Timestamp, ToSpan as _};
use redshank_proto::clock::draw;
use redshank_proto::id::SchoolId;
use rusqlite::OptionalExtension as _;

use super::value::{collect, time};
use super::{Edit, StoreError, View};

/// How long an entry's words are kept: the longest statutory period for safeguarding records is the child's
/// twenty-fifth birthday; who looked at what is kept six years, as for other school records of staff.
const DETAIL_YEARS: i64 = 6;

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A school was added.
    SchoolAdded,
    /// An enrolment token was made.
    TokenCreated,
    /// A device enrolled.
    DeviceEnrolled,
    /// A device's certificate was renewed.
    DeviceRenewed,
    /// A technician approved a device.
    DeviceApproved,
    /// A technician revoked a device.
    DeviceRevoked,
    /// A user was added.
    UserAdded,
    /// A role that opens content was approved.
    UserApproved,
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed out.
    SignedOut,
    /// A sign-in failed.
    SignInFailed,
    /// The queue of alerts was shown.
    QueueViewed,
    /// An alert was shown with its content.
    AlertViewed,
    /// An alert was taken up.
    AlertAcknowledged,
    /// An alert was closed.
    AlertClosed,
    /// A reader of the feed was added.
    ReaderAdded,
    /// A reader of the feed was sent an alert with its content.
    AlertDelivered,
    /// A reader of the feed graded an alert.
    AlertAssessed,
    /// A policy was signed.
    PolicyPublished,
    /// The trail itself was read.
    AuditViewed,
    /// An asset log was imported.
    AssetLogImported,
    /// The weekly summary was shown.
    SummaryViewed,
    /// The names of those who were shown a notice were shown.
    NoticesShownViewed,
    /// A policy began to leave something alone for a time.
    ExemptionPublished,
    /// A policy stopped leaving it alone.
    ExemptionWithdrawn,
}

impl Action {
    /// Its name in the chain.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SchoolAdded => "school_added",
            Self::TokenCreated => "token_created",
            Self::DeviceEnrolled => "device_enrolled",
            Self::DeviceRenewed => "device_renewed",
            Self::DeviceApproved => "device_approved",
            Self::DeviceRevoked => "device_revoked",
            Self::UserAdded => "user_added",
            Self::UserApproved => "user_approved",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignInFailed => "sign_in_failed",
            Self::QueueViewed => "queue_viewed",
            Self::AlertViewed => "alert_viewed",
            Self::AlertAcknowledged => "alert_acknowledged",
            Self::AlertClosed => "alert_closed",
            Self::ReaderAdded => "reader_added",
            Self::AlertDelivered => "alert_delivered",
            Self::AlertAssessed => "alert_assessed",
            Self::PolicyPublished => "policy_published",
            Self::AuditViewed => "audit_viewed",
            Self::AssetLogImported => "asset_log_imported",
            Self::SummaryViewed => "summary_viewed",
            Self::NoticesShownViewed => "notices_shown_viewed",
            Self::ExemptionPublished => "exemption_published",
            Self::ExemptionWithdrawn => "exemption_withdrawn",
        }
    }
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who, as [`super::Scope::actor`] writes it.
    pub actor: String,
    /// What, as [`Action::as_str`] writes it.
    pub action: String,
    /// On what: an id's bytes.
    pub subject: Option<Vec<u8>>,
    /// Its words, until they are deleted.
    pub detail: Option<String>,
}

/// Where a chain stops being whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The first entry that does not fit the one before it.
    pub seq: u64,
    /// What does not fit.
    pub what: &'static str,
}

/// A chain that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Entries.
    pub entries: u64,
    /// The last entry's hash; 32 zero bytes for an empty chain.
    pub head: [u8; 32],
}

impl Edit<'_> {
    /// Appends an entry, in the same transaction as what it is about.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub fn audit(
        &self,
        action: Action,
        school: Option<SchoolId>,
        subject: Option<&[u8]>,
        detail: Option<&str>,
    ) -> Result<(), StoreError> {
        let last: Option<(i64, [u8; 32])> = self
            .sql()
            .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (seq, previous) = last.map_or((1, [0; 32]), |(seq, hash)| (seq + 1, hash));
        let actor = self.scope().actor();
        let salted = detail.map(|detail| (draw::<16>(self.randomness()), detail));
        let digest = salted.map(|(salt, detail)| hash(&[&salt, detail.as_bytes()]));
        let link = Link {
            seq,
            at: self.now().as_microsecond(),
            school: school.as_ref().map(|school| school.as_bytes().as_slice()),
            actor: &actor,
            action: action.as_str(),
            subject,
            digest: digest.as_ref().map(<[u8; 32]>::as_slice),
        };
        self.sql()
            .prepare_cached(
                "INSERT INTO audit (seq, at, school, actor, action, subject, digest, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                link.seq,
                link.at,
                link.school,
                link.actor,
                link.action,
                link.subject,
                link.digest,
                link.hash(&previous),
            ))?;
        if let Some((salt, detail)) = salted {
            let expires = self.now().checked_add((DETAIL_YEARS * 366 * 24).hours());
            let expires = expires.unwrap_or(Timestamp::MAX).as_microsecond();
            self.sql()
                .prepare_cached(
                    "INSERT INTO audit_details (seq, school, kind, expires_at, salt, detail)
                     VALUES (?1, ?2, 'audit', ?3, ?4, ?5)",
                )?
                .execute((seq, link.school, expires, salt, detail))?;
        }
        Ok(())
    }
}

impl View<'_> {
    /// Walks the whole chain and every detail that is still kept.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails. A broken chain is no error but an answer.
    pub fn verify_audit(&self) -> Result<Result<Whole, Break>, StoreError> {
        self.scope().require_command_line()?;
        let mut statement = self.sql().prepare(
            "SELECT a.seq, a.at, a.school, a.actor, a.action, a.subject, a.digest, a.hash, d.salt, d.detail
             FROM audit a LEFT JOIN audit_details d ON d.seq = a.seq ORDER BY a.seq",
        )?;
        let mut rows = statement.query([])?;
        let mut whole = Whole { entries: 0, head: [0; 32] };
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get("seq")?;
            let expected = whole.entries + 1;
            let broken = |what| Ok(Err(Break { seq: expected, what }));
            if u64::try_from(seq) != Ok(expected) {
                return broken("an entry is missing");
            }
            let (actor, action): (String, String) = (row.get("actor")?, row.get("action")?);
            let (school, subject): (Option<Vec<u8>>, Option<Vec<u8>>) =
                (row.get("school")?, row.get("subject")?);
            let digest: Option<Vec<u8>> = row.get("digest")?;
            let link = Link {
                seq,
                at: row.get("at")?,
                school: school.as_deref(),
                actor: &actor,
                action: &action,
                subject: subject.as_deref(),
                digest: digest.as_deref(),
            };
            let hashed = link.hash(&whole.head);
            if row.get::<_, Vec<u8>>("hash")? != hashed {
                return broken("the entry was changed, or the one before it was");
            }
            if let (Some(salt), Some(detail)) =
                (row.get::<_, Option<Vec<u8>>>("salt")?, row.get::<_, Option<String>>("detail")?)
                && digest.as_deref() != Some(&hash(&[&salt, detail.as_bytes()]))
            {
                return broken("the entry's words were changed");
            }
            whole = Whole { entries: expected, head: hashed };
        }
        Ok(Ok(whole))
    }

    /// The newest entries of a school, newest first; at most `limit`. What was done with an alert that the
    /// viewer may not see is left out, and so are the entries' places, whose gaps would betray it.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody whose role opens content asks.
    pub fn audit_entries(&self, school: SchoolId, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let user = self.scope().require_content()?;
        self.scope().require_school(school)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT a.at, a.actor, a.action, a.subject, d.detail
             FROM audit a LEFT JOIN audit_details d ON d.seq = a.seq
             WHERE a.school = ?1 AND NOT EXISTS (
               SELECT 1 FROM alerts l WHERE l.alert = a.subject AND NOT EXISTS (
                 SELECT 1 FROM alert_viewers v WHERE v.alert = l.alert AND v.user = ?3))
             ORDER BY a.seq DESC LIMIT ?2",
        )?;
        collect(statement.query((school.as_bytes(), limit, user.as_bytes()))?, |row| {
            Ok(Entry {
                at: time(row, "at")?,
                actor: row.get("actor")?,
                action: row.get("action")?,
                subject: row.get("subject")?,
                detail: row.get("detail")?,
            })
        })
    }
}

/// What an entry's hash covers.
struct Link<'a> {
    seq: i64,
    at: i64,
    school: Option<&'a [u8]>,
    actor: &'a str,
    action: &'a str,
    subject: Option<&'a [u8]>,
    digest: Option<&'a [u8]>,
}

impl Link<'_> {
    /// SHA-256 over the previous hash and the fields, each behind its length, so that no two entries encode
    /// alike.
    fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let length = |field: &[u8]| (field.len() as u64).to_be_bytes();
        let (seq, at) = (self.seq.to_be_bytes(), self.at.to_be_bytes());
        let fields: [&[u8]; 7] = [
            &seq,
            &at,
            self.school.unwrap_or_default(),
            self.actor.as_bytes(),
            self.action.as_bytes(),
            self.subject.unwrap_or_default(),
            self.digest.unwrap_or_default(),
        ];
        let mut context = Context::new(&SHA256);
        context.update(previous);
        for field in fields {
            context.update(&length(field));
            context.update(field);
        }
        finish(context)
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    finish(context)
}

fn finish(context: Context) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Scope;
    use crate::store::tests::Scratch;

    #[tokio::test]
    async fn a_chain_is_whole_until_something_in_it_is_changed() {
        for (vandalism, expected) in [
            ("", Ok(3)),
            ("UPDATE audit SET actor = 'system' WHERE seq = 2", Err(2)),
            ("DELETE FROM audit_details; DELETE FROM audit WHERE seq = 2", Err(2)),
            ("UPDATE audit_details SET detail = 'other' WHERE seq = 2", Err(2)),
            ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 3", Err(3)),
        ] {
            let scratch = chain().await;
            scratch.vandalise(vandalism).await;
            let verified = verify(&scratch).await;
            assert_eq!(verified.map(|whole| whole.entries).map_err(|b| b.seq), expected);
        }
    }

    #[tokio::test]
    async fn the_words_can_be_deleted_and_the_chain_stays_whole() {
        let scratch = chain().await;
        let before = verify(&scratch).await.unwrap();
        scratch.vandalise("DELETE FROM audit_details").await;
        assert_eq!(verify(&scratch).await.unwrap(), before);
    }

    async fn chain() -> Scratch {
        let scratch = Scratch::new();
        for detail in [None, Some("a reason"), Some("a reason")] {
            let scope = Scope::command_line();
            let write = scratch.store.write(&scope, move |edit| {
                edit.audit(Action::SchoolAdded, None, Some(b"subject"), detail)
            });
            write.await.unwrap();
        }
        scratch
    }

    async fn verify(scratch: &Scratch) -> Result<Whole, Break> {
        scratch.store.read(&Scope::command_line(), |view| view.verify_audit()).await.unwrap()
    }
}
