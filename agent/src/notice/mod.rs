//! The notice: what is collected on this device, by whom, what never is, and where help is.
//!
//! ```text
//! policy in force ┐
//! sources that run ├─► Facts ─► page (one for each audience) ─► text, HTML ─► public folder ─► `notice`
//! ```
//!
//! # What always holds
//! - **It is true for this device.** Each sentence that depends on something is there by [`Facts`]: which
//!   sources run here, and what the policy in force lets them read. A change of policy changes the notice.
//! - **One text, two forms.** Plain text and HTML are made of the same page, so that neither says more.
//! - **The school's words are only ever words**: escaped, of bounded length, on one line.
//! - **The HTML fetches nothing**: one file, no script; its content policy forbids the rest. It is readable in
//!   light and dark, on paper and by a screen reader.
//! - **Nobody can change what a pupil is shown but the agent**: the rendered notices lie in a folder that all may
//!   read and only the agent's account may write ([`public`]). The state folder is not readable to a pupil.
//! - **The agent starts nothing**, a browser no more than anything else. Who opens the file at sign-in is the
//!   desktop's own entry, that an installer places; it then says so with `notice --shown`, over the local
//!   socket, where the kernel vouches for whose showing it was ([`confirm`]).
//! - **That somebody was told is kept**: account, version and time ([`Shown`]).

pub mod confirm;
mod html;
mod page;
pub mod public;
mod shown;
mod text;
mod told;

use crate::observation::Audience;
use crate::policy::PolicyInForce;

pub use self::shown::{INPUT, Shown};
pub use self::told::Told;

/// Every audience, in the order in which they are offered.
pub const AUDIENCES: [Audience; 4] =
    [Audience::YoungChildren, Audience::Pupils, Audience::Staff, Audience::Families];

/// Bytes of each of the school's own words (`policy.proto`).
const WORDS_BYTES: usize = 256;

/// What this device does, beside policy: which sources run on it, and whose it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sentence that stands or does not")]
pub struct Device {
    /// Browsers' histories are followed.
    pub histories: bool,
    /// The browser extension may speak to the agent.
    pub extension: bool,
    /// Logs of a proxy or a name server are followed: this host passes on what other devices ask for.
    pub logs: bool,
    /// Programs are followed.
    pub programs: bool,
    /// Removable media are followed.
    pub media: bool,
    /// A pupil's own device: the managed browser in school hours, nothing else.
    pub pupils_own: bool,
    /// Nothing is read out from before a person was first shown the notice.
    pub since_shown: bool,
}

/// What the notice says of this device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sentence that stands or does not")]
pub struct Facts {
    /// The school's name; empty if policy names none.
    pub school: String,
    /// Who watches, in the school's words; empty if policy does not say.
    pub watched_by: String,
    /// Whom to turn to in school; empty if policy does not say.
    pub help: String,
    /// Rises when people must be told anew.
    pub version: u32,
    /// What the device does.
    pub device: Device,
    /// Visits without a concern leave the device, too.
    pub visits: bool,
    /// What pupils type is read.
    pub typed: bool,
    /// Text is read in the same way when staff are at the keyboard; so it is where policy names no staff.
    pub staff_typed: bool,
    /// The visible text of pages is read.
    pub page_text: bool,
    /// What AI chats answer is read.
    pub ai_answers: bool,
}

impl Facts {
    /// What policy makes of a device. Text of pages is read by the extension alone.
    #[must_use]
    pub fn of(policy: &PolicyInForce, device: Device) -> Self {
        use crate::observation::TextKind;
        let notice = policy.notice();
        let reads = |kind| device.extension && policy.reads_text(kind, None);
        Self {
            school: words(&notice.school_name),
            watched_by: words(&notice.watched_by),
            help: words(&notice.help),
            version: notice.version,
            device,
            visits: policy.report_visits(),
            typed: reads(TextKind::Typed),
            staff_typed: policy.reads_staff_text() || !policy.names_staff(),
            page_text: reads(TextKind::Page),
            ai_answers: reads(TextKind::Answer),
        }
    }
}

/// The notice for an audience, as plain text of lines of at most 78 characters.
#[must_use]
pub fn text(facts: &Facts, audience: Audience) -> String {
    text::render(&page::page(facts, audience))
}

/// The notice for an audience, as one HTML file; `beside` those of the other audiences, it has links to them.
#[must_use]
pub fn html(facts: &Facts, audience: Audience, beside: bool) -> String {
    html::render(&page::page(facts, audience), audience, beside)
}

/// An HTML notice of the public folder without the links to those beside it.
#[must_use]
pub fn alone(html: &str) -> String {
    html::without_others(html)
}

/// An audience's name in commands, messages and file names.
#[must_use]
pub fn name(audience: Audience) -> &'static str {
    match audience {
        Audience::YoungChildren => "young-children",
        Audience::Pupils => "pupils",
        Audience::Staff => "staff",
        Audience::Families => "families",
    }
}

/// The audience of a name; `None` if there is none.
#[must_use]
pub fn named(name_of: &str) -> Option<Audience> {
    AUDIENCES.into_iter().find(|audience| name(*audience) == name_of)
}

/// The school's words, on one line and without what is not written.
fn words(text: &str) -> String {
    let line = text.split(|it: char| it.is_whitespace() || it.is_control());
    let mut words = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.truncate(words.floor_char_boundary(WORDS_BYTES));
    words
}

#[cfg(test)]
mod tests;
