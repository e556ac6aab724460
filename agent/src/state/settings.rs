//! The technician's settings: `agent.toml`, a file that people write and the agent only reads.
//!
//! ```toml
//! extra_profiles = ["/srv/profiles"]     # user data folders of browsers, beside the usual places
//! history_poll_seconds = 30              # how often histories are looked at without being told
//! ca = "/etc/ssl/school-root.pem"        # a further root for the collector's certificate
//! personal = true                        # a pupil's own device: the managed browser in school hours, no more
//!
//! [proxy]                                # HTTP CONNECT
//! url = "http://proxy.school.example:8080"
//! user = "devices"                       # both or neither
//! password_file = "/etc/redshank/proxy-password"
//! ```
//!
//! Every mistake names the file, the line and the key. A relative path is meant from the file's own
//! folder. What is watched is not set here: that is policy, signed by the school.

use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::BASE64;
use redshank_proto::tls::HttpProxy;
use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::guard::check_private;
use super::{StateError, read_bounded};

/// A page of settings is a twentieth of this.
const SETTINGS_BYTES: u64 = 64 * 1024;
/// RFC 7617 sets no bound; header lines of proxies do.
const PASSWORD_BYTES: u64 = 1024;
/// A device has a handful of users; each entry is a folder that is watched.
const MOST_EXTRA_PROFILES: usize = 64;
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
    /// The way out of the school.
    pub proxy: Option<ProxySettings>,
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
    proxy: Option<RawProxy>,
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
            proxy: raw.proxy.map(|proxy| self.proxy(&proxy)).transpose()?,
        })
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
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_set_is_read() {
        let elsewhere = if cfg!(windows) { "C:/srv/profiles" } else { "/srv/profiles" };
        let (folder, read) = settings(&format!(
            "extra_profiles = [\"profiles\", \"{elsewhere}\"]\nhistory_poll_seconds = 5\n\
             ca = \"root.pem\"\n[proxy]\nurl = \"http://proxy.example:8080\"\nuser = \"devices\"\n\
             password_file = \"password\"\n",
        ));
        let read = read.unwrap();
        assert_eq!(read.extra_profiles, [folder.path().join("profiles"), PathBuf::from(elsewhere)]);
        assert_eq!(read.history_poll, Some(Duration::from_secs(5)));
        assert_eq!(read.ca, Some(folder.path().join("root.pem")));

        let password = folder.path().join("password");
        crate::state::write_atomically(&password, b"open sesame\n").unwrap();
        let proxy = read.proxy.unwrap().load().unwrap();
        assert_eq!(proxy.uri, "http://proxy.example:8080");
        // "devices:open sesame" in base64.
        assert_eq!(proxy.authorization.unwrap(), "Basic ZGV2aWNlczpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn no_file_is_no_settings() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(&folder.path().join("agent.toml")).unwrap(), None);
        assert_eq!(settings("").1.unwrap(), Settings::default());
    }

    #[test]
    fn a_mistake_is_named_by_file_line_and_key() {
        for (text, expected) in [
            ("\nstealth = true\n", "agent.toml:2: unknown field `stealth`"),
            ("ca = 3\n", "agent.toml:1: invalid type: integer `3`"),
            ("ca = \n", "agent.toml:1: "),
            (
                "history_poll_seconds = 0\n",
                "agent.toml:1: history_poll_seconds: expected 1 to 3600",
            ),
            ("[proxy]\nurl = \"proxy:80\"\n", "agent.toml:2: proxy.url: expected http://host:port"),
            ("[proxy]\nurl = \"http://u:p@p:80\"\n", "agent.toml:2: proxy.url: expected"),
            ("[proxy]\nport = 3\n", "agent.toml:2: unknown field `port`"),
            ("[proxy]\n", "agent.toml:1: missing field `url`"),
            (
                "[proxy]\nurl = \"http://p:80\"\nuser = \"u\"\n",
                "agent.toml:3: proxy.user: needs proxy.password_file",
            ),
            (
                "[proxy]\nurl = \"http://p:80\"\npassword_file = \"f\"\n",
                "agent.toml:3: proxy.password_file: needs proxy.user",
            ),
        ] {
            let error = settings(text).1.unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_password_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let (folder, read) = settings(
            "[proxy]\nurl = \"http://p:80\"\nuser = \"u\"\npassword_file = \"password\"\n",
        );
        let password = folder.path().join("password");
        std::fs::write(&password, "x").unwrap();
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = read.unwrap().proxy.unwrap().load().unwrap_err().to_string();
        assert!(error.contains("password") && error.contains("chmod 600"), "{error}");
    }

    fn settings(text: &str) -> (tempfile::TempDir, Result<Settings, SettingsError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        std::fs::write(&path, text).unwrap();
        let read = Settings::read(&path).map(Option::unwrap_or_default);
        (folder, read)
    }
}
