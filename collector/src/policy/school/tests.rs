//! A school's file: what it says, and what is wrong with it.

use std::collections::HashMap;

use jiff::Timestamp;
use redshank_matcher::Category;
use redshank_proto::id::SchoolId;
use redshank_proto::time;

use super::*;
use crate::policy::{Languages, SoundPack};

#[test]
fn the_template_is_sound_and_says_what_a_school_without_a_file_has() {
    let rules = Rules::read(None).unwrap();
    let read = read(&template("Marsh \"Lane\""), "Marsh \"Lane\"", &rules).unwrap();
    assert_eq!(read, defaults(Choices::default(), &school("Marsh \"Lane\""), &rules));
    assert!(read.text.typed && !read.text.page_text && !read.text.ai_answers);
    assert!(read.programs.iter().all(|program| program.severity == 0));
    assert!(read.programs.iter().any(|program| program.list() == v1::ProgramList::Bypass));
    assert!(read.filter_categories.iter().any(|category| category.name == "terrorism"));
    for misfiled in ["adult", "sexuality", "health", "lgbt", "sex education", "religion"] {
        assert!(read.filter_categories.iter().all(|it| it.name != misfiled), "{misfiled}");
    }
}

#[test]
fn everything_in_a_file_reaches_the_policy() {
    let text = r#"
school = "Marsh Lane"
staff_accounts = ['STAFF\*']
age_group = "secondary"
[rules]
languages = ["cy", "en"]
[[ages]]
accounts = ["y12-*", "y13-*"]
group = "sixth_form"
[text]
page_text = true
[[filter_category]]
name = "Adult-Sites"
severity = 2
[[school_hours]]
days = ["monday", "Friday"]
from = "08:30"
until = "24:00"
[programs]
bypass_severity = 3
only_allowed = true
allowed = [{ name = "tor", reason = "a lesson" }]
denied = [{ name = "steam", path = "Games", severity = 1 }]
[media]
allowed = false
severity = 2
[notice]
watched_by = "Ms Lee"
help = "Room 4"
version = 3
[[exemption]]
reason = "Year 9: the Holocaust"
from = 2026-03-28
until = 2026-03-29
accounts = ["y9-*"]
categories = ["hate"]
rules = ["violence.rule", "filter_breach.weapons"]
[[exemption]]
reason = "Year 10: Lord of the Flies"
from = 2026-03-01
until = 2026-03-29
accounts = ["y10-*"]
phrases = ["kill~ the (pig|beast)", "spill <1> blood"]
[[exemption]]
reason = "Exams"
from = 2026-01-05T08:30:00
until = 2026-01-05T12:00:00+01:00
"#;
    let choices = read(text, "Marsh Lane", &rules()).unwrap();
    assert_eq!(choices.languages.to_string(), "cy, en");
    assert_eq!(choices.staff_accounts, ["STAFF\\*"]);
    assert!(choices.text.typed && choices.text.page_text && !choices.text.staff_typed);
    let category = v1::FilterCategory { name: "Adult-Sites".to_owned(), severity: 2 };
    assert_eq!(choices.filter_categories, [category]);
    let period = |day| v1::SchoolPeriod { day, from_minute: 510, until_minute: 1_440 };
    let hours = choices.school_hours.unwrap();
    assert_eq!(hours.periods, [period(1), period(5)]);
    assert_eq!(hours.time_zone, "Europe/London");
    let programs: Vec<_> =
        choices.programs.iter().map(|it| (it.list(), &*it.name, it.severity)).collect();
    assert_eq!(
        programs,
        [
            (v1::ProgramList::Bypass, "tor", 3),
            (v1::ProgramList::RemoteControl, "anydesk", 0),
            (v1::ProgramList::Allowed, "tor", 0),
            (v1::ProgramList::Denied, "steam", 1),
        ]
    );
    assert!(choices.programs_only_allowed);
    assert_eq!(choices.media, v1::MediaPolicy { allowed: false, severity: 2 });
    let notice = v1::Notice {
        school_name: "Marsh Lane".to_owned(),
        watched_by: "Ms Lee".to_owned(),
        help: "Room 4".to_owned(),
        version: 3,
    };
    assert_eq!(choices.notice, notice);
    let [holocaust, exams] = &choices.exemptions[..] else { panic!("two exemptions") };
    // The second of these days is the one on which London's clocks go forward.
    let at = |text: &str| Some(time::to_wire(text.parse::<Timestamp>().unwrap()));
    assert_eq!(holocaust.from, at("2026-03-28T00:00:00Z"));
    assert_eq!(holocaust.until, at("2026-03-29T23:00:00Z"));
    assert_eq!(holocaust.rules, ["violence.rule", "filter_breach.weapons"]);
    assert_eq!(exams.from, at("2026-01-05T08:30:00Z"));
    assert_eq!(exams.until, at("2026-01-05T11:00:00Z"));
    assert!(exams.accounts.is_empty() && exams.categories.is_empty());
    let [flies] = &choices.phrase_exemptions[..] else { panic!("one exemption of phrases") };
    assert_eq!(flies.phrases, ["kill~ the (pig|beast)", "spill <1> blood"]);
    assert_eq!(flies.accounts, ["y10-*"]);
    assert_eq!(choices.age_group, v1::AgeGroup::Secondary);
    let sixth_form = v1::AccountAges {
        accounts: vec!["y12-*".to_owned(), "y13-*".to_owned()],
        group: v1::AgeGroup::SixthForm.into(),
    };
    assert_eq!(choices.ages, [sixth_form]);
}

