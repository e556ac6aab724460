//! The asset log: which device the school has, and whose it is.
//!
//! - **Replaced whole**, in one transaction, by an import (`crate::asset_log` reads the file). An asset keeps
//!   its id for as long as its tag stands in the log, so that alerts go on folding over an import. What has
//!   left the log stays as a retired row without holder and addresses: an old alert still says which device
//!   it was, and nobody is attributed by it.
//! - **A serial number approves.** A pending device whose serial stands in the log is approved as it enrols,
//!   or as the log is imported, and takes its tag. The serial is the device's own word: it counts beside the
//!   enrolment token, which nobody outside the school's deployment has.
//! - **Who is told.** Triage looks up whose a device or an address is; people see tags and kinds. The account
//!   of a holder is shown to nobody here: it reaches a page as the person of an alert, with its basis.

mod client;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use redshank_proto::clock::{Randomness, draw};
use redshank_proto::id::{DeviceId, SchoolId};
use rusqlite::{OptionalExtension as _, Row};

pub use self::client::ClientName;
pub(super) use self::client::{CLIENT_COLUMNS, CLIENT_JOINS, client_name};
use super::alerts::CONTENT_KEPT_DAYS;
use super::audit::Action;
use super::persons::Account;
use super::value::{collect, id, time_or_none};
use super::{Edit, Purpose, StoreError, View};

/// Assets of one school: more than the largest has devices.
pub const ASSETS: usize = 50_000;

/// What is behind a device that reports for others, a proxy's host: an asset, or an unknown device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId([u8; 16]);

impl ClientId {
    pub(super) fn draw(randomness: &dyn Randomness) -> Self {
        Self(draw(randomness))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads one that may be absent.
    pub(super) fn read(row: &Row<'_>, column: &str) -> Result<Option<Self>, StoreError> {
        Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(Self))
    }
}

/// What sort of device an asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// A laptop.
    Laptop,
    /// A desktop computer.
    Desktop,
    /// A Chromebook.
    Chromebook,
    /// An iPad.
    Ipad,
    /// Another tablet.
    Tablet,
    /// A telephone.
    Phone,
    /// Anything else.
    Other,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 7] = [
        Self::Laptop,
        Self::Desktop,
        Self::Chromebook,
        Self::Ipad,
        Self::Tablet,
        Self::Phone,
        Self::Other,
    ];

    /// Its name in the asset log and the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Laptop => "laptop",
            Self::Desktop => "desktop",
            Self::Chromebook => "chromebook",
            Self::Ipad => "ipad",
            Self::Tablet => "tablet",
            Self::Phone => "phone",
            Self::Other => "other",
        }
    }

    /// Its words for the screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Laptop => "laptop",
            Self::Desktop => "desktop computer",
            Self::Chromebook => "Chromebook",
            Self::Ipad => "iPad",
            Self::Tablet => "tablet",
            Self::Phone => "telephone",
            Self::Other => "device",
        }
    }

    /// The sort of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }
}

/// One line of the asset log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAsset {
    /// Its tag; one of its kind in the school.
    pub asset_tag: String,
    /// Its maker's serial number, in upper case; one of its kind in the school.
    pub serial_number: Option<String>,
    /// Its network addresses, each as [`crate::asset_log::mac`] gives it.
    pub macs: Vec<String>,
    /// The account it is allocated to.
    pub holder: Option<Account>,
    /// Whether several people use it.
    pub shared: bool,
    /// What sort of device it is.
    pub sort: Sort,
}

/// An asset as triage needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its id.
    pub client: ClientId,
    /// The account it is allocated to; none for a shared one.
    pub holder: Option<Account>,
}

/// An asset as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetRow {
    /// Its tag.
    pub asset_tag: String,
    /// Its serial number.
    pub serial_number: Option<String>,
    /// What sort of device it is.
    pub sort: Sort,
    /// Whether several people use it.
    pub shared: bool,
    /// Whether it is allocated to somebody.
    pub allocated: bool,
    /// How many addresses of its are known.
    pub macs: u32,
    /// The enrolled device of its serial number that was seen last, and when.
    pub device: Option<(DeviceId, Option<Timestamp>)>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Assets in the log.
    pub assets: usize,
    /// Those that were not in it before.
    pub added: usize,
    /// Those that are no longer.
    pub retired: usize,
    /// Pending devices that it approved.
    pub approved: usize,
}

