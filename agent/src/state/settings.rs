//! The technician's settings: `agent.toml`, a file that people write and the agent only reads.
//!
//! ```toml
//! extra_profiles = ["/srv/profiles"]     # user data folders of browsers, beside the usual places
//! history_poll_seconds = 30              # how often histories are looked at without being told
//! ca = "/etc/ssl/school-root.pem"        # a further root for the collector's certificate
//! notice_at_sign_in = true               # the sign-in entry is installed: nobody is read before it showed the notice
//! personal = true                        # a pupil's own device: the managed browser in school hours, no more
//!
//! [proxy]                                # HTTP CONNECT
//! url = "http://proxy.school.example:8080"
//! user = "devices"                       # both or neither
//! password_file = "/etc/redshank/proxy-password"
//!
//! [[log]]                                # a proxy's or name server's log on this host; at most 32
//! path = "/var/log/squid/access.log"
//! format = "squid"                       # squid, squid:LOGFORMAT, e2guardian:1 to 8, dnsmasq, unbound, …
//! zone = "Europe/London"                 # of times without one; the system's if absent
//! authority = "school.example"           # who vouches for users whose names do not say
//! clients = ["192.168.4.0/22"]           # whose requests are meant; everybody's if absent
//!
//! [[leases]]                             # a DHCP server's lease file on this host; at most 16
//! path = "/var/lib/misc/dnsmasq.leases"
//! format = "dnsmasq"                     # or "isc"
//! ```
//!
//! Every mistake names the file, the line and the key. A relative path is meant from the file's own
//! folder. What is watched is not set here: that is policy, signed by the school.

use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::BASE64;
use jiff::tz::TimeZone;
use redshank_proto::tls::HttpProxy;
use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::guard::check_private;
use super::{StateError, read_bounded};
use crate::sources::logs::formats::Format;
use crate::sources::logs::leases::{LeaseFormat, LeaseSettings};
use crate::sources::logs::{LogSettings, MOST_LEASE_FILES, MOST_LOGS, Network};

/// A page of settings is a twentieth of this.
const SETTINGS_BYTES: u64 = 64 * 1024;
/// RFC 7617 sets no bound; header lines of proxies do.
const PASSWORD_BYTES: u64 = 1024;
/// A device has a handful of users; each entry is a folder that is watched.
const MOST_EXTRA_PROFILES: usize = 64;
/// Subnets of one kind of device.
const MOST_CLIENTS: usize = 256;
/// A domain's name has no more (RFC 1035).
const AUTHORITY_BYTES: usize = 255;
/// Below a second the poll itself is the load; above an hour a missed event waits too long.
const POLL_SECONDS: std::ops::RangeInclusive<u64> = 1..=3_600;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file that the command line names is not there, or cannot be read.
    #[error(transparent)]
    File(#[from] StateError),
    /// Something in the file is wrong.
    #[error("{path}:{line}: {message}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, with the key, and what is expected.
        message: String,
    },
}

/// The settings, checked; the default is what holds without a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// User data folders of browsers to follow beside the usual places; at most 64.
    pub extra_profiles: Vec<PathBuf>,
    /// How often histories are looked at without being told; the source's own pace if absent.
    pub history_poll: Option<Duration>,
    /// A further root for the collector's certificate.
    pub ca: Option<PathBuf>,
    /// Whether the device is a pupil's own: then nothing is watched but the browser that has the extension,
    /// in school hours.
    pub personal: bool,
    /// Whether the sign-in entry shows the notice here: then an account is read from its first showing on.
    pub notice_at_sign_in: bool,
    /// The way out of the school.
    pub proxy: Option<ProxySettings>,
    /// Logs of proxies and name servers on this host.
    pub logs: Vec<LogSettings>,
    /// Lease files of DHCP servers on this host.
    pub leases: Vec<LeaseSettings>,
}

/// A proxy as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    uri: http::Uri,
    /// The user's name and the file of the password.
    login: Option<(String, PathBuf)>,
}

impl Settings {
    /// Reads a settings file; `None` if there is none.
    ///
    /// # Errors
    /// [`SettingsError`], with the line and the key.
    pub fn read(path: &Path) -> Result<Option<Self>, SettingsError> {
        let Some(bytes) = read_bounded(path, SETTINGS_BYTES)? else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = "the file is not UTF-8".to_owned();
            SettingsError::Wrong { path: path.to_owned(), line, message }
        })?;
        Reader { path, text: &text }.settings().map(Some)
    }
}

