//! What a technician must see to: content-free, counted, one row for each (school, device, kind) until it
//! is resolved.

use jiff::Timestamp;
use redshank_proto::clock::draw;
use redshank_proto::id::{DeviceId, SchoolId};

use super::scope::{Purpose, Viewer};
use super::value::{collect, count, id_or_none, time};
use super::{Edit, StoreError, View};

/// Alarms shown at once.
const SHOWN: u32 = 500;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlarmKind {
    /// Events could not be read and were set aside.
    ParkedEvent,
    /// An event's identity was used for two payloads.
    Conflict,
    /// Two successors of one run were seen: a cloned disk.
    Clone,
    /// A device lost events before it could send them.
    EventsLost,
    /// A device's events were refused.
    EventsRefused,
    /// A device is not read from, because it sends more than is kept of one.
    HeldBack,
    /// An alert has nobody who may see it.
    NoViewer,
    /// A host's log tells of a device that the asset log does not know.
    UnknownDevice,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::ParkedEvent,
        Self::Conflict,
        Self::Clone,
        Self::EventsLost,
        Self::EventsRefused,
        Self::HeldBack,
        Self::NoViewer,
        Self::UnknownDevice,
    ];

    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ParkedEvent => "parked_event",
            Self::Conflict => "conflict",
            Self::Clone => "clone",
            Self::EventsLost => "events_lost",
            Self::EventsRefused => "events_refused",
            Self::HeldBack => "held_back",
            Self::NoViewer => "no_viewer",
            Self::UnknownDevice => "unknown_device",
        }
    }

    /// Whether somebody who opens content may see it. That an alert has no viewer is kept from them: they
    /// are the ones it may be about, and the rest of them cannot mend it.
    fn is_shown_to_content_users(self) -> bool {
        match self {
            Self::ParkedEvent
            | Self::Conflict
            | Self::Clone
            | Self::EventsLost
            | Self::EventsRefused
            | Self::HeldBack
            | Self::UnknownDevice => true,
            Self::NoViewer => false,
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// An alarm that nobody has resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its random id.
    pub alarm: [u8; 16],
    /// The device it is about, if it is about one.
    pub device: Option<DeviceId>,
    /// What is wrong.
    pub kind: AlarmKind,
    /// How often, or how many.
    pub count: u64,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
}

impl View<'_> {
    /// A school's unresolved alarms, the latest first, as far as the viewer may know of them.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless somebody of the school or the command line asks.
    pub fn open_alarms(&self, school: SchoolId) -> Result<Vec<Alarm>, StoreError> {
        self.scope().require_school(school)?;
        let opens_content = match self.scope().viewer() {
            Viewer::User(_, role) => role.opens_content(),
            Viewer::CommandLine => false,
            Viewer::System(_) | Viewer::Device(_) | Viewer::Reader(_) => {
                return Err(StoreError::OutOfScope);
            }
        };
        let mut statement = self.sql().prepare_cached(
            "SELECT alarm, device, kind, count, first_at, last_at FROM alarms
             WHERE school = ?1 AND resolved_at IS NULL ORDER BY last_at DESC, alarm LIMIT ?2",
        )?;
        let mut alarms = collect(statement.query((school.as_bytes(), SHOWN))?, |row| {
            let kind: String = row.get("kind")?;
            Ok(Alarm {
                alarm: row.get("alarm")?,
                device: id_or_none(row, "device")?,
                kind: AlarmKind::parse(&kind).ok_or(StoreError::Malformed("kind of alarm"))?,
                count: count(row, "count")?,
                first_at: time(row, "first_at")?,
                last_at: time(row, "last_at")?,
            })
        })?;
        alarms.retain(|alarm| !opens_content || alarm.kind.is_shown_to_content_users());
        Ok(alarms)
    }
}

