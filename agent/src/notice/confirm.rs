//! Saying that the notice was shown: one message over the agent's local socket, and one back.
//!
//! ```text
//! → {"type":"notice_shown","version":3,"audience":"pupils"}
//! ← {"type":"noted"}          once it is durable
//! ```
//! It goes the way of the browsers' messages, in their frames, and like them to nobody but the agent
//! ([`local::dial`]). Who was shown it is not said: the kernel tells the agent whose process this is.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{name, named};
use crate::native::frame::{Frame, FrameError, FrameReader, FrameWriter};
use crate::native::local;
use crate::native::message::ToExtension;
use crate::observation::NoticeShown;

/// Bytes of a message of either kind; each has some sixty.
const FRAME_BYTES: usize = 1024;
/// How long the agent has for all of it: its disk may be slow.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    NoticeShown { version: u32, audience: String },
}

/// Tells the running agent that the caller was shown a notice, and waits until that is kept.
///
/// # Errors
/// If no agent answers in time, or not with that.
pub fn tell(shown: NoticeShown) -> Result<(), FrameError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(say(&local::address(), shown, ANSWERS_WITHIN))
}

async fn say(address: &Path, shown: NoticeShown, within: Duration) -> Result<(), FrameError> {
    timeout(within, exchange(address, shown)).await.map_err(io::Error::from)?
}

async fn exchange(address: &Path, shown: NoticeShown) -> Result<(), FrameError> {
    let message =
        Message::NoticeShown { version: shown.version, audience: name(shown.audience).to_owned() };
    let json = serde_json::to_vec(&message).map_err(io::Error::from)?;
    let mut stream = local::dial(address).await?;
    FrameWriter::new(&mut stream).send(Frame::new(&json, FRAME_BYTES)?).await?;
    let answer = FrameReader::new(&mut stream, FRAME_BYTES).next().await?;
    if answer != Some(ToExtension::Noted.frame()?) {
        let message = "the agent did not take note of it";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
    }
    Ok(())
}

/// Reads a message as the agent's side has it, without its length; `None` if it is not this one.
#[must_use]
pub fn parse(message: &[u8]) -> Option<NoticeShown> {
    let Message::NoticeShown { version, audience } = serde_json::from_slice(message).ok()?;
    Some(NoticeShown { version, audience: named(&audience)? })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::native::local::Listener;
    use crate::observation::Audience;

    /// Longer than anything here may take on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);
    const SHOWN: NoticeShown = NoticeShown { version: 3, audience: Audience::Pupils };

    #[tokio::test]
    async fn a_showing_is_said_and_taken_note_of() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path());
        let mut listener = Listener::bind(&address).unwrap();
        for audience in super::super::AUDIENCES {
            let shown = NoticeShown { audience, ..SHOWN };
            let noted = ToExtension::Noted.frame().unwrap();
            let (said, heard) =
                tokio::join!(say(&address, shown, PATIENCE), answer(&mut listener, Some(noted)));
            said.unwrap();
            assert_eq!(parse(heard.payload()), Some(shown));
        }
    }

    #[tokio::test]
    async fn another_answer_or_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path());
        assert!(say(&address, SHOWN, PATIENCE).await.is_err(), "nobody listens");
        let mut listener = Listener::bind(&address).unwrap();
        let huge = Frame::new(&[b' '; FRAME_BYTES + 1], FRAME_BYTES + 1).unwrap();
        let other = ToExtension::Away.frame().unwrap();
        for wrong in [None, Some(huge), Some(other)] {
            let (said, _) =
                tokio::join!(say(&address, SHOWN, PATIENCE), answer(&mut listener, wrong));
            said.unwrap_err();
        }
    }

    #[tokio::test]
    async fn whoever_never_answers_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let address = address(folder.path());
        let mut listener = Listener::bind(&address).unwrap();
        let silent = async {
            let _accepted = listener.accept().await;
            std::future::pending::<()>().await;
        };
        let said = tokio::select! {
            said = say(&address, SHOWN, Duration::from_millis(20)) => said,
            () = silent => unreachable!("it is pending"),
        };
        let FrameError::Io(error) = said.unwrap_err() else { panic!("it is the time that ended") };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
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

    /// Takes one message, and says this before it hangs up.
    async fn answer(listener: &mut Listener, answer: Option<Frame>) -> Frame {
        let (mut stream, _) = listener.accept().await.unwrap();
        let heard = FrameReader::new(&mut stream, FRAME_BYTES).next().await.unwrap().unwrap();
        if let Some(answer) = answer {
            FrameWriter::new(&mut stream).send(answer).await.unwrap();
        }
        heard
    }

    fn address(folder: &Path) -> PathBuf {
        if cfg!(windows) {
            let unique = folder.file_name().unwrap().to_string_lossy();
            return format!(r"\\.\pipe\redshank-confirm-{unique}").into();
        }
        folder.join("run/browser.sock")
    }
}
