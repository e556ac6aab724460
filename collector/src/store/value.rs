//! Ids and times as columns hold them.

use jiff::Timestamp;
use redshank_proto::id::NotAnId;
use rusqlite::Row;

use super::StoreError;

/// Reads an id.
pub(in crate::store) fn id<T>(row: &Row<'_>, column: &str) -> Result<T, StoreError>
where
    T: for<'a> TryFrom<&'a [u8], Error = NotAnId>,
{
    Ok(T::try_from(row.get_ref(column)?.as_blob().map_err(|_| StoreError::Malformed("id"))?)?)
}

/// Reads an id that may be absent.
pub(in crate::store) fn id_or_none<T>(row: &Row<'_>, column: &str) -> Result<Option<T>, StoreError>
where
    T: for<'a> TryFrom<&'a [u8], Error = NotAnId>,
{
    match row.get_ref(column)?.as_blob_or_null().map_err(|_| StoreError::Malformed("id"))? {
        Some(bytes) => Ok(Some(T::try_from(bytes)?)),
        None => Ok(None),
    }
}

/// Reads a time.
pub(in crate::store) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|_| StoreError::Malformed("time"))
}

/// Reads a time that may be absent.
pub(in crate::store) fn time_or_none(
    row: &Row<'_>,
    column: &str,
) -> Result<Option<Timestamp>, StoreError> {
    row.get::<_, Option<i64>>(column)?
        .map(|micros| {
            Timestamp::from_microsecond(micros).map_err(|_| StoreError::Malformed("time"))
        })
        .transpose()
}

/// Reads a number that is never negative.
pub(in crate::store) fn count<T: TryFrom<i64>>(
    row: &Row<'_>,
    column: &str,
) -> Result<T, StoreError> {
    T::try_from(row.get::<_, i64>(column)?).map_err(|_| StoreError::Malformed("number"))
}

/// Collects rows through a reader of ours, whose errors say more than SQLite's.
pub(in crate::store) fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}
