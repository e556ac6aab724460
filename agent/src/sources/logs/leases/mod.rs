//! Which device had an address at a time: what DHCP servers on this host write down.
//!
//! ```text
//!  lease file ──► dnsmasq, isc ──► Table: address, device, from, until
//!  when it          what it             │
//!  changed          says          Leases::holder(address, time)
//! ```
//!
//! # What always holds
//! - **A file is read before the lines that came after it.** [`Leases::refresh`] looks at the files each
//!   time that lines are read: a server writes the lease before the device can ask for anything.
//! - **A file that is being rewritten is not believed**: dnsmasq empties its file and writes it anew. It
//!   counts once it has not changed while it was read and ends with a line; until then what was known is.
//! - Of several files, or holders, that name different devices for one time, none is believed ([`table`]).
//! - A file is opened as logs are, and no more than [`MOST_BYTES`] of it are read.

pub mod dnsmasq;
pub mod isc;
mod mac;
mod table;

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use self::mac::Mac;
use self::table::Table;
use super::follow::{Location, Refusal, identity, refusal};
use super::place::Identity;
use crate::sources::State;

/// Bytes of a lease file that are read: ISC's of a large school just before it is rewritten.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// How often a file that is being rewritten is tried, and how far apart: the writing takes microseconds,
/// but for a disk that stalls, and lines wait for it.
const TRIES: u32 = 5;
const TRY_AGAIN: Duration = Duration::from_millis(4);

/// Who writes a lease file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseFormat {
    /// dnsmasq.
    Dnsmasq,
    /// ISC's dhcpd.
    Isc,
}

/// One lease file, as set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Where it is.
    pub path: PathBuf,
    /// Who writes it.
    pub format: LeaseFormat,
}

/// All lease files.
#[derive(Debug)]
pub(super) struct Leases {
    files: Vec<LeaseFile>,
}

#[derive(Debug)]
struct LeaseFile {
    settings: LeaseSettings,
    table: Table,
    /// The file as it was read last.
    stamp: Option<Stamp>,
    /// Up to where ISC's file has been read.
    whole: u64,
    unread: u64,
    too_large: bool,
    refused: Option<Refusal>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    identity: Option<Identity>,
    bytes: u64,
    changed: Timestamp,
}

/// Why a file was not taken over.
enum Miss {
    /// It is being written.
    Unsettled,
    Refused(Refusal),
}

impl Leases {
    pub(super) fn new(settings: Vec<LeaseSettings>) -> Self {
        let files = settings.into_iter().map(|settings| LeaseFile {
            settings,
            table: Table::default(),
            stamp: None,
            whole: 0,
            unread: 0,
            too_large: false,
            refused: None,
        });
        Self { files: files.collect() }
    }

    /// Reads what has changed. Blocking.
    pub(super) fn refresh(&mut self, now: Timestamp) {
        for file in &mut self.files {
            file.refresh(now);
        }
    }

    /// The device that had an address at a time, if it is known and no other may have had it.
    pub(super) fn holder(&self, address: IpAddr, at: Timestamp) -> Option<Mac> {
        let holders = self.files.iter().flat_map(|file| file.table.holders(address, at));
        let holders: BTreeSet<_> = holders.collect();
        if holders.len() == 1 { holders.into_iter().next().flatten() } else { None }
    }

    /// How well each file is seen, with its path.
    pub(super) fn states(&self, now: Timestamp) -> Vec<(PathBuf, State)> {
        self.files.iter().map(|file| (file.settings.path.clone(), file.state(now))).collect()
    }
}

impl LeaseFile {
    fn refresh(&mut self, now: Timestamp) {
        for attempt in 1..=TRIES {
            match self.read(now) {
                Ok(()) => self.refused = None,
                Err(Miss::Refused(refused)) => {
                    self.refused = Some(refused);
                    self.stamp = None;
                }
                Err(Miss::Unsettled) => {
                    if attempt < TRIES {
                        std::thread::sleep(TRY_AGAIN);
                    }
                    continue;
                }
            }
            return;
        }
    }

