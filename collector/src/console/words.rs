//! The field's words for what the store keeps as names and numbers.

use std::borrow::Cow;

use redshank_matcher::Category;
use redshank_proto::v1::{
    CoverageState, FilterAction, GapReason, MediumChange, Place, ProgramList, TextKind, Transition,
};

use crate::store::Role;
use crate::store::alarms::AlarmKind;
use crate::store::alerts::{AlertStatus, Deed};
use crate::store::assets::ClientName;
use crate::store::devices::DeviceStatus;
use crate::store::notices::{Notice, NoticeKind};
use crate::store::notices_shown::Audience;
use crate::store::sightings::Thing;
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

/// What kind of text of a page it was, as the caption of a snippet.
pub(super) fn text_kind(kind: i32) -> &'static str {
    match TextKind::try_from(kind).unwrap_or_default() {
        TextKind::Unspecified => "In a page’s text",
        TextKind::Typed => "Typed into a page",
        TextKind::Prompt => "Typed to an AI chat",
        TextKind::Answer => "Answered by an AI chat",
        TextKind::Page => "In the text of a page",
    }
}

/// What an event was, beside the words that matched; none where the words say it.
pub(super) fn deed(deed: Deed) -> Option<&'static str> {
    Some(match deed {
        Deed::Searched => "searched for",
        Deed::Visited => "on a page that was opened",
        Deed::Typed => "typed into a page",
        Deed::Prompted => "typed to an AI chat",
        Deed::Answered => "answered by an AI chat",
        Deed::PageText => "in a page’s text",
        Deed::Blocked => "the filter blocked it",
        Deed::Program => "a program",
        Deed::Medium => "a removable medium",
        Deed::Unknown => return None,
    })
}

/// The device behind a host that reports for others.
pub(super) fn client(client: &ClientName) -> String {
    match client {
        ClientName::Asset { asset_tag, sort } => format!("{} {asset_tag}", sort.label()),
        ClientName::Unknown { mac, address: Some(address) } => {
            format!("unknown device {mac}, last at {address}")
        }
        ClientName::Unknown { mac, address: None } => format!("unknown device {mac}"),
        ClientName::AtAddress(address) => {
            format!("whatever had the address {address} then; it may be more than one device")
        }
        ClientName::Indistinct => "unknown devices (the log does not tell them apart)".to_owned(),
        ClientName::Forgotten => "unknown device".to_owned(),
    }
}

/// What a filter did with a request.
pub(super) fn filter_action(action: i32) -> &'static str {
    match FilterAction::try_from(action).unwrap_or_default() {
        FilterAction::Unspecified => "the log does not say whether it was blocked",
        FilterAction::Allowed => "let through",
        FilterAction::Blocked => "blocked by the filter",
    }
}

/// The list that a program is on.
pub(super) fn program_list(list: i32) -> &'static str {
    match ProgramList::try_from(list).unwrap_or_default() {
        ProgramList::Unspecified | ProgramList::Allowed => "on a list of the school",
        ProgramList::Bypass => "gets round the filter",
        ProgramList::RemoteControl => "lets somebody else use the device",
        ProgramList::Denied => "not allowed by the school",
    }
}

/// Whether a medium came or went.
pub(super) fn medium_change(change: i32) -> &'static str {
    match MediumChange::try_from(change).unwrap_or_default() {
        MediumChange::Unspecified => "seen",
        MediumChange::Inserted => "inserted",
        MediumChange::Removed => "removed",
    }
}

/// A size as it is printed on a medium.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    UNITS.iter().find(|(_, unit)| bytes >= *unit).map_or_else(
        || format!("{bytes} bytes"),
        |(name, unit)| format!("{} {name}", (bytes + unit / 2) / unit),
    )
}

/// A thing of the weekly summary.
pub(super) fn thing(thing: Thing) -> &'static str {
    match thing {
        Thing::BypassProgram => "Programs that get round the filter",
        Thing::RemoteControlProgram => "Programs that let somebody else use the device",
        Thing::DeniedProgram => "Programs that the school does not allow",
        Thing::OtherProgram => "Other programs on the school’s lists",
        Thing::MediumNotAllowed => "Removable media that the school does not allow",
        Thing::Medium => "Removable media",
    }
}

/// Whom a notice is written for.
pub(super) fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::YoungChildren => "young children",
        Audience::Pupils => "pupils",
        Audience::Staff => "staff",
        Audience::Families => "families",
        Audience::Other => "others",
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

/// A source, as a technician calls it; one that this build does not know, by its own name.
pub(super) fn source(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(match name {
        "browser_history" => "browser history files",
        "browser_extension" => "browser extension",
        "proxy_log" => "proxy log",
        "dns_log" => "name server’s log",
        "programs" => "programs",
        "removable_media" => "removable media",
        "notice" => "notice",
        "device" => "the device itself",
        other => return Cow::Owned(other.replace('_', " ")),
    })
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
        AlarmKind::UnknownDevice => {
            "Its log tells of devices that the asset log does not know, so nobody can say whose they are. See \
             the unknown devices, and add them to the asset log."
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_client_is_said_as_far_as_the_log_tells_it_apart() {
        let (mac, address) = ("02:00:00:00:00:01".to_owned(), "10.0.0.7".to_owned());
        for (name, expected) in [
            (
                ClientName::Unknown { mac: mac.clone(), address: Some(address.clone()) },
                "unknown device 02:00:00:00:00:01, last at 10.0.0.7",
            ),
            (ClientName::Unknown { mac, address: None }, "unknown device 02:00:00:00:00:01"),
            (
                ClientName::AtAddress(address),
                "whatever had the address 10.0.0.7 then; it may be more than one device",
            ),
            (ClientName::Indistinct, "unknown devices (the log does not tell them apart)"),
            (ClientName::Forgotten, "unknown device"),
        ] {
            assert_eq!(client(&name), expected);
        }
    }

    #[test]
    fn a_size_is_said_as_it_is_printed_on_a_medium() {
        for (size, expected) in [
            (512, "512 bytes"),
            (1_999, "2 kB"),
            (15_938_355_200, "16 GB"),
            (2_000_398_934_016, "2 TB"),
            (u64::MAX / 2, "9223372 TB"),
        ] {
            assert_eq!(bytes(size), expected, "{size}");
        }
    }
}
