//! The agent's socket on its own machine: a Unix domain socket, or a named pipe.
//!
//! Every account may connect, and speaks as itself: the kernel says whose process is at the other end
//! ([`Peer`]). Nobody but the agent can listen there. Who dials checks that, too: only the system's own
//! account, or the dialler's, is handed what a pupil types.
//!
//! | | Unix | Windows |
//! |---|---|---|
//! | address | `/run/redshank/browser.sock` | `\\.\pipe\redshank-browser` |
//! | who may connect | every account: 0666 on the socket | authenticated users of this machine; no network |
//! | who may listen | the folder is the agent's own | the first instance is ours or none is; the rest by its descriptor |
//! | the peer | `SO_PEERCRED`, `LOCAL_PEERCRED` | the token with which the pipe was opened |

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use unix::{Accepted, Dialled, Listener, Peer};
#[cfg(windows)]
pub use windows::{Accepted, Dialled, Listener, Peer};

/// The environment variable that names another socket or pipe, for tests and unusual systems.
pub const SOCKET_VARIABLE: &str = "REDSHANK_SOCKET";
/// Where the agent listens.
#[cfg(not(windows))]
const DEFAULT: &str = "/run/redshank/browser.sock";
/// Where the agent listens.
#[cfg(windows)]
const DEFAULT: &str = r"\\.\pipe\redshank-browser";

/// Where the agent listens on this machine.
#[must_use]
pub fn address() -> PathBuf {
    std::env::var_os(SOCKET_VARIABLE).map_or_else(|| DEFAULT.into(), PathBuf::from)
}

/// Connects to the agent.
///
/// # Errors
/// If nobody listens there, or somebody who is neither the system nor this process's own account.
pub async fn dial(address: &Path) -> io::Result<Dialled> {
    #[cfg(unix)]
    return unix::dial(address).await;
    #[cfg(windows)]
    return windows::dial(address).await;
}
