//! The collector: takes what the agents report, prioritises it, and brings it to the people who act.
//!
//! ```text
//!  agents ══► listen ──► ingest ──► event log ──► triage ──► alert log ──► console   DSL, technician
//!             TLS 1.3,    durable,    sealed       a cursor      │
//!             mTLS        then ack                               └───────► feed      monitoring service
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`listen`] | our own tokio-rustls acceptor: who is calling, how many at once, certificates swapped live |
//! | [`enrolment`] | trades a token for a certificate, and renews it |
//! | [`ingest`] | appends what agents report to the event log, then acknowledges |
//! | [`triage`] | a cursor over the event log: unseals, attributes, prioritises, folds, routes |
//! | [`feed`] | a cursor over the alerts' change log, for monitoring services, pseudonymised |
//! | [`console`] | HTTPS pages for the DSL and the technician |
//! | [`policy`] | the rules and what each school decides, signed for its agents |
//! | [`asset_log`] | which device is whose, from a CSV file |
//! | [`keys`] | the root key and all that it wraps; the certification authority |
//! | [`store`] | SQLCipher; one writer, many readers, one module per noun, nothing without a [`store::Scope`] |
//! | [`settings`] | `collector.toml` |
//! | [`cli`] | the commands |
//!
//! # What always holds
//!
//! - **An acknowledgement means durable.** Ingest answers after `COMMIT` with `synchronous=FULL`; everything
//!   behind it is a cursor over a log that may crash at any moment and goes on where it stood.
//! - **Committed once, delivered at least once.** An event's identity is (device, epoch, lane, sequence); the
//!   same identity with another payload is kept as a conflict. Alerts fold under a unique key, so a replay
//!   changes nothing.
//! - **One bad event never blinds a school.** What fails twice at one position is parked with an alarm.
//! - **Who asks decides what there is.** Every read and write carries a [`store::Scope`] taken from the
//!   certificate, the session or the command line; the store itself leaves out what the viewer may not see, and
//!   what is left out looks like what does not exist. An alert has its own list of who may see it; a person
//!   whom it is about is not on it.
//! - **Content lies in rows that can be deleted**; the audit chain holds ids and salted digests and stays whole
//!   without them. Every view of content is on it.
//! - **Everything a peer controls is bounded** before it is believed: an agent and a reader of the feed are
//!   hostile until their messages are within [`redshank_proto::bounds`].
//! - **No content in logs**, mail, titles or addresses.
//!
//! Whoever holds this host and its root key can read content. There is no way round that but to look after
//! both, and the README says so.

pub mod asset_log;
pub mod cli;
pub mod console;
pub mod enrolment;
pub mod feed;
pub mod ingest;
pub mod keys;
pub mod listen;
pub mod policy;
pub mod settings;
pub mod store;
pub mod triage;