impl ProxySettings {
    /// The proxy as a dialer needs it; reads the password.
    ///
    /// # Errors
    /// [`StateError`] if the password's file cannot be read or others may read it.
    pub fn load(&self) -> Result<HttpProxy, StateError> {
        let authorization = match &self.login {
            None => None,
            Some((user, file)) => Some(basic(user, file)?),
        };
        Ok(HttpProxy { uri: self.uri.clone(), authorization })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    #[serde(default)]
    extra_profiles: Vec<Spanned<PathBuf>>,
    history_poll_seconds: Option<Spanned<u64>>,
    ca: Option<PathBuf>,
    #[serde(default)]
    personal: bool,
    #[serde(default)]
    notice_at_sign_in: bool,
    proxy: Option<RawProxy>,
    #[serde(default)]
    log: Vec<Spanned<RawLog>>,
    #[serde(default)]
    leases: Vec<Spanned<RawLeases>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    path: Spanned<PathBuf>,
    format: Spanned<String>,
    zone: Option<Spanned<String>>,
    authority: Option<Spanned<String>>,
    #[serde(default)]
    clients: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLeases {
    path: Spanned<PathBuf>,
    format: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProxy {
    url: Spanned<String>,
    user: Option<Spanned<String>>,
    password_file: Option<Spanned<PathBuf>>,
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn settings(&self) -> Result<Settings, SettingsError> {
        let raw: RawSettings = toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.wrong(at, error.message().replace('\n', ", "))
        })?;
        if let Some(past) = raw.extra_profiles.get(MOST_EXTRA_PROFILES) {
            let message = format!("extra_profiles: at most {MOST_EXTRA_PROFILES} folders");
            return Err(self.wrong(past.span().start, message));
        }
        Ok(Settings {
            extra_profiles: raw
                .extra_profiles
                .iter()
                .map(|folder| self.beside(folder.get_ref()))
                .collect(),
            history_poll: raw
                .history_poll_seconds
                .map(|seconds| self.poll(&seconds))
                .transpose()?,
            ca: raw.ca.map(|file| self.beside(&file)),
            personal: raw.personal,
            notice_at_sign_in: raw.notice_at_sign_in,
            proxy: raw.proxy.map(|proxy| self.proxy(&proxy)).transpose()?,
            logs: self.logs(&raw.log)?,
            leases: self.leases(&raw.leases)?,
        })
    }

    fn logs(&self, raw: &[Spanned<RawLog>]) -> Result<Vec<LogSettings>, SettingsError> {
        self.no_more_than(raw, MOST_LOGS, "log: at most 32 logs")?;
        let mut logs = Vec::new();
        for log in raw.iter().map(Spanned::get_ref) {
            let path = self.file(&log.path, "log.path")?;
            if logs.iter().any(|known: &LogSettings| known.path == path) {
                let message = "log.path: this log is named twice".to_owned();
                return Err(self.wrong(log.path.span().start, message));
            }
            if let Err(error) = Format::parse_name(log.format.get_ref()) {
                return Err(self.wrong(log.format.span().start, format!("log.format: {error}")));
            }
            logs.push(LogSettings {
                path,
                format: log.format.get_ref().clone(),
                zone: log.zone.as_ref().map_or(Ok(TimeZone::system()), |zone| self.zone(zone))?,
                authority: log.authority.as_ref().map(|it| self.authority(it)).transpose()?,
                clients: self.clients(&log.clients)?,
            });
        }
        Ok(logs)
    }

    fn leases(&self, raw: &[Spanned<RawLeases>]) -> Result<Vec<LeaseSettings>, SettingsError> {
        self.no_more_than(raw, MOST_LEASE_FILES, "leases: at most 16 lease files")?;
        let mut files = Vec::new();
        for file in raw.iter().map(Spanned::get_ref) {
            let format = match file.format.get_ref().as_str() {
                "dnsmasq" => LeaseFormat::Dnsmasq,
                "isc" => LeaseFormat::Isc,
                _ => {
                    let message = "leases.format: expected dnsmasq or isc".to_owned();
                    return Err(self.wrong(file.format.span().start, message));
                }
            };
            files.push(LeaseSettings { path: self.file(&file.path, "leases.path")?, format });
        }
        Ok(files)
    }

    fn no_more_than<T>(
        &self,
        tables: &[Spanned<T>],
        most: usize,
        message: &str,
    ) -> Result<(), SettingsError> {
        match tables.get(most) {
            Some(past) => Err(self.wrong(past.span().start, message.to_owned())),
            None => Ok(()),
        }
    }

    fn file(&self, path: &Spanned<PathBuf>, key: &str) -> Result<PathBuf, SettingsError> {
        if path.get_ref().file_name().is_none() {
            let message = format!("{key}: expected the path of a file");
            return Err(self.wrong(path.span().start, message));
        }
        Ok(self.beside(path.get_ref()))
    }

    fn zone(&self, zone: &Spanned<String>) -> Result<TimeZone, SettingsError> {
        TimeZone::get(zone.get_ref()).map_err(|_| {
            let message = "log.zone: expected a time zone as Europe/London".to_owned();
            self.wrong(zone.span().start, message)
        })
    }

    fn authority(&self, authority: &Spanned<String>) -> Result<String, SettingsError> {
        let text = authority.get_ref();
        if text.is_empty() || text.len() > AUTHORITY_BYTES || text.contains(char::is_control) {
            let message = "log.authority: expected the name of a domain".to_owned();
            return Err(self.wrong(authority.span().start, message));
        }
        Ok(text.clone())
    }

    fn clients(&self, clients: &[Spanned<String>]) -> Result<Vec<Network>, SettingsError> {
        if let Some(past) = clients.get(MOST_CLIENTS) {
            let message = format!("log.clients: at most {MOST_CLIENTS} networks");
            return Err(self.wrong(past.span().start, message));
        }
        let network = |text: &Spanned<String>| {
            text.get_ref()
                .parse()
                .map_err(|error| self.wrong(text.span().start, format!("log.clients: {error}")))
        };
        clients.iter().map(network).collect()
    }

    fn poll(&self, seconds: &Spanned<u64>) -> Result<Duration, SettingsError> {
        if POLL_SECONDS.contains(seconds.get_ref()) {
            return Ok(Duration::from_secs(*seconds.get_ref()));
        }
        let (least, most) = (POLL_SECONDS.start(), POLL_SECONDS.end());
        let message = format!("history_poll_seconds: expected {least} to {most}");
        Err(self.wrong(seconds.span().start, message))
    }

    fn proxy(&self, raw: &RawProxy) -> Result<ProxySettings, SettingsError> {
        let wrong_url = || {
            let message = "proxy.url: expected http://host:port".to_owned();
            self.wrong(raw.url.span().start, message)
        };
        let uri: http::Uri = raw.url.get_ref().parse().map_err(|_| wrong_url())?;
        let plain = uri.scheme_str() == Some("http")
            && uri.port_u16().is_some()
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !plain {
            return Err(wrong_url());
        }
        let login = match (&raw.user, &raw.password_file) {
            (None, None) => None,
            // RFC 7617, section 2: the first colon ends the user's name.
            (Some(user), Some(_)) if user.get_ref().contains(':') => {
                let message = "proxy.user: a user name of Basic has no colon".to_owned();
                return Err(self.wrong(user.span().start, message));
            }
            (Some(user), Some(file)) => Some((user.get_ref().clone(), self.beside(file.get_ref()))),
            (Some(user), None) => {
                let message = "proxy.user: needs proxy.password_file beside it".to_owned();
                return Err(self.wrong(user.span().start, message));
            }
            (None, Some(file)) => {
                let message = "proxy.password_file: needs proxy.user beside it".to_owned();
                return Err(self.wrong(file.span().start, message));
            }
        };
        Ok(ProxySettings { uri, login })
    }

    fn beside(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    fn wrong(&self, at: usize, message: String) -> SettingsError {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        SettingsError::Wrong { path: self.path.to_owned(), line, message }
    }
}

/// The value of `Proxy-Authorization` (RFC 7617).
fn basic(user: &str, file: &Path) -> Result<http::HeaderValue, StateError> {
    let refuse = |kind, message: &str| StateError::Io {
        path: file.to_owned(),
        source: std::io::Error::new(kind, message),
    };
    check_private(file)?;
    let bytes = read_bounded(file, PASSWORD_BYTES)?
        .map(Zeroizing::new)
        .ok_or_else(|| refuse(std::io::ErrorKind::NotFound, "there is no such password file"))?;
    let password = std::str::from_utf8(&bytes)
        .map_err(|_| refuse(std::io::ErrorKind::InvalidData, "the password is not UTF-8"))?
        .trim_end_matches(['\r', '\n']);
    let login = Zeroizing::new(format!("{user}:{password}"));
    let mut value =
        http::HeaderValue::try_from(format!("Basic {}", BASE64.encode(login.as_bytes())))
            .map_err(|_| refuse(std::io::ErrorKind::InvalidData, "the login makes no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
