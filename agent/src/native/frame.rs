//! The framing that browsers use: a length of four bytes in the machine's own order, then so many bytes
//! of UTF-8 JSON ("Native messaging", Chrome for Developers). The local socket uses it, too.
//!
//! # What always holds
//! - A length past the bound is refused before a byte of its frame is stored.
//! - A declared length reserves nothing: memory grows with the bytes that have come, and is given back
//!   with the frame.
//! - [`FrameReader::next`] and [`FrameWriter::send`] may be dropped while they wait: what was read or
//!   written in part goes on with the next call, so that no frame is ever torn.

use std::io;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes of a frame from the browser. Chrome permits 64 MiB; the extension keeps to half of this.
pub const FROM_BROWSER: usize = 1024 * 1024;
/// Bytes of a frame to the browser: Chrome ends a host that sends more than 1 MiB.
pub const TO_BROWSER: usize = 1024 * 1024 - 1;
/// Bytes that are read at a time.
const PORTION: usize = 16 * 1024;
/// Bytes of the length.
const HEADER: usize = 4;

/// Why a stream of frames cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A frame says that it is longer than it may be.
    #[error("a message of {length} bytes was announced; at most {most} are taken")]
    TooLong {
        /// The length that it says.
        length: usize,
        /// The bound.
        most: usize,
    },
    /// The stream ended within a frame.
    #[error("the stream ended within a message")]
    CutOff,
    /// The stream itself failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One frame: its length and its payload as they stand on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    wire: Bytes,
}

impl Frame {
    /// Frames a payload of at most `most` bytes.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn new(payload: &[u8], most: usize) -> Result<Self, FrameError> {
        let length = payload.len();
        let too_long = || FrameError::TooLong { length, most };
        let declared = u32::try_from(length).map_err(|_| too_long())?;
        if length > most {
            return Err(too_long());
        }
        let mut wire = BytesMut::with_capacity(HEADER + length);
        wire.put_slice(&declared.to_ne_bytes());
        wire.put_slice(payload);
        Ok(Self { wire: wire.freeze() })
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.wire[HEADER..]
    }
}

/// Cuts bytes, in whatever portions they come, into frames.
#[derive(Debug)]
pub struct Decoder {
    most: usize,
    pending: BytesMut,
}

impl Decoder {
    /// Begins a stream of frames of at most `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, pending: BytesMut::new() }
    }

    /// Adds bytes to the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Takes the next whole frame, if there is one.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], at every call from then on.
    pub fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.declared()? else { return Ok(None) };
        let whole = HEADER + length;
        if self.pending.len() < whole {
            return Ok(None);
        }
        let wire = self.pending.split_to(whole).freeze();
        if self.pending.is_empty() {
            // The frame alone holds the memory then, and gives it back.
            self.pending = BytesMut::new();
        }
        Ok(Some(Frame { wire }))
    }

    /// The payload's length that the frame under way declares, if that much of it has come.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn declared(&self) -> Result<Option<usize>, FrameError> {
        let Some(header) = self.pending.first_chunk::<HEADER>() else { return Ok(None) };
        let length = usize::try_from(u32::from_ne_bytes(*header)).unwrap_or(usize::MAX);
        if length > self.most {
            return Err(FrameError::TooLong { length, most: self.most });
        }
        Ok(Some(length))
    }

    /// Whether no part of a frame is waiting for the rest.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.pending.is_empty()
    }
}

/// Reads frames from a stream.
#[derive(Debug)]
pub struct FrameReader<R> {
    inner: R,
    decoder: Decoder,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads frames of at most `most` bytes from `inner`.
    pub fn new(inner: R, most: usize) -> Self {
        Self { inner, decoder: Decoder::new(most) }
    }

