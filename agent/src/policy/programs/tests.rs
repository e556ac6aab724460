//! What fits what, what outranks what, and that the shipped list compiles and hits what it should.

use serde::Deserialize;

use super::*;

#[test]
fn which_pattern_fits_which_program() {
    let tor = "/home/amy/tor-browser/Browser/firefox.real";
    for (name, path, publisher, program, fits) in [
        ("tor", "", "", seen("tor", "/usr/bin/tor", ""), true),
        ("tor", "", "", seen("tutor", "/usr/bin/tutor", ""), false),
        ("TOR.exe", "", "", seen("Tor.EXE", "", ""), true),
        ("psiphon*", "", "", seen("psiphon3.exe", "", ""), true),
        ("*vpn*", "", "", seen("x", "/opt/vpn/x", ""), false),
        ("a*b*c", "", "", seen("a-b-b-c", "", ""), true),
        ("a*b*c", "", "", seen("a-c-b", "", ""), false),
        ("aba*aba", "", "", seen("aba", "", ""), false),
        ("", "tor-browser/Browser", "", seen("firefox.real", tor, ""), true),
        ("", "Tor-Browser*\\browser/firefox*", "", seen("firefox.real", tor, ""), true),
        ("", "browser/Browser", "", seen("firefox.real", tor, ""), false),
        ("", "/tor-browser", "", seen("firefox.real", tor, ""), false),
        ("", "/home/*/tor-browser", "", seen("firefox.real", tor, ""), true),
        (
            "",
            "*:/Program Files/NordVPN",
            "",
            seen("x.exe", r"D:\program files\NordVPN\x.exe", ""),
            true,
        ),
        (
            "",
            "Program Files/NordVPN/nordvpn",
            "",
            seen("x", r"C:\Program Files\NordVPN\NordVPN.exe", ""),
            true,
        ),
        ("", "C:/", "", seen("x.exe", r"D:\x.exe", ""), false),
        ("", "a/b/c", "", seen("b", "/a/b", ""), false),
        ("", "", "nordvpn s.a.", seen("x", "", "NordVPN S.A."), true),
        ("", "", "nordvpn*", seen("x", "", ""), false),
        ("firefox*", "tor-browser", "", seen("firefox.real", tor, ""), true),
        ("firefox*", "tor-browser", "", seen("firefox", "/usr/bin/firefox", ""), false),
        ("é*", "", "", seen("Été", "", ""), true),
    ] {
        let list = compile(&[entry(v1::ProgramList::Bypass, name, path, publisher, 2)], false);
        let verdict = list.verdict(&program, RunBy::Person);
        assert_eq!(verdict.is_some(), fits, "{name:?} {path:?} {publisher:?} on {program:?}");
    }
}

#[test]
fn allowed_outranks_and_of_the_others_the_most_severe() {
    let entries = [
        entry(v1::ProgramList::Bypass, "anydesk", "", "", 1),
        entry(v1::ProgramList::RemoteControl, "anydesk*", "", "", 3),
        entry(v1::ProgramList::Denied, "any*", "", "", 3),
    ];
    let program = seen("AnyDesk.exe", r"C:\Program Files\AnyDesk\AnyDesk.exe", "");
    let listed = compile(&entries, false).verdict(&program, RunBy::System).unwrap();
    assert_eq!((listed.list, listed.severity), (List::RemoteControl, 3), "the first of equals");

    let mut entries = entries.to_vec();
    entries.push(entry(v1::ProgramList::Allowed, "", "*:/Program Files/AnyDesk", "", 0));
    let list = compile(&entries, false);
    assert_eq!(list.verdict(&program, RunBy::Person).unwrap().list, List::Allowed);
    let elsewhere = seen("AnyDesk.exe", r"C:\Users\amy\Downloads\AnyDesk.exe", "");
    assert_eq!(list.verdict(&elsewhere, RunBy::Person).unwrap().list, List::RemoteControl);
}

