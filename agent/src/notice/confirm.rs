//! Saying that the notice was shown: one message over the agent's local socket, and one back.
//!
//! ```text
//! → {"type":"notice_shown","version":3,"audience":"pupils"}
//! ← {"type":"noted"}          once it is durable
//! ```
//! Each is a frame of the browsers' own kind: its length as 32 bits in the machine's byte order, then UTF-8. Who
//! was shown it is not said: the kernel tells the agent whose process this is.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{name, named};
use crate::observation::{Audience, NoticeShown};

/// The environment variable that names the agent's local socket.
const SOCKET_VARIABLE: &str = "REDSHANK_SOCKET";
/// Bytes of a frame of either kind; each has some sixty.
const FRAME_BYTES: u32 = 1024;
/// How long the agent has for its answer: its disk may be slow.
#[cfg(unix)]
const ANSWER: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    NoticeShown { version: u32, audience: String },
    Noted,
}

/// Tells the running agent that the caller was shown a notice, and waits until that is kept.
///
/// # Errors
/// If no agent answers, or not with that.
pub fn tell(shown: NoticeShown) -> io::Result<()> {
    let mut socket = connect()?;
    exchange(&mut socket, shown)
}

/// Says it over an open connection.
///
/// # Errors
/// As [`tell`].
pub fn exchange(socket: &mut (impl Read + Write), shown: NoticeShown) -> io::Result<()> {
    let message =
        Message::NoticeShown { version: shown.version, audience: name(shown.audience).to_owned() };
    socket.write_all(&frame(&message)?)?;
    socket.flush()?;
    match read(socket)? {
        Some(Message::Noted) => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the agent did not take note of it")),
    }
}

/// Reads a message as the agent's side has it, without its length; `None` if it is not this one.
#[must_use]
pub fn parse(message: &[u8]) -> Option<NoticeShown> {
    match serde_json::from_slice(message).ok()? {
        Message::NoticeShown { version, audience } => {
            Some(NoticeShown { version, audience: named(&audience)? })
        }
        Message::Noted => None,
    }
}

/// The agent's answer, as a whole frame.
///
/// # Errors
/// None in practice: it is always the same.
pub fn noted() -> io::Result<Vec<u8>> {
    frame(&Message::Noted)
}

fn frame(message: &Message) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    Ok([&length.to_ne_bytes()[..], &json].concat())
}

fn read(socket: &mut impl Read) -> io::Result<Option<Message>> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_ne_bytes(length);
    if length > FRAME_BYTES {
        return Ok(None);
    }
    let mut json = Vec::new();
    socket.take(u64::from(length)).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json).ok())
}

fn socket_path() -> PathBuf {
    let usual =
        if cfg!(windows) { r"\\.\pipe\redshank-browser" } else { "/run/redshank/browser.sock" };
    std::env::var_os(SOCKET_VARIABLE).map_or_else(|| usual.into(), PathBuf::from)
}

#[cfg(unix)]
fn connect() -> io::Result<impl Read + Write> {
    let socket = std::os::unix::net::UnixStream::connect(socket_path())?;
    socket.set_read_timeout(Some(ANSWER))?;
    socket.set_write_timeout(Some(ANSWER))?;
    Ok(socket)
}

#[cfg(windows)]
fn connect() -> io::Result<impl Read + Write> {
    let mut pipe = std::fs::File::options().read(true).write(true).open(socket_path())?;
    // Windows tells the agent whose process this is once it has read something.
    pipe.write_all(&[crate::native::local::KNOCK])?;
    Ok(pipe)
}

/// Whose notice was shown.
#[must_use]
pub fn shown(version: u32, audience: Audience) -> NoticeShown {
    NoticeShown { version, audience }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_showing_is_said_and_taken_note_of() {
        for audience in super::super::AUDIENCES {
            let mut wire = Wire::answering(noted().unwrap());
            exchange(&mut wire, shown(3, audience)).unwrap();
            let length = u32::from_ne_bytes(wire.sent[..4].try_into().unwrap());
            assert_eq!(usize::try_from(length).unwrap(), wire.sent.len() - 4);
            assert_eq!(parse(&wire.sent[4..]), Some(shown(3, audience)));
        }
    }

    #[test]
    fn another_answer_or_none_is_an_error() {
        let huge = [&u32::MAX.to_ne_bytes()[..], b"{}"].concat();
        let other = frame(&Message::NoticeShown { version: 1, audience: "pupils".into() }).unwrap();
        for answer in [Vec::new(), huge, other, vec![2, 0, 0, 0, b'{', b'}']] {
            let mut wire = Wire::answering(answer);
            assert!(exchange(&mut wire, shown(1, Audience::Pupils)).is_err());
        }
    }

    #[test]
    fn what_is_no_showing_is_none() {
        for message in [
            &b""[..],
            br#"{"type":"noted"}"#,
            br#"{"type":"notice_shown","version":-1,"audience":"pupils"}"#,
            br#"{"type":"notice_shown","version":1,"audience":"everybody"}"#,
            br#"{"type":"hello","protocol":1}"#,
        ] {
            assert_eq!(parse(message), None);
        }
    }

    struct Wire {
        sent: Vec<u8>,
        answer: Cursor<Vec<u8>>,
    }

    impl Wire {
        fn answering(answer: Vec<u8>) -> Self {
            Self { sent: Vec::new(), answer: Cursor::new(answer) }
        }
    }

    impl Read for Wire {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.sent.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
