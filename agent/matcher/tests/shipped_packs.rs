//! The shipped English packs: sound, complete, and right about the texts that matter most.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test report by panicking too"
)]

use std::path::{Path, PathBuf};

use redshank_matcher::{Category, Matcher, Pack, Place, lint};

#[test]
fn every_pack_is_sound_and_keeps_its_own_examples() {
    let wrong: Vec<String> = lint(&packs()).iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_category_has_its_pack_under_its_own_name() {
    let packs = packs();
    for category in Category::ALL {
        let pack = packs.iter().find(|pack| pack.category() == *category);
        let pack = pack.unwrap_or_else(|| panic!("no pack for {category}"));
        assert_eq!(pack.file(), format!("en/{category}.toml"));
        assert!(pack.rule_count() > 0);
    }
    assert_eq!(packs.len(), Category::ALL.len());
}

#[test]
fn what_must_be_raised_is() {
    use Category::{
        AbuseDisclosure, Bullying, Bypass, SelfHarm, SexualExploitation, Suicide, Violence,
        Wellbeing,
    };
    let matcher = matcher();
    for (text, category, least) in [
        ("how to kill myself", Suicide, 5),
        ("how to kill myself - Google Search", Suicide, 5),
        ("painless ways to die", Suicide, 5),
        ("i dont want to be here anymore", Suicide, 5),
        ("where to cut so nobody sees", SelfHarm, 4),
        ("he says he will share my nudes unless i send more", SexualExploitation, 5),
        ("how to make a pipe bomb", Violence, 5),
        ("my dad hits me and i am scared to go home", AbuseDisclosure, 4),
        ("my dad hits me when i dont do my homework", AbuseDisclosure, 4),
        ("my dad hits me when i play games", AbuseDisclosure, 4),
        ("im gonna stab him after the history lesson", Violence, 3),
        ("i get bullied in every lesson", Bullying, 3),
        ("unblock school wifi with vpn", Bypass, 2),
        ("nobody likes me and i hate my life", Wellbeing, 3),
    ] {
        let findings = matcher.find(text, Place::Search);
        let of_it = findings.matches.iter().filter(|it| it.category == category);
        let found = of_it.max_by_key(|it| it.severity);
        let found = found.unwrap_or_else(|| panic!("{text:?} raises no {category}"));
        assert!(found.severity.get() >= least, "{text:?} is only {}", found.severity.get());
    }
}

#[test]
fn what_must_not_be_raised_is_not() {
    let matcher = matcher();
    for text in [
        // Figures of speech and plain work.
        "dying of laughter",
        "kill the process",
        "how to kill a process in linux",
        "shoot me an email",
        "how to kill weeds in lawn",
        "photo shoot at school",
        "bath bomb recipe",
        "this homework is killing me",
        // School work, news, fiction.
        "suicide squad cast",
        "romeo and juliet essay",
        "romeo and juliet suicide essay",
        "to kill a mockingbird quotes",
        "volcano homework",
        "gcse biology past papers",
        "why did hitler kill the jews",
        "the holocaust key facts",
        "suicide bombing news",
        "drugs education lesson",
        "knife crime statistics uk",
        // Names that hold other words.
        "essex cricket results",
        "/wiki/Essex",
        "sussexcricket",
        "scunthorpe united",
        "middlesex university",
        "maine coon kittens",
        "therapist near me",
        // Play.
        "best minecraft builds",
        "how to make tnt in minecraft",
        // Identity, faith, health, puberty and looking for help are nobody's concern.
        "am i gay",
        "how to come out as trans",
        "lgbtq youth group near me",
        "what is ramadan",
        "how to pray salah",
        "what is jihad in islam",
        "first period what to do",
        "am i pregnant",
        "abortion clinic",
        "is my penis normal size",
        "depression symptoms",
        "am i depressed",
        "my grandad died and i feel sad",
        "cancer treatment",
        "childline number",
        "samaritans",
        "self harm help",
        "how to stop self harming",
        "suicide prevention helpline",
        "eating disorder support",
        "sexual abuse counselling",
        "how to help a friend who self harms",
        "where to report bullying",
        "How to support someone who feels suicidal - Mind",
        "Suicidal thoughts - NHS",
        "Self-harm | YoungMinds",
        "Report Remove: remove a nude image shared online | Childline",
        "Sextortion: what to do if someone threatens to share your nudes - BBC News",
        "Running away from home - Childline",
        "Dealing with bullying at school",
        "Cannabis | FRANK",
        // Titles of news and lessons.
        "Man jailed for making pipe bomb - Sky News",
        "Boy, 15, arrested for bringing a knife to school - Sky News",
        "The Holocaust: how Hitler planned to kill all Jews - BBC Bitesize",
        "ISIS brides: where are they now? - The Guardian",
    ] {
        for place in Place::ALL {
            let findings = matcher.find(text, *place);
            assert!(findings.matches.is_empty(), "{text:?} in {place}: {:?}", findings.matches);
        }
    }
}

#[test]
fn disguises_are_seen_through() {
    let matcher = matcher();
    for text in [
        "how to k1ll mys3lf",
        "how to ki11 myself",
        "how to k!ll my$elf",
        "HOW TO KiLL MYSeLF",
        "how to killlll myself",
        "how to k i l l myself",
        "how to k.i.l.l myself",
        "how to k-i-l-l m-y-s-e-l-f",
        "h o w t o k i l l m y s e l f",
        "how to kіll mуself",
        "how to k\u{200B}il\u{200D}l my\u{AD}self",
        "how to k\u{301}íll myself",
        "how to ｋｉｌｌ ｍｙｓｅｌｆ",
        "how to 𝐤𝐢𝐥𝐥 𝐦𝐲𝐬𝐞𝐥𝐟",
        "how to kill my-self",
    ] {
        let findings = matcher.find(text, Place::Search);
        assert_eq!(findings.severity(), 5, "{text:?}");
    }
}

#[test]
fn persons_and_negation_move_the_grade() {
    let matcher = matcher();
    let severity = |text: &str| matcher.find(text, Place::Typed).severity();
    assert_eq!(severity("i want to kill myself"), 5);
    assert_eq!(severity("i do not want to kill myself"), 4);
    assert_eq!(severity("my friend says she will kill herself"), 4);
    // Once 3. Whoever says outright that they will stab somebody is to be spoken to the same day,
    // whether or not they say when; "him" is a pupil whom they see tomorrow.
    assert_eq!(severity("im going to stab him"), 4);
    assert_eq!(severity("im going to stab him tomorrow after school with a knife"), 5);
}

fn matcher() -> Matcher {
    Matcher::compile(&packs()).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

fn packs() -> Vec<Pack> {
    let directory = rules().join("en");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| pack(file)).collect()
}

#[expect(clippy::disallowed_methods, reason = "the packs of this repository have a known size")]
fn pack(file: &Path) -> Pack {
    let name = format!("en/{}", file.file_name().unwrap().to_string_lossy());
    let text = std::fs::read_to_string(file).unwrap();
    Pack::parse(&name, &text).unwrap_or_else(|wrong| {
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        panic!("\n{}", wrong.join("\n"))
    })
}

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules")
}
