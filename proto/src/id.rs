//! Random 128-bit ids, and what identifies an event.
//!
//! Ids are drawn, never counted: whoever sees one learns nothing from it, not even how many others
//! there are. All 128 bits are random; on screen they are written in the hyphenated form of RFC 9562.

use std::fmt;
use std::str::FromStr;

use crate::clock::{Randomness, draw};
use crate::v1;

/// Bytes in an id.
pub const ID_BYTES: usize = 16;

/// What should have been an id and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {ID_BYTES} bytes (32 hexadecimal digits, hyphens allowed), and this is not")]
pub struct NotAnId {
    /// Which kind of id was expected.
    pub what: &'static str,
}

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// Draws a new one.
            #[must_use]
            pub fn draw(randomness: &dyn Randomness) -> Self {
                Self(draw(randomness))
            }

            /// Takes the bytes of one drawn before.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
                &self.0
            }

            /// Its bytes, for a message.
            #[must_use]
            pub fn to_vec(self) -> Vec<u8> {
                self.0.to_vec()
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = NotAnId;

            fn try_from(bytes: &[u8]) -> Result<Self, NotAnId> {
                bytes.try_into().map(Self).map_err(|_| NotAnId { what: stringify!($name) })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&uuid::Uuid::from_bytes(self.0).hyphenated(), formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                uuid::Uuid::try_parse(text)
                    .map(|id| Self(id.into_bytes()))
                    .map_err(|_| NotAnId { what: stringify!($name) })
            }
        }
    };
}

id! {
    /// Names a school.
    SchoolId
}
id! {
    /// Names a device: one enrolment of one installation.
    DeviceId
}
id! {
    /// Names a reader of the feed.
    ReaderId
}
id! {
    /// Names an alert.
    AlertId
}
id! {
    /// Names a person as the collector knows one.
    PersonId
}
id! {
    /// Names somebody who signs in to the console.
    UserId
}
id! {
    /// Names an enrolment token, without its secret.
    TokenId
}
id! {
    /// Names a key of a trust bundle.
    KeyId
}
id! {
    /// Names one start of an agent.
    RunId
}
id! {
    /// Drawn when a spool is made or set aside and at every start: a counter that restarts can never
    /// give an old event's identity to a new event.
    Epoch
}
id! {
    /// Names a collector's log from its beginning, or from a restore, to the next restore.
    Generation
}
id! {
    /// Names a check of a device.
    CheckId
}

/// The lanes, as code uses them: [`v1::Lane`] without its unspecified value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Severity 3 to 5.
    Urgent,
    /// Everything else.
    Routine,
}

impl Lane {
    /// Both, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Routine];

    /// Its number on the wire and in stores.
    #[must_use]
    pub fn number(self) -> i32 {
        v1::Lane::from(self) as i32
    }

    /// The lane with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        match v1::Lane::try_from(number).ok()? {
            v1::Lane::Unspecified => None,
            v1::Lane::Urgent => Some(Self::Urgent),
            v1::Lane::Routine => Some(Self::Routine),
        }
    }
}

impl From<Lane> for v1::Lane {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Urgent => Self::Urgent,
            Lane::Routine => Self::Routine,
        }
    }
}

/// What identifies an event, together with the device that its certificate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The epoch.
    pub epoch: Epoch,
    /// The lane.
    pub lane: Lane,
    /// 1 to 2^63 − 1, rising within epoch and lane.
    pub sequence: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::System;

    #[test]
    fn an_id_survives_its_text_and_its_bytes() {
        let id = DeviceId::draw(&System);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(DeviceId::try_from(id.to_vec().as_slice()), Ok(id));
    }

    #[test]
    fn what_is_no_id_is_refused_by_name() {
        assert_eq!(Epoch::try_from([0; 15].as_slice()), Err(NotAnId { what: "Epoch" }));
        assert_eq!("zz".parse::<SchoolId>(), Err(NotAnId { what: "SchoolId" }));
    }

    #[test]
    fn lanes_keep_their_numbers() {
        for (lane, number) in [(Lane::Urgent, 1), (Lane::Routine, 2)] {
            assert_eq!(lane.number(), number);
            assert_eq!(Lane::from_number(number), Some(lane));
        }
        for number in [-1, 0, 3, i32::MAX] {
            assert_eq!(Lane::from_number(number), None);
        }
    }
}
