//! What a matcher makes of a text: conditions, folding, bounds, offsets.

#![expect(clippy::panic, reason = "the helpers of a test report by panicking too")]

use proptest::prelude::*;
use redshank_matcher::{
    AgeGroup, Candidate, Findings, MAX_PER_RULE, MAX_TEXT, Matcher, Pack, Phrases, Place, Setting,
};

#[test]
fn conditions_are_judged_on_hits() {
    for (conditions, text, expected) in [
        ("", "the red fox", vec![("red fox", 3)]),
        ("near = ['hen*']", "the red fox", vec![]),
        ("near = ['hen*']", "the red fox and two hens", vec![("red fox", 3)]),
        ("near = ['hen*']\nwithin = 2", "the red fox and two hens", vec![]),
        ("unless = ['film']", "the red fox film", vec![]),
        ("unless = ['film']", "the red fox. A film", vec![("red fox", 3)]),
        ("maybe = ['film']", "the red fox film", vec![("red fox", 1)]),
        ("maybe = ['film', 'the red']", "the red fox film", vec![("red fox", 1)]),
        ("maybe = ['film']", "the red fox. A film", vec![("red fox", 3)]),
        ("first_person = true", "the red fox", vec![]),
        ("first_person = true", "the red fox bit me", vec![("red fox", 3)]),
        ("first_person = true", "the red fox. It bit me", vec![]),
        ("about_other = 'lower'", "she saw a red fox", vec![("red fox", 2)]),
        ("about_other = 'drop'", "she saw a red fox", vec![]),
        ("about_other = 'drop'", "she and i saw a red fox", vec![("red fox", 3)]),
        ("about_other = 'lower'", "my friend saw a red fox", vec![("red fox", 2)]),
        ("negation = 'drop'", "not a red fox", vec![]),
        ("negation = 'lower'", "no hen. Not. A red fox", vec![("red fox", 3)]),
        ("negation = 'lower'", "i do not hunt a red fox", vec![("red fox", 2)]),
        ("negation = 'lower'", "i do not care i hunt a red fox", vec![("red fox", 3)]),
        ("negation = 'lower'", "without him a red fox", vec![("red fox", 3)]),
        ("negation = 'lower'", "a fox is not red", vec![("fox is not red", 2)]),
        ("negation = 'lower'", "a cub never red", vec![("cub never red", 3)]),
        ("places = ['search']", "the red fox", vec![]),
        ("raise = [{ reason = 'r', phrases = ['now'] }]", "red fox now", vec![("red fox", 4)]),
        (
            "raise = [{ reason = 'r', first_person = true, by = 4 }]",
            "my red fox",
            vec![("red fox", 5)],
        ),
        ("lower = [{ reason = 'r', places = ['typed'], by = 4 }]", "red fox", vec![("red fox", 1)]),
        ("lower = [{ reason = 'r', places = ['search'] }]", "red fox", vec![("red fox", 3)]),
        ("seeks_method = true", "red fox here", vec![]),
        ("seeks_method = true", "how to catch a red fox", vec![("red fox", 3)]),
        ("seeks_method = true", "red fox how do i catch one", vec![("red fox", 3)]),
        ("seeks_method = true", "how to cook. A red fox", vec![]),
        (
            "raise = [{ reason = 'r', seeks_method = true }]",
            "easiest way to get a red fox",
            vec![("red fox", 4)],
        ),
        ("raise = [{ reason = 'r', seeks_method = true }]", "a red fox", vec![("red fox", 3)]),
        ("quoted = 'lower'", "he said \"a red fox!\" to me", vec![("red fox", 2)]),
        ("quoted = 'drop'", "he said “a red fox!” to me", vec![]),
        ("quoted = 'drop'", "he said 'red fox' to me", vec![("red fox", 3)]),
        ("quoted = 'ignore'", "he said \"red fox\"", vec![("red fox", 3)]),
        ("near = ['hunt~']", "they hunted a red fox", vec![("red fox", 3)]),
        ("unless = ['bite~']", "bitten by a red fox", vec![]),
    ] {
        let findings = matcher(conditions).find(text, Place::Typed);
        let found: Vec<(&str, u8)> = findings
            .matches
            .iter()
            .map(|it| (&text[it.start..it.end], it.severity.get()))
            .collect();
        assert_eq!(found, expected, "{conditions} on {text:?}");
    }
}