#[test]
fn mistakes_are_told_with_line_column_and_the_way_out() {
    let exemption = |from: &str, until: &str, more: &str| {
        format!("[[exemption]]\nreason = \"why\"\nfrom = {from}\nuntil = {until}\n{more}")
    };
    let term = |more: &str| exemption("2026-01-05", "2026-02-05", more);
    for (body, place, message) in [
        ("tpyed = true".to_owned(), (2, 1), "unknown field"),
        ("staff_accounts = ['*']".to_owned(), (2, 18), "each with a letter"),
        ("[[filter_category]]\nname = \"x\"\nseverity = 0".to_owned(), (4, 12), "severity is 0"),
        ("[[filter_category]]\nname = \"x\"\nseverity = 6".to_owned(), (4, 12), "severity is 6"),
        ("[[filter_category]]\nname = \" \"\nseverity = 3".to_owned(), (3, 8), "empty"),
        (
            "[[filter_category]]\nname = \"x\"\nseverity = 3\n[[filter_category]]\nname = \"X\"\nseverity = 3"
                .to_owned(),
            (6, 8),
            "stands twice",
        ),
        (
            "[[school_hours]]\ndays = [\"mon\"]\nfrom = \"08:30\"\nuntil = \"15:30\"".to_owned(),
            (3, 8),
            "`mon` is not a day",
        ),
        (
            "[[school_hours]]\ndays = [\"monday\"]\nfrom = \"8.30\"\nuntil = \"15:30\"".to_owned(),
            (4, 8),
            "`8.30` is not a time of day",
        ),
        (
            "[[school_hours]]\ndays = [\"monday\"]\nfrom = \"15:30\"\nuntil = \"08:30\"".to_owned(),
            (5, 9),
            "until is not after from",
        ),
        (term("").replace("\"why\"", "\" \""), (3, 10), "the reason is empty"),
        (term("").replace("reason = \"why\"\n", ""), (2, 1), "missing field `reason`"),
        (term("").replace("until = 2026-02-05\n", ""), (2, 1), "missing field `until`"),
        (exemption("2026-01-05", "2026-01-04", ""), (5, 9), "until is not after from"),
        (exemption("2026-01-05", "2026-04-05", ""), (5, 9), "longer than 90 days"),
        (exemption("08:30:00", "2026-04-05", ""), (4, 8), "is not a date"),
        (term("accounts = []"), (6, 12), "no accounts"),
        (term("categories = []"), (6, 14), "names no categories"),
        (term("rules = []"), (6, 9), "names no rules"),
        (term("categories = [\"weather\"]"), (6, 14), "unknown category"),
        (term("rules = [\"hate.nothing\"]"), (6, 9), "no rule `hate.nothing`"),
        (term("rules = [\"filter_breach.\"]"), (6, 9), "no rule"),
        (term("rules = [\"suicide.plan\"]"), (3, 10), "nothing but severity 5"),
        (term("categories = [\"suicide\"]"), (3, 10), "nothing but severity 5"),
        (term("severity = 5"), (6, 1), "unknown field"),
        (term("phrases = []"), (6, 11), "names no phrases"),
        (term("phrases = [\"fine words\", \"kill (me\"]"), (6, 32), "no closing"),
        (term("phrases = [\"kill [study]\"]"), (6, 18), "no classes"),
        (term("phrases = [\"fine words\", \"fine words\"]"), (6, 26), "stands twice"),
        (term(&format!("phrases = [\"{}\"]", "w ".repeat(130))), (6, 12), "over 256 bytes"),
        (term("rules = [\"hate.rule\"]\nphrases = [\"x y\"]"), (7, 11), "beside categories or rules"),
        ("age_group = \"infant\"".to_owned(), (2, 13), "unknown age group"),
        ("[[ages]]\naccounts = []\ngroup = \"primary\"".to_owned(), (3, 12), "no accounts"),
        ("[[ages]]\naccounts = ['*']\ngroup = \"primary\"".to_owned(), (3, 12), "with a letter"),
        ("[[ages]]\naccounts = ['a']\ngroup = \"y7\"".to_owned(), (4, 9), "unknown age group"),
        ("[programs]\nbypass_severity = 9".to_owned(), (3, 19), "severity is 9"),
        ("[programs]\ndenied = [{ reason = \"x\" }]".to_owned(), (3, 11), "names no program"),
        ("[programs]\ndenied = [{ name = \"*\" }]".to_owned(), (3, 11), "fewer than two letters"),
        (
            "[programs]\nallowed = [{ name = \"tor\", severity = 2 }]".to_owned(),
            (3, 39),
            "what is allowed has no severity",
        ),
        ("[rules]\nlanguages = []".to_owned(), (3, 13), "nothing is seen"),
        ("[rules]\nlanguages = [\"en\", \"en\"]".to_owned(), (3, 20), "stands twice"),
        ("[rules]\nlanguages = [\"en\", \"fr\"]".to_owned(), (3, 20), "no rule packs in \"fr\""),
        ("[rules]\nlanguage = \"cy\"".to_owned(), (3, 1), "unknown field"),
        ("[media]\nseverity = 7".to_owned(), (3, 12), "severity is 7"),
        ("[notice]\nversion = 0".to_owned(), (3, 11), "version is 0"),
        ("[notice]\nhelp = \"\"".to_owned(), (3, 8), "help is empty"),
    ] {
        let text = format!("school = \"Marsh Lane\"\n{body}\n");
        let wrong = read(&text, "Marsh Lane", &rules()).unwrap_err();
        let told: Vec<_> = wrong.iter().map(ToString::to_string).collect();
        let found = wrong.iter().find(|it| it.message.contains(message));
        let found = found.unwrap_or_else(|| panic!("{body}: {told:?}"));
        assert_eq!((found.line, found.column), place, "{body}: {told:?}");
    }
}

