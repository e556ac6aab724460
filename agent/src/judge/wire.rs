//! What leaves the device of each kind of content, in the words of the wire.

use redshank_proto::v1;

use crate::minimiser::{PageText, Request, Visit};
use crate::observation::{
    Action, Audience, Evidence, Medium, MediumChange, Missed, NoticeShown, Program, Source,
    TextKind, Transition,
};
use crate::policy::{List, PolicyInForce};

/// Whether words leave beside an address: only with a match, and never of illegal imagery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    Leave,
    Stay,
    /// Of illegal imagery: not even what the filter calls it.
    Never,
}

impl Words {
    fn of(self, text: Option<&str>) -> Option<String> {
        text.filter(|_| self == Self::Leave).map(str::to_owned)
    }
}

pub(super) fn evidence(policy: &PolicyInForce, piece: &Evidence) -> v1::Evidence {
    use v1::AttributionMethod::{AddressLease, ClientAddress, ProxyUser, SharedLogin, SignedIn};
    let shared =
        |name: &str, otherwise| if policy.is_shared_login(name) { SharedLogin } else { otherwise };
    // The owner of a folder is known by the machine itself; which directory vouches for him, it does not say.
    let (method, value, authority) = match piece {
        Evidence::OsUser(name) => (shared(name, SignedIn), name.clone(), ""),
        Evidence::ProxyUser { name, authority } => {
            (shared(name, ProxyUser), name.clone(), authority.as_str())
        }
        Evidence::Lease { mac } => (AddressLease, mac.clone(), ""),
        Evidence::ClientAddress(address) => (ClientAddress, address.to_string(), ""),
    };
    v1::Evidence { method: method.into(), value, authority: authority.to_owned() }
}

pub(super) fn visit(seen: &Visit, words: Words) -> v1::Visit {
    v1::Visit {
        browser: seen.browser.clone(),
        profile: seen.profile.clone(),
        address: seen.address.text().to_owned(),
        title: words.of(seen.title.as_deref()),
        search_terms: words.of(seen.search_terms.as_deref()),
        transition: transition(seen.transition).into(),
        private_window: seen.private_window,
    }
}

pub(super) fn page_text(seen: &PageText, words: Words) -> v1::PageText {
    let kind = match seen.kind {
        TextKind::Typed => v1::TextKind::Typed,
        TextKind::Prompt => v1::TextKind::Prompt,
        TextKind::Answer => v1::TextKind::Answer,
        TextKind::Page => v1::TextKind::Page,
    };
    v1::PageText {
        browser: seen.browser.clone(),
        address: seen.address.text().to_owned(),
        title: words.of(seen.title.as_deref()),
        kind: kind.into(),
        private_window: seen.private_window,
    }
}

pub(super) fn request(seen: &Request, source: Source, words: Words) -> v1::LoggedRequest {
    let action = match seen.action {
        Action::Allowed => v1::FilterAction::Allowed,
        Action::Blocked => v1::FilterAction::Blocked,
    };
    v1::LoggedRequest {
        address: seen.place.text().to_owned(),
        action: action.into(),
        category: seen.category.clone().filter(|_| words != Words::Never),
        reason: words.of(seen.reason.as_deref()),
        search_terms: words.of(seen.search_terms.as_deref()),
        user_agent: words.of(seen.user_agent.as_deref()),
        status: seen.status.map_or(0, u32::from),
        name_lookup: source == Source::DnsLog,
    }
}

/// A program of a list that was found; `Allowed` is never told.
pub(super) fn program(seen: &Program, list: List) -> v1::Program {
    let list = match list {
        List::Bypass => v1::ProgramList::Bypass,
        List::RemoteControl => v1::ProgramList::RemoteControl,
        List::Denied | List::Allowed => v1::ProgramList::Denied,
    };
    v1::Program {
        name: seen.name.clone(),
        list: list.into(),
        path: seen.path.clone(),
        publisher: seen.publisher.clone(),
    }
}

pub(super) fn medium(seen: &Medium, allowed: bool) -> v1::Medium {
    let change = match seen.change {
        MediumChange::Inserted => v1::MediumChange::Inserted,
        MediumChange::Removed => v1::MediumChange::Removed,
    };
    v1::Medium { change: change.into(), name: seen.name.clone(), bytes: seen.bytes, allowed }
}

pub(super) fn missed(seen: Missed) -> v1::Gap {
    v1::Gap {
        reason: v1::GapReason::Source.into(),
        lane: v1::Lane::Unspecified.into(),
        count: seen.count,
        ..Default::default()
    }
}

pub(super) fn notice_shown(seen: NoticeShown) -> v1::NoticeShown {
    let audience = match seen.audience {
        Audience::YoungChildren => v1::NoticeAudience::YoungChildren,
        Audience::Pupils => v1::NoticeAudience::Pupils,
        Audience::Staff => v1::NoticeAudience::Staff,
        Audience::Families => v1::NoticeAudience::Families,
    };
    v1::NoticeShown { version: seen.version, audience: audience.into() }
}

fn transition(transition: Transition) -> v1::Transition {
    match transition {
        Transition::Link => v1::Transition::Link,
        Transition::Typed => v1::Transition::Typed,
        Transition::Bookmark => v1::Transition::Bookmark,
        Transition::Subframe => v1::Transition::Subframe,
        Transition::FormSubmit => v1::Transition::FormSubmit,
        Transition::Reload => v1::Transition::Reload,
        Transition::Redirect => v1::Transition::Redirect,
        Transition::Download => v1::Transition::Download,
        Transition::Search => v1::Transition::Search,
        Transition::Other => v1::Transition::Unspecified,
    }
}
