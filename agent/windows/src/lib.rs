//! What the agent asks of Windows itself, where neither the standard library nor tokio asks it: access
//! lists of folders and pipes, and whose process is at the other end of a pipe.
//!
//! # What always holds
//! - **All of Redshank's unsafe code is here**, and every block of it makes one call and says why that call
//!   is sound. What is handed out is safe: text, and tokio's pipes. No raw handle leaves this crate.
//! - **Who may do what is compared as text.** Windows writes a security identifier as `S-1-5-…` and an
//!   access list in its security descriptor definition language (MS-DTYP 2.4.2.1 and 2.5.1); [`sddl`] reads
//!   that, on every platform, and what it cannot read counts as open to anybody.
//! - **Accounts go by the names of their profiles**, as the history source names them (`account::name`).
//!
//! Elsewhere than on Windows only [`sddl`] is there.

pub mod sddl;

#[cfg(windows)]
pub mod account;
#[cfg(windows)]
pub mod folder;
#[cfg(windows)]
mod local;
#[cfg(windows)]
pub mod pipe;