    fn read(&mut self, now: Timestamp) -> Result<(), Miss> {
        let location = Location::resolve(&self.settings.path).map_err(Miss::Refused)?;
        let (mut file, _) = location.open(&location.name).map_err(Miss::Refused)?;
        let unreadable = |error: std::io::Error| Miss::Refused(refusal(&error));
        let stamp = stamp(&file).map_err(unreadable)?;
        if self.stamp == Some(stamp) {
            return Ok(());
        }
        let grown = self.stamp.is_some_and(|last| {
            last.identity.is_some() && last.identity == stamp.identity && last.bytes <= stamp.bytes
        });
        let from = match self.settings.format {
            LeaseFormat::Isc if grown => self.whole,
            _ => 0,
        };
        file.seek(SeekFrom::Start(from)).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.by_ref().take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        if self::stamp(&file).map_err(unreadable)? != stamp {
            return Err(Miss::Unsettled);
        }
        self.too_large = stamp.bytes.saturating_sub(from) > MOST_BYTES;
        match self.settings.format {
            LeaseFormat::Dnsmasq => {
                if !bytes.is_empty() && !bytes.ends_with(b"\n") && !self.too_large {
                    return Err(Miss::Unsettled);
                }
                let read = dnsmasq::read(&bytes);
                self.unread = read.unread;
                self.table.replace(&read.leases, stamp.changed, now);
            }
            LeaseFormat::Isc => {
                let read = isc::read(&bytes);
                self.unread = if from == 0 { 0 } else { self.unread }.saturating_add(read.unread);
                self.whole = from + read.whole as u64;
                for record in &read.records {
                    self.table.record(record);
                }
                self.table.tidy(now);
            }
        }
        self.stamp = Some(stamp);
        Ok(())
    }

    fn state(&self, now: Timestamp) -> State {
        if let Some(refused) = self.refused {
            let way_out = super::coverage::way_out(refused);
            return State::Blind(format!("the lease file cannot be read: {refused}{way_out}"));
        }
        let devices: BTreeSet<_> = self.table.devices(now).collect();
        let private = devices.iter().filter(|mac| mac.is_private()).count();
        let mut reasons = Vec::new();
        if self.too_large {
            reasons.push(format!("only its first {} MiB are read", MOST_BYTES / 1024 / 1024));
        }
        if self.unread > 0 {
            let unread = self.unread;
            reasons.push(format!("{unread} entries not understood; is the format right?"));
        }
        if private > 0 {
            reasons.push(format!(
                "{private} of {} devices use private MAC addresses, which the asset log cannot know; turn \
                 them off by MDM",
                devices.len()
            ));
        }
        if reasons.is_empty() { State::Ok } else { State::Degraded(reasons.join("; ")) }
    }
}

