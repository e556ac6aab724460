//! The whole product, as its users meet it: real programs, a real browser, real kills.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(clippy::disallowed_methods, reason = "the tests read files of their own making")]

mod accessibility;
mod bad_input;
mod demo;
mod extension;
mod feed;
mod hostile;
mod kills;
mod privacy;
mod scene;
mod squid;
mod traces;
