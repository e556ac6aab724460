//! What people do with an alert, each of it on the audit trail in the same transaction.

use jiff::SignedDuration;
use redshank_proto::id::AlertId;
use redshank_proto::v1::ChangeKind;
use rusqlite::OptionalExtension as _;

use super::{AlertStatus, CONTENT_KEPT_DAYS, Disposition, visible};
use crate::store::audit::Action;
use crate::store::{Edit, StoreError};

/// Bytes of the reason with which an alert is closed.
pub const REASON_BYTES: usize = 2_000;

impl Edit<'_> {
    /// Records that the viewer is shown an alert with its content; to be called before showing it.
    ///
    /// # Errors
    /// As [`crate::store::View::alert`].
    pub fn view_alert(&self, alert: AlertId) -> Result<(), StoreError> {
        let (school, _) = visible(self.view(), alert)?;
        self.audit(Action::AlertViewed, Some(school), Some(alert.as_bytes()), None)
    }

    /// Whether an alert that is not closed has grown since its viewer was shown `seen` events of it. What they
    /// decide of it is then a decision about something that they have not read: to be asked before
    /// [`Edit::acknowledge_alert`] and [`Edit::close_alert`], in the same transaction.
    ///
    /// # Errors
    /// As [`crate::store::View::alert`].
    pub fn alert_has_grown(&self, alert: AlertId, seen: u32) -> Result<bool, StoreError> {
        visible(self.view(), alert)?;
        let grown = self
            .sql()
            .prepare_cached(
                "SELECT 1 FROM alerts WHERE alert = ?1 AND status <> 'closed' AND event_count <> ?2",
            )?
            .exists((alert.as_bytes(), seen))?;
        Ok(grown)
    }

    /// Takes an alert up. Taking up what somebody has taken up already changes nothing: two who press at
    /// once both see that it is in hand.
    ///
    /// # Errors
    /// As [`crate::store::View::alert`]; [`StoreError::Conflict`] if it is closed.
    pub fn acknowledge_alert(&self, alert: AlertId) -> Result<(), StoreError> {
        let (school, user) = visible(self.view(), alert)?;
        match self.alert_status(alert)? {
            AlertStatus::Closed => return Err(StoreError::Conflict("the alert is closed already")),
            AlertStatus::Acknowledged => return Ok(()),
            AlertStatus::Open => {}
        }
        self.sql()
            .prepare_cached(
                "UPDATE alerts SET status = 'acknowledged', acknowledged_by = ?2, acknowledged_at = ?3
                 WHERE alert = ?1",
            )?
            .execute((alert.as_bytes(), user.as_bytes(), self.now().as_microsecond()))?;
        self.record_change(school, alert, ChangeKind::Acknowledged)?;
        self.audit(Action::AlertAcknowledged, Some(school), Some(alert.as_bytes()), None)
    }

    /// Closes an alert, with a disposition and a reason of 1 to [`REASON_BYTES`] bytes. The reason is kept
    /// with the alert's content and on the audit trail.
    ///
    /// # Errors
    /// As [`crate::store::View::alert`]; [`StoreError::Conflict`] if it is closed, or the reason is empty or
    /// too long.
    pub fn close_alert(
        &self,
        alert: AlertId,
        disposition: Disposition,
        reason: &str,
    ) -> Result<(), StoreError> {
        let (school, user) = visible(self.view(), alert)?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(StoreError::Conflict("closing an alert needs a reason"));
        }
        if reason.len() > REASON_BYTES {
            return Err(StoreError::Conflict("the reason is longer than 2,000 bytes"));
        }
        if self.alert_status(alert)? == AlertStatus::Closed {
            return Err(StoreError::Conflict("the alert is closed already"));
        }
        let now = self.now();
        self.sql()
            .prepare_cached(
                "UPDATE alerts SET status = 'closed', closed_by = ?2, closed_at = ?3, disposition = ?4
                 WHERE alert = ?1",
            )?
            .execute((
                alert.as_bytes(),
                user.as_bytes(),
                now.as_microsecond(),
                disposition.as_str(),
            ))?;
        let expires = now + SignedDuration::from_hours(24 * CONTENT_KEPT_DAYS);
        self.sql()
            .prepare_cached(
                "INSERT INTO alert_contents (alert, position, school, kind, expires_at, content)
                 VALUES (?1, 0, ?2, 'closing_reason', ?3, ?4)",
            )?
            .execute((
                alert.as_bytes(),
                school.as_bytes(),
                expires.as_microsecond(),
                reason.as_bytes(),
            ))?;
        self.record_change(school, alert, ChangeKind::Closed)?;
        let words = format!("{}: {reason}", disposition.as_str());
        self.audit(Action::AlertClosed, Some(school), Some(alert.as_bytes()), Some(&words))
    }

    fn alert_status(&self, alert: AlertId) -> Result<AlertStatus, StoreError> {
        self.sql()
            .prepare_cached("SELECT status FROM alerts WHERE alert = ?1")?
            .query_row([alert.as_bytes()], |row| Ok(super::status(row)))
            .optional()?
            .ok_or(StoreError::Missing("alert"))?
    }
}