impl View<'_> {
    /// The asset of a network address.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn asset_of_mac(&self, school: SchoolId, mac: &str) -> Result<Option<Asset>, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        self.sql()
            .prepare_cached(
                "SELECT m.asset, h.authority, h.account FROM asset_addresses m
                 LEFT JOIN asset_holders h ON h.asset = m.asset
                 WHERE m.school = ?1 AND m.mac = ?2",
            )?
            .query_row((school.as_bytes(), mac), |row| Ok(asset(row)))
            .optional()?
            .transpose()
    }

    /// The asset that an approved device is, by its serial number.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage asks.
    pub fn asset_of_device(&self, device: DeviceId) -> Result<Option<Asset>, StoreError> {
        self.scope().require_system(&[Purpose::Triage])?;
        self.sql()
            .prepare_cached(
                "SELECT a.asset, h.authority, h.account FROM devices d
                 JOIN assets a ON a.school = d.school AND a.serial_number = upper(trim(d.serial_number))
                 LEFT JOIN asset_holders h ON h.asset = a.asset
                 WHERE d.device = ?1 AND d.status = 'approved' AND a.retired_at IS NULL",
            )?
            .query_row([device.as_bytes()], |row| Ok(asset(row)))
            .optional()?
            .transpose()
    }

    /// A school's asset log, by tag.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school or the command line asks.
    pub fn asset_log(&self, school: SchoolId) -> Result<Vec<AssetRow>, StoreError> {
        self.scope().require_people()?;
        self.scope().require_school(school)?;
        let mut statement = self.sql().prepare_cached(
            "SELECT a.asset_tag, a.serial_number, a.sort, a.shared, h.asset IS NOT NULL AS allocated,
                    (SELECT count(*) FROM asset_addresses m WHERE m.asset = a.asset) AS macs,
                    d.device, max(d.last_seen_at) AS last_seen_at
             FROM assets a LEFT JOIN asset_holders h ON h.asset = a.asset
             LEFT JOIN devices d ON d.school = a.school AND d.status <> 'revoked'
               AND upper(trim(d.serial_number)) = a.serial_number
             WHERE a.school = ?1 AND a.retired_at IS NULL
             GROUP BY a.asset ORDER BY a.asset_tag",
        )?;
        collect(statement.query([school.as_bytes()])?, |row| {
            let device: Option<[u8; 16]> = row.get("device")?;
            let seen = time_or_none(row, "last_seen_at")?;
            Ok(AssetRow {
                asset_tag: row.get("asset_tag")?,
                serial_number: row.get("serial_number")?,
                sort: sort(row)?,
                shared: row.get("shared")?,
                allocated: row.get("allocated")?,
                macs: row.get("macs")?,
                device: device.map(|device| (DeviceId::from_bytes(device), seen)),
            })
        })
    }
}

