//! `collector.toml`: where the collector listens, under which names, and what its policies are made of.
//!
//! Read once, at the start of every command. A mistake is one error that names the file, the line, the key
//! and the way out; nothing is guessed and nothing unknown is ignored. No secret stands in it.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use redshank_proto::tls::Target;
use serde::Deserialize;
use toml::Spanned;

/// Bytes of the file: some hundred lines.
const FILE_BYTES: u64 = 64 * 1024;
/// Names of one collector: each is one more entry of its certificate.
const NAMES: usize = 16;
/// Shared logins that a policy may hold (`policy.proto`), and bytes of one.
const SHARED_LOGINS: usize = 256;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// DNS names and addresses under which agents and people reach the collector; 1 to 16.
    pub names: Vec<String>,
    /// Where devices enrol.
    pub enrolment: SocketAddr,
    /// Where agents report and readers of the feed read.
    pub agents: SocketAddr,
    /// What enrolled devices are told to connect to, `https://host:port`; `None`: the first name and the port.
    pub agents_url: Option<String>,
    /// Where people sign in.
    pub console: SocketAddr,
    /// The console's own certificate and key (PEM); `None`: one of the collector's own CA.
    pub console_certificate: Option<CertificateFiles>,
    /// A folder of rule packs in place of the shipped ones.
    pub rules: Option<PathBuf>,
    /// Whether visits without a match leave the devices too, as scheme, host and path.
    pub report_visits: bool,
    /// Accounts that several people share.
    pub shared_logins: Vec<String>,
}

/// A certificate chain and its key, in two PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The leaf's key.
    pub key: PathBuf,
}

/// What is wrong with the settings, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; `None` if the file could not be read.
    pub line: Option<usize>,
    /// The key on that line, if there is one.
    pub key: Option<String>,
    /// What is wrong, and the way out.
    pub message: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(formatter, ": {key}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl Settings {
    /// Reads the file.
    ///
    /// # Errors
    /// [`SettingsError`] for the first mistake in it, or if it cannot be read.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let failed = |message| SettingsError { path: path.into(), line: None, key: None, message };
        let mut text = String::new();
        let file = File::open(path).map_err(|error| {
            failed(format!("cannot be opened ({error}); check --data, or run `init --name NAME`"))
        })?;
        file.take(FILE_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| failed(format!("cannot be read ({error})")))?;
        Self::parse(path, &text)
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// [`SettingsError`] for the first mistake in it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let at = |span: Option<Range<usize>>, message: String| place(path, text, span, message);
        let written: Written = toml::from_str(text).map_err(|error| {
            let help = "see the comments that `init` writes into a new collector.toml";
            at(error.span(), format!("{}; {help}", error.message()))
        })?;
        written.check().map_err(|(span, message)| at(Some(span), message))
    }

    /// The text of a new file, with its comments.
    #[must_use]
    pub fn template(
        names: &[String],
        enrolment: SocketAddr,
        agents: SocketAddr,
        console: SocketAddr,
    ) -> String {
        let names: Vec<_> = names.iter().map(|name| toml::Value::from(name.as_str())).collect();
        let names = toml::Value::Array(names);
        format!(
            r#"# Settings of redshank-collector. Read at the start of every command.

# DNS names and IP addresses under which agents and people reach this collector.
# The collector issues its own certificates for them.
names = {names}

[enrolment]
# Where devices enrol.
listen = "{enrolment}"

[agents]
# Where enrolled devices report, and monitoring services read the feed.
listen = "{agents}"
# What devices are told to connect to; by default the first name and the port above.
# url = "https://collector.school.example:7444"

[console]
# Where people sign in.
listen = "{console}"
# The school's own certificate for the console (PEM; the chain, leaf first); by default the collector issues one.
# certificate = "/etc/redshank/console.pem"
# key = "/etc/redshank/console.key"

[policy]
# What each school decides besides stands in its own file under policy/, beside this one.
# A folder of rule packs in place of the shipped ones: LANGUAGE/CATEGORY.toml, private.toml and programs.toml.
# rules = "/etc/redshank/rules"
# Whether visits without a match leave the devices too (scheme, host and path), for the browsing round a concern.
report_visits = true
# Accounts that several people share, a class login for instance: never a name on an alert.
shared_logins = []
"#
        )
    }
}

