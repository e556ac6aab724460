//! What holds for any text and any pack.

#![expect(clippy::panic, reason = "the helpers of a test report by panicking too")]

use proptest::prelude::*;
use redshank_matcher::{
    Findings, Hit, MAX_PER_RULE, MAX_TEXT, Matcher, PART_SEPARATOR, Pack, Place, normalise,
};

/// Looks that a token may cost beside those at phrases: at itself and its neighbours, for each
/// condition a few windows.
const LOOKS_PER_TOKEN: u64 = 4000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_match_names_the_text_that_matched(
        rules in rules(), text in texts(), place in places(),
    ) {
        let findings = matcher(&rules).find(&text, place);
        for found in &findings.matches {
            let named = text.get(found.start..found.end);
            prop_assert!(named.is_some(), "{:?} is on no character bound", found);
            let words = normalise(named.unwrap_or_default());
            prop_assert!(!words.is_empty(), "{:?} names no word", found);
        }
        prop_assert_eq!(&findings, &matcher(&rules).find(&text, place), "the same each time");
    }

    #[test]
    fn a_plain_hit_is_a_hit_in_the_text_that_it_names(rules in rules(), text in texts()) {
        let matcher = matcher(&rules);
        for hit in matcher.hits(&text) {
            let named = text.get(hit.start..hit.end);
            prop_assert!(named.is_some());
            if !hit.disguised {
                let again = matcher.hits(named.unwrap_or_default());
                prop_assert!(again.iter().any(|it| it.phrase == hit.phrase), "{:?}", named);
            }
        }
    }

    #[test]
    fn the_hits_of_joined_texts_are_those_of_each(
        rules in rules(), parts in prop::collection::vec(texts(), 1..4),
    ) {
        let matcher = matcher(&rules);
        let joined = parts.join(&PART_SEPARATOR.to_string());
        let mut expected = Vec::new();
        let mut from = 0;
        for part in &parts {
            let moved = |hit: Hit| Hit { start: hit.start + from, end: hit.end + from, ..hit };
            expected.extend(matcher.hits(part).into_iter().map(moved));
            from += part.len() + PART_SEPARATOR.len_utf8();
        }
        prop_assert_eq!(matcher.hits(&joined), expected);
    }

    #[test]
    fn normalising_what_is_normalised_changes_nothing(text in texts()) {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn a_text_hits_as_its_normal_form_does(
        rules in rules(),
        words in prop::collection::vec((word(), any::<bool>(), prop::sample::select(vec![" ", "  ", ", ", " - "])), 0..30),
    ) {
        let text: String = words
            .iter()
            .map(|(word, loud, gap)| if *loud { word.to_uppercase() + gap } else { (*word).to_owned() + gap })
            .collect();
        let matcher = matcher(&rules);
        let phrases = |text: &str| -> Vec<usize> {
            matcher.hits(text).iter().filter(|hit| !hit.disguised).map(|hit| hit.phrase).collect()
        };
        prop_assert_eq!(phrases(&text), phrases(&normalise(&text)));
    }

    #[test]
    fn the_work_for_a_text_is_bounded_by_its_words(
        rules in rules(), unit in texts(), times in 1_usize..40, place in places(),
    ) {
        let matcher = matcher(&rules);
        let text = format!("{unit} ").repeat(times);
        let words = normalise(&text).split(' ').count() as u64;
        let effort = matcher.effort(&text, place);
        prop_assert!(effort <= words * LOOKS_PER_TOKEN, "{} looks, {} words", effort, words);
    }

    #[test]
    fn twice_the_text_is_twice_the_work(rules in rules(), unit in texts(), place in places()) {
        let matcher = matcher(&rules);
        let once = format!("{unit} ").repeat(50);
        let twice = once.repeat(2);
        let (once, twice) = (matcher.effort(&once, place), matcher.effort(&twice, place));
        // What a rule that is full of matches is spared makes it less, edges a little more.
        prop_assert!(twice <= once * 2 + once / 4 + LOOKS_PER_TOKEN, "{} then {}", once, twice);
    }

    #[test]
    fn no_rule_has_more_matches_than_the_bound(rules in rules(), text in texts(), place in places()) {
        let findings = matcher(&rules).find(&text.repeat(30), place);
        for found in &findings.matches {
            let of_rule = findings.matches.iter().filter(|it| it.rule == found.rule).count();
            prop_assert!(of_rule <= MAX_PER_RULE);
        }
    }
}