#[test]
fn where_only_the_allowed_may_run_the_rest_that_people_brought_is_denied() {
    let list = compile(&[entry(v1::ProgramList::Allowed, "chrome", "", "", 0)], true);
    for (program, run_by, denied) in [
        (seen("game", "/home/amy/game", ""), RunBy::Person, true),
        (seen("game.exe", r"E:\game.exe", ""), RunBy::Person, true),
        (seen("tool", "/usr/local/bin/tool", ""), RunBy::Person, true),
        (
            seen("windows.exe", r"C:\Users\amy\Windows\System32\windows.exe", ""),
            RunBy::Person,
            true,
        ),
        (seen("game", "/home/amy/game", ""), RunBy::System, false),
        (seen("chrome", "/opt/google/chrome/chrome", ""), RunBy::Person, false),
        (seen("gvfsd", "/usr/libexec/gvfsd", ""), RunBy::Person, false),
        (seen("explorer.exe", r"C:\Windows\explorer.exe", ""), RunBy::Person, false),
        (seen("unknown", "", ""), RunBy::Person, false),
    ] {
        let verdict = list.verdict(&program, run_by);
        let is_denied = verdict.is_some_and(|listed| listed.list == List::Denied);
        assert_eq!(is_denied, denied, "{program:?}");
    }
}

