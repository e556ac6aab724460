//! That every notice is true, readable, complete and safe, whatever the facts.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::public::{Form, Public};
use super::*;
use crate::policy::PolicyInForce;

#[test]
fn every_notice_says_where_help_is_and_that_asking_is_fine() {
    for facts in [Facts::default(), full()] {
        for audience in AUDIENCES {
            let text = flat(&text(&facts, audience));
            for said in ["999", "0800 1111", "Childline"] {
                assert!(text.contains(said), "{audience:?}: {said}");
            }
            let asking = ["never in trouble for asking", "punished for looking for help"];
            assert!(asking.iter().any(|said| text.contains(said)), "{audience:?}");
            let html = html(&facts, audience, true);
            assert!(html.contains("999") && html.contains("0800 1111"), "{audience:?}");
        }
        for audience in [Audience::Pupils, Audience::Staff, Audience::Families] {
            let text = flat(&text(&facts, audience));
            for said in [
                "85258",
                "CEOP",
                "perhaps nobody",
                "Passwords, payments",
                "counselling",
                "faith",
                "LGBTQ+",
                "banking",
            ] {
                assert!(text.contains(said), "{audience:?}: {said}");
            }
        }
    }
}

#[test]
fn each_fact_has_its_sentence_and_without_it_none() {
    type Set = fn(&mut Facts);
    let cases: [(Set, &str, &str); 9] = [
        (|it| it.device.histories = true, "Websites that are opened here", ""),
        (|it| it.device.extension = true, "private window", ""),
        (|it| it.device.logs = true, "through this computer", ""),
        (|it| it.device.programs = true, "Which programs run", ""),
        (|it| it.device.media = true, "USB sticks", ""),
        (
            |it| it.typed = true,
            "What is typed into websites and AI chats",
            "What you type into websites",
        ),
        (
            |it| it.page_text = true,
            "The words on web pages, checked",
            "The words on the pages that are read",
        ),
        (|it| it.ai_answers = true, "What AI chats answer", ""),
        (|it| it.device.since_shown = true, "before you were first shown this", ""),
    ];
    let without = flat(&text(&Facts::default(), Audience::Pupils));
    for (set, said, said_without) in cases {
        let mut facts = Facts::default();
        set(&mut facts);
        let with = flat(&text(&facts, Audience::Pupils));
        assert!(with.contains(said) && !without.contains(said), "{said}");
        if !said_without.is_empty() {
            assert!(
                without.contains(said_without) && !with.contains(said_without),
                "{said_without}"
            );
        }
    }
    let own = Facts { device: Device { pupils_own: true, ..full().device }, ..full() };
    assert!(flat(&text(&own, Audience::Pupils)).contains("only in school hours"));
    assert!(!flat(&text(&full(), Audience::Pupils)).contains("only in school hours"));
}

#[test]
fn staff_read_what_holds_for_staff() {
    let facts = Facts { typed: true, staff_typed: false, ..full() };
    let staff = flat(&text(&facts, Audience::Staff));
    assert!(staff.contains("Text typed into websites, other than searches"));
    assert!(flat(&text(&facts, Audience::Pupils)).contains("What is typed into websites"));
    let facts = Facts { staff_typed: true, ..facts };
    assert!(!flat(&text(&facts, Audience::Staff)).contains("other than searches"));
}

#[test]
fn young_children_read_short_lines() {
    let page = page::page(&full(), Audience::YoungChildren);
    for section in &page.sections {
        assert!(section.items.is_empty());
        let school = format!("{}.", full().help);
        let lines = section.paragraphs.iter().filter(|line| **line != school);
        for line in lines.map(String::as_str).chain([section.heading, page.title]) {
            assert!(line.split_whitespace().count() <= 10, "{line}");
        }
    }
}

#[test]
fn pupils_read_short_sentences_of_short_words() {
    let text = text(&full(), Audience::Pupils);
    let words: Vec<&str> =
        text.split_whitespace().filter(|it| it.contains(char::is_alphabetic)).collect();
    let sentences = text.matches(['.', ':']).count() + text.matches("\n- ").count();
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let count = |number: usize| f64::from(u32::try_from(number).unwrap());
    // Flesch-Kincaid: the American school year; five is an age of ten to eleven.
    let grade = 0.39 * count(words.len()) / count(sentences)
        + 11.8 * count(syllables) / count(words.len())
        - 15.59;
    assert!(grade <= 6.0, "{grade:.1}");
}

