//! The field's words for what the store keeps as names and numbers.

use std::borrow::Cow;

use redshank_matcher::Category;
use redshank_proto::v1::{CoverageState, GapReason, Place, Transition};

use crate::store::Role;
use crate::store::alarms::AlarmKind;
use crate::store::alerts::AlertStatus;
use crate::store::devices::DeviceStatus;
use crate::store::notices::{Notice, NoticeKind};
use crate::store::users::UserStatus;

/// How a state is coloured; its words always stand beside the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// As it should be.
    Good,
    /// Somebody should look.
    Attention,
    /// Not as it should be.
    Bad,
    /// Nobody can say.
    Unknown,
}

impl Level {
    /// The class of its chip.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// A severity in a word or two.
pub(super) fn severity(severity: u8) -> &'static str {
    match severity {
        5 => "Immediate",
        4 => "Within the day",
        3 => "Within days",
        2 => "Pattern only",
        _ => "Context",
    }
}

/// A category as it is said; one that this build does not know, by its own name.
pub(super) fn category(name: &str) -> Cow<'_, str> {
    name.parse::<Category>()
        .map_or_else(|_| Cow::Owned(name.replace('_', " ")), |category| category.label().into())
}

/// What school policies prescribe for a category, in one sentence; none where the school's ordinary procedure
/// serves.
pub(super) fn guidance(category: &str) -> Option<&'static str> {
    Some(match category {
        "suicide" | "self_harm" => {
            "Speak with the pupil today, or have somebody do so whom they trust. Do not leave a pupil at risk alone."
        }
        "sexual_exploitation" => {
            "Secure the device. Police on 101, or 999 if at immediate risk; report to CEOP; children’s social care."
        }
        "sexual_imagery" => {
            "Nobody views, prints, sends, saves or copies an image. Secure the device. Under 13, or an adult, \
             coercion or threats involved: always another agency."
        }
        "illegal_imagery" => {
            "Do not open the address. Do not investigate. Secure the device; tell the police and the Internet \
             Watch Foundation at once."
        }
        "radicalisation" => {
            "Consider a Prevent or Channel referral; police if an offence may have been committed."
        }
        "hate" => "Record it; police if it is criminal or in doubt.",
        "bullying" => "Record it and keep the evidence; police if it is criminal.",
        "violence" => "If somebody may be about to be hurt, call 999.",
        "abuse_disclosure" => {
            "Do not ask leading questions and promise no secrecy. Children’s social care as your policy says."
        }
        "cyber_offence" => "Consider a Cyber Choices referral: computer misuse is an offence.",
        _ => return None,
    })
}

/// Where a match stood, as the caption of its snippet.
pub(super) fn place(place: i32) -> &'static str {
    match Place::try_from(place).unwrap_or_default() {
        Place::Unspecified => "Seen",
        Place::Search => "Searched for",
        Place::Typed => "Typed",
        Place::PageText => "In the page’s text",
        Place::Title => "In the page’s title",
        Place::UrlPath => "In the page’s address",
        Place::Host => "Site",
        Place::Program => "Program",
    }
}

/// How the browser came to a page; none where that says nothing.
pub(super) fn transition(transition: i32) -> Option<&'static str> {
    match Transition::try_from(transition).unwrap_or_default() {
        Transition::Unspecified => None,
        Transition::Link => Some("followed a link"),
        Transition::Typed => Some("typed the address or chose a suggestion"),
        Transition::Bookmark => Some("opened a bookmark"),
        Transition::Subframe => Some("loaded within another page"),
        Transition::FormSubmit => Some("sent a form"),
        Transition::Reload => Some("loaded the page again"),
        Transition::Redirect => Some("was sent on by another page"),
        Transition::Download => Some("downloaded a file"),
        Transition::Search => Some("searched from the address bar"),
    }
}

/// Why events are missing.
pub(super) fn gap(reason: i32) -> &'static str {
    match GapReason::try_from(reason).unwrap_or_default() {
        GapReason::Unspecified => "Events are missing; the device does not say why.",
        GapReason::Evicted => "Events were given up because the device’s store was full.",
        GapReason::Quarantined => "Events were lost because the device’s store was damaged.",
        GapReason::Source => "Events were lost because a browser’s history or a log was cut.",
    }
}

/// Where an alert stands.
pub(super) fn alert_status(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Open => "Open",
        AlertStatus::Acknowledged => "Taken up",
        AlertStatus::Closed => "Closed",
    }
}

/// A role.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Dsl => "Designated Safeguarding Lead",
        Role::Technician => "Technician",
    }
}

/// What a role opens.
pub(super) fn opens(role: Role) -> &'static str {
    match role {
        Role::Dsl => "Alerts and what pupils wrote and saw; devices, to read; who may see what.",
        Role::Technician => "Devices and their health. No alert, no content, no pupil’s name.",
    }
}

/// Whether somebody may sign in.
pub(super) fn user_status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Pending => "Waits for approval",
        UserStatus::Active => "Active",
        UserStatus::Disabled => "Disabled",
    }
}

/// Where a device stands.
pub(super) fn device_status(status: DeviceStatus) -> (&'static str, Level) {
    match status {
        DeviceStatus::Pending => ("waits for approval", Level::Attention),
        DeviceStatus::Approved => ("approved", Level::Good),
        DeviceStatus::Revoked => ("revoked", Level::Bad),
    }
}

/// How much a source sees.
pub(super) fn coverage(state: i32) -> (&'static str, Level) {
    match CoverageState::try_from(state).unwrap_or_default() {
        CoverageState::Unspecified => ("unknown", Level::Unknown),
        CoverageState::Ok => ("sees all", Level::Good),
        CoverageState::Degraded => ("sees some", Level::Attention),
        CoverageState::Blind => ("blind", Level::Bad),
    }
}

/// A source, as its name reads: `browser_history` is "browser history".
pub(super) fn source(name: &str) -> String {
    name.replace('_', " ")
}

/// An operating system's name.
pub(super) fn platform(name: &str) -> &str {
    match name {
        "linux" => "Linux",
        "windows" => "Windows",
        "macos" => "macOS",
        other => other,
    }
}

/// What is wrong, and the way out.
pub(super) fn alarm(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::ParkedEvent => {
            "Events could not be read and were set aside. Update the agent on this device."
        }
        AlarmKind::Conflict => {
            "The same event arrived with two contents. Look for a restored or cloned disk."
        }
        AlarmKind::Clone => {
            "Two machines report as this device: a cloned disk. Enrol each of them anew."
        }
        AlarmKind::EventsLost => {
            "The device lost events before it could send them. Look at its disk and network."
        }
        AlarmKind::EventsRefused => {
            "Events of this device were refused. Update the agent on this device."
        }
        AlarmKind::HeldBack => {
            "This device sends more than is kept of one, and the rest waits on it. Look for a program gone \
             wrong; if it lasts, enrol it anew."
        }
        AlarmKind::NoViewer => "An alert has nobody who may see it. Add a user who may.",
    }
}

/// What a notice says.
pub(super) fn notice(notice: &Notice) -> String {
    let (name, role) = notice
        .subject
        .as_ref()
        .map_or(("Somebody", "role"), |(name, of)| (name.as_str(), role(*of)));
    match notice.kind {
        NoticeKind::RoleGranted => format!(
            "{name} was given the role of {role} on the collector’s command line. If you do not know of it, ask \
             your technician and your headteacher at once."
        ),
        NoticeKind::RoleApproved => format!("{name} was approved as {role} and can open alerts."),
    }
}
