//! A named pipe. What needs the system's own calls is in the crate `redshank-windows`.
//!
//! Windows tells who a client is once something that it wrote has been read (Microsoft Learn,
//! `ImpersonateNamedPipeClient`). So whoever dials knocks first: one byte, that is no part of what is said
//! afterwards. Many may be at the door at once, each has only so long, and where all places are taken, who has
//! stood there silent the longest goes: however many connect and do not knock, they keep nobody waiting.
//! Whoever dials writes the knock at once, so that it has been read before as many others have connected.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use redshank_windows::{account, pipe};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

/// A connection that was accepted.
pub type Accepted = NamedPipeServer;
/// A connection that was dialled.
pub type Dialled = NamedPipeClient;

/// What is written first.
const KNOCK: u8 = b'R';
/// How long a client may take for it; it is written as soon as the pipe is open.
const KNOCKS_WITHIN: Duration = Duration::from_secs(5);
/// How long somebody who dials waits for an instance of the pipe that is free.
const FREE_WITHIN: Duration = Duration::from_secs(2);
/// Windows wakes nobody for that, so it is asked again.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// Clients that have not knocked yet; a browser makes one or two at its start.
const MOST_AT_THE_DOOR: usize = 64;

/// Listens for the extension's native hosts.
#[derive(Debug)]
pub struct Listener {
    name: PathBuf,
    /// The instance that the next client gets: there is always one, so that the name stays ours. `None`
    /// only while the system refuses another.
    waiting: Option<NamedPipeServer>,
    at_the_door: JoinSet<io::Result<(Accepted, Peer)>>,
    /// Those of them that may be silent still, in the order in which they came.
    silent: VecDeque<AbortHandle>,
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
        let waiting = Some(pipe::serve(name, true).map_err(taken)?);
        let (at_the_door, silent) = (JoinSet::new(), VecDeque::new());
        Ok(Self { name: name.to_owned(), waiting, at_the_door, silent })
    }

    /// The next connection, and whose it is.
    ///
    /// # Errors
    /// What the system says; the next call may succeed.
    pub async fn accept(&mut self) -> io::Result<(Accepted, Peer)> {
        loop {
            let waiting = match &self.waiting {
                Some(waiting) => waiting,
                None => self.waiting.insert(pipe::serve(&self.name, false)?),
            };
            tokio::select! {
                // Who has knocked comes before who has only connected.
                biased;
                Some(known) = self.at_the_door.join_next() => {
                    // One that does not let itself be known is nobody to speak with.
                    if let Ok(Ok(known)) = known {
                        return Ok(known);
                    }
                }
                connected = waiting.connect() => {
                    let next = pipe::serve(&self.name, false);
                    let stream = std::mem::replace(&mut self.waiting, next.ok());
                    // Neither is one that came and went at once.
                    if let (Ok(()), Some(stream)) = (connected, stream) {
                        self.let_in(stream);
                    }
                }
            }
        }
    }

    /// Gives a client its place at the door, if need be that of who has been silent there the longest.
    fn let_in(&mut self, stream: NamedPipeServer) {
        self.silent.retain(|client| !client.is_finished());
        if self.silent.len() >= MOST_AT_THE_DOOR
            && let Some(longest) = self.silent.pop_front()
        {
            longest.abort();
        }
        self.silent.push_back(self.at_the_door.spawn(known(stream)));
    }
}

impl Peer {
    /// The account's name, as the history source gives it: that of its profile's folder. Blocking.
    #[must_use]
    pub fn account(&self, _root: &Path) -> String {
        account::name(&self.0)
    }
}

/// Connects to the agent, and waits shortly if it has not yet made the next instance of its pipe.
pub(super) async fn dial(name: &Path) -> io::Result<Dialled> {
    let mut stream = open(name).await?;
    stream.write_u8(KNOCK).await?;
    Ok(stream)
}

async fn open(name: &Path) -> io::Result<Dialled> {
    let until = Instant::now() + FREE_WITHIN;
    loop {
        match pipe::open(name) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < until => {
                sleep(BUSY_PAUSE).await;
            }
            other => return other,
        }
    }
}

/// Windows refuses a second first instance like a forbidden one.
fn taken(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::PermissionDenied {
        let message = "another agent, or another program, answers there";
        return io::Error::new(ErrorKind::AddrInUse, message);
    }
    error
}

async fn known(mut stream: NamedPipeServer) -> io::Result<(Accepted, Peer)> {
    if timeout(KNOCKS_WITHIN, stream.read_u8()).await?? != KNOCK {
        return Err(ErrorKind::InvalidData.into());
    }
    let peer = Peer(pipe::client(&stream)?);
    Ok((stream, peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_knocks_is_known_and_who_does_not_keeps_nobody_waiting() {
        let name = unique("knocks");
        let mut listener = Listener::bind(&name).unwrap();
        let silent = pipe::open(&name).unwrap();
        let (dialled, accepted) = tokio::join!(dial(&name), listener.accept());
        let mut dialled = dialled.unwrap();
        let (mut stream, peer) = accepted.unwrap();
        assert_eq!(peer, Peer(account::of_this_process().unwrap()));
        let home = std::env::var("USERPROFILE").unwrap();
        assert_eq!(peer.account(Path::new(r"C:\")), home.rsplit('\\').next().unwrap());
        dialled.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello", "the knock is no part of it");
        drop(silent);
    }

    #[tokio::test]
    async fn a_crowd_of_silent_clients_gives_way_to_who_comes_after_it() {
        let name = unique("crowd");
        let mut listener = Listener::bind(&name).unwrap();
        let crowd = async {
            let mut crowd = Vec::new();
            for _ in 0..2 * MOST_AT_THE_DOOR {
                crowd.push(open(&name).await.unwrap());
            }
            crowd
        };
        let crowd = tokio::select! {
            crowd = crowd => crowd,
            accepted = listener.accept() => panic!("nobody has knocked: {accepted:?}"),
        };
        let (dialled, accepted) = tokio::join!(dial(&name), listener.accept());
        dialled.unwrap();
        accepted.unwrap();
        assert!(listener.silent.len() <= MOST_AT_THE_DOOR, "{}", listener.silent.len());
        closed(crowd.into_iter().next().unwrap()).await;
    }

    #[tokio::test]
    async fn who_knocks_otherwise_or_goes_is_passed_over() {
        let name = unique("otherwise");
        let mut listener = Listener::bind(&name).unwrap();
        let mut other = pipe::open(&name).unwrap();
        other.write_u8(b'x').await.unwrap();
        let first = tokio::select! {
            accepted = listener.accept() => Some(accepted),
            () = closed(other) => None,
        };
        assert!(first.is_none(), "it was hung up on");
        let (dialled, accepted) = tokio::join!(dial(&name), listener.accept());
        dialled.unwrap();
        accepted.unwrap();
    }

    async fn closed(mut stream: NamedPipeClient) {
        let ended = stream.read_u8().await;
        assert!(ended.is_err(), "{ended:?}");
    }

    fn unique(name: &str) -> PathBuf {
        format!(r"\\.\pipe\redshank-local-{name}-{}", std::process::id()).into()
    }
}
