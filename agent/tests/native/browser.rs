//! The browser's side: what an extension says, through a native host or straight into the socket.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use redshank_agent::native::frame::{FROM_BROWSER, Frame, FrameReader, FrameWriter, TO_BROWSER};
use redshank_agent::native::local;
use redshank_proto::clock::{Clock as _, System};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadHalf, WriteHalf, split};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::agent::{PATIENCE, program};

/// The origin that a browser of Chromium's family names.
pub(crate) const ORIGIN: &str = "chrome-extension://abcdefghijklmnopabcdefghijklmnop/";

/// One end of a stream of messages.
pub(crate) struct Wire<R, W> {
    pub(crate) from: FrameReader<R>,
    pub(crate) to: FrameWriter<W>,
}

pub(crate) type Direct = Wire<ReadHalf<local::Dialled>, WriteHalf<local::Dialled>>;

/// A browser that has started the host.
pub(crate) struct Browser {
    child: Child,
    pub(crate) wire: Wire<ChildStdout, ChildStdin>,
}

/// Connects without a host, as anybody may.
pub(crate) async fn direct(socket: &Path) -> Direct {
    let (from, to) = split(local::dial(socket).await.unwrap());
    Wire { from: FrameReader::new(from, TO_BROWSER), to: FrameWriter::new(to) }
}

impl Browser {
    pub(crate) fn start(socket: &Path) -> Self {
        Self::start_as(socket, None)
    }

    /// Starts the host as another account; only an administrator may.
    #[expect(clippy::disallowed_methods, reason = "a browser starts its host")]
    pub(crate) fn start_as(socket: &Path, uid: Option<u32>) -> Self {
        let mut command = Command::new(program());
        // Windows needs some of its own.
        if cfg!(unix) {
            command.env_clear();
        }
        command.arg(ORIGIN).env("REDSHANK_SOCKET", socket).env("REDSHANK_LOG", "trace");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        #[cfg(unix)]
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        #[cfg(windows)]
        assert_eq!(uid, None);
        let mut child = command.spawn().unwrap();
        let from = FrameReader::new(child.stdout.take().unwrap(), TO_BROWSER);
        let to = FrameWriter::new(child.stdin.take().unwrap());
        Self { child, wire: Wire { from, to } }
    }

    /// Closes the host's input; gives how it ended and what it said on stderr.
    pub(crate) async fn close(self) -> (ExitStatus, String) {
        let Self { mut child, wire } = self;
        drop(wire);
        ended(&mut child).await
    }
}

async fn ended(child: &mut Child) -> (ExitStatus, String) {
    let mut errors = child.stderr.take().unwrap();
    let mut said = String::new();
    let all = async {
        errors.read_to_string(&mut said).await.unwrap();
        child.wait().await.unwrap()
    };
    let status = timeout(PATIENCE, all).await.expect("the host ends");
    (status, said)
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Wire<R, W> {
    pub(crate) async fn say(&mut self, message: &Value) {
        let frame = Frame::new(message.to_string().as_bytes(), FROM_BROWSER).unwrap();
        timeout(PATIENCE, self.to.send(frame)).await.expect("it is taken").unwrap();
    }

    /// The next message; `None` at the end.
    pub(crate) async fn hear(&mut self) -> Option<Value> {
        let frame = timeout(PATIENCE, self.from.next()).await.expect("something comes");
        let frame = frame.unwrap_or(None)?;
        Some(serde_json::from_slice(frame.payload()).unwrap())
    }

    /// The next message of this type; those before it are passed over.
    pub(crate) async fn hear_a(&mut self, kind: &str) -> Value {
        loop {
            let message = self.hear().await.unwrap_or_else(|| panic!("the end came before {kind}"));
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Says hello for a session and waits for the welcome and the whole private list.
    pub(crate) async fn hello(&mut self, session: u64) -> Value {
        self.say(&hello(session)).await;
        let welcome = self.hear_a("welcome").await;
        let mut left = welcome["private"].as_u64().unwrap();
        while left > 0 {
            let portion = self.hear_a("private").await;
            left -= portion["entries"].as_array().unwrap().len() as u64;
        }
        welcome
    }

    /// Hears that items are stored; gives the number.
    pub(crate) async fn stored(&mut self) -> u64 {
        self.hear_a("stored").await["n"].as_u64().unwrap()
    }

    /// Waits for the other side's end; what it still says is passed over.
    pub(crate) async fn closed(&mut self) {
        while self.hear().await.is_some() {}
    }
}

pub(crate) fn hello(session: u64) -> Value {
    json!({"type": "hello", "protocol": 1, "session": format!("{session:016x}"), "browser": "Chrome",
        "browser_version": "156", "extension_version": "1.0", "private_windows": true, "waiting": 0, "lost": 0})
}

/// Items with these numbers, each a visit to a page of its own.
pub(crate) fn visits(numbers: impl IntoIterator<Item = u64>) -> Value {
    let now = System.now().as_millisecond();
    let visit = |n: u64| {
        json!({"n": n, "at": now, "private": false, "kind": "visit", "title": null, "transition": "link",
            "url": format!("https://site{n}.example/page")})
    };
    json!({"type": "items", "items": numbers.into_iter().map(visit).collect::<Vec<_>>()})
}
