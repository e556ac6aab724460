//! The feed as a monitoring service reads it: the shortest honest client, for others to copy.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use redshank_proto::bounds;
use redshank_proto::clock::System;
use redshank_proto::tls::{self, Identity, Target};
use redshank_proto::v1::feed_service_client::FeedServiceClient;
use redshank_proto::v1::{
    AcknowledgeRequest, AlertChange, AssessRequest, SubscribeRequest, SubscribeResponse,
    subscribe_response,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tonic::Streaming;
use tonic::transport::Channel;

/// A reader with its credential.
#[derive(Debug, Clone)]
pub struct Reader {
    client: FeedServiceClient<Channel>,
}

/// A subscription that is open.
#[derive(Debug)]
pub struct Subscription {
    stream: Streaming<SubscribeResponse>,
}

impl Reader {
    /// Connects with the credential that `redshank-collector reader add --out FOLDER` wrote.
    ///
    /// # Errors
    /// If a file is missing or malformed, or the collector does not let this reader in.
    pub async fn connect(url: &str, folder: &Path) -> anyhow::Result<Self> {
        let certificates = |name: &str| -> anyhow::Result<Vec<CertificateDer<'static>>> {
            let path = folder.join(name);
            let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
            read.with_context(|| format!("{} holds no certificates in PEM", path.display()))
        };
        let key = folder.join("reader.key");
        let identity = Identity {
            chain: certificates("reader.pem")?,
            key: PrivateKeyDer::from_pem_file(&key)
                .with_context(|| format!("{} holds no private key in PEM", key.display()))?,
        };
        let dialer = tls::client(&certificates("root.pem")?, Some(identity), Arc::new(System))?;
        let channel = dialer.channel(&Target::parse(url)?).await?;
        let client = FeedServiceClient::new(channel)
            .max_decoding_message_size(bounds::MESSAGE_BYTES)
            .max_encoding_message_size(bounds::MESSAGE_BYTES);
        Ok(Self { client })
    }

    /// Follows the feed after a cursor; an empty one: after the acknowledged place.
    ///
    /// # Errors
    /// If the collector refuses the cursor: it says to take a snapshot then.
    pub async fn subscribe(&mut self, after_cursor: Vec<u8>) -> anyhow::Result<Subscription> {
        let response = self.client.subscribe(SubscribeRequest { after_cursor }).await?;
        Ok(Subscription { stream: response.into_inner() })
    }

    /// Says that everything up to a cursor is safely handled.
    ///
    /// # Errors
    /// If the connection breaks or the cursor is none of this feed's.
    pub async fn acknowledge(&mut self, cursor: Vec<u8>) -> anyhow::Result<()> {
        self.client.acknowledge(AcknowledgeRequest { cursor }).await?;
        Ok(())
    }

    /// Brings back a grade.
    ///
    /// # Errors
    /// If the alert is none of this reader's or the grade is not 1 to 5.
    pub async fn assess(&mut self, assessment: AssessRequest) -> anyhow::Result<()> {
        self.client.assess(assessment).await?;
        Ok(())
    }
}

impl Subscription {
    /// The next change; heartbeats are passed over. `None` once the collector has ended the stream.
    ///
    /// # Errors
    /// If the stream breaks: subscribe again after the last cursor.
    pub async fn next(&mut self) -> anyhow::Result<Option<AlertChange>> {
        while let Some(response) = self.stream.message().await? {
            if let Some(subscribe_response::Event::Change(change)) = response.event {
                return Ok(Some(change));
            }
        }
        Ok(None)
    }
}
