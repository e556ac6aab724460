//! The forms of an English word, for `word~`.
//!
//! Irregular verbs and nouns come from tables, everything else from the spelling rules of English:
//! doubled consonants ("cutting"), the lost e ("dying", "vaping"), y to ies, British and American l
//! ("travelling", "traveling"). Each form in -ing is also given as it is spoken and typed, in -in
//! ("killin"). Of irregular verbs the forms of young children are given too ("hurted", "bited").
//!
//! A word is taken for a verb and for a noun, because nobody says which it is: some forms are no
//! words, and are found nowhere. Adjectives and adverbs ("angrier", "sadly") are not formed, nor
//! words built on others ("killer", "suicidal"). Spelling does not say which syllable is stressed:
//! of words of several syllables only those in [`DOUBLING`] double their consonant.

/// The most forms that one word has, itself included.
pub(crate) const MAX_FORMS: usize = 16;
/// Shorter words have no forms of their own worth guessing ("i", "u").
const MIN_LETTERS: usize = 2;

/// Gives every form of a word of lower-case ASCII letters, itself first, or why it has none.
pub(crate) fn forms(word: &str) -> Result<Vec<String>, Refusal> {
    if word.len() < MIN_LETTERS || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(Refusal::NoLetters);
    }
    if let Some(plain) = plain_form(word) {
        return Err(Refusal::Inflected(plain));
    }
    let mut forms = Forms(vec![word.to_owned()]);
    if let Some(plural) = noun(word) {
        forms.add_all(plural.iter());
        if !VERBS_TOO.contains(&word) {
            forms.add_all(third(word).iter());
            return Ok(forms.0);
        }
    }
    match irregular(word) {
        Some(irregular) => {
            forms.add_all(irregular.iter());
            // "bes" and "haves" are nothing that anybody writes.
            if !matches!(word, "be" | "have") {
                forms.add_all(third(word).iter());
                forms.add_all(past(word).iter().filter(|past| *past != "seed"));
            }
        }
        None => {
            forms.add_all(third(word).iter());
            forms.add_all(past(word).iter());
        }
    }
    for form in present_participle(word) {
        let spoken = form.strip_suffix('g').map(str::to_owned);
        forms.add(form);
        forms.add_all(spoken.iter().filter(|spoken| !WORDS_IN_IN.contains(&spoken.as_str())));
    }
    forms.0.truncate(MAX_FORMS);
    Ok(forms.0)
}

/// Why a word has no forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not of two or more plain letters.
    NoLetters,
    /// It is a form itself, of the word given if that is known.
    Inflected(Option<&'static str>),
}

struct Forms(Vec<String>);

impl Forms {
    fn add(&mut self, form: String) {
        if !self.0.contains(&form) {
            self.0.push(form);
        }
    }

    fn add_all<'a>(&mut self, forms: impl Iterator<Item = &'a String>) {
        forms.for_each(|form| self.add(form.clone()));
    }
}

/// Says that a word is a form already, and of which word, if that is known.
fn plain_form(word: &str) -> Option<Option<&'static str>> {
    if IRREGULAR_VERBS.iter().any(|(base, _)| *base == word) || PLAIN.contains(&word) {
        return None;
    }
    let of = IRREGULAR_VERBS.iter().find(|(_, forms)| forms.split(' ').any(|form| form == word));
    if let Some((base, _)) = of {
        return Some(Some(base));
    }
    let of = IRREGULAR_NOUNS.iter().find(|(_, plural)| *plural == word);
    if let Some((singular, _)) = of {
        return Some(Some(singular));
    }
    let stem = word
        .strip_suffix("ing")
        .or_else(|| word.strip_suffix("ed").filter(|stem| !stem.ends_with('e')));
    let inflected = stem.is_some_and(|stem| stem.bytes().any(is_vowel));
    inflected.then_some(None)
}

/// Gives the irregular forms of a verb, also of one that begins with a prefix ("overtake").
fn irregular(word: &str) -> Option<Vec<String>> {
    let of = |verb: &str, prefix: &str| {
        let (_, forms) = IRREGULAR_VERBS.iter().find(|(base, _)| *base == verb)?;
        Some(forms.split(' ').map(|form| format!("{prefix}{form}")).collect())
    };
    of(word, "").or_else(|| {
        PREFIXES.iter().find_map(|prefix| {
            let verb = word.strip_prefix(prefix)?;
            of(verb, prefix)
        })
    })
}

