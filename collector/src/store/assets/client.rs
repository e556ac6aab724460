//! What people are told of a device behind a host that reports for others.

use rusqlite::Row;

use super::{ClientId, Sort};
use crate::store::StoreError;

/// What people are told of a client: its tag and sort, or that nobody knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientName {
    /// It stands, or stood, in the asset log.
    Asset {
        /// Its tag.
        asset_tag: String,
        /// What sort of device it is.
        sort: Sort,
    },
    /// It does not.
    Unknown {
        /// The address it had; none if the log gives none, or once that has been deleted.
        address: Option<String>,
    },
}

/// The columns from which [`client_name`] reads, of a statement that joins [`CLIENT_JOINS`].
pub(in crate::store) const CLIENT_COLUMNS: &str =
    "a.client, s.asset_tag AS client_tag, s.sort AS client_sort,
     k.address AS client_address";
/// Joins what an alert's client is to the alert `a`.
pub(in crate::store) const CLIENT_JOINS: &str = "LEFT JOIN assets s ON s.asset = a.client
     LEFT JOIN unknown_devices k ON k.unknown = a.client";

/// Reads a client's name.
pub(in crate::store) fn client_name(row: &Row<'_>) -> Result<Option<ClientName>, StoreError> {
    if ClientId::read(row, "client")?.is_none() {
        return Ok(None);
    }
    let address: Option<String> = row.get("client_address")?;
    Ok(Some(match row.get::<_, Option<String>>("client_tag")? {
        Some(asset_tag) => {
            let sort: String = row.get("client_sort")?;
            let sort = Sort::parse(&sort).ok_or(StoreError::Malformed("sort of asset"))?;
            ClientName::Asset { asset_tag, sort }
        }
        None => ClientName::Unknown { address: address.filter(|address| !address.is_empty()) },
    }))
}