#[test]
fn an_unknown_language_is_refused_with_those_that_there_are() {
    let text = "school = \"Marsh Lane\"\n[rules]\nlanguages = [\"fr\"]\n";
    let wrong = read(text, "Marsh Lane", &rules()).unwrap_err();
    assert_eq!(wrong[0].help, "write some of those that there are rule packs in: cy, en");
    let silent = read("school = \"Marsh Lane\"\n[rules]\n", "Marsh Lane", &rules()).unwrap();
    assert_eq!(silent.languages, Languages::default());
}

#[test]
fn ninety_days_may_span_a_change_of_the_clocks() {
    let text = "school = \"Marsh Lane\"\n[[exemption]]\nreason = \"why\"\nfrom = 2026-08-01\n\
                until = 2026-10-29\n";
    assert!(read(text, "Marsh Lane", &rules()).is_ok());
    assert!(read(&text.replace("10-29", "10-30"), "Marsh Lane", &rules()).is_err());
}

fn read(text: &str, name: &str, rules: &Rules) -> Result<Choices, Vec<Diagnostic>> {
    let file = File::parse("policy/marsh.toml", text.to_owned())?;
    assert!(file.is_of(&school(name)), "{}", file.school());
    file.choices(Choices::default(), &school(name), rules)
}

fn school(name: &str) -> School {
    School {
        school: SchoolId::from_bytes([1; 16]),
        name: name.to_owned(),
        time_zone: "Europe/London".to_owned(),
    }
}

/// Rules of which `suicide` has nothing below severity 5.
fn rules() -> Rules {
    let program = |list: v1::ProgramList, name: &str| v1::ProgramEntry {
        list: list as i32,
        name: name.to_owned(),
        ..v1::ProgramEntry::default()
    };
    let pack = |language| SoundPack { pack: v1::RulePack::default(), language, reviewed: false };
    let rule = |id: &str, category, severity| (id.to_owned(), (category, severity));
    Rules {
        packs: vec![pack("cy"), pack("en")],
        private_list: Vec::new(),
        programs: vec![
            program(v1::ProgramList::Bypass, "tor"),
            program(v1::ProgramList::RemoteControl, "anydesk"),
        ],
        severities: HashMap::from([
            rule("suicide.plan", Category::Suicide, 5),
            rule("hate.rule", Category::Hate, 3),
            rule("violence.rule", Category::Violence, 4),
        ]),
    }
}