impl Edit<'_> {
    /// Puts a school's asset log in place of the one before, approves the pending devices that it names, and
    /// gives every device the tag that it has by now.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless the command line asks; [`StoreError::Conflict`] if there are more than
    /// [`ASSETS`]; [`StoreError::Sqlite`] if a tag, a serial number or an address stands twice.
    pub fn replace_asset_log(
        &self,
        school: SchoolId,
        assets: &[NewAsset],
    ) -> Result<Imported, StoreError> {
        self.scope().require_command_line()?;
        if assets.len() > ASSETS {
            return Err(StoreError::Conflict("an asset log has at most 50,000 assets"));
        }
        let before = self.tags(school)?;
        for table in ["asset_addresses", "asset_holders"] {
            self.sql()
                .prepare_cached(&format!("DELETE FROM {table} WHERE school = ?1"))?
                .execute([school.as_bytes()])?;
        }
        self.sql()
            .prepare_cached(
                "UPDATE assets SET retired_at = ?2 WHERE school = ?1 AND retired_at IS NULL",
            )?
            .execute((school.as_bytes(), self.now().as_microsecond()))?;
        for asset in assets {
            self.add_asset(school, asset)?;
        }
        let kept = assets.iter().filter(|asset| before.contains(&asset.asset_tag)).count();
        let imported = Imported {
            assets: assets.len(),
            added: assets.len() - kept,
            retired: before.len() - kept,
            approved: self.take_over_assets(school)?,
        };
        let detail = format!(
            "{} assets, {} of them new, {} gone; {} devices approved by it",
            imported.assets, imported.added, imported.retired, imported.approved
        );
        self.audit(Action::AssetLogImported, Some(school), None, Some(&detail))?;
        Ok(imported)
    }

    fn tags(&self, school: SchoolId) -> Result<HashSet<String>, StoreError> {
        let mut statement = self.sql().prepare_cached(
            "SELECT asset_tag FROM assets WHERE school = ?1 AND retired_at IS NULL",
        )?;
        let tags = collect(statement.query([school.as_bytes()])?, |row| Ok(row.get(0)?))?;
        Ok(tags.into_iter().collect())
    }

    fn add_asset(&self, school: SchoolId, asset: &NewAsset) -> Result<(), StoreError> {
        let id: [u8; 16] = self
            .sql()
            .prepare_cached(
                "INSERT INTO assets (asset, school, asset_tag, serial_number, sort, shared)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (school, asset_tag) DO UPDATE SET serial_number = ?4, sort = ?5, shared = ?6,
                   retired_at = NULL
                 RETURNING asset",
            )?
            .query_row(
                (
                    ClientId::draw(self.randomness()).as_bytes(),
                    school.as_bytes(),
                    &asset.asset_tag,
                    &asset.serial_number,
                    asset.sort.as_str(),
                    asset.shared,
                ),
                |row| row.get(0),
            )?;
        let mut address = self.sql().prepare_cached(
            "INSERT INTO asset_addresses (school, mac, asset) VALUES (?1, ?2, ?3)",
        )?;
        for mac in &asset.macs {
            address.execute((school.as_bytes(), mac, id))?;
        }
        if let Some(holder) = &asset.holder {
            // As long as an alert's content: a log that nobody has renewed for longer says little.
            let expires = self.now() + SignedDuration::from_hours(24 * CONTENT_KEPT_DAYS);
            self.sql()
                .prepare_cached(
                    "INSERT INTO asset_holders (asset, school, kind, expires_at, authority, account)
                     VALUES (?1, ?2, 'holder', ?3, ?4, ?5)",
                )?
                .execute((
                    id,
                    school.as_bytes(),
                    expires.as_microsecond(),
                    holder.authority(),
                    holder.name(),
                ))?;
        }
        Ok(())
    }

    /// Gives the devices of a school the tags of their serial numbers, and approves those that wait and have
    /// one; says how many.
    fn take_over_assets(&self, school: SchoolId) -> Result<usize, StoreError> {
        self.sql()
            .prepare_cached(
                "UPDATE devices SET asset_tag = (SELECT a.asset_tag FROM assets a
                   WHERE a.school = devices.school AND a.retired_at IS NULL
                     AND a.serial_number = upper(trim(devices.serial_number)))
                 WHERE school = ?1",
            )?
            .execute([school.as_bytes()])?;
        let mut statement = self.sql().prepare_cached(
            "SELECT device FROM devices
             WHERE school = ?1 AND status = 'pending' AND asset_tag IS NOT NULL",
        )?;
        let pending: Vec<DeviceId> =
            collect(statement.query([school.as_bytes()])?, |row| id(row, "device"))?;
        for device in &pending {
            self.approve_by_asset_log(school, *device)?;
        }
        Ok(pending.len())
    }

    /// Approves a device that has just enrolled, if its serial number stands in the asset log, and gives it its
    /// tag; says whether it did.
    pub(super) fn approve_if_in_asset_log(
        &self,
        school: SchoolId,
        device: DeviceId,
    ) -> Result<bool, StoreError> {
        let known = self
            .sql()
            .prepare_cached(
                "UPDATE devices SET asset_tag = a.asset_tag FROM assets a
                 WHERE devices.device = ?1 AND a.school = ?2 AND a.retired_at IS NULL
                   AND a.serial_number = upper(trim(devices.serial_number))",
            )?
            .execute((device.as_bytes(), school.as_bytes()))?;
        if known > 0 {
            self.approve_by_asset_log(school, device)?;
        }
        Ok(known > 0)
    }

    fn approve_by_asset_log(&self, school: SchoolId, device: DeviceId) -> Result<(), StoreError> {
        self.sql()
            .prepare_cached(
                "UPDATE devices SET status = 'approved', decided_at = ?2 WHERE device = ?1",
            )?
            .execute((device.as_bytes(), self.now().as_microsecond()))?;
        let detail = "its serial number stands in the asset log";
        self.audit(Action::DeviceApproved, Some(school), Some(device.as_bytes()), Some(detail))
    }
}

fn asset(row: &Row<'_>) -> Result<Asset, StoreError> {
    let authority: Option<String> = row.get("authority")?;
    let account: Option<String> = row.get("account")?;
    Ok(Asset {
        client: ClientId::read(row, "asset")?.ok_or(StoreError::Malformed("asset"))?,
        holder: authority.zip(account).map(|(authority, name)| Account::new(&authority, &name)),
    })
}

fn sort(row: &Row<'_>) -> Result<Sort, StoreError> {
    Sort::parse(&row.get::<_, String>("sort")?).ok_or(StoreError::Malformed("sort of asset"))
}

#[cfg(test)]
pub(crate) mod tests;
