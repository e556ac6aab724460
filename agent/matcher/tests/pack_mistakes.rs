//! Every mistake an editor can make in a rule pack is told with its file, line and column.

use redshank_matcher::{Diagnostic, MAX_PACK, Matcher, Pack, lint};

const SOUND: &str = r#"format = 1
category = "wellbeing"
language = "en"
version = 3
reviewed = "a DSL, 2026"
places = ["search", "typed"]

[classes]
sad = ["sad", "down hearted"]

[[rule]]
id = "wellbeing.sad"
severity = 3
note = "Says that they are sad."
phrases = ["i am [sad]"]
near = ["today"]
within = 4
unless = ["[fiction]"]
first_person = true
about_other = "lower"
negation = "drop"
raise = [{ reason = "at night", phrases = ["tonight"], by = 2 }]
lower = [{ reason = "searched", places = ["search"] }]
match = ["today i am sad", "i am down hearted today", "today i am so. Today i am sad"]
miss = ["today i am glad", "i am sad", "i am sad today lyrics of a film"]

[[rule]]
id = "wellbeing.sad_places"
severity = 2
note = "Visits where sad people meet."
phrases = ["sad (stay~|meet~) here"]
hosts = ["sad.example.com", "sad.example.org"]
source = "a list of 2026"
quoted = "lower"
raise = [{ reason = "so young", ages = ["primary"] }, { reason = "asks how", seeks_method = true }]
match = ["sad.example.com", "www.sad.example.org", "the sad met here"]
miss = ["example.com", "notsad.example.org", "sad.example.net"]
"#;

#[test]
fn a_sound_pack_is_read_whole() {
    let pack = Pack::parse("en/wellbeing.toml", SOUND).unwrap();
    assert_eq!((pack.file(), pack.language()), ("en/wellbeing.toml", "en"));
    assert_eq!((pack.version(), pack.rule_count()), (3, 2));
    assert_eq!(lint(&[pack]), []);
}

#[test]
fn mistakes_are_told_where_they_stand() {
    for (wrong, right, expected) in [
        ("format = 2", "format = 1", "1:10: unknown format 2; write format = 1"),
        (
            "language = \"fr\"",
            "language = \"en\"",
            "3:12: unknown language \"fr\"; expected \"en\", \"cy\", \"pl\" or \"ur\"",
        ),
        (
            "category = \"sadness\"",
            "category = \"wellbeing\"",
            "2:12: unknown category \"sadness\"",
        ),
        ("reviewed = \" \"", "reviewed = \"a DSL, 2026\"", "5:12: reviewed is empty"),
        ("[\"serach\", ", "[\"search\", ", "6:11: unknown place \"serach\""),
        ("severity = 6", "severity = 3", "13:12: rule wellbeing.sad: severity 6"),
        ("severity = \"high\"", "severity = 3", "13:12: invalid type: string \"high\""),
        ("note = \"\"", "note = \"Says that they are sad.\"", "14:8: rule wellbeing.sad: note is"),
        (
            "phrases = []",
            "phrases = [\"i am [sad]\"]",
            "12:6: rule wellbeing.sad: rule has no phrases, hosts or signs; write one of them, or several",
        ),
        (
            "[\"i am [sud]\"]",
            "[\"i am [sad]\"]",
            "15:19: rule wellbeing.sad: \"i am [sud]\": unknown class \"sud\"",
        ),
        (
            "[\"i am (sad\"]",
            "[\"i am [sad]\"]",
            "15:18: rule wellbeing.sad: \"i am (sad\": no closing \")\"",
        ),
        ("[\"  \"]", "[\"i am [sad]\"]", "15:13: rule wellbeing.sad: \"  \": phrase is empty"),
        ("within = 99", "within = 4", "17:10: rule wellbeing.sad: within = 99"),
        ("unles = [\"x\"]", "unless = [\"[fiction]\"]", "18:1: unknown field `unles`"),
        ("\"later\"", "\"lower\"", "20:15: rule wellbeing.sad: unknown effect \"later\""),
        (
            "{ reason = \"searched\" }",
            "{ reason = \"searched\", places = [\"search\"] }",
            "23:21: rule wellbeing.sad: always true",
        ),
        (
            "id = \"suicide.sad\"",
            "id = \"wellbeing.sad\"",
            "12:6: rule suicide.sad: id is not of this category",
        ),
        ("sad = []", "sad = [\"sad\", \"down hearted\"]", "class \"sad\" is empty"),
        ("study = [\"sad\"]\nsad =", "sad =", "class \"study\" is built in"),
        ("by = 5", "by = 2", "22:61: rule wellbeing.sad: by = 5"),
        (
            "\"i (are~|be)\"",
            "\"i am [sad]\"",
            "15:16: rule wellbeing.sad: \"i (are~|be)\": \"are~\" is no plain form; write be~ or",
        ),
        (
            "quoted = \"yes\"",
            "quoted = \"lower\"",
            "34:10: rule wellbeing.sad_places: unknown effect \"yes\"",
        ),
        (
            "\"sad.example.com/x\"",
            "\"sad.example.com\"",
            "32:10: rule wellbeing.sad_places: \"sad.example.com/x\" has a path; write the host alone",
        ),
        (
            "\"sad.example.org\", \"sad.example.org\"",
            "\"sad.example.com\", \"sad.example.org\"",
            "32:29: rule wellbeing.sad_places: \"sad.example.org\" is listed twice; take one of them out",
        ),
        (
            "\"example.org\", \"sad.example.org\"",
            "\"sad.example.com\", \"sad.example.org\"",
            "32:25: rule wellbeing.sad_places: \"sad.example.org\" lies below \"example.org\", which is listed; take it out",
        ),
        (
            "",
            "source = \"a list of 2026\"",
            "32:10: rule wellbeing.sad_places: hosts without a source; say in source",
        ),
        (
            "",
            "hosts = [\"sad.example.com\", \"sad.example.org\"]",
            "28:6: rule wellbeing.sad_places: source without hosts",
        ),
        (
            "first_person = true",
            "quoted = \"lower\"",
            "32:10: rule wellbeing.sad_places: a host's name says nothing of that kind; give the hosts a rule of their own",
        ),
        (
            "\"infant\"",
            "\"primary\"",
            "35:41: rule wellbeing.sad_places: unknown age group \"infant\"; expected one of primary, secondary, sixth_form",
        ),
        (
            "[\"primary\", \"secondary\", \"sixth_form\"]",
            "[\"primary\"]",
            "35:41: rule wellbeing.sad_places: every age group is named; leave ages out",
        ),
        (
            "seeks_method = false",
            "seeks_method = true",
            "35:66: rule wellbeing.sad_places: always true; add phrases",
        ),
        ("", "note = \"Says that they are sad.\"", "missing field `note`"),
        ("version = ", "version = 3", "4:11: string values must be quoted"),
    ] {
        assert!(SOUND.contains(right), "{right}");
        let text = SOUND.replacen(right, wrong, 1);
        let told = told(&Pack::parse("en/wellbeing.toml", &text).unwrap_err());
        assert!(
            told.starts_with("en/wellbeing.toml:") && told.contains(expected),
            "{wrong}: {told}"
        );
    }
}