#[test]
fn an_age_group_narrows_a_rule_and_grades_it() {
    const FOX: &str = "red fox";
    let of = |age| Setting { place: Place::Typed, age };
    let primary_only = matcher("ages = ['primary']");
    for (age, expected) in [
        (Some(AgeGroup::Primary), vec!["of primary age"]),
        (Some(AgeGroup::Secondary), vec![]),
        (Some(AgeGroup::SixthForm), vec![]),
    ] {
        let reasons: Vec<String> = primary_only
            .find_in(FOX, of(age))
            .matches
            .into_iter()
            .flat_map(|it| it.reasons)
            .collect();
        assert_eq!(reasons, expected, "{age:?}");
    }
    assert_eq!(primary_only.find_in(FOX, of(None)).severity(), 3, "a rule is for the unknown too");

    let graded = matcher(
        "raise = [{ reason = 'so young', ages = ['primary'] }]\n\
         lower = [{ reason = 'nearly grown up', ages = ['sixth_form'] }]",
    );
    for (age, expected) in [
        (Some(AgeGroup::Primary), 4),
        (Some(AgeGroup::Secondary), 3),
        (Some(AgeGroup::SixthForm), 2),
        (None, 3),
    ] {
        assert_eq!(graded.find_in(FOX, of(age)).severity(), expected, "{age:?}");
    }
    assert_eq!(graded.find(FOX, Place::Typed), graded.find_in(FOX, Place::Typed.into()));
}

#[test]
fn what_does_not_count_hides_nothing_that_does() {
    let matcher = matcher("");
    let left_alone = Phrases::parse(&["the red fox inn"]).unwrap();
    let counted = |text: &str| {
        let spans = left_alone.spans(text);
        let counts =
            |hit: Candidate| !spans.iter().any(|it| it.start <= hit.start && hit.end <= it.end);
        matcher.find_counted(text, Place::Typed.into(), &counts).matches
    };
    assert_eq!(counted("at the red fox inn"), []);
    let text = format!("{}a red fox", "the red fox inn. ".repeat(MAX_PER_RULE + 1));
    let found = counted(&text);
    assert_eq!(found.len(), 1);
    assert!(text[..found[0].start].ends_with("inn. a "));
    assert_eq!(counted("the red fox inn, cub never red").len(), 1);
}

#[test]
fn listed_hosts_are_found_at_their_place_by_whole_labels() {
    let matcher = matcher(
        "hosts = ['foxes.example.com', 'hounds.co.uk']\nsource = 'a test'\nunless = ['museum']",
    );
    for (host, expected) in [
        ("foxes.example.com", Some("foxes.example.com")),
        ("www.red.foxes.example.com", Some("foxes.example.com")),
        ("HOUNDS.CO.UK", Some("HOUNDS.CO.UK")),
        ("basset-hounds.co.uk", None),
        ("example.com", None),
        ("foxes.example.com.evil.net", None),
        ("museum.hounds.co.uk", None),
    ] {
        let findings = matcher.find(host, Place::Host);
        let found: Vec<&str> = findings.matches.iter().map(|it| &host[it.start..it.end]).collect();
        assert_eq!(found, Vec::from_iter(expected), "{host}");
    }
    for place in [Place::Search, Place::Typed, Place::UrlPath, Place::Title] {
        assert_eq!(matcher.find("hounds.co.uk", place).severity(), 0, "{place}");
    }
    assert_eq!(matcher.find("red fox", Place::Search).severity(), 3);
}

#[test]
fn a_search_is_read_as_a_whole() {
    let matcher = matcher("unless = ['film']");
    assert_eq!(matcher.find("red fox. film", Place::Search).severity(), 0);
    assert_eq!(matcher.find("red fox. film", Place::Typed).severity(), 3);
}

#[test]
fn reasons_say_what_moved_the_grade() {
    let matcher = matcher("raise = [{ reason = 'names a time', phrases = ['now'] }]");
    let findings = matcher.find("i want my r3d fox now", Place::Typed);
    assert_eq!(
        findings.matches[0].reasons,
        ["in the first person", "names a time", "disguised spelling"]
    );
    assert_eq!(matcher.note("wellbeing.fox"), Some("Foxes."));
}

#[test]
fn a_doubt_names_its_context() {
    for (condition, reason) in [("[fiction]", "may be fiction"), ("film", "may be harmless")] {
        let findings =
            matcher(&format!("maybe = ['{condition}']")).find("red fox film", Place::Search);
        assert_eq!(findings.matches[0].reasons, [reason]);
    }
}

#[test]
fn disguises_are_looked_for_in_prose_only() {
    let matcher = matcher("");
    assert_eq!(matcher.find("r.e.d-fox", Place::Search).severity(), 3);
    assert_eq!(matcher.find("r.e.d-fox", Place::Host).severity(), 0);
    assert_eq!(matcher.find("/red-fox/", Place::UrlPath).severity(), 3);
    assert_eq!(matcher.find("/red-foxglove/", Place::UrlPath).severity(), 0);
}

