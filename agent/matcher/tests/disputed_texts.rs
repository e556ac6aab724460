//! Texts over which a reviewer and the packs once differed: cries for help that a harmless word
//! beside them silenced, and harmless texts that were graded like a crisis. None comes from a
//! real child.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of a test report by panicking too"
)]

use std::ops::RangeInclusive;
use std::path::Path;

use redshank_matcher::{Category, Matcher, Pack, Place};

#[test]
fn a_cry_for_help_is_heard_whatever_stands_beside_it() {
    use Category::{
        AbuseDisclosure, Bullying, SelfHarm, SexualExploitation, Suicide, Violence, Wellbeing,
    };
    let matcher = matcher();
    for (text, category, least) in [
        ("my uncle touched me and took photos on his phone", AbuseDisclosure, 5),
        ("i was raped and he filmed it on his phone", AbuseDisclosure, 5),
        ("my dad hit me and now my arm is in a cast", AbuseDisclosure, 4),
        ("im scared to be home alone with my stepdad", AbuseDisclosure, 4),
        ("mum hits me", AbuseDisclosure, 4),
        ("dad hit me again last night", AbuseDisclosure, 4),
        ("my dads hitting me", AbuseDisclosure, 4),
        ("he hits me", AbuseDisclosure, 4),
        ("my dad hit me with a belt", AbuseDisclosure, 4),
        ("i dont know why my dad hits me", AbuseDisclosure, 4),
        ("my dad kicked me out and he hits me", AbuseDisclosure, 4),
        ("my dad came into my room at night and touched me", AbuseDisclosure, 5),
        ("i got expelled for nothing im going to shoot up the school", Violence, 5),
        ("i want to shoot up my school and kill everyone who bullied me", Violence, 5),
        ("how to bring a kitchen knife to school without getting caught", Violence, 5),
        ("he says he will share my nudes unless i film myself", SexualExploitation, 5),
        ("im 14 and my boyfriend is 22 and my mum doesnt know", SexualExploitation, 4),
        ("he told me to keep it a secret from my mum", SexualExploitation, 4),
        ("i hate my hair and my face i want to die", Suicide, 5),
        ("im listening to our song and i want to kill myself", Suicide, 5),
        ("i dont care anymore i want to die", Suicide, 5),
        ("without him i will kill myself", Suicide, 5),
        ("im gonna jump off a bridge", Suicide, 5),
        ("ive taken an overdose", Suicide, 5),
        ("how to tie a noose knot", Suicide, 5),
        ("suicide methods success rates", Suicide, 5),
        ("painless suicide methods nhs advice", Suicide, 5),
        ("i've just taken 30 paracetamol", Suicide, 4),
        ("i took too many pills", Suicide, 4),
        ("i swallowed a whole box of paracetamol", Suicide, 4),
        ("i wish i was never born", Suicide, 4),
        ("will 20 paracetamol kill me", Suicide, 4),
        ("my friend who i love says she will kill herself", Suicide, 4),
        ("i'll end it tonight", Suicide, 5),
        ("ways to die painlessly", Suicide, 5),
        ("my friend is suicidal", Suicide, 4),
        ("im leaving my suicide note in my room", Suicide, 5),
        ("i called childline and they didnt help i want to die", Suicide, 5),
        ("i want to cut myself with a kitchen knife", SelfHarm, 4),
        ("i want to cut myself a lot", SelfHarm, 4),
        ("where to cut so nobody sees under my hair", SelfHarm, 4),
        ("i cut myself again last night and it wont heal", SelfHarm, 4),
        ("i keep cutting myself how do i stop", SelfHarm, 4),
        ("how to get the blade out of a shaving razor", SelfHarm, 4),
        ("just go kill yourself nobody cares what you think", Bullying, 4),
        ("i feel so worthless i will never be happy", Wellbeing, 3),
        ("nobody loves me in this house", Wellbeing, 3),
    ] {
        for place in [Place::Search, Place::Typed] {
            let graded = severity(&matcher, text, place, category);
            assert!(graded >= least, "{text:?} in {place} is {graded}, not {least}");
        }
    }
    for text in ["14 year old nudes", "15yo nudes", "nudes of 16 year olds"] {
        assert_eq!(severity(&matcher, text, Place::Search, Category::IllegalImagery), 5, "{text}");
    }
    let severity = severity(&matcher, "how to pass a drug test", Place::Search, Category::Drugs);
    assert_eq!(severity, 3);
}

#[test]
fn help_faith_health_and_daily_talk_are_left_alone() {
    let matcher = matcher();
    for text in [
        "how to get off drugs",
        "how do i get off weed",
        "how to get clean off ketamine",
        "how to get someone off drugs",
        "how do i stop panic attacks at school",
        "how can i stop being anxious in school",
        "make them stop hitting me at school",
        "how do i stop self harming",
        "i want to stop self harming",
        "help me stop self harming",
        "Take My Life and Let It Be",
        "Take My Life and Let It Be (hymn) - YouTube",
        "i want to take my life back",
        "can i take my life jacket home",
        "how to become a martyr",
        "how to become a martyr in christianity",
        "is watching porn a sin",
        "is porn haram",
        "is it normal to watch porn",
        "ive taken my antidepressants",
        "i took 2 paracetamol for my headache",
        "i took ibuprofen for my period",
        // Figures of speech, names and titles.
        "i want to watch die hard",
        "i need to learn die das der",
        "i want to die but i want to eat tteokbokki",
        "i finished the essay off myself",
        "i took the coat off myself",
        "shoot myself in the foot",
        "my phone is about to be dead",
        "i should be dead tired",
        "ill be dead if my mum finds out",
        "my brother touched my lego",
        "my teacher touched my work",
        "he kicked me out of the party",
        "coach kicked me out of the team",
        "i dont want to go home yet",
        "my teacher hit us with a pop quiz",
        "my dad beat me in chess",
        "my brother beat me to the bathroom",
        "shoot my school play",
        "club penguin cp download",
        "linux cp link",
        "how to join the base",
        "i support national action on climate change",
        "how to get lean fast",
        "how to cook lean mince",
        "how to hang the poles",
        "chinks of light",
        // What else was asked to raise nothing.
        "volcano homework help",
        "suicide squad cast",
        "how to kill weeds in lawn",
        "essex cricket results",
        "am i gay",
        "romeo and juliet essay",
        "knife crime figures published",
        "best minecraft builds",
        "how we can help | samaritans",
        "how volcanoes work",
    ] {
        let title = format!("{text} – Search");
        for (text, place) in [(text, Place::Search), (text, Place::Typed), (&title, Place::Title)] {
            let findings = matcher.find(text, place);
            assert!(findings.matches.is_empty(), "{text:?} in {place}: {:?}", findings.matches);
        }
    }
}

