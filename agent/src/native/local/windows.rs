//! A named pipe. What needs the system's own calls is in the crate `redshank-windows`.
//!
//! Who a client is, is asked as soon as it is connected: that is told of one that lets the system take its
//! identity when it opens the pipe (static tracking), as [`dial`] does. One that would be somebody else
//! from one word to the next is refused.

use std::io;
use std::path::{Path, PathBuf};

use redshank_windows::{account, pipe};
use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer};

/// A connection that was accepted.
pub type Accepted = NamedPipeServer;
/// A connection that was dialled.
pub type Dialled = NamedPipeClient;

/// Listens for the extension's native hosts.
#[derive(Debug)]
pub struct Listener {
    name: PathBuf,
    /// The instance that the next client gets: there is always one, so that the name stays ours. `None`
    /// only while the system refuses another.
    waiting: Option<NamedPipeServer>,
}

/// Whose process is at the other end: its account's security identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer(String);

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// If somebody has made a pipe of that name, or the system refuses.
    pub fn bind(name: &Path) -> io::Result<Self> {
        let waiting = Some(pipe::serve(name, true)?);
        Ok(Self { name: name.to_owned(), waiting })
    }

    /// The next connection, and whose it is.
    ///
    /// # Errors
    /// What the system says; the next call may succeed.
    pub async fn accept(&mut self) -> io::Result<(Accepted, Peer)> {
        let waiting = match &self.waiting {
            Some(waiting) => waiting,
            None => self.waiting.insert(pipe::serve(&self.name, false)?),
        };
        let connected = waiting.connect().await;
        let next = pipe::serve(&self.name, false);
        // One that came and went at once leaves an instance that is of no more use.
        let stream = std::mem::replace(&mut self.waiting, next.ok());
        connected?;
        let stream = stream.ok_or(io::ErrorKind::NotConnected)?;
        let peer = Peer(pipe::client(&stream)?);
        Ok((stream, peer))
    }
}

impl Peer {
    /// The account's name, as the history source gives it: that of its profile's folder. Blocking.
    #[must_use]
    pub fn account(&self, _root: &Path) -> String {
        account::name(&self.0)
    }
}

/// Connects to the agent.
pub(super) fn dial(name: &Path) -> io::Result<Dialled> {
    pipe::open(name)
}
