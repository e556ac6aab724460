//! Redshank as its users meet it: real programs, a real browser, real TLS, on one machine.
//!
//! | module | what it is |
//! |---|---|
//! | [`programs`] | the agent and the collector: built, started, killed |
//! | [`stack`] | a collector with a school, its people and an enrolled device, in a folder of its own |
//! | [`browser`] | a browser of this machine, headless, with a profile of its own |
//! | [`site`] | a small website on loopback that walks the browser through a [`script`] |
//! | [`script`] | what the pupil of the demo does, and what should come of it |
//! | [`pages`] | the web as pupils use it, on loopback |
//! | [`watched`] | a browser with the extension in it, used by its mouse, keys and windows |
//! | [`devtools`], [`marionette`] | how Chromium and Firefox are steered |
//! | [`console`] | the console as a person's browser sees it, signed in |
//! | [`feed`] | the feed as a monitoring service reads it |
//! | [`pupil`] | one who goes through a script: in a browser, or by a [`replay`] of a history it wrote |
//! | [`history`] | when a browser wrote a visit to its history file |
//! | [`squid`] | a real Squid, and devices behind it |
//! | [`measure`] | how long a visit takes to the queue |
//! | [`typing`] | how long typed text takes to the queue |
//! | [`evaluation`] | how good the rule packs are, on labelled texts |
//!
//! The agent and the collector are not linked here but started, as their users start them: each is built by
//! itself, so that the collector's SQLCipher stays out of the agent. One test alone links the collector, to open
//! its store with its own keys.

pub mod browser;
pub mod console;
pub mod devtools;
pub mod evaluation;
pub mod feed;
pub mod history;
pub mod marionette;
pub mod measure;
pub mod pages;
pub mod programs;
pub mod pupil;
pub mod replay;
pub mod script;
pub mod site;
pub mod squid;
pub mod stack;
pub mod typing;
pub mod watched;