#[test]
fn doubt_lowers_and_says_why() {
    use Category::{AbuseDisclosure, IllegalImagery, SelfHarm, Suicide};
    let matcher = matcher();
    for (text, place, category, grades, reason) in [
        // Three told the engine's general reason; the packs now tell a plainer one of their own.
        ("i dont want to die", Place::Search, Suicide, 3..=3, "says that they do not want to die"),
        ("i didnt take an overdose", Place::Typed, Suicide, 3..=4, "negated"),
        (
            "i want to die lyrics by a band",
            Place::Search,
            Suicide,
            3..=3,
            "looks for a song or a film",
        ),
        ("I Want to Die - a song", Place::Title, Suicide, 2..=3, "a page's title"),
        ("I Want to Cut Myself - chapter one", Place::Title, SelfHarm, 2..=2, "a page's title"),
        ("suicide methods statistics essay", Place::Search, Suicide, 3..=3, "may be schoolwork"),
        ("i dont want to go home", Place::Typed, AbuseDisclosure, 3..=3, "in the first person"),
        (
            "my dad came into my room at night to say hello",
            Place::Typed,
            AbuseDisclosure,
            3..=3,
            "in the first person",
        ),
        ("teen nudes pictures", Place::Search, IllegalImagery, 3..=3, ""),
    ] {
        let graded = severity(&matcher, text, place, category);
        assert!(is_in(&grades, graded), "{text:?} in {place} is {graded}, not {grades:?}");
        let findings = matcher.find(text, place);
        let told = findings.matches.iter().flat_map(|it| &it.reasons).any(|it| it == reason);
        assert!(told || reason.is_empty(), "{text:?}: {:?}", findings.matches);
    }
}

#[test]
fn a_search_raises_its_own_category_alone() {
    use Category::{
        AbuseDisclosure, Bypass, SelfHarm, SexualExploitation, SexualImagery, Suicide, Violence,
    };
    let matcher = matcher();
    for (text, category, grades, beside) in [
        ("how to kill myself", Suicide, 5..=5, &[][..]),
        ("how to kill myself mark017", Suicide, 4..=5, &[][..]),
        ("painless ways to die", Suicide, 4..=5, &[][..]),
        ("where to cut so nobody sees", SelfHarm, 4..=4, &[][..]),
        // The threat is one concern, and that there are such images of this child another, with
        // steps of its own.
        (
            "he says he will share my nudes unless i send more",
            SexualExploitation,
            4..=5,
            &[SexualImagery][..],
        ),
        ("how to make a pipe bomb", Violence, 3..=5, &[][..]),
        ("my dad hits me and i am scared to go home", AbuseDisclosure, 4..=5, &[][..]),
        ("unblock school wifi with vpn", Bypass, 2..=3, &[][..]),
    ] {
        let graded = severity(&matcher, text, Place::Search, category);
        assert!(is_in(&grades, graded), "{text:?} is {graded}, not {grades:?}");
        let title = format!("{text} – Search");
        for (text, place) in [(text, Place::Search), (title.as_str(), Place::Title)] {
            let findings = matcher.find(text, place);
            let own = |it: Category| it == category || beside.contains(&it);
            let alone = findings.matches.iter().all(|it| own(it.category));
            assert!(alone, "{text:?} in {place}: {:?}", findings.matches);
        }
    }
    let title = "how to kill myself – Search";
    assert!(severity(&matcher, title, Place::Title, Suicide) >= 4);
}

/// The greatest severity of a category, 0 if it is not raised.
fn severity(matcher: &Matcher, text: &str, place: Place, category: Category) -> u8 {
    let findings = matcher.find(text, place);
    let of_category = findings.matches.iter().filter(|it| it.category == category);
    of_category.map(|it| it.severity.get()).max().unwrap_or_default()
}

fn is_in(grades: &RangeInclusive<u8>, graded: u8) -> bool {
    grades.contains(&graded)
}

fn matcher() -> Matcher {
    let packs: Vec<Pack> = Category::ALL.iter().map(|category| pack(*category)).collect();
    Matcher::compile(&packs).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}

#[expect(clippy::disallowed_methods, reason = "the packs of this repository have a known size")]
fn pack(category: Category) -> Pack {
    let name = format!("en/{category}.toml");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../collector/rules");
    let text = std::fs::read_to_string(rules.join(&name)).unwrap();
    Pack::parse(&name, &text).unwrap_or_else(|wrong| panic!("{}", wrong[0]))
}
