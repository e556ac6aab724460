//! `redshank-agent native-host`: passes frames between a browser and the agent, and knows nothing of them.
//!
//! ```text
//! dial ──► relay both ways ──► the agent is gone: say away ──► dial again, with pauses ──► say back
//!                └──► the browser closed its end: the process ends
//! ```
//! Each way holds one frame at a time: whoever reads slowly makes the other side wait. While the agent is
//! away, what the browser says is read and dropped, so that its end is noticed; the extension keeps its
//! items and says them again after `back`.

use std::path::Path;
use std::time::Duration;

use redshank_proto::clock::Randomness;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep};

use super::frame::{FROM_BROWSER, FrameError, FrameReader, FrameWriter, TO_BROWSER};
use super::local;
use super::message::ToExtension;

/// The first pause between two tries: an agent that is started again is back within it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest: what was typed meanwhile reaches the agent no later after its start.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A connection that lasted so long was a sound one; after a shorter one the pauses go on growing.
const LIVED: Duration = Duration::from_secs(5);

/// Why the host ends before the browser has closed its end.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The browser's messages cannot be read on.
    #[error("the browser's messages cannot be read: {0}")]
    Input(#[source] FrameError),
    /// The browser takes no more messages.
    #[error("the browser takes no messages: {0}")]
    Output(#[source] FrameError),
}

/// Relays between the browser at `input` and `output` and the agent at `socket`, until the browser
/// closes `input`.
///
/// # Errors
/// [`HostError`].
pub async fn run(
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    socket: &Path,
    randomness: &dyn Randomness,
) -> Result<(), HostError> {
    let mut browser = FrameReader::new(input, FROM_BROWSER);
    let mut to_browser = FrameWriter::new(output);
    let (mut tries, mut away) = (0, false);
    loop {
        if let Ok(agent) = local::dial(socket).await {
            if std::mem::take(&mut away) {
                say(&mut to_browser, &ToExtension::Back).await?;
            }
            let since = Instant::now();
            match relay(&mut browser, &mut to_browser, agent).await {
                Ended::Browser(result) => return result,
                Ended::Agent if since.elapsed() >= LIVED => tries = 0,
                Ended::Agent => {}
            }
        }
        if !std::mem::replace(&mut away, true) {
            say(&mut to_browser, &ToExtension::Away).await?;
        }
        tokio::select! {
            ended = drop_all(&mut browser) => return ended,
            () = sleep(pause(tries, randomness.unit())) => tries = tries.saturating_add(1),
        }
    }
}

/// Whose end a relay came to.
enum Ended {
    Browser(Result<(), HostError>),
    Agent,
}

async fn relay<I: AsyncRead + Unpin, O: AsyncWrite + Unpin>(
    browser: &mut FrameReader<I>,
    to_browser: &mut FrameWriter<O>,
    agent: local::Dialled,
) -> Ended {
    let (from, to) = tokio::io::split(agent);
    let (mut agent, mut to_agent) = (FrameReader::new(from, TO_BROWSER), FrameWriter::new(to));
    let up = async {
        loop {
            match browser.next().await {
                Ok(Some(frame)) => {
                    if to_agent.send(frame).await.is_err() {
                        return Ended::Agent;
                    }
                }
                Ok(None) => return Ended::Browser(Ok(())),
                Err(error) => return Ended::Browser(Err(HostError::Input(error))),
            }
        }
    };
    let down = async {
        loop {
            let Ok(Some(frame)) = agent.next().await else { return Ended::Agent };
            if let Err(error) = to_browser.send(frame).await {
                return Ended::Browser(Err(HostError::Output(error.into())));
            }
        }
    };
    tokio::select! {
        ended = up => ended,
        ended = down => ended,
    }
}

/// Reads until the browser closes its end.
async fn drop_all<I: AsyncRead + Unpin>(browser: &mut FrameReader<I>) -> Result<(), HostError> {
    while browser.next().await.map_err(HostError::Input)?.is_some() {}
    Ok(())
}

async fn say<O: AsyncWrite + Unpin>(
    to_browser: &mut FrameWriter<O>,
    message: &ToExtension,
) -> Result<(), HostError> {
    let frame = message.frame().map_err(HostError::Output)?;
    to_browser.send(frame).await.map_err(|error| HostError::Output(error.into()))
}

/// How long to wait after so many tries; `unit` is drawn from `0.0..1.0`.
fn pause(tries: u32, unit: f64) -> Duration {
    let ceiling = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST_PAUSE);
    (ceiling.mul_f64(0.5 + 0.5 * unit.clamp(0.0, 1.0))).max(FIRST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_tenth_of_a_second_to_two_and_are_jittered() {
        for (tries, unit, millis) in [
            (0, 0.0, 100),
            (0, 0.99, 100),
            (1, 0.0, 100),
            (1, 1.0, 200),
            (4, 0.5, 1_200),
            (5, 0.0, 1_000),
            (5, 1.0, 2_000),
            (u32::MAX, 1.0, 2_000),
        ] {
            assert_eq!(pause(tries, unit), Duration::from_millis(millis), "{tries} {unit}");
        }
    }
}