#[test]
fn a_sign_has_points_within_bounds() {
    for points in [i32::MIN, -1001, 0, 1001, i32::MAX] {
        let text = format!("{SOUND}\npoints = 5\n[rule.signs]\n\"grey\" = {points}\n");
        let told = told(&Pack::parse("p.toml", &text).unwrap_err());
        assert!(told.contains(&format!("a sign of {points} points; from -1000 to 1000")), "{told}");
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let text = SOUND.replace("severity = 3", "severity = 0").replace("[fiction]", "[fictoin]");
    assert_eq!(Pack::parse("p.toml", &text).unwrap_err().len(), 2);
}

#[test]
fn a_pack_over_its_bound_is_refused_unread() {
    let text = "#".repeat(MAX_PACK + 1);
    assert!(told(&Pack::parse("p.toml", &text).unwrap_err()).contains("pack is too long"));
}

#[test]
fn ids_are_used_once_in_a_pack_and_across_packs() {
    let rule = &SOUND[SOUND.find("[[rule]]").unwrap()..];
    let twice = format!("{SOUND}\n{rule}");
    assert!(told(&Pack::parse("p.toml", &twice).unwrap_err()).contains("id is used twice"));

    let first = Pack::parse("a.toml", SOUND).unwrap();
    let second = Pack::parse("b.toml", SOUND).unwrap();
    let wrong = Matcher::compile(&[first.clone(), second.clone()]).unwrap_err();
    assert_eq!(wrong.len(), 2);
    assert_eq!(
        wrong[0].to_string(),
        "b.toml:12:6: rule wellbeing.sad: id is used by another pack; give each rule its own id"
    );
    assert_eq!(lint(&[first, second]), wrong);
}

#[test]
fn examples_that_fail_are_explained() {
    for (right, wrong, expected) in [
        (
            "\"today i am sad\"",
            "\"today i am glad\"",
            "24:10: rule wellbeing.sad: \"today i am glad\" does not match in search",
        ),
        (
            "\"i am sad\", ",
            "\"i am sad today\", ",
            "25:28: rule wellbeing.sad: \"i am sad today\" matches by \"i am sad\"",
        ),
        ("\"i am sad\", ", "", "12:6: rule wellbeing.sad: 2 examples under miss"),
        (
            "unless = [\"[fiction]\"]",
            "unless = [\"am sad\"]",
            "15:12: rule wellbeing.sad: \"i am sad\" is dropped by the rule's own unless",
        ),
        (
            "severity = 3",
            "severity = 4",
            "18:11: rule wellbeing.sad: \"movie\" alone drops what a child says of themselves",
        ),
    ] {
        assert!(SOUND.contains(right), "{right}");
        let pack = Pack::parse("p.toml", &SOUND.replacen(right, wrong, 1)).unwrap();
        let told = told(&lint(&[pack]));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn what_says_nothing_is_told() {
    for (right, wrong, expected) in [
        (
            "\"i am sad\", ",
            "\"today i am glad\", \"i am sad\", ",
            "25:28: rule wellbeing.sad: \"today i am glad\" stands twice; keep it once",
        ),
        (
            "\"i am sad\", ",
            "\"Today I am sad\", \"i am sad\", ",
            "25:28: rule wellbeing.sad: \"Today I am sad\" stands under match and under miss; take",
        ),
        (
            "\"example.com\", ",
            "\"example.com\", \"today i am sad\", ",
            "37:24: rule wellbeing.sad_places: \"today i am sad\" stands under match of wellbeing.sad",
        ),
        (
            "phrases = [\"i am [sad]\"]",
            "phrases = [\"i am [sad]\", \"so i am sad <2> now\"]",
            "15:26: rule wellbeing.sad: \"so i am sad <2> now\" is already found by \"i am [sad]\"",
        ),
        (
            "phrases = [\"i am [sad]\"]",
            "phrases = [\"i am [sad]\", \"i am [sad]\"]",
            "15:26: rule wellbeing.sad: \"i am [sad]\" is already found by",
        ),
        (
            "sad = [",
            "glad = [\"glad\"]\nsad = [",
            "9:9: class \"glad\" is used nowhere; write [glad] in a phrase",
        ),
        (
            "severity = 2",
            "ages = [\"secondary\"]\nseverity = 2",
            "36:21: rule wellbeing.sad_places: \"so young\" is for ages that the rule is not for",
        ),
        (
            "places = [\"search\"] }]",
            "places = [\"program\"] }]",
            "23:21: rule wellbeing.sad: \"searched\" is for places where the rule does not look",
        ),
        (
            "places = [\"search\", \"typed\"]",
            "places = [\"search\", \"typed\", \"host\"]",
            "12:6: rule wellbeing.sad: none of the examples under match can be a host; add a host",
        ),
    ] {
        assert!(SOUND.contains(right), "{right}");
        let pack = Pack::parse("p.toml", &SOUND.replacen(right, wrong, 1)).unwrap();
        let told = told(&lint(&[pack]));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_rule_of_signs_is_tried_where_signs_are_weighed() {
    let rule = |places: &str| {
        format!(
            "{SOUND}\n[[rule]]\nid = \"wellbeing.signs\"\nseverity = 2\nnote = \"Sounds low.\"\n\
             points = 10\nplaces = [{places}]\nmatch = [\"grey and dull\", \"dull, grey\", \"grey dull sad\"]\n\
             miss = [\"grey\", \"dull\", \"grey cat\"]\n[rule.signs]\n\"grey\" = 6\n\"[low]\" = 6\n"
        )
        .replace("[classes]", "[classes]\nlow = [\"dull\"]")
    };
    let told = |places| told(&lint(&[Pack::parse("p.toml", &rule(places)).unwrap()]));
    assert_eq!(told("\"typed\", \"title\""), "");
    let expected = "41:6: rule wellbeing.signs: signs are weighed in search and typed alone";
    assert!(told("\"title\"").contains(expected), "{}", told("\"title\""));
}

#[test]
fn phrases_that_only_meet_are_left() {
    for more in [
        "\"(xx|so) [sad]\", \"[sad] (xx|so)\"",
        "\"^ sad i am $\", \"i am <2> [sad]\"",
        "\"i am <1> sad\", \"i am <3> [sad] always\"",
        "\"(i|we) am [sad]\"",
    ] {
        let text =
            SOUND.replace("[\"i am [sad]\"]", &format!("[\"i am down <3> hearted\", {more}]"));
        let told = told(&lint(&[Pack::parse("p.toml", &text).unwrap()]));
        assert!(!told.contains("is already found"), "{told}");
    }
}

#[test]
fn grades_at_their_bound_and_bare_notes_are_told() {
    let grave = SOUND.replace("severity = 2", "severity = 5").replace("quoted = \"lower\"\n", "");
    for (text, expected) in [
        (
            grave.clone(),
            vec!["34:21: rule wellbeing.sad_places: \"so young\" raises what is at 5 already"],
        ),
        // What something may lower, a raise may bring back.
        (grave.replace("severity = 5", "severity = 5\nmaybe = [\"news\"]"), vec![]),
        (
            grave.replace("Visits where sad people meet.", "Sad sites."),
            vec![
                "30:8: rule wellbeing.sad_places: the note does not say why this is severity 5; say",
            ],
        ),
        (SOUND.replace("Visits where sad people meet.", "Sad sites."), vec![]),
        (
            grave
                .replace("severity = 5", "severity = 1")
                .replace("raise = [{ reason = \"so", "lower = [{ reason = \"so"),
            vec!["34:21: rule wellbeing.sad_places: \"so young\" lowers what is at 1 already"],
        ),
    ] {
        let told = told(&lint(&[Pack::parse("p.toml", &text).unwrap()]));
        assert_eq!(told.is_empty(), expected.is_empty(), "{told}");
        assert!(expected.iter().all(|it| told.contains(it)), "{told}");
    }
}

fn told(wrong: &[Diagnostic]) -> String {
    wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
