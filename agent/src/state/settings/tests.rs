use super::*;

#[test]
fn everything_that_can_be_set_is_read() {
    let elsewhere = if cfg!(windows) { "C:/srv/profiles" } else { "/srv/profiles" };
    let (folder, read) = settings(&format!(
        "extra_profiles = [\"profiles\", \"{elsewhere}\"]\nhistory_poll_seconds = 5\n\
         ca = \"root.pem\"\nnotice_at_sign_in = true\npersonal = true\n[proxy]\nurl = \"http://proxy.example:8080\"\nuser = \"devices\"\n\
         password_file = \"password\"\n[[log]]\npath = \"access.log\"\nformat = \"squid\"\n\
         zone = \"Europe/London\"\nauthority = \"SCHOOL\"\nclients = [\"192.168.4.0/22\"]\n\
         [[log]]\npath = \"dns\"\nformat = \"dnsmasq\"\n[[leases]]\npath = \"l\"\n\
         format = \"isc\"\n",
    ));
    let read = read.unwrap();
    assert_eq!(
        read.logs[0],
        LogSettings {
            path: folder.path().join("access.log"),
            format: "squid".to_owned(),
            zone: TimeZone::get("Europe/London").unwrap(),
            authority: Some("SCHOOL".to_owned()),
            clients: vec!["192.168.4.0/22".parse().unwrap()],
        }
    );
    assert_eq!(read.logs[1].path, folder.path().join("dns"));
    let leases = LeaseSettings { path: folder.path().join("l"), format: LeaseFormat::Isc };
    assert_eq!(read.leases, [leases]);
    assert_eq!(read.extra_profiles, [folder.path().join("profiles"), PathBuf::from(elsewhere)]);
    assert_eq!(read.history_poll, Some(Duration::from_secs(5)));
    assert_eq!(read.ca, Some(folder.path().join("root.pem")));
    assert!(read.notice_at_sign_in && read.personal);

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
        ("history_poll_seconds = 0\n", "agent.toml:1: history_poll_seconds: expected 1 to 3600"),
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
        ("[[log]]\npath = \"a\"\n", "agent.toml:1: missing field `format`"),
        ("[[log]]\npath = \"/\"\nformat = \"squid\"\n", "agent.toml:2: log.path: expected"),
        (
            "[[log]]\npath = \"a\"\nformat = \"apache\"\n",
            "agent.toml:3: log.format: there is no log format `apache`",
        ),
        (&log("port = 514"), "agent.toml:4: unknown field `port`"),
        (&log("zone = \"Mars\""), "agent.toml:4: log.zone: expected a time zone"),
        (&log("authority = \"\""), "agent.toml:4: log.authority: expected"),
        (&log("clients = [\n\"10.0.0.1/8\"]"), "agent.toml:5: log.clients: expected a network"),
        (&log(&log("")), "agent.toml:5: log.path: this log is named twice"),
        (
            "[[leases]]\npath = \"a\"\nformat = \"kea\"\n",
            "agent.toml:3: leases.format: expected dnsmasq or isc",
        ),
        (&many("log", "squid", 33), "agent.toml:97: log: at most 32 logs"),
        (&many("leases", "isc", 17), "agent.toml:49: leases: at most 16 lease files"),
    ] {
        let error = settings(text).1.unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_password_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, read) =
        settings("[proxy]\nurl = \"http://p:80\"\nuser = \"u\"\npassword_file = \"password\"\n");
    let password = folder.path().join("password");
    std::fs::write(&password, "x").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = read.unwrap().proxy.unwrap().load().unwrap_err().to_string();
    assert!(error.contains("password") && error.contains("chmod 600"), "{error}");
}

fn log(rest: &str) -> String {
    format!("[[log]]\npath = \"a\"\nformat = \"squid\"\n{rest}\n")
}

fn many(table: &str, format: &str, times: usize) -> String {
    let one = |number| format!("[[{table}]]\npath = \"{number}\"\nformat = \"{format}\"\n");
    (0..times).map(one).collect()
}

fn settings(text: &str) -> (tempfile::TempDir, Result<Settings, SettingsError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    std::fs::write(&path, text).unwrap();
    let read = Settings::read(&path).map(Option::unwrap_or_default);
    (folder, read)
}
