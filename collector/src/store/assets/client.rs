//! What people are told of a device behind a host that reports for others.

use rusqlite::Row;

use super::{ClientId, Sort};
use crate::store::StoreError;

/// What whoever opens an alert is told of its client: its tag and sort, or as much as a log told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientName {
    /// It stands, or stood, in the asset log.
    Asset {
        /// Its tag.
        asset_tag: String,
        /// What sort of device it is.
        sort: Sort,
    },
    /// It does not, and a lease told its MAC.
    Unknown {
        /// Its MAC.
        mac: String,
        /// The last address it had, which need not be the one it had then; none if the log gives none.
        address: Option<String>,
    },
    /// No lease told, and whatever had this address may have been several devices.
    AtAddress(String),
    /// The log tells its devices apart by nothing.
    Indistinct,
    /// What was known of it has been deleted.
    Forgotten,
}

/// The columns from which [`client_name`] reads, of a statement that joins [`CLIENT_JOINS`].
pub(in crate::store) const CLIENT_COLUMNS: &str =
    "a.client, s.asset_tag AS client_tag, s.sort AS client_sort,
     k.mac AS client_mac, k.address AS client_address";
/// Joins what an alert's client is to the alert `a`.
pub(in crate::store) const CLIENT_JOINS: &str = "LEFT JOIN assets s ON s.asset = a.client
     LEFT JOIN unknown_devices k ON k.unknown = a.client";

/// Reads a client's name.
pub(in crate::store) fn client_name(row: &Row<'_>) -> Result<Option<ClientName>, StoreError> {
    if ClientId::read(row, "client")?.is_none() {
        return Ok(None);
    }
    let filled = |column| -> Result<Option<Option<String>>, StoreError> {
        let text: Option<String> = row.get(column)?;
        Ok(text.map(|text| Some(text).filter(|text| !text.is_empty())))
    };
    Ok(Some(match row.get::<_, Option<String>>("client_tag")? {
        Some(asset_tag) => {
            let sort: String = row.get("client_sort")?;
            let sort = Sort::parse(&sort).ok_or(StoreError::Malformed("sort of asset"))?;
            ClientName::Asset { asset_tag, sort }
        }
        None => match (filled("client_mac")?, filled("client_address")?.flatten()) {
            (Some(Some(mac)), address) => ClientName::Unknown { mac, address },
            (Some(None), Some(address)) => ClientName::AtAddress(address),
            (Some(None), None) => ClientName::Indistinct,
            (None, _) => ClientName::Forgotten,
        },
    }))
}
