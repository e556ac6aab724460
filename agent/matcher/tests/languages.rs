//! The shipped packs in other languages than English: sound, side by side with each other, and seen through the disguises
//! and the ways of typing that their languages have.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test report by panicking too"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use redshank_matcher::{Category, Matcher, Pack, Place, lint};

const FURTHER: [&str; 3] = ["cy", "pl", "ur"];
static COMPILED: LazyLock<Matcher> = LazyLock::new(|| matcher(&FURTHER));
const GRAVEST: [Category; 5] = [
    Category::AbuseDisclosure,
    Category::SelfHarm,
    Category::SexualExploitation,
    Category::Suicide,
    Category::Violence,
];

#[test]
fn packs_of_all_languages_are_sound_together() {
    let packs: Vec<Pack> = ["en"].iter().chain(&FURTHER).flat_map(|it| packs(it)).collect();
    let wrong: Vec<String> = lint(&packs).iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_language_has_the_gravest_categories_and_says_that_nobody_reviewed_them() {
    for language in FURTHER {
        let packs = packs(language);
        let mut categories: Vec<Category> = packs.iter().map(Pack::category).collect();
        categories.sort_unstable_by_key(ToString::to_string);
        assert_eq!(categories, GRAVEST, "{language}");
        for pack in packs {
            assert_eq!(pack.language(), language, "{}", pack.file());
            assert!(!pack.is_reviewed(), "{}", pack.file());
        }
    }
}

#[test]
fn each_language_is_found_beside_the_others() {
    let all = matcher(&["en", "cy", "pl", "ur"]);
    for (language, text, category) in [
        ("en", "i want to kill myself", Category::Suicide),
        ("cy", "dwi isio lladd fy hun", Category::Suicide),
        ("cy", "mae fy nhad yn fy nharo i", Category::AbuseDisclosure),
        ("pl", "chcę się zabić", Category::Suicide),
        ("pl", "mam nóż w plecaku", Category::Violence),
        ("ur", "میں مرنا چاہتا ہوں", Category::Suicide),
        ("ur", "main marna chahta hun", Category::Suicide),
        ("ur", "abbu mujhe marte hain", Category::AbuseDisclosure),
    ] {
        let alone = matcher(&[language]).find(text, Place::Typed);
        assert!(alone.severity() >= 4, "{text}");
        assert!(alone.matches.iter().any(|it| it.category == category), "{text}");
        let beside = all.find(text, Place::Typed);
        for found in &alone.matches {
            assert!(beside.matches.contains(found), "{text}: {:?}", beside.matches);
        }
        for other in ["en", "cy", "pl", "ur"].iter().filter(|it| **it != language) {
            assert_eq!(matcher(&[other]).find(text, Place::Typed).severity(), 0, "{other} {text}");
        }
    }
}

#[test]
fn what_is_found_with_marks_is_found_without() {
    let matcher = matcher(&FURTHER);
    for (with, without) in [
        ("chcę się zabić", "chce sie zabic"),
        ("pocięłam się żyletką", "pocielam sie zyletka"),
        ("łyknęłam całe opakowanie tabletek", "lyknelam cale opakowanie tabletek"),
        ("DŹGNĘ GO PO SZKOLE", "dzgne go po szkole"),
        ("dwi’n mynd i ladd hi ar ôl ysgol", "dwin mynd i ladd hi ar ol ysgol"),
        ("dw i’n teimlo’n hunanladdol", "dw in teimlon hunanladdol"),
        ("خودکُشی کَیسے کروں", "خودکشی کیسے کروں"),
    ] {
        assert_found_alike(&matcher, with, without);
    }
}

#[test]
fn what_is_found_from_one_keyboard_is_found_from_another() {
    let matcher = matcher(&["ur"]);
    let urdu = "میں خودکشی کے بارے میں سوچتی رہتی ہوں";
    for other in [
        // Arabic yeh, kaf and heh.
        "ميں خودكشي كے بارے ميں سوچتي رہتي ہوں",
        "میں خودکشی کے بارے میں سوچتی رهتی هوں",
        // Presentation forms, as old software writes them.
        "ﻣﯿﮟ ﺧﻮﺩﮐﺸﯽ ﮐﮯ ﺑﺎﺭﮮ ﻣﯿﮟ ﺳﻮﭼﺘﯽ ﺭﮨﺘﯽ ﮨﻮﮞ",
    ] {
        assert_found_alike(&matcher, urdu, other);
    }
    assert_found_alike(&matcher, "30 گولیاں کھا لی ہیں ساری", "۳۰ گولیاں کھا لی ہیں ساری");
}

#[test]
fn what_is_found_in_one_script_is_found_in_the_other_and_in_a_mixture() {
    let matcher = matcher(&["ur"]);
    for (texts, rule) in [
        (
            ["میں مرنا چاہتا ہوں", "main marna chahta hun", "main مرنا چاہتا hun"],
            "suicide.ur_wants_to_die",
        ),
        (
            ["ابو مجھے مارتے ہیں", "abbu mujhe marte hain", "ابو mujhe marte ہیں"],
            "abuse_disclosure.ur_hurt",
        ),
        (
            ["اسے جان سے مار دوں گا", "usko jaan se maar dunga", "usko جان سے maar dunga"],
            "violence.ur_threat",
        ),
    ] {
        for text in texts {
            assert!(rules(&matcher, text).contains(&rule.to_owned()), "{text}");
        }
    }
}

#[test]
fn a_word_typed_in_several_ways_is_one_word() {
    let matcher = matcher(&["ur", "pl", "cy"]);
    for text in [
        "main marna chahta hun",
        "mein mrna chahti hoon",
        "mai marna chata hu",
        "mn marna chahti hn",
        "chciałabym umrzeć",
        "chcialbym umrzec",
        "dwi isio marw",
        "dw i eisiau marw",
        "fi moyn marw",
        "wi ishe marw",
        "rydw i eisiau marw",
    ] {
        assert_eq!(matcher.find(text, Place::Typed).severity(), 5, "{text}");
    }
}

#[test]
fn disguises_are_seen_through() {
    let matcher = matcher(&FURTHER);
    for (plain, disguised) in [
        ("میں مرنا چاہتا ہوں", "میں مـــرنـا چاہتا ہوں"),
        ("میں مرنا چاہتا ہوں", "میں مر\u{200C}نا چا\u{200B}ہتا ہوں"),
        ("میں مرنا چاہتا ہوں", "میں م ر ن ا چاہتا ہوں"),
        ("میں مرنا چاہتا ہوں", "میں مرناااا چاہتا ہوں"),
        ("main marna chahta hun", "main m@rna chahta hun"),
        ("main marna chahta hun", "main marnaaaa chahta hun"),
        ("main marna chahta hun", "main m.a.r.n.a chahta hun"),
        ("chcę się zabić", "chcę się z4b1ć"),
        ("chcę się zabić", "chcę się z a b i ć"),
        ("chcę się zabić", "chcę się zabiććć"),
        ("chcę się zabić", "chcę się za\u{AD}bi\u{200D}ć"),
        ("chcę się zabić", "chcę się zаbіć"),
        ("dwi isio marw", "dwi isio m4rw"),
        ("dwi isio lladd fy hun", "dwi isio l l a d d fy hun"),
        ("dwi isio lladd fy hun", "dwi isio ｌｌａｄｄ fy hun"),
    ] {
        let (expected, found) = (rules(&matcher, plain), rules(&matcher, disguised));
        let all = !expected.is_empty() && expected.iter().all(|it| found.contains(it));
        assert!(all, "{disguised}: {found:?} of {expected:?}");
    }
}

#[test]
fn a_sentence_ends_with_the_script_s_own_marks() {
    let matcher = matcher(&["ur"]);
    // "the test is over. killing me is easy": the words of a phrase on both sides of a mark.
    assert_eq!(rules(&matcher, "میں مرنا چاہتا ہوں"), ["suicide.ur_wants_to_die"]);
    for text in ["میں نہیں مرنا۔ چاہتا ہوں پانی", "کون مرنا؟ چاہتا ہوں پانی"]
    {
        assert_eq!(rules(&matcher, text), [""; 0], "{text}");
    }
}

#[test]
fn offsets_name_the_original() {
    let matcher = matcher(&FURTHER);
    for (text, expected) in [
        ("😀 bo dwi isio marw, sori", "isio marw"),
        ("mówię: chcę się zabić!", "się zabić"),
        ("ok ﻣﯿﮟ مـرنا چاہتا ہوں۔ ok", "مـرنا چاہتا"),
        ("so main marna chahta hun 😭", "marna chahta"),
    ] {
        let findings = matcher.find(text, Place::Typed);
        let found: Vec<&str> = findings.matches.iter().map(|it| &text[it.start..it.end]).collect();
        assert!(found.contains(&expected), "{text}: {found:?}");
    }
}

#[test]
fn what_is_nobody_s_concern_is_not_raised() {
    let matcher = matcher(&["en", "cy", "pl", "ur"]);
    for text in [
        // Identity, faith, health and looking for help.
        "ydw i'n hoyw",
        "sut i ddod allan i fy rhieni",
        "beth yw ramadan",
        "ydw i'n feichiog",
        "symptomau iselder",
        "llinell gymorth childline",
        "sut i helpu ffrind sy'n hunan-niweidio",
        "czy jestem gejem",
        "jak się modlić",
        "czy jestem w ciąży",
        "objawy depresji",
        "telefon zaufania",
        "jak pomóc przyjaciółce z depresją",
        "islam a chrześcijaństwo",
        "kya main gay hun",
        "namaz ka tareeqa",
        "kya main hamla hun",
        "depression ki alamat",
        "childline ka number",
        "نماز کا طریقہ",
        "رمضان کے روزے",
        "ڈپریشن کی علامات",
        // Words of the packs that are English words.
        "main street",
        "dim the lights",
        "lad bible",
        "brat summer",
        "pan fried salmon",
        "a log cabin",
        "car boot sale",
        "to kill a mockingbird",
        "mat pilates",
        "the chat is lit",
        "do my best",
    ] {
        for place in Place::ALL {
            let findings = matcher.find(text, *place);
            assert!(findings.severity() < 3, "{text:?} in {place}: {:?}", findings.matches);
        }
    }
}

#[test]
fn whether_a_pack_was_reviewed_is_read_from_its_status() {
    let of = |status: &str| {
        let text = format!(
            "format = 1\ncategory = 'wellbeing'\nlanguage = 'cy'\nversion = 1\nreviewed = 'x'\n\
             {status}\n[[rule]]\nid = 'wellbeing.a'\nseverity = 3\nnote = 'x'\nphrases = ['trist']"
        );
        Pack::parse("cy/wellbeing.toml", &text)
    };
    assert!(of("status = 'reviewed'").unwrap().is_reviewed());
    assert!(!of("status = 'unreviewed'").unwrap().is_reviewed());
    assert!(!of("").unwrap().is_reviewed(), "nobody must deny a review that never was");
    let wrong = of("status = 'fine'").unwrap_err();
    assert_eq!(
        wrong[0].to_string(),
        "cy/wellbeing.toml:6:10: unknown status \"fine\"; expected reviewed or unreviewed"
    );
}

proptest! {
    #[test]
    fn matches_lie_on_character_bounds(text in "[a-zżćęąłمرناہیںکخوشیچتپگ ۔؟'ـ\u{200C}]{0,60}") {
        let all = ["dwi isio marw", "chcę się zabić", "میں مرنا چاہتا ہوں"];
        for known in all {
            let text = format!("{text} {known} {text}");
            for found in COMPILED.find(&text, Place::Typed).matches {
                prop_assert!(text.get(found.start..found.end).is_some());
            }
        }
    }
}

fn assert_found_alike(matcher: &Matcher, one: &str, other: &str) {
    let (one, found) = (rules(matcher, one), rules(matcher, other));
    assert!(!one.is_empty(), "nothing is found in the plain text of {other}");
    assert_eq!(one, found, "{other}");
}

fn rules(matcher: &Matcher, text: &str) -> Vec<String> {
    let findings = matcher.find(text, Place::Typed);
    let mut rules: Vec<String> = findings.matches.iter().map(|it| it.rule.to_string()).collect();
    rules.sort_unstable();
    rules
}

fn matcher(languages: &[&str]) -> Matcher {
    let packs: Vec<Pack> = languages.iter().flat_map(|language| packs(language)).collect();
    Matcher::compile(&packs).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

fn packs(language: &str) -> Vec<Pack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules").join(language);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| pack(language, file)).collect()
}

#[expect(clippy::disallowed_methods, reason = "the packs of this repository have a known size")]
fn pack(language: &str, file: &Path) -> Pack {
    let name = format!("{language}/{}", file.file_name().unwrap().to_string_lossy());
    let text = std::fs::read_to_string(file).unwrap();
    Pack::parse(&name, &text).unwrap_or_else(|wrong| {
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        panic!("\n{}", wrong.join("\n"))
    })
}