#[test]
fn overlapping_matches_of_a_rule_fold_and_many_are_bounded() {
    let matcher = matcher("");
    let overlapping = "fox in a red fox";
    let findings = matcher.find(overlapping, Place::Typed);
    assert_eq!(findings.matches.len(), 1);
    let found = &findings.matches[0];
    assert_eq!(&overlapping[found.start..found.end], "fox in a red fox");

    let chain = "fox a red fox b red. Fox a red fox";
    let findings = matcher.find(chain, Place::Typed);
    let found: Vec<&str> = findings.matches.iter().map(|it| &chain[it.start..it.end]).collect();
    assert_eq!(found, ["fox a red fox b red", "Fox a red fox"]);

    let many = "red fox and a hen; ".repeat(100);
    assert_eq!(matcher.find(&many, Place::Typed).matches.len(), MAX_PER_RULE);
}

#[test]
fn at_the_bound_the_gravest_stay() {
    let matcher = matcher("raise = [{ reason = 'r', phrases = ['now'], within = 2 }]");
    let text = format!("{} red fox now.", "red fox and a hen. ".repeat(100));
    assert_eq!(matcher.find(&text, Place::Typed).severity(), 4);
}

#[test]
fn a_text_over_the_bound_is_cut_and_says_so() {
    let matcher = matcher("");
    let text = format!("red fox {}", "é".repeat(MAX_TEXT));
    let findings = matcher.find(&text, Place::PageText);
    assert_eq!(findings.matches.len(), 1);
    let cut_at = findings.cut_at.unwrap();
    assert!(cut_at <= MAX_TEXT && text.is_char_boundary(cut_at));
    assert_eq!(matcher.find("red fox", Place::PageText).cut_at, None);
}

#[test]
fn no_packs_find_nothing() {
    assert_eq!(Matcher::default().find("red fox", Place::Search), Findings::default());
    assert_eq!(Matcher::compile(&[]).unwrap().rule_count(), 0);
}

#[test]
fn a_matcher_is_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Matcher>();
}

#[test]
fn joining_pieces_hides_no_benign_context() {
    let matcher = matcher("unless = ['film', 'noir']");
    assert_eq!(matcher.find("red fox film-noir r3d hen", Place::Search).severity(), 0);
}

proptest! {
    #[test]
    fn offsets_name_the_text_in_any_surroundings(
        before in "\\PC{0,40}",
        words in prop::sample::select(vec!["red fox", "RED FOX", "ｒｅｄ fóx", "r3d f0x", "r e d fox", "redd\u{AD} fox"]),
        after in "\\PC{0,40}",
    ) {
        let text = format!("{before}\n\n{words}\n\n{after}");
        let findings = matcher("").find(&text, Place::PageText);
        for found in &findings.matches {
            let named = text.get(found.start..found.end);
            prop_assert!(named.is_some_and(|named| !named.is_empty()));
            prop_assert!(named.is_some_and(|named| named.trim() == named));
        }
        if words != "redd\u{AD} fox" {
            prop_assert!(findings.matches.iter().any(|it| &text[it.start..it.end] == words), "{:?}", findings);
        }
    }

    #[test]
    fn any_text_is_read(text in any::<String>(), place in prop::sample::select(Place::ALL.to_vec())) {
        let findings = matcher("negation = 'lower'").find(&text, place);
        prop_assert_eq!(findings.severity() == 0, findings.matches.is_empty());
    }

    #[test]
    fn any_pack_is_read_or_explained(text in "[a-z= \"\\[\\]{}(),.\n\\*1-9]{0,80}") {
        if let Err(wrong) = Pack::parse("p.toml", &text) {
            prop_assert!(!wrong.is_empty());
        }
    }
}

#[test]
fn an_essay_is_not_judged_as_a_message_is() {
    let essay = format!("The red fox. {}", "It lives in woods and towns. ".repeat(14));
    for (conditions, place, expected) in [
        ("", Place::Typed, 3),
        ("prose = 'lower'", Place::Typed, 1),
        ("prose = 'drop'", Place::Typed, 0),
        ("prose = 'drop'", Place::PageText, 3),
    ] {
        let matcher = matcher(conditions);
        assert_eq!(matcher.find(&essay, place).severity(), expected, "{conditions} in {place}");
        assert_eq!(matcher.find("the red fox", place).severity(), 3, "{conditions} in {place}");
    }
}

/// A matcher with one rule about red foxes, and the given conditions on it.
fn matcher(conditions: &str) -> Matcher {
    let text = format!(
        "format = 1\ncategory = 'wellbeing'\nlanguage = 'en'\nversion = 1\nreviewed = 'a test'\n\
         [[rule]]\nid = 'wellbeing.fox'\nseverity = 3\nnote = 'Foxes.'\n\
         phrases = ['red fox', 'fox <3> red', 'cub <3> never red']\n{conditions}\n"
    );
    let pack = Pack::parse("fox.toml", &text).unwrap_or_else(|wrong| panic!("{}", wrong[0]));
    Matcher::compile(&[pack]).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}
