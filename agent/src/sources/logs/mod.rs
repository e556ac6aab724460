//! The logs of proxies and name servers that the school runs.

pub mod capture;
pub mod formats;
