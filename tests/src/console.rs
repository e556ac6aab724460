//! The console as a person's browser sees it, signed in: its pages, and its live signal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use redshank_proto::clock::System;
use reqwest::{Client, Response, StatusCode, redirect};

use crate::stack::Account;

/// A page that takes longer hangs.
const PAGE_TIMEOUT: Duration = Duration::from_secs(15);
/// No page is longer.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Somebody signed in to the console.
#[derive(Debug, Clone)]
pub struct Console {
    client: Client,
    url: String,
}

/// A row of the queue, as far as it stands in the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The alert's id.
    pub alert: String,
    /// 1 to 5.
    pub severity: u8,
    /// The category as the screen has it.
    pub category: String,
}

/// The console's live signal: it tells that something changed, never what.
#[derive(Debug)]
pub struct Live {
    response: Response,
}

impl Console {
    /// Signs in, trusting the certificates in `roots` and no others.
    ///
    /// # Errors
    /// If the console does not let this account in.
    pub async fn sign_in(url: &str, roots: &Path, account: &Account) -> anyhow::Result<Self> {
        let console = Self { client: client(roots)?, url: url.to_owned() };
        let form = [("email", &*account.email), ("password", &*account.password), ("next", "")];
        let response = console
            .client
            .post(format!("{url}/sign-in"))
            .header("Origin", url)
            .timeout(PAGE_TIMEOUT)
            .form(&form)
            .send()
            .await?;
        ensure!(
            response.status() == StatusCode::SEE_OTHER,
            "signing in was answered with {}",
            response.status()
        );
        Ok(console)
    }

    /// A page's status and text.
    ///
    /// # Errors
    /// If the console does not answer.
    pub async fn page(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let request = self.client.get(format!("{}{path}", self.url)).timeout(PAGE_TIMEOUT);
        let mut response = request.send().await?;
        let mut page = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            page.extend_from_slice(&chunk);
            ensure!(page.len() <= PAGE_BYTES, "{path} does not end");
        }
        Ok((response.status(), String::from_utf8(page).context("a page is not UTF-8")?))
    }

    /// The queue's rows, the most urgent first.
    ///
    /// # Errors
    /// If the console does not show them.
    pub async fn queue(&self) -> anyhow::Result<Vec<Row>> {
        let (status, page) = self.page("/queue/rows").await?;
        ensure!(status == StatusCode::OK, "the queue was answered with {status}");
        page.split(" data-alert=\"").skip(1).map(row).collect()
    }

    /// An alert's page.
    ///
    /// # Errors
    /// If the console does not show it.
    pub async fn alert(&self, alert: &str) -> anyhow::Result<String> {
        let (status, page) = self.page(&format!("/alerts/{alert}")).await?;
        ensure!(status == StatusCode::OK, "the alert was answered with {status}");
        Ok(page)
    }

    /// Opens the live signal.
    ///
    /// # Errors
    /// If the console refuses it.
    pub async fn live(&self) -> anyhow::Result<Live> {
        let response = self.client.get(format!("{}/live", self.url)).send().await?;
        ensure!(
            response.status() == StatusCode::OK,
            "/live was answered with {}",
            response.status()
        );
        Ok(Live { response })
    }
}

impl Live {
    /// Waits for the next signal.
    ///
    /// # Errors
    /// If the console has ended it.
    pub async fn changed(&mut self) -> anyhow::Result<()> {
        match self.response.chunk().await? {
            Some(_) => Ok(()),
            None => bail!("the console has ended the live signal"),
        }
    }
}

fn client(roots: &Path) -> anyhow::Result<Client> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    let read =
        CertificateDer::pem_file_iter(roots).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.with_context(|| format!("{} holds no certificates", roots.display()))?;
    let config = redshank_proto::tls::client(&read, None, Arc::new(System))?.into_config();
    Ok(Client::builder()
        .tls_backend_preconfigured(config)
        .https_only(true)
        .cookie_store(true)
        .redirect(redirect::Policy::none())
        .build()?)
}

/// Reads one row, from after `data-alert="`.
fn row(html: &str) -> anyhow::Result<Row> {
    let between = |from: &str, to: &str| -> Option<&str> {
        let rest = &html[html.find(from)? + from.len()..];
        rest.get(..rest.find(to)?)
    };
    let read = || {
        Some(Row {
            alert: html.get(..html.find('"')?)?.to_owned(),
            severity: between("data-severity=\"", "\"")?.parse().ok()?,
            category: between("<a href=\"/alerts/", "</a>")?.split_once('>')?.1.to_owned(),
        })
    };
    read().context("a row of the queue has changed its form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read() {
        let html = "0f-1\" data-severity=\"5\" class=\"open\">\n<td></td><th><a href=\"/alerts/0f-1\">Self-harm</a>";
        let expected =
            Row { alert: "0f-1".to_owned(), severity: 5, category: "Self-harm".to_owned() };
        assert_eq!(row(html).unwrap(), expected);
        assert!(row("nothing").is_err());
    }
}