#[test]
fn a_wrong_entry_is_named() {
    let long = "x".repeat(TEXT_BYTES + 1);
    let fine = entry(v1::ProgramList::Bypass, "tor", "", "", 0);
    for (wrong, expected) in [
        (entry(v1::ProgramList::Unspecified, "tor", "", "", 0), "its list is not known"),
        (entry(v1::ProgramList::Bypass, " ", "", "", 0), "it names nothing"),
        (entry(v1::ProgramList::Bypass, "**", "", "", 0), "`**` fits every program"),
        (entry(v1::ProgramList::Bypass, "", "/*/", "", 0), "`/*/` fits every program"),
        (entry(v1::ProgramList::Bypass, "", "/", "", 0), "`/` fits every program"),
        (entry(v1::ProgramList::Bypass, "", "", &long, 0), "its publisher is longer"),
        (entry(v1::ProgramList::Bypass, "tor", "", "", 6), "severity 6"),
    ] {
        let error = ProgramList::compile(&[fine.clone(), wrong], false).unwrap_err();
        assert_eq!(error.entry, 2);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_shipped_list_compiles_and_tells_tools_from_innocent_programs() {
    let list = compile(&shipped(), false);
    for (program, expected) in [
        (seen("psiphon3.exe", r"C:\Users\amy\Downloads\psiphon3.exe", ""), Some(List::Bypass)),
        (
            seen("NordVPN", "/Applications/NordVPN.app/Contents/MacOS/NordVPN", ""),
            Some(List::Bypass),
        ),
        (
            seen("firefox.real", "/home/amy/tor-browser/Browser/firefox.real", ""),
            Some(List::Bypass),
        ),
        (seen("firefox.exe", r"E:\Tor Browser\Browser\firefox.exe", ""), Some(List::Bypass)),
        (
            seen("firefox", "/Applications/Tor Browser.app/Contents/MacOS/firefox", ""),
            Some(List::Bypass),
        ),
        (seen("tor", "/usr/bin/tor", ""), Some(List::Bypass)),
        (seen("goodbyedpi.exe", "", ""), Some(List::Bypass)),
        (seen("wg-quick", "/usr/bin/wg-quick", ""), Some(List::Bypass)),
        (seen("AnyDesk.exe", "", ""), Some(List::RemoteControl)),
        (seen("rustdesk", "/usr/bin/rustdesk", ""), Some(List::RemoteControl)),
        (seen("TeamViewer_Service.exe", "", ""), Some(List::RemoteControl)),
        (seen("firefox", "/usr/lib/firefox/firefox", ""), None),
        (seen("firefox-esr", "/usr/lib/firefox-esr/firefox-esr", ""), None),
        (seen("chrome.exe", r"C:\Program Files\Google\Chrome\Application\chrome.exe", ""), None),
        (seen("brave", "/opt/brave.com/brave/brave", ""), None),
        (
            seen("OUTLOOK.EXE", r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", ""),
            None,
        ),
        (seen("Teams.exe", "", ""), None),
        (seen("storage", "", ""), None),
        (seen("monitor", "", ""), None),
        (seen("history.exe", "", ""), None),
        // How schools manage and teach: theirs to run.
        (seen("jamf", "/usr/local/jamf/bin/jamf", ""), None),
        (
            seen("client32.exe", r"C:\Program Files\NetSupport\NetSupport School\client32.exe", ""),
            None,
        ),
        (
            seen("pcictlui.exe", r"C:\Program Files\NetSupport\NetSupport School\pcictlui.exe", ""),
            None,
        ),
        (seen("ImperoClient.exe", "", ""), None),
        (
            seen(
                "ARDAgent",
                "/System/Library/CoreServices/RemoteManagement/ARDAgent.app/Contents/MacOS/ARDAgent",
                "",
            ),
            None,
        ),
        (seen("IntuneManagementExtension.exe", "", ""), None),
        (seen("Microsoft.Management.Services.IntuneWindowsAgent.exe", "", ""), None),
        (seen("mstsc.exe", r"C:\Windows\System32\mstsc.exe", ""), None),
        (seen("veyon-server.exe", "", ""), None),
        (seen("sensoclient.exe", "", ""), None),
    ] {
        let verdict = list.verdict(&program, RunBy::Person).map(|listed| listed.list);
        assert_eq!(verdict, expected, "{program:?}");
    }
}

#[test]
fn every_shipped_entry_gives_its_reason_and_stands_once() {
    let entries = shipped();
    assert!(entries.len() > 200, "{}", entries.len());
    let mut seen = std::collections::BTreeSet::new();
    for entry in &entries {
        assert!(!entry.reason.trim().is_empty());
        let text = format!("{}|{}|{}", entry.name, entry.path, entry.publisher).to_lowercase();
        assert!(seen.insert(text.replace(".exe", "")), "{text} stands twice");
    }
}

/// The shipped file, as the collector reads it: each name, path and publisher is an entry of its own.
fn shipped() -> Vec<v1::ProgramEntry> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        format: u32,
        entry: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        list: String,
        reason: String,
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        paths: Vec<String>,
        #[serde(default)]
        publishers: Vec<String>,
    }
    let file: File =
        toml::from_str(include_str!("../../../../collector/rules/programs.toml")).unwrap();
    assert_eq!(file.format, 1);
    let mut entries = Vec::new();
    for it in file.entry {
        let list = match it.list.as_str() {
            "bypass" => v1::ProgramList::Bypass,
            "remote_control" => v1::ProgramList::RemoteControl,
            other => panic!("{other}: a shipped list is bypass or remote_control"),
        };
        let of = |name: &str, path: &str, publisher: &str| v1::ProgramEntry {
            reason: it.reason.clone(),
            ..entry(list, name, path, publisher, 0)
        };
        entries.extend(it.names.iter().map(|name| of(name, "", "")));
        entries.extend(it.paths.iter().map(|path| of("", path, "")));
        entries.extend(it.publishers.iter().map(|publisher| of("", "", publisher)));
    }
    entries
}

fn compile(entries: &[v1::ProgramEntry], only_allowed: bool) -> ProgramList {
    ProgramList::compile(entries, only_allowed).unwrap()
}

fn entry(
    list: v1::ProgramList,
    name: &str,
    path: &str,
    publisher: &str,
    severity: u32,
) -> v1::ProgramEntry {
    v1::ProgramEntry {
        list: list.into(),
        name: name.to_owned(),
        path: path.to_owned(),
        publisher: publisher.to_owned(),
        reason: "a test".to_owned(),
        severity,
    }
}

fn seen(name: &str, path: &str, publisher: &str) -> Program {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Program { name: name.to_owned(), path: given(path), publisher: given(publisher) }
}