impl Edit<'_> {
    /// Raises an alarm, or adds to the unresolved one of the same school, device and kind.
    ///
    /// # Errors
    /// [`StoreError::OutOfScope`] unless triage or a device of the school causes it.
    pub fn raise_alarm(
        &self,
        school: SchoolId,
        device: Option<DeviceId>,
        kind: AlarmKind,
        count: u64,
    ) -> Result<(), StoreError> {
        self.scope().require_school(school)?;
        match self.scope().viewer() {
            Viewer::System(Purpose::Triage) => {}
            Viewer::Device(viewer) if Some(*viewer) == device => {}
            _ => return Err(StoreError::OutOfScope),
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let now = self.now().as_microsecond();
        let device = device.map(|device| *device.as_bytes());
        // The sum stops at a bound of its own: an overflow would turn it into a float.
        let grown = self
            .sql()
            .prepare_cached(
                "UPDATE alarms SET count = min(count, 4611686018427387904) + min(?4, 4611686018427387903),
                   last_at = ?5
                 WHERE school = ?1 AND device IS ?2 AND kind = ?3 AND resolved_at IS NULL",
            )?
            .execute((school.as_bytes(), device, kind.as_str(), count, now))?;
        if grown == 0 {
            self.sql()
                .prepare_cached(
                    "INSERT INTO alarms (alarm, school, device, kind, count, first_at, last_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                )?
                .execute((
                    draw::<16>(self.randomness()),
                    school.as_bytes(),
                    device,
                    kind.as_str(),
                    count,
                    now,
                ))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redshank_proto::clock::System;
    use redshank_proto::id::UserId;

    use super::*;
    use crate::store::tests::Scratch;
    use crate::store::{Role, Scope};

    #[tokio::test]
    async fn alarms_of_one_kind_fold_into_one_row_for_each_device() {
        let scratch = Scratch::new();
        let school = SchoolId::draw(&System);
        let (one, other) = (DeviceId::draw(&System), DeviceId::draw(&System));
        let triage = Scope::system(Purpose::Triage);
        for (device, kind, count) in [
            (Some(one), AlarmKind::ParkedEvent, 1),
            (Some(one), AlarmKind::ParkedEvent, 2),
            (Some(one), AlarmKind::Conflict, 1),
            (Some(other), AlarmKind::ParkedEvent, u64::MAX),
            (Some(other), AlarmKind::ParkedEvent, u64::MAX),
            (None, AlarmKind::ParkedEvent, 1),
        ] {
            let raise = move |edit: &Edit<'_>| edit.raise_alarm(school, device, kind, count);
            scratch.store.write(&triage, raise).await.unwrap();
        }
        let technician = Scope::user(UserId::draw(&System), Role::Technician, school);
        let open = scratch.store.read(&technician, move |view| view.open_alarms(school));
        let open = open.await.unwrap();
        assert_eq!(open.len(), 4);
        let parked = open
            .iter()
            .find(|alarm| alarm.device == Some(one) && alarm.kind == AlarmKind::ParkedEvent);
        assert_eq!(parked.unwrap().count, 3);
    }

    #[tokio::test]
    async fn that_an_alert_has_no_viewer_is_for_technicians() {
        let scratch = Scratch::new();
        let school = SchoolId::draw(&System);
        let triage = Scope::system(Purpose::Triage);
        for kind in AlarmKind::ALL {
            assert_eq!(AlarmKind::parse(kind.as_str()), Some(kind));
            let raise = move |edit: &Edit<'_>| edit.raise_alarm(school, None, kind, 1);
            scratch.store.write(&triage, raise).await.unwrap();
        }
        let user = |role| Scope::user(UserId::draw(&System), role, school);
        for (scope, shown) in [
            (user(Role::Technician), true),
            (Scope::command_line(), true),
            (user(Role::Dsl), false),
        ] {
            let open = scratch.store.read(&scope, move |view| view.open_alarms(school));
            let open = open.await.unwrap();
            assert_eq!(open.len(), AlarmKind::ALL.len() - usize::from(!shown));
            assert_eq!(open.iter().any(|alarm| alarm.kind == AlarmKind::NoViewer), shown);
        }
    }

    #[tokio::test]
    async fn a_device_raises_alarms_about_itself_alone() {
        let scratch = Scratch::new();
        let school = SchoolId::draw(&System);
        let (one, other) = (DeviceId::draw(&System), DeviceId::draw(&System));
        let scope = Scope::device(school, one);
        for (device, fine) in [(Some(one), true), (Some(other), false), (None, false)] {
            let raise =
                move |edit: &Edit<'_>| edit.raise_alarm(school, device, AlarmKind::Clone, 1);
            assert_eq!(scratch.store.write(&scope, raise).await.is_ok(), fine);
        }
    }
}
