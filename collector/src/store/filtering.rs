//! Blocked requests by the filter's category, where the school wants no more than their number: of nobody, by
//! day and host.

use jiff::SignedDuration;
use jiff::civil::Date;
use redshank_proto::id::{DeviceId, SchoolId};
use redshank_proto::v1;

use super::value::{collect, count};
use super::{Edit, Purpose, StoreError, View, Viewer};

/// How long a number is kept: a month, and the days in which a host that was offline still reports.
const KEPT_DAYS: i64 = 40;
/// Categories listed: filters have some sixty.
const LISTED: u32 = 200;

impl Edit<'_> {
    /// Keeps the counts of one event, once.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn add_filter_counts(
        &self,
        position: i64,
        school: SchoolId,
        device: DeviceId,
        day: Date,
        counts: &v1::FilterCounts,
    ) -> Result<(), StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        let expires = self.now() + SignedDuration::from_hours(24 * KEPT_DAYS);
        let mut insert = self.sql().prepare_cached(
            "INSERT OR IGNORE INTO filter_counts (position, category, school, device, kind, expires_at, day, count)
             VALUES (?1, ?2, ?3, ?4, 'filter_count', ?5, ?6, ?7)",
        )?;
        for counted in &counts.counts {
            insert.execute((
                position,
                counted.category.trim().to_lowercase(),
                school.as_bytes(),
                device.as_bytes(),
                expires.as_microsecond(),
                day.to_string(),
                // The sum of a month stays within a column.
                i64::try_from(counted.count.min(1 << 40)).unwrap_or_default(),
            ))?;
        }
        Ok(())
    }
}

impl View<'_> {
    /// How often each category was blocked at a school since a day, the most often first.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school asks.
    pub fn filter_counts(
        &self,
        school: SchoolId,
        since: Date,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.scope().require_school(school)?;
        let Viewer::User(..) = self.scope().viewer() else { return Err(StoreError::OutOfScope) };
        let mut statement = self.sql().prepare_cached(
            "SELECT category, sum(count) AS count FROM filter_counts
             WHERE school = ?1 AND day >= ?2 GROUP BY category ORDER BY count DESC, category LIMIT ?3",
        )?;
        collect(statement.query((school.as_bytes(), since.to_string(), LISTED))?, |row| {
            Ok((row.get("category")?, count(row, "count")?))
        })
    }
}