proptest! {
    // Each case reads half a megabyte.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn reading_stops_at_the_bound_and_says_so(rules in rules(), c in any::<char>(), more in 0_usize..9) {
        let matcher = matcher(&rules);
        let mut text = c.to_string().repeat(MAX_TEXT / c.len_utf8());
        text.extend(std::iter::repeat_n('x', more));
        let findings = matcher.find(&text, Place::PageText);
        prop_assert_eq!(findings.cut_at.is_some(), text.len() > MAX_TEXT);
        if let Some(cut_at) = findings.cut_at {
            prop_assert!(cut_at <= MAX_TEXT && cut_at + 4 > MAX_TEXT);
            let read = matcher.find(&text[..cut_at], Place::PageText);
            prop_assert_eq!(read, Findings { cut_at: None, ..findings });
        }
    }
}

/// A rule as a pack may write it: phrases and conditions.
#[derive(Debug, Clone)]
struct Rule {
    phrases: Vec<String>,
    conditions: String,
}

/// Compiles the rules that parse; a phrase that is none is left out.
fn matcher(rules: &[Rule]) -> Matcher {
    let head = "format = 1\ncategory = 'wellbeing'\nlanguage = 'en'\nversion = 1\n\
                reviewed = 'a test'\n[classes]\npet = ['cat', 'guinea pig*', 'red fox']\n";
    let packs: Vec<Pack> = rules
        .iter()
        .enumerate()
        .filter_map(|(number, rule)| {
            let text = format!(
                "{head}[[rule]]\nid = 'wellbeing.r{number}'\nseverity = 3\nnote = 'n'\n\
                 phrases = {:?}\n{}\n",
                rule.phrases, rule.conditions
            );
            Pack::parse("any.toml", &text).ok()
        })
        .collect();
    Matcher::compile(&packs).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let conditions = prop::sample::subsequence(
        vec![
            "near = ['hen*', 'red']\nwithin = 3",
            "unless = ['film', '[pet] <2> red']",
            "maybe = ['[fiction]', 'fox']",
            "first_person = true",
            "about_other = 'lower'",
            "negation = 'drop'",
            "raise = [{ reason = 'r', phrases = ['^ red', 'cat $'] }]",
            "lower = [{ reason = 'r', first_person = true, by = 2 }]",
        ],
        0..4,
    );
    let rule = (prop::collection::vec(phrase(), 1..4), conditions)
        .prop_map(|(phrases, conditions)| Rule { phrases, conditions: conditions.join("\n") });
    prop::collection::vec(rule, 1..5)
}

/// Phrases of few words, so that texts of the same words hold them.
fn phrase() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        6 => word().prop_map(str::to_owned),
        1 => Just("red*".to_owned()),
        1 => Just("[pet]".to_owned()),
        1 => Just("(red fox|hen|i am)".to_owned()),
        1 => Just("the?".to_owned()),
        1 => Just("(so|very red)?".to_owned()),
        1 => Just("_".to_owned()),
        1 => Just("<2>".to_owned()),
        1 => Just("<8>".to_owned()),
    ];
    (any::<bool>(), prop::collection::vec(item, 0..4), word(), any::<bool>()).prop_map(
        |(start, items, last, end)| {
            let first = if start { "^" } else { "" };
            let stop = if end { "$" } else { "" };
            format!("{first} {} {last} {stop}", items.join(" ")).trim().to_owned()
        },
    )
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["red", "fox", "hen", "cat", "i", "the", "so", "guinea", "zażółć"])
}

/// Texts of those words, plain and in disguise, and of what makes cutting hard.
fn texts() -> impl Strategy<Value = String> {
    let hard = vec![
        " ",
        " ",
        ". ",
        "\n\n",
        "-",
        "'",
        "’",
        "…",
        "½",
        "⒈",
        "\u{FDFA}",
        "\u{200B}",
        "\u{301}",
        "r3d",
        "r.e.d",
        "f o x",
        "foxxx",
        "$",
        "@",
        "hеn",
        "ｃａｔ",
        "re-d",
        "not",
        "my",
        "film",
        "she",
        "é",
        "|",
        "!",
        "€",
        "1",
        "\u{1F600}",
    ];
    let part = prop_oneof![
        5 => word().prop_map(|word| format!("{word} ")),
        3 => prop::sample::select(hard).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    prop::collection::vec(part, 0..40)
        // A separator inside would be one more part.
        .prop_map(|parts| parts.concat().replace(PART_SEPARATOR, ""))
}

fn places() -> impl Strategy<Value = Place> {
    prop::sample::select(Place::ALL.to_vec())
}