    /// Waits until the next frame says how long it is; `None` if the stream ended before it.
    ///
    /// # Errors
    /// [`FrameError`].
    pub async fn announced(&mut self) -> Result<Option<usize>, FrameError> {
        loop {
            if let Some(length) = self.decoder.declared()? {
                return Ok(Some(length));
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }

    /// The next frame; `None` at the stream's end.
    ///
    /// # Errors
    /// [`FrameError`].
    pub async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            if let Some(frame) = self.decoder.take()? {
                return Ok(Some(frame));
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }

    /// Reads a portion; false at an end between frames.
    async fn read(&mut self) -> Result<bool, FrameError> {
        self.decoder.pending.reserve(PORTION);
        let read = self.inner.read_buf(&mut (&mut self.decoder.pending).limit(PORTION)).await?;
        match read {
            0 if self.decoder.is_between_frames() => Ok(false),
            0 => Err(FrameError::CutOff),
            _ => Ok(true),
        }
    }
}

/// Writes frames to a stream.
#[derive(Debug)]
pub struct FrameWriter<W> {
    inner: W,
    pending: Bytes,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    /// Writes frames to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, pending: Bytes::new() }
    }

    /// The stream itself, past the frames.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Writes what an earlier call left of its frame, and then this frame.
    ///
    /// # Errors
    /// What the stream says.
    pub async fn send(&mut self, frame: Frame) -> io::Result<()> {
        self.write_out().await?;
        self.pending = frame.wire;
        self.write_out().await
    }

    async fn write_out(&mut self) -> io::Result<()> {
        while self.pending.has_remaining() {
            if self.inner.write_buf(&mut self.pending).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        self.inner.flush().await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_is_four_bytes_in_the_machines_order() {
        let frame = Frame::new(b"{}", 16).unwrap();
        assert_eq!(frame.wire[..4], 2_u32.to_ne_bytes());
        assert_eq!(frame.payload(), b"{}");
    }

    #[test]
    fn what_is_longer_than_the_bound_is_refused_at_its_length() {
        let mut decoder = Decoder::new(16);
        decoder.push(&17_u32.to_ne_bytes());
        for _ in 0..2 {
            let error = decoder.take().unwrap_err();
            assert!(matches!(error, FrameError::TooLong { length: 17, most: 16 }), "{error}");
        }
        assert!(Frame::new(&[b' '; 17], 16).is_err());
        assert!(Frame::new(&[b' '; 16], 16).is_ok());
    }

    #[test]
    fn a_declared_length_reserves_nothing() {
        let mut decoder = Decoder::new(FROM_BROWSER);
        decoder.push(&u32::try_from(FROM_BROWSER).unwrap().to_ne_bytes());
        assert!(decoder.take().unwrap().is_none());
        assert!(decoder.pending.capacity() < 1024);
    }

    #[tokio::test]
    async fn an_end_within_a_frame_is_told_from_one_between_frames() {
        let frame = Frame::new(b"{}", 16).unwrap();
        let mut reader = FrameReader::new(&frame.wire[..], 16);
        assert_eq!(reader.announced().await.unwrap(), Some(2));
        assert_eq!(reader.next().await.unwrap().unwrap(), frame);
        assert!(reader.next().await.unwrap().is_none());
        for cut in 1..frame.wire.len() {
            let mut reader = FrameReader::new(&frame.wire[..cut], 16);
            assert!(matches!(reader.next().await, Err(FrameError::CutOff)), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_write_that_was_dropped_half_way_goes_on_with_the_next() {
        let (near, far) = tokio::io::duplex(8);
        let mut writer = FrameWriter::new(near);
        let (first, second) = (Frame::new(&[b'a'; 40], 64).unwrap(), Frame::new(b"b", 64).unwrap());
        tokio::select! {
            biased;
            sent = writer.send(first.clone()) => panic!("it cannot fit: {sent:?}"),
            () = std::future::ready(()) => {}
        }
        let mut reader = FrameReader::new(far, 64);
        let (sent, read) = tokio::join!(writer.send(second.clone()), async {
            (reader.next().await.unwrap(), reader.next().await.unwrap())
        });
        sent.unwrap();
        assert_eq!(read, (Some(first), Some(second)));
    }

    proptest! {
        /// However a stream is cut, the same frames come out, in order, and nothing is left.
        #[test]
        fn frames_survive_every_cut(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..12),
            cuts in proptest::collection::vec(1_usize..97, 1..40),
        ) {
            let mut stream = Vec::new();
            for payload in &payloads {
                stream.extend_from_slice(&Frame::new(payload, 300).unwrap().wire);
            }
            let mut decoder = Decoder::new(300);
            let mut found = Vec::new();
            let (mut rest, mut cuts) = (&stream[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (portion, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                decoder.push(portion);
                while let Some(frame) = decoder.take().unwrap() {
                    found.push(frame.payload().to_vec());
                }
                rest = after;
            }
            prop_assert_eq!(found, payloads);
            prop_assert!(decoder.is_between_frames());
        }

        /// Whatever comes, it ends in frames, in waiting or in a refusal, and never holds more than came.
        #[test]
        fn any_bytes_are_read_within_the_bound(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let mut decoder = Decoder::new(256);
            decoder.push(&bytes);
            let mut taken = 0;
            while let Ok(Some(frame)) = decoder.take() {
                prop_assert!(frame.payload().len() <= 256);
                taken += frame.wire.len();
            }
            prop_assert!(taken <= bytes.len());
        }
    }
}
