//! What both ends of Redshank's wire must agree on, and nothing that only one of them needs.
//!
//! | module | what it settles |
//! |---|---|
//! | [`v1`] | the messages and services, compiled from `redshank/v1/*.proto` |
//! | [`id`] | random 128-bit ids, and an event's identity |
//! | [`seal`] | how an event is sealed to the school's key before it touches a disk |
//! | [`trust`] | the signed trust bundle and the signed policy |
//! | [`token`] | the text of an enrolment token |
//! | [`peer`] | who a client certificate says its holder is |
//! | [`tls`] | TLS 1.3 on both sides, school proxies, and what to say when TLS is intercepted |
//! | [`bounds`] | the bound of everything that crosses the wire |
//! | [`clock`] | the one place where the real time and real randomness are read |
//!
//! The agent and the collector are each other's hostile peers: whatever comes from the other side is
//! checked here or by its reader, and every check has its test.

pub mod bounds;
pub mod clock;
pub mod id;
pub mod peer;
pub mod seal;
pub mod time;
pub mod tls;
pub mod token;
pub mod trust;

/// The messages and services of `redshank.v1`, with their comments from the `.proto` files.
pub mod v1 {
    #![expect(
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated code"
    )]
    tonic::include_proto!("redshank.v1");

    /// The encoded file descriptors of the protocol, for gRPC reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] =
        include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
}

pub use prost_types;