/// Whether a text is a DNS name or an IP address that a certificate can be for.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    names: Spanned<Vec<String>>,
    enrolment: Listener,
    agents: Agents,
    console: Console,
    #[serde(default)]
    policy: Policy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listener {
    listen: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agents {
    listen: Spanned<String>,
    url: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Console {
    listen: Spanned<String>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    rules: Option<PathBuf>,
    report_visits: bool,
    shared_logins: Option<Spanned<Vec<String>>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { rules: None, report_visits: true, shared_logins: None }
    }
}

type Mistake = (Range<usize>, String);

impl Written {
    fn check(self) -> Result<Settings, Mistake> {
        let names = self.names.get_ref();
        if names.is_empty() || names.len() > NAMES {
            return Err((self.names.span(), format!("give 1 to {NAMES} names")));
        }
        if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
            let message = format!("`{wrong}` is neither a DNS name nor an IP address");
            return Err((self.names.span(), message));
        }
        let console_certificate = match (self.console.certificate, self.console.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(CertificateFiles {
                certificate: certificate.into_inner(),
                key: key.into_inner(),
            }),
            (Some(lonely), None) | (None, Some(lonely)) => {
                let message = "certificate and key go together; give both or neither".to_owned();
                return Err((lonely.span(), message));
            }
        };
        let agents_url = self.agents.url.map(url).transpose()?;
        Ok(Settings {
            names: self.names.into_inner(),
            enrolment: address(&self.enrolment.listen)?,
            agents: address(&self.agents.listen)?,
            agents_url,
            console: address(&self.console.listen)?,
            console_certificate,
            rules: self.policy.rules,
            report_visits: self.policy.report_visits,
            shared_logins: self.policy.shared_logins.map(logins).transpose()?.unwrap_or_default(),
        })
    }
}

fn address(listen: &Spanned<String>) -> Result<SocketAddr, Mistake> {
    listen.get_ref().parse().map_err(|_| {
        let message = format!(
            "`{}` is not an address to listen on; write IP:PORT, 0.0.0.0:7443 or [::]:7443",
            listen.get_ref()
        );
        (listen.span(), message)
    })
}

fn url(url: Spanned<String>) -> Result<String, Mistake> {
    match Target::parse(url.get_ref()) {
        Ok(_) => Ok(url.into_inner()),
        Err(error) => Err((url.span(), error.to_string())),
    }
}

fn logins(logins: Spanned<Vec<String>>) -> Result<Vec<String>, Mistake> {
    let fine = logins.get_ref().len() <= SHARED_LOGINS
        && logins.get_ref().iter().all(|login| (1..=256).contains(&login.len()));
    if fine {
        Ok(logins.into_inner())
    } else {
        Err((logins.span(), format!("give at most {SHARED_LOGINS} accounts of 1 to 256 bytes")))
    }
}

fn place(path: &Path, text: &str, span: Option<Range<usize>>, message: String) -> SettingsError {
    let before = span.and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let key = line
        .and_then(|line| text.lines().nth(line - 1))
        .and_then(|line| line.split_once('='))
        .map(|(key, _)| key.trim().to_owned());
    SettingsError { path: path.into(), line, key, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_is_read_back() {
        let settings = read(&template()).unwrap();
        assert_eq!(settings.names, ["collector.school.example", "10.0.0.5"]);
        assert_eq!(settings.enrolment.port(), 7443);
        assert_eq!(settings.agents_url, None);
        assert!(settings.report_visits);
    }

    #[test]
    fn a_mistake_is_told_with_file_line_key_and_the_way_out() {
        for (from, to, line, key, message) in [
            ("listen = \"0.0.0.0:7443\"", "listen = \"7443\"", 9, "listen", "write IP:PORT"),
            ("report_visits = true", "report_visits = \"yes\"", 29, "report_visits", "boolean"),
            ("report_visits = true", "report_visit = true", 29, "report_visit", "unknown field"),
            ("# certificate =", "certificate =", 21, "certificate", "give both or neither"),
            ("# url = \"https", "url = \"http", 15, "url", "https://host:port"),
            ("\"10.0.0.5\"", "\"no name\"", 5, "names", "neither a DNS name nor"),
            ("shared_logins = []", "shared_logins = [\"\"]", 31, "shared_logins", "1 to 256 bytes"),
            ("[console]", "[consol]", 17, "", "consol"),
        ] {
            let error = read(&template().replace(from, to)).unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert_eq!(error.key.as_deref().unwrap_or_default(), key, "{error}");
            assert!(error.message.contains(message), "{error}");
            assert!(error.to_string().starts_with("/data/collector.toml:"), "{error}");
        }
    }

    #[test]
    fn a_missing_key_and_a_missing_file_are_told() {
        let error = read(&template().replace("names =", "# names =")).unwrap_err();
        assert!(error.message.contains("names"), "{error}");
        let error = Settings::read(Path::new("/nowhere/collector.toml")).unwrap_err();
        assert!(error.to_string().contains("init --name"), "{error}");
    }

    #[test]
    fn names_are_dns_names_or_addresses() {
        for name in ["localhost", "collector.school.example", "127.0.0.1", "::1", "a-b.c"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a..b", "a b", "a_b", "https://x", "x:1", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    fn template() -> String {
        let names = ["collector.school.example".to_owned(), "10.0.0.5".to_owned()];
        let at = |port| SocketAddr::from(([0, 0, 0, 0], port));
        Settings::template(&names, at(7443), at(7444), at(8443))
    }

    fn read(text: &str) -> Result<Settings, SettingsError> {
        Settings::parse(Path::new("/data/collector.toml"), text)
    }
}