fn stamp(file: &std::fs::File) -> std::io::Result<Stamp> {
    let metadata = file.metadata()?;
    let changed = Timestamp::try_from(metadata.modified()?).unwrap_or(Timestamp::MAX);
    Ok(Stamp { identity: identity(&metadata), bytes: metadata.len(), changed })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_device_is_found_by_dnsmasq_s_file_as_it_is_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dnsmasq.leases");
        let mut leases =
            Leases::new(vec![LeaseSettings { path: path.clone(), format: LeaseFormat::Dnsmasq }]);
        let address = "192.168.4.17".parse().unwrap();
        leases.refresh(now());
        assert!(
            matches!(&leases.states(now())[0].1, State::Blind(why) if why.contains("not there"))
        );

        fs::write(&path, format!("{} a4:b1:c1:00:05:01 192.168.4.17 * *\n", later())).unwrap();
        let first = now();
        leases.refresh(now());
        assert_eq!(leases.states(now()), [(path.clone(), State::Ok)]);
        assert_eq!(name(leases.holder(address, first)), Some("a4:b1:c1:00:05:01".to_owned()));

        // Half of the new file is not believed.
        fs::write(&path, format!("{} a2:b1:c1:00", later())).unwrap();
        leases.refresh(now());
        assert_eq!(name(leases.holder(address, now())), Some("a4:b1:c1:00:05:01".to_owned()));
        fs::write(&path, format!("{} a2:b1:c1:00:05:02 192.168.4.17 * *\nrubbish\n", later()))
            .unwrap();
        leases.refresh(now());
        assert_eq!(name(leases.holder(address, now())), Some("a2:b1:c1:00:05:02".to_owned()));
        assert_eq!(name(leases.holder(address, first)), Some("a4:b1:c1:00:05:01".to_owned()));
        let State::Degraded(why) = &leases.states(now())[0].1 else { panic!() };
        assert_eq!(
            why,
            "1 entries not understood; is the format right?; 1 of 1 devices use private MAC addresses, which \
             the asset log cannot know; turn them off by MDM"
        );
    }

    #[test]
    fn isc_s_file_is_read_on_and_read_anew_when_it_is_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dhcpd.leases");
        let block = |last: u8, ends: &str| {
            format!(
                "lease 192.168.4.17 {{ starts 0 2026/11/22 03:0{last}:00; ends {ends}; binding state active; \
                 hardware ethernet a4:b1:c1:00:05:0{last}; }}\n"
            )
        };
        fs::write(&path, block(1, "0 2026/11/22 15:00:00")).unwrap();
        let settings = LeaseSettings { path: path.clone(), format: LeaseFormat::Isc };
        let mut leases = Leases::new(vec![settings.clone(), settings]);
        let address = "192.168.4.17".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let read_at = at("2026-11-22T08:00:00Z");
        leases.refresh(read_at);
        let holder = |leases: &Leases, time| name(leases.holder(address, at(time)));
        let first = Some("a4:b1:c1:00:05:01".to_owned());
        assert_eq!(holder(&leases, "2026-11-22T03:05:00Z"), first);

        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let next = block(2, "never");
        file.write_all(&next.as_bytes()[..30]).unwrap();
        leases.refresh(read_at);
        assert_eq!(holder(&leases, "2026-11-22T03:05:00Z"), first);
        file.write_all(&next.as_bytes()[30..]).unwrap();
        leases.refresh(read_at);
        let second = Some("a4:b1:c1:00:05:02".to_owned());
        assert_eq!(holder(&leases, "2026-11-22T03:05:00Z"), second);
        assert_eq!(holder(&leases, "2026-11-22T03:01:30Z"), first);

        fs::remove_file(&path).unwrap();
        fs::write(&path, block(3, "never")).unwrap();
        leases.refresh(read_at);
        assert_eq!(holder(&leases, "2026-11-22T03:05:00Z"), Some("a4:b1:c1:00:05:03".to_owned()));
        assert_eq!(holder(&leases, "2026-11-22T03:01:30Z"), first);
    }

    #[test]
    fn files_that_name_different_devices_name_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mac: &str| {
            let path = folder.path().join(name);
            fs::write(&path, format!("0 {mac} 192.168.4.17 * *\n")).unwrap();
            LeaseSettings { path, format: LeaseFormat::Dnsmasq }
        };
        let files = vec![file("one", "a4:b1:c1:00:05:01"), file("other", "a4:b1:c1:00:05:02")];
        let address = "192.168.4.17".parse().unwrap();
        let mut one = Leases::new(files[..1].to_vec());
        one.refresh(now());
        assert!(one.holder(address, now()).is_some());
        let mut both = Leases::new(files);
        both.refresh(now());
        assert_eq!(both.holder(address, now()), None);
    }

    fn name(mac: Option<Mac>) -> Option<String> {
        mac.map(|mac| mac.to_string())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the file system's own times are held against it"
    )]
    fn now() -> Timestamp {
        Timestamp::now()
    }

    fn later() -> i64 {
        (now() + 1.hour()).as_second()
    }
}