/// Gives the irregular plural of a noun.
fn noun(word: &str) -> Option<Vec<String>> {
    let plural = |(singular, plural): &(&str, &str)| {
        // "gunman", "grandchild", "penknife", but no "human".
        let front = word.strip_suffix(singular)?;
        let compound = front.len() > 2 && !NOT_COMPOUND.contains(&word);
        (front.is_empty() || compound).then(|| vec![format!("{front}{plural}")])
    };
    IRREGULAR_NOUNS.iter().find_map(plural).or_else(|| {
        let stem = word.strip_suffix("is").filter(|stem| stem.ends_with('s') && stem.len() > 3)?;
        Some(vec![format!("{stem}es")])
    })
}

/// Gives the form in -s.
fn third(word: &str) -> Vec<String> {
    if let Some(stem) = word.strip_suffix('y').filter(|stem| !stem.ends_with(is_vowel_char)) {
        return vec![format!("{stem}ies")];
    }
    if word.ends_with('z') && doubles(word) {
        return vec![format!("{word}zes")];
    }
    if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) {
        return vec![format!("{word}es")];
    }
    if word.ends_with('o') {
        return vec![format!("{word}es"), format!("{word}s")];
    }
    vec![format!("{word}s")]
}

/// Gives the form in -ed.
fn past(word: &str) -> Vec<String> {
    if word.ends_with('e') {
        return vec![format!("{word}d")];
    }
    if let Some(stem) = word.strip_suffix('y').filter(|stem| !stem.ends_with(is_vowel_char)) {
        return vec![format!("{stem}ied")];
    }
    suffixed(word, "ed")
}

/// Gives the form in -ing.
fn present_participle(word: &str) -> Vec<String> {
    if let Some(stem) = word.strip_suffix("ie") {
        return vec![format!("{stem}ying")];
    }
    let Some(stem) = word.strip_suffix('e').filter(|stem| !stem.is_empty()) else {
        return suffixed(word, "ing");
    };
    let both = || vec![format!("{stem}ing"), format!("{word}ing")];
    match stem.as_bytes() {
        [.., b'e' | b'o' | b'y'] | [_] => vec![format!("{word}ing")],
        [.., b'u'] | [.., b'n', b'g'] | [b'a', b'g'] => both(),
        _ => vec![format!("{stem}ing")],
    }
}

/// Adds an ending that begins with a vowel to a word that ends in no e.
fn suffixed(word: &str, ending: &str) -> Vec<String> {
    let plain = format!("{word}{ending}");
    let Some(last) = word.chars().last() else { return vec![plain] };
    if word.len() > 3 && word.ends_with("ic") {
        return vec![format!("{word}k{ending}")];
    }
    let doubled = format!("{word}{last}{ending}");
    if doubles(word) {
        vec![doubled]
    } else if DOUBLING.contains(&word) || (ends_in_short_vowel(word) && last == 'l') {
        vec![doubled, plain]
    } else {
        vec![plain]
    }
}

/// Says whether a word of one syllable doubles its last consonant.
fn doubles(word: &str) -> bool {
    let vowels = word.replace("qu", "q").bytes().filter(|byte| is_vowel(*byte)).count();
    vowels == 1 && ends_in_short_vowel(word)
}

/// Says whether a word ends in one vowel and one consonant that can be doubled.
fn ends_in_short_vowel(word: &str) -> bool {
    let folded = word.replace("qu", "q");
    match folded.as_bytes() {
        [.., before, vowel, last] => {
            !is_vowel(*before) && is_vowel(*vowel) && !is_vowel(*last) && !b"wxyh".contains(last)
        }
        _ => false,
    }
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u')
}

