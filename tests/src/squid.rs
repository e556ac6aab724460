//! A real Squid, and devices behind it that have addresses of their own on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::programs::{Running, command, succeed};
use crate::stack::{free_port, tail};

/// Where Debian keeps what comes with Squid.
const HELPERS: &str = "/usr/lib/squid";
/// Squid opens its ports within a second or two.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// An answer that is read to its end.
const ANSWER_BYTES: u64 = 1024 * 1024;

/// A proxy that runs.
#[derive(Debug)]
pub struct Squid {
    folder: TempDir,
    squid: Running,
    /// Where anybody may ask.
    pub open: u16,
    /// Where a login is needed; any name will do, with any password.
    pub login: u16,
}

impl Squid {
    /// Starts it; the names in `hosts` are this machine, no others are known, and `filtered` ones are refused.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start(hosts: &[&str], filtered: &[&str]) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("redshank-squid-")?;
        // Started by root, it works as another account.
        everybody_s(folder.path())?;
        let (open, login) = (free_port()?, free_port()?);
        let names = hosts.join(" ");
        tokio::fs::write(folder.path().join("hosts"), format!("127.0.0.1 {names}\n")).await?;
        let settings = settings(folder.path(), open, login, filtered);
        tokio::fs::write(folder.path().join("squid.conf"), settings).await?;
        let mut squid = squid(folder.path());
        squid.arg("-N");
        let squid = Running::start(squid, &folder.path().join("stderr.log")).await?;
        let up = async {
            for port in [open, login] {
                while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        };
        if tokio::time::timeout(START_TIMEOUT, up).await.is_err() {
            bail!("squid does not start: {}", tail(&folder.path().join("cache.log")));
        }
        Ok(Self { folder, squid, open, login })
    }

    /// Its access log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has it rotate its log, by renaming.
    ///
    /// # Errors
    /// If it refuses.
    pub async fn rotate(&self) -> anyhow::Result<()> {
        let mut rotate = squid(self.folder.path());
        rotate.args(["-k", "rotate"]);
        succeed(rotate, "").await.map(drop)
    }

    /// Ends it, with all that it still has to write.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn stop(self) -> anyhow::Result<TempDir> {
        self.squid.stop().await.context("squid")?;
        Ok(self.folder)
    }
}

/// Lets a device's connections come from an address of its own: what it sends to the port that is returned goes on
/// to the proxy from there.
///
/// # Errors
/// If there is no free port.
pub async fn device(address: Ipv4Addr, proxy: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut far = connect(address, proxy).await?;
                copy_bidirectional(&mut near, &mut far).await?;
                anyhow::Ok(())
            });
        }
    });
    Ok(port)
}

/// Asks the proxy for a page from an address; gives the status of the answer.
///
/// # Errors
/// If the proxy gives none.
pub async fn ask(
    address: Ipv4Addr,
    proxy: u16,
    url: &str,
    authorization: Option<&str>,
) -> anyhow::Result<u16> {
    let mut stream = connect(address, proxy).await?;
    let login = authorization.map(|it| format!("Proxy-Authorization: Basic {it}\r\n"));
    let host = url::Url::parse(url)?.host_str().unwrap_or_default().to_owned();
    let request = format!(
        "GET {url} HTTP/1.1\r\nHost: {host}\r\n{}Connection: close\r\n\r\n",
        login.unwrap_or_default()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut answer).await?;
    let line = String::from_utf8_lossy(answer.get(..16).unwrap_or(&answer)).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no answer")
}

async fn connect(from: Ipv4Addr, to: u16) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    Ok(socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, to))).await?)
}

fn settings(folder: &Path, open: u16, login: u16, filtered: &[&str]) -> String {
    let (folder, filtered) = (folder.display(), filtered.join(" "));
    format!(
        "http_port 127.0.0.1:{open} name=open\n\
         http_port 127.0.0.1:{login} name=login\n\
         visible_hostname proxy.school.example\n\
         pid_filename {folder}/squid.pid\n\
         cache_log {folder}/cache.log\n\
         coredump_dir {folder}\n\
         logfile_daemon {HELPERS}/log_file_daemon\n\
         access_log daemon:{folder}/access.log squid\n\
         logfile_rotate 5\n\
         strip_query_terms off\n\
         cache deny all\n\
         pinger_enable off\n\
         netdb_filename none\n\
         hosts_file {folder}/hosts\n\
         dns_nameservers 127.0.0.1\n\
         dns_timeout 1 second\n\
         shutdown_lifetime 1 second\n\
         auth_param basic program {HELPERS}/basic_fake_auth\n\
         auth_param basic children 1\n\
         auth_param basic realm school\n\
         acl filtered dstdomain {filtered}\n\
         acl login myportname login\n\
         acl signed_in proxy_auth REQUIRED\n\
         http_access deny filtered\n\
         http_access deny login !signed_in\n\
         http_access allow all\n"
    )
}

fn squid(folder: &Path) -> tokio::process::Command {
    // Debian has it where only an administrator's shell looks.
    let debian = Path::new("/usr/sbin/squid");
    let mut squid = command(if debian.exists() { debian } else { Path::new("squid") });
    squid.arg("-f").arg(folder.join("squid.conf"));
    squid
}

#[cfg(unix)]
fn everybody_s(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))
}

#[cfg(not(unix))]
fn everybody_s(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