#[test]
fn the_schools_words_are_only_ever_words() {
    let hostile = "<script>alert(1)</script> & \"x\"\nInjected heading\n=====";
    let facts = Facts {
        school: words(hostile),
        watched_by: words(hostile),
        help: words(hostile),
        ..full()
    };
    for audience in AUDIENCES {
        let html = html(&facts, audience, true);
        assert!(!html.contains("<script"), "{audience:?}");
        assert!(html.contains("&lt;script&gt;"), "{audience:?}");
        assert!(!text(&facts, audience).lines().any(|line| line == "====="));
    }
    assert_eq!(words("a\u{0}b\u{7f}\r\n c"), "a b c");
    assert!(words(&"é ".repeat(400)).len() <= WORDS_BYTES);
}

#[test]
fn lines_of_the_text_fit_and_the_html_fetches_nothing() {
    for audience in AUDIENCES {
        let text = text(&full(), audience);
        assert!(text.lines().all(|line| line.chars().count() <= 78), "{text}");
        let html = html(&full(), audience, true);
        for fetching in
            ["http://", "https://", "url(", "@import", "src=", "<link", "<script", "<iframe"]
        {
            assert!(!html.contains(fetching), "{audience:?}: {fetching}");
        }
        assert_eq!(html.matches("<h1>").count(), 1);
        for tag in
            ["section", "div", "ul", "li", "p", "h2", "nav", "main", "header", "footer", "svg"]
        {
            let opened = html.matches(&format!("<{tag}>")).count()
                + html.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{audience:?}: {tag}");
        }
        assert_eq!(alone(&html), super::html(&full(), audience, false));
        assert_eq!(named(name(audience)), Some(audience));
    }
    assert_eq!(named("everybody"), None);
}

#[tokio::test]
async fn the_public_notices_follow_policy() {
    let folder = tempfile::tempdir().unwrap();
    let public = Public::at(&folder.path().join("redshank/notice"));
    let (policy, in_force) = watch::channel(None);
    let shutdown = CancellationToken::new();
    let device = Device { histories: true, ..Device::default() };
    let keeping = tokio::spawn(public::keep(public.clone(), device, in_force, shutdown.clone()));
    for version in [3, 4] {
        let mut data = crate::policy::tests::policy(u64::from(version));
        data.notice = Some(redshank_proto::v1::Notice {
            school_name: "Marsh Lane".into(),
            version,
            ..Default::default()
        });
        policy.send_replace(Some(Arc::new(PolicyInForce::compile(data).unwrap())));
        while public.version().ok() != Some(version) {
            tokio::task::yield_now().await;
        }
        let page = public.read(Audience::Staff, Form::Html).unwrap();
        assert!(page.contains("Marsh Lane") && page.contains(&format!("notice {version}")));
    }
    shutdown.cancel();
    keeping.await.unwrap();
}

#[cfg(unix)]
#[test]
fn all_may_read_the_public_notices_and_what_others_could_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notice");
    let public = Public::at(&path);
    public.publish(&full()).unwrap();
    public.publish(&full()).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o755);
    let entries: Vec<_> = std::fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(entries.len(), 9, "{entries:?}");
    assert!(entries.iter().all(|entry| mode(entry) == 0o644));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = public.read(Audience::Pupils, Form::Text).unwrap_err().to_string();
    assert!(error.contains("not believed"), "{error}");
}

/// Groups of vowels, a silent `e` at the end left out: near enough.
fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    let word = word.trim_end_matches(|it: char| !it.is_alphabetic());
    let word = word.strip_suffix('e').unwrap_or(word);
    let groups = word.split(|it: char| !"aeiouy".contains(it)).filter(|group| !group.is_empty());
    groups.count().max(1)
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Everything that can be switched on, on a school's device.
fn full() -> Facts {
    Facts {
        school: "Marsh Lane Primary School".to_owned(),
        watched_by: "Ms Okafor and Mr Hill, who look after pupils' safety".to_owned(),
        help: "Ms Okafor, in the room beside the library".to_owned(),
        version: 3,
        device: Device {
            histories: true,
            extension: true,
            logs: true,
            programs: true,
            media: true,
            pupils_own: false,
            since_shown: true,
        },
        visits: true,
        typed: true,
        staff_typed: true,
        page_text: true,
        ai_answers: true,
    }
}
