//! Native messaging: how the browser's extension reaches the agent.
//!
//! ```text
//!  browser                       the pupil's process            the agent
//!  extension ◄── stdin/stdout ──► native-host ◄── socket ──► sources::extension
//!              frames ([`frame`])  relays ([`host`])  ([`local`])   reads messages ([`message`])
//! ```
//! The browser starts `redshank-agent` as the pupil and speaks with it over standard input and output
//! ("Native messaging", Chrome for Developers; "Native messaging", MDN). That process holds no data, no
//! right and no state: it passes frames to the running agent over a local socket, whose peer's user the
//! agent learns from the kernel. Who says what is therefore never a matter of what a message claims.
//!
//! # What always holds
//! - **The host knows nothing of what it passes on**: it reads no message, writes no file and logs no
//!   content. It needs neither the state folder nor any right that the pupil does not have.
//! - **Every size is bounded at both ends**: a frame from the browser by [`frame::FROM_BROWSER`], one to
//!   the browser by [`frame::TO_BROWSER`], and no more than one frame each way is held at a time, so that
//!   whoever is slow makes the other wait instead of making this process grow.
//! - **The agent may come and go.** The host says `away`, dials again with growing, jittered pauses, says
//!   `back`, and passes on nothing of what the browser said between the two: the extension keeps every
//!   item until it is `stored` and says it again after `back`.
//! - **What was said before is not taken back**: frames are passed on whole or not at all.
//!
//! # How a browser names what it starts
//! The manifest of a native messaging host holds a path and no arguments, so the program recognises by
//! its arguments that a browser has started it ([`is_started_by_browser`]).

pub mod frame;
pub mod host;
pub mod local;
pub mod manifest;
pub mod message;

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The name by which the extension asks for the host.
pub const HOST_NAME: &str = "uk.redshank.agent";
/// The scheme and start of a Chromium extension's origin.
const CHROMIUM_ORIGIN: &str = "chrome-extension://";

/// Whether these arguments, the program's own name first, are a browser's: Chromium gives the extension's
/// origin (and on Windows `--parent-window=…` after it), Firefox the manifest's path and the extension's id.
#[must_use]
pub fn is_started_by_browser(arguments: &[OsString]) -> bool {
    match arguments {
        [_, origin, ..] if is_origin(origin) => true,
        [_, manifest, extension] => {
            let is_manifest = Path::new(manifest).extension().is_some_and(|it| it == "json");
            is_manifest && extension == manifest::FIREFOX_EXTENSION
        }
        _ => false,
    }
}

fn is_origin(argument: &OsStr) -> bool {
    argument.to_str().is_some_and(|argument| argument.starts_with(CHROMIUM_ORIGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_its_arguments_and_a_person_by_hers() {
        let origin = "chrome-extension://abcdefghijklmnopabcdefghijklmnop/";
        for (arguments, browser) in [
            (&["a", origin][..], true),
            (&["a", origin, "--parent-window=0"], true),
            (&["a", "/etc/x/uk.redshank.agent.json", manifest::FIREFOX_EXTENSION], true),
            (&["a", r"C:\x\uk.redshank.agent.json", manifest::FIREFOX_EXTENSION], true),
            (&["a", "/etc/x/uk.redshank.agent.json", "other@example"], false),
            (&["a", "/etc/x/uk.redshank.agent.json"], false),
            (&["a", "status", "--json"], false),
            (&["a", "run"], false),
            (&["a"], false),
            (&[], false),
        ] {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            assert_eq!(is_started_by_browser(&arguments), browser, "{arguments:?}");
        }
    }
}
