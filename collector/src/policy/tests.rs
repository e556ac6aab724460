//! Rules and policies.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use prost::Message as _;
use redshank_proto::time;
use tempfile::TempDir;

use super::*;
use crate::keys::tests::ring_with_school;
use crate::store::Scope;
use crate::store::tests::Scratch;

#[test]
fn every_shipped_file_is_compiled_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let lie: BTreeSet<_> = packs_of(&folder).unwrap().into_iter().map(|pack| pack.name).collect();
    let compiled: BTreeSet<_> = shipped::packs().into_iter().map(|pack| pack.name).collect();
    assert_eq!(lie, compiled);
}

#[test]
fn the_shipped_rules_are_sound_and_keep_help_private() {
    let rules = Rules::read(None).unwrap();
    for host in [
        "childline.org.uk",
        "samaritans.org",
        "papyrus-uk.org",
        "giveusashout.org",
        "kooth.com",
        "youngminds.org.uk",
        "themix.org.uk",
        "nspcc.org.uk",
        "ceop.police.uk",
        "beateatingdisorders.org.uk",
        "mermaidsuk.org.uk",
        "switchboard.lgbt",
        "refuge.org.uk",
        "talktofrank.com",
        "nhs.uk",
        "cpoms.net",
    ] {
        assert!(rules.private_list.iter().any(|entry| entry.host == host), "{host}");
    }
}

#[test]
fn mistakes_are_told_with_file_line_and_the_way_out() {
    let entry = |body: &str| format!("format = 1\n[[entry]]\nreason = \"Help\"\n{body}\n");
    for (text, line, message) in [
        ("format = 2\nentry = []".to_owned(), 1, "format"),
        (entry("hosts = [\"https://a.org\"]"), 4, "not a host"),
        (entry("hosts = [\"A.org\"]"), 4, "lower case"),
        (entry("hosts = []"), 3, "no hosts"),
        (entry("hosts = [\"a.org\", \"a.org\"]"), 4, "twice"),
        (entry("hosts = [\"a.org\"]\npath_prefix = \"x\""), 5, "no path"),
        (entry("host = \"a.org\""), 4, "unknown field"),
        (entry("hosts = [\"a.org\"]").replace("Help", " "), 3, "reason"),
        ("format = ".to_owned(), 1, ""),
    ] {
        let wrong = private::parse("private.toml", &text).unwrap_err();
        assert_eq!(wrong[0].line, line, "{text}: {}", wrong[0]);
        assert!(wrong[0].message.contains(message), "{text}: {}", wrong[0]);
    }
}

#[test]
fn the_rules_are_known_by_their_severities() {
    let rules = Rules::read(None).unwrap();
    assert_eq!(
        rules.severities.get("filter_breach.block_page"),
        Some(&(Category::FilterBreach, 2))
    );
    let packs: usize = rules.packs.iter().map(|it| it.pack.text.matches("[[rule]]").count()).sum();
    assert_eq!(rules.severities.len(), packs);
}

#[test]
fn a_folder_s_mistakes_keep_it_from_being_published() {
    let folder = TempDir::new().unwrap();
    let error = Rules::read(Some(folder.path())).unwrap_err().to_string();
    assert!(error.contains("no rule packs"), "{error}");
    std::fs::create_dir(folder.path().join("en")).unwrap();
    std::fs::write(folder.path().join("en/drugs.toml"), "format = 1\n").unwrap();
    std::fs::write(folder.path().join("programs.toml"), "format = 1\n").unwrap();
    let error = Rules::read(Some(folder.path())).unwrap_err().to_string();
    assert!(error.contains("en/drugs.toml:"), "{error}");
    assert!(error.contains("programs.toml:1:"), "{error}");
    let error = Rules::read(Some(Path::new("/nowhere"))).unwrap_err().to_string();
    assert!(error.contains("/nowhere") && error.contains("policy.rules"), "{error}");
}

