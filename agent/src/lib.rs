//! The agent: watches a school device, openly, and reports what worries.
//!
//! ```text
//!  sources ──► minimiser ──► judge ──► spool ══ uplink ══► collector
//!  histories,   private       matcher,   two lanes,  gRPC over
//!  extension,   list, bare    context    sealed,     TLS 1.3, urgent
//!  logs,        addresses                durable     lane first
//!  programs,
//!  media
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`observation`] | the types in which every source speaks |
//! | [`sources`] | sees what happens: browsers' histories and the extension in them, logs of proxies and name servers, programs, removable media |
//! | [`native`] | the way from a browser to the agent: native messaging, the host that the browser starts, the local socket |
//! | [`notice`] | tells whoever uses the device what is collected and where help is, and knows who has been told |
//! | [`minimiser`] | the one place that every observation passes before anything else: what is private is dropped, addresses are cut to scheme, host and path |
//! | [`judge`] | holds observations against the rule packs, and makes events of them |
//! | [`policy`] | what the school has decided to watch: signed data, verified before use |
//! | [`pipeline`] | sources → minimiser → judge → spool, in that order and no other; of two that saw one visit, one event |
//! | [`spool`] | keeps events, sealed to the school's key, until the collector has them for certain |
//! | [`uplink`] | brings them there, urgent ones first |
//! | [`enrolment`] | how the device came to have a certificate, and keeps one |
//! | [`state`] | the agent's folder: identity, trust, settings |
//! | [`health`] | what each source sees and does not see, for the technician |
//! | [`cli`] | the commands |
//!
//! # What always holds
//!
//! - **Captured means durable.** A source's checkpoint moves in the transaction that stores what was read up to
//!   it: a crash at any moment neither loses a visit nor captures it twice.
//! - **The minimiser comes first, by type.** The judge takes only what the minimiser made; nothing else can be
//!   stored. A helpline's visit ends there, whatever its source and whatever it matches.
//! - **What lies on the disk is sealed** to the school's key; the agent itself cannot read what an earlier run
//!   of it has spooled.
//! - **Nothing executes on command.** Policy is data with a signature; the collector can offer it, ask for a
//!   fixed self-check, and ask for less. There is no other message down.
//! - **A pupil may be a local administrator.** Files in a profile are opened without following links, only if
//!   regular, owned by that profile's user and of bounded size, copied, and read defensively.
//! - **No content in logs**, at any level, in any build.
//!
//! One process, a current-thread runtime: sources are tasks that send batches into one bounded channel, SQLite
//! runs on blocking threads, and nothing wakes faster than once a second when nothing happens.

pub mod cli;
pub mod enrolment;
pub mod health;
pub mod judge;
pub mod minimiser;
pub mod native;
pub mod notice;
pub mod observation;
pub mod pipeline;
pub mod policy;
pub mod sources;
pub mod spool;
pub mod state;
pub mod uplink;