fn is_vowel_char(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// What an irregular verb may begin with.
const PREFIXES: &[&str] = &["over", "under", "out", "fore", "mis", "re", "un", "up"];

/// Verbs of several syllables that double their last consonant, here with and without it.
const DOUBLING: &[&str] = &[
    "abet",
    "acquit",
    "admit",
    "airdrop",
    "allot",
    "backstab",
    "begin",
    "commit",
    "compel",
    "concur",
    "control",
    "defer",
    "deter",
    "dispel",
    "embed",
    "emit",
    "equip",
    "excel",
    "expel",
    "focus",
    "forbid",
    "forget",
    "format",
    "gossip",
    "handicap",
    "hiccup",
    "incur",
    "input",
    "kickflip",
    "kidnap",
    "occur",
    "omit",
    "overlap",
    "patrol",
    "permit",
    "prefer",
    "program",
    "propel",
    "rebel",
    "recap",
    "recur",
    "refer",
    "regret",
    "remit",
    "repel",
    "reset",
    "screencap",
    "screengrab",
    "screenshot",
    "snapchat",
    "submit",
    "transfer",
    "transmit",
    "unplug",
    "unwrap",
    "unzip",
    "upset",
    "whatsapp",
    "worship",
    "zigzag",
];

/// Words that end as forms do and are plain.
const PLAIN: &[&str] = &[
    "anything",
    "biped",
    "bore",
    "bound",
    "building",
    "ceiling",
    "darling",
    "duckling",
    "dumpling",
    "earring",
    "embed",
    "ending",
    "evening",
    "everything",
    "feeling",
    "ground",
    "hoed",
    "hundred",
    "meeting",
    "moped",
    "morning",
    "nothing",
    "offspring",
    "painting",
    "pudding",
    "recording",
    "rose",
    "shilling",
    "shot",
    "sibling",
    "something",
    "warning",
    "wedding",
    "wellbeing",
    "wound",
];

/// Words that end in -in and are no form of the verb they look like.
const WORDS_IN_IN: &[&str] = &[
    "aspirin", "basin", "bobbin", "cabin", "coffin", "cumin", "latin", "martin", "matin", "muffin",
    "puffin", "raisin", "robin", "ruin", "satin",
];

/// Irregular nouns that are verbs too.
const VERBS_TOO: &[&str] = &["knife", "scarf", "loaf", "wolf", "mouse", "man", "penknife"];

/// Words that only look like compounds of an irregular noun.
const NOT_COMPOUND: &[&str] =
    &["german", "human", "norman", "ottoman", "roman", "shaman", "talisman"];

/// Singular and plural; compounds end alike.
const IRREGULAR_NOUNS: &[(&str, &str)] = &[
    ("woman", "women"),
    ("man", "men"),
    ("child", "children"),
    ("person", "people"),
    ("tooth", "teeth"),
    ("foot", "feet"),
    ("goose", "geese"),
    ("mouse", "mice"),
    ("louse", "lice"),
    ("knife", "knives"),
    ("wife", "wives"),
    ("life", "lives"),
    ("leaf", "leaves"),
    ("thief", "thieves"),
    ("wolf", "wolves"),
    ("half", "halves"),
    ("calf", "calves"),
    ("elf", "elves"),
    ("shelf", "shelves"),
    ("loaf", "loaves"),
    ("scarf", "scarves"),
    ("hoof", "hooves"),
    ("sheaf", "sheaves"),
    ("fungus", "fungi"),
    ("cactus", "cacti"),
    ("bacterium", "bacteria"),
    ("phenomenon", "phenomena"),
    ("criterion", "criteria"),
    ("stimulus", "stimuli"),
    ("appendix", "appendices"),
];

/// Irregular verbs and their forms beyond the regular ones.
#[rustfmt::skip]
const IRREGULAR_VERBS: &[(&str, &str)] = &[
    ("arise", "arose arisen"), ("awake", "awoke awoken"), ("be", "am is are was were been"),
    ("bear", "bore borne born"), ("beat", "beat beaten"), ("become", "became"),
    ("beget", "begot begotten"), ("begin", "began begun"), ("behold", "beheld"),
    ("bend", "bent"), ("beset", "beset"), ("bet", "bet"), ("bid", "bade bidden"),
    ("bind", "bound"), ("bite", "bit bitten"), ("bleed", "bled"), ("blow", "blew blown"),
    ("break", "broke broken"), ("breed", "bred"), ("bring", "brought brang brung"),
    ("broadcast", "broadcast"), ("browbeat", "browbeaten"), ("build", "built"),
    ("burn", "burnt"), ("burst", "burst"), ("bust", "bust"), ("buy", "bought"),
    ("cast", "cast"), ("catch", "caught"), ("choose", "chose chosen"), ("cling", "clung"),
    ("clothe", "clad"), ("come", "came"), ("cost", "cost"), ("creep", "crept"),
    ("cut", "cut"), ("daydream", "daydreamt"), ("deal", "dealt"), ("dig", "dug"),
    ("dive", "dove"), ("do", "does did done"), ("draw", "drew drawn"), ("dream", "dreamt"),
    ("drink", "drank drunk"), ("drive", "drove driven"), ("dwell", "dwelt"),
    ("eat", "ate eaten"), ("fall", "fell fallen"), ("feed", "fed"), ("feel", "felt"),
    ("fight", "fought"), ("find", "found"), ("fit", "fit"), ("flee", "fled"),
    ("fling", "flung"), ("fly", "flew flown"), ("forbear", "forbore forborne"),
    ("forbid", "forbade forbidden"), ("forecast", "forecast"), ("forget", "forgot forgotten"),
    ("forgive", "forgave forgiven"), ("forgo", "forwent forgone"),
    ("forsake", "forsook forsaken"), ("freeze", "froze frozen"), ("get", "got gotten"),
    ("ghostwrite", "ghostwrote ghostwritten"), ("give", "gave given"), ("go", "went gone"),
    ("grind", "ground"), ("grow", "grew grown"), ("hang", "hung"), ("have", "has had"),
    ("hear", "heard"), ("hide", "hid hidden"), ("hit", "hit"), ("hold", "held"),
    ("hurt", "hurt"), ("inset", "inset"), ("keep", "kept"), ("kneel", "knelt"),
    ("knit", "knit"), ("know", "knew known"), ("lay", "laid"), ("lead", "led"),
    ("lean", "leant"), ("leap", "leapt"), ("learn", "learnt"), ("leave", "left"),
    ("lend", "lent"), ("let", "let"), ("lie", "lay lain"), ("light", "lit"), ("lose", "lost"),
    ("make", "made"), ("mean", "meant"), ("meet", "met"), ("melt", "molten"),
    ("mistake", "mistook mistaken"), ("mow", "mown"), ("offset", "offset"),
    ("partake", "partook partaken"), ("pay", "paid"), ("plead", "pled"),
    ("proofread", "proofread"), ("prove", "proven"), ("put", "put"), ("quit", "quit"),
    ("read", "read"), ("rend", "rent"), ("rid", "rid"), ("ride", "rode ridden"),
    ("ring", "rang rung"), ("rise", "rose risen"), ("roughcast", "roughcast"), ("run", "ran"),
    ("saw", "sawn"), ("say", "said"), ("see", "saw seen"), ("seek", "sought"),
    ("sell", "sold"), ("send", "sent"), ("set", "set"), ("sew", "sewn"),
    ("shake", "shook shaken"), ("shave", "shaven"), ("shear", "shorn"), ("shed", "shed"),
    ("shine", "shone"), ("shit", "shit shat"), ("shoe", "shod"), ("shoot", "shot"),
    ("show", "shown"), ("shrink", "shrank shrunk"), ("shut", "shut"),
    ("sing", "sang sung"), ("sink", "sank sunk"), ("sit", "sat"), ("slay", "slew slain"),
    ("sleep", "slept"), ("slide", "slid"), ("sling", "slung"), ("slink", "slunk"),
    ("slit", "slit"), ("smell", "smelt"), ("smite", "smote smitten"), ("sneak", "snuck"),
    ("sow", "sown"), ("speak", "spoke spoken"), ("speed", "sped"), ("spell", "spelt"),
    ("spend", "spent"), ("spill", "spilt"), ("spin", "spun"), ("spit", "spat"),
    ("split", "split"), ("spoil", "spoilt"), ("spread", "spread"), ("spring", "sprang sprung"),
    ("stand", "stood"), ("steal", "stole stolen"), ("stick", "stuck"), ("sting", "stung"),
    ("stink", "stank stunk"), ("stride", "strode stridden"), ("strike", "struck stricken"),
    ("string", "strung"), ("strip", "stript"), ("strive", "strove striven"),
    ("swear", "swore sworn"), ("sweat", "sweat"), ("sweep", "swept"), ("swell", "swollen"),
    ("swim", "swam swum"), ("swing", "swung"), ("take", "took taken"), ("teach", "taught"),
    ("tear", "tore torn"), ("tell", "told"), ("think", "thought"), ("throw", "threw thrown"),
    ("thrust", "thrust"), ("tread", "trod trodden"), ("understand", "understood"),
    ("wake", "woke woken"), ("wear", "wore worn"), ("weave", "wove woven"), ("wed", "wed"),
    ("weep", "wept"), ("wet", "wet"), ("win", "won"), ("wind", "wound"),
    ("withdraw", "withdrew withdrawn"), ("withhold", "withheld"), ("withstand", "withstood"),
    ("wreak", "wrought"), ("wring", "wrung"), ("write", "wrote written"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_have_the_forms_that_pupils_write() {
        for (word, expected) in [
            ("kill", "kill kills killed killing killin"),
            ("cut", "cut cuts cutted cutting cuttin"),
            ("stab", "stab stabs stabbed stabbing stabbin"),
            ("die", "die dies died dying dyin"),
            ("dye", "dye dyes dyed dyeing dyein"),
            ("vape", "vape vapes vaped vaping vapin"),
            ("unalive", "unalive unalives unalived unaliving unalivin"),
            ("bully", "bully bullies bullied bullying bullyin"),
            ("annoy", "annoy annoys annoyed annoying annoyin"),
            ("punch", "punch punches punched punching punchin"),
            ("overdose", "overdose overdoses overdosed overdosing overdosin"),
            ("binge", "binge binges binged binging bingin bingeing bingein"),
            ("panic", "panic panics panicked panicking panickin"),
            ("traffic", "traffic traffics trafficked trafficking traffickin"),
            ("quiz", "quiz quizzes quizzed quizzing quizzin"),
            ("quit", "quit quits quitted quitting quittin"),
            ("strangle", "strangle strangles strangled strangling stranglin"),
            ("groom", "groom grooms groomed grooming groomin"),
            ("wank", "wank wanks wanked wanking wankin"),
            ("fix", "fix fixes fixed fixing fixin"),
            ("snow", "snow snows snowed snowing snowin"),
            ("hang", "hang hung hangs hanged hanging hangin"),
            ("hurt", "hurt hurts hurted hurting hurtin"),
            ("take", "take took taken takes taked taking takin"),
            ("overtake", "overtake overtook overtaken overtakes overtaked overtaking overtakin"),
            ("see", "see saw seen sees seeing seein"),
            ("go", "go went gone goes gos goed going goin"),
            ("be", "be am is are was were been being bein"),
            ("have", "have has had having havin"),
            ("travel", "travel travels travelled traveled travelling travellin traveling travelin"),
            (
                "screenshot",
                "screenshot screenshots screenshotted screenshoted screenshotting screenshottin \
                 screenshoting screenshotin",
            ),
            ("edit", "edit edits edited editing editin"),
            ("open", "open opens opened opening openin"),
            ("puff", "puff puffs puffed puffing"),
            ("base", "base bases based basing"),
            ("knife", "knife knives knifes knifed knifing knifin"),
            ("penknife", "penknife penknives penknifes penknifed penknifing penknifin"),
            ("child", "child children childs"),
            ("gunman", "gunman gunmen gunmans"),
            ("human", "human humans humaned humaning humanin"),
            ("crisis", "crisis crises crisises"),
            ("need", "need needs needed needing needin"),
            ("string", "string strung strings stringed stringing stringin"),
        ] {
            assert_eq!(forms(word).unwrap().join(" "), expected, "{word}");
        }
    }

    #[test]
    fn a_form_is_no_plain_word() {
        for (word, expected) in [
            ("took", Refusal::Inflected(Some("take"))),
            ("children", Refusal::Inflected(Some("child"))),
            ("killing", Refusal::Inflected(None)),
            ("killed", Refusal::Inflected(None)),
            ("i", Refusal::NoLetters),
            ("b12", Refusal::NoLetters),
            ("ból", Refusal::NoLetters),
        ] {
            assert_eq!(forms(word), Err(expected), "{word}");
        }
    }

    #[test]
    fn the_tables_hold_each_word_once_and_in_order() {
        for (name, words) in [
            ("verbs", IRREGULAR_VERBS.iter().map(|(base, _)| *base).collect::<Vec<_>>()),
            ("doubling", DOUBLING.to_vec()),
            ("in -in", WORDS_IN_IN.to_vec()),
        ] {
            assert!(words.is_sorted_by(|a, b| a < b), "{name}");
        }
        for (base, _) in IRREGULAR_VERBS {
            assert!(forms(base).is_ok(), "{base}");
        }
        for (singular, _) in IRREGULAR_NOUNS {
            assert!(forms(singular).is_ok(), "{singular}");
        }
    }

    proptest! {
        #[test]
        fn any_word_has_few_forms_and_each_once(word in "[a-zé]{0,12}") {
            if let Ok(forms) = forms(&word) {
                prop_assert_eq!(&forms[0], &word);
                prop_assert!(forms.len() <= MAX_FORMS);
                let mut sorted = forms.clone();
                sorted.sort();
                sorted.dedup();
                prop_assert_eq!(sorted.len(), forms.len());
            }
        }
    }
}