#[tokio::test]
async fn packs_of_a_further_language_reach_devices_only_where_the_school_names_it() {
    let scratch = Scratch::new();
    let (ring, school) = ring_with_school(&scratch.store).await;
    let scope = Scope::command_line();
    let rules = Rules::read(None).unwrap();
    let languages = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    for (chosen, expected) in [
        (Languages::default(), BTreeSet::from(["en"])),
        (languages(&["en", "cy"]), BTreeSet::from(["cy", "en"])),
        (languages(&["ur"]), BTreeSet::from(["ur"])),
    ] {
        let choices = Choices { languages: chosen, ..Choices::default() };
        let now = Timestamp::UNIX_EPOCH;
        publish(&scratch.store, &ring, &scope, school, &rules, &choices, now).await.unwrap();
        let signed = scratch.store.read(&scope, move |view| view.policy(school)).await;
        let policy = signed.unwrap().unwrap().policy;
        let policy = <v1::Policy as prost::Message>::decode(policy.as_slice()).unwrap();
        let found: BTreeSet<_> =
            policy.rule_packs.iter().filter_map(|pack| pack.name.split('/').next()).collect();
        assert_eq!(found, expected);
    }
    let none = Choices { languages: languages(&["fr"]), ..Choices::default() };
    let now = Timestamp::UNIX_EPOCH;
    let error = publish(&scratch.store, &ring, &scope, school, &rules, &none, now).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no rule pack is in fr") && error.contains("cy, en, pl, ur"), "{error}");
}

#[test]
fn every_shipped_pack_lies_under_its_language_and_says_that_it_is_unreviewed() {
    for it in Rules::read(None).unwrap().packs {
        assert!(it.pack.name.starts_with(&format!("{}/", it.language)), "{}", it.pack.name);
        assert!(!it.reviewed, "{}", it.pack.name);
        assert!(it.language == "en" || it.pack.text.contains("status = \"unreviewed\""));
    }
}

#[tokio::test]
async fn a_policy_is_signed_when_something_changed_or_it_is_old() {
    let scratch = Scratch::new();
    let (ring, school) = ring_with_school(&scratch.store).await;
    let scope = Scope::command_line();
    let rules = Rules::read(None).unwrap();
    let visits = Choices { report_visits: true, ..Choices::default() };
    let none = Choices { report_visits: false, ..visits.clone() };
    let of_phrases = v1::Exemption {
        reason: "a set text".to_owned(),
        from: Some(time::to_wire(Timestamp::UNIX_EPOCH)),
        until: Some(time::to_wire(Timestamp::UNIX_EPOCH + 24.hours())),
        phrases: vec!["kill the pig".to_owned()],
        ..v1::Exemption::default()
    };
    let aged = Choices {
        age_group: v1::AgeGroup::Primary,
        ages: vec![v1::AccountAges { accounts: vec!["y7-*".to_owned()], group: 2 }],
        phrase_exemptions: vec![of_phrases.clone()],
        ..none.clone()
    };
    let day = |day: i64| Timestamp::UNIX_EPOCH + (day * 24).hours();
    for (choices, now, expected) in [
        (&visits, day(0), Published::Signed(1)),
        (&visits, day(1), Published::Unchanged(1)),
        (&none, day(2), Published::Signed(2)),
        (&none, day(201), Published::Unchanged(2)),
        (&none, day(203), Published::Signed(3)),
        (&aged, day(204), Published::Signed(4)),
        (&aged, day(205), Published::Unchanged(4)),
    ] {
        let published =
            publish(&scratch.store, &ring, &scope, school, &rules, choices, now).await.unwrap();
        assert_eq!(published, expected);
    }
    let signed = scratch.store.read(&scope, move |view| view.policy(school)).await.unwrap();
    let policy = v1::Policy::decode(signed.unwrap().policy.as_slice()).unwrap();
    assert_eq!((policy.age_group(), &policy.ages), (v1::AgeGroup::Primary, &aged.ages));
    assert_eq!((policy.exemptions, policy.phrase_exemptions), (vec![], vec![of_phrases]));
}
