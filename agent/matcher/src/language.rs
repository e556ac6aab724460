//! What the engine knows of a language: its commonest words, and the classes every pack of that
//! language may use.
//!
//! A further language is one more value of [`Language`] and its tables; packs of several languages
//! live in one matcher side by side.

use std::str::FromStr;

/// A language that packs may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    English,
}

/// A word class that every pack of a language may name in `[brackets]`.
pub(crate) struct BuiltInClass {
    pub(crate) name: &'static str,
    pub(crate) phrases: &'static [&'static str],
}

/// The class that says "the writer speaks of themselves" (`first_person = true`).
pub(crate) const FIRST_PERSON: &str = "first_person";
/// The class that says "the writer is the one who acts or suffers": unlike "my", none of these
/// stands in a sentence that is about somebody else alone ("my friend wants to …").
pub(crate) const SUBJECT: &str = "i";
/// The class that says "somebody else is spoken of" (`about_other`).
pub(crate) const OTHER_PERSON: &str = "other_person";
/// The class that turns a phrase into its opposite (`negation`).
pub(crate) const NEGATION: &str = "negation";

impl FromStr for Language {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "en" => Ok(Self::English),
            _ => Err(()),
        }
    }
}

impl Language {
    /// Names the codes that `language` takes, for messages.
    pub(crate) const EXPECTED: &str = "\"en\"";

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }

    pub(crate) const fn classes(self) -> &'static [BuiltInClass] {
        match self {
            Self::English => ENGLISH_CLASSES,
        }
    }

    /// Says whether nearly every text holds this word, so that no phrase should hang on it.
    pub(crate) fn is_common(self, word: &str) -> bool {
        match self {
            Self::English => ENGLISH_COMMON.contains(&word),
        }
    }
}

const ENGLISH_CLASSES: &[BuiltInClass] = &[
    BuiltInClass {
        name: FIRST_PERSON,
        phrases: &[
            "i", "im", "ive", "id", "ill", "me", "my", "myself", "mine", "meself", "ima", "imma",
        ],
    },
    BuiltInClass {
        name: SUBJECT,
        phrases: &["i", "im", "ive", "id", "ill", "me", "myself", "meself", "ima", "imma"],
    },
    // What a sentence of the writer's own begins with, contractions included: "ive taken", "ill
    // end it". Looser than the former, because "ill" and "id" are words too.
    BuiltInClass { name: "self", phrases: &["i", "im", "ive", "id", "ill", "ima", "imma"] },
    BuiltInClass {
        name: OTHER_PERSON,
        phrases: &[
            "he",
            "hes",
            "she",
            "shes",
            "they",
            "theyre",
            "theyve",
            "him",
            "himself",
            "herself",
            "themselves",
            "themself",
            "someone",
            "somebody",
            "people",
            "person",
            "friend*",
            "mate*",
            "brother*",
            "sister*",
            "cousin*",
            "mum",
            "mums",
            "mummy",
            "mom",
            "dad",
            "dads",
            "daddy",
            "parents",
            "girlfriend",
            "boyfriend",
            "bf",
            "gf",
            "student*",
            "pupil*",
            "patient*",
            "character*",
            "celebrit*",
        ],
    },
    BuiltInClass {
        name: NEGATION,
        phrases: &[
            "not",
            "never",
            "dont",
            "doesnt",
            "didnt",
            "wont",
            "wouldnt",
            "isnt",
            "wasnt",
            "arent",
            "aint",
            "no longer",
        ],
    },
    // Texts that treat a subject from outside: school work, news, fiction, statistics.
    BuiltInClass {
        name: "study",
        phrases: &[
            "essay*",
            "homework",
            "coursework",
            "gcse*",
            "a level",
            "alevel",
            "btec",
            "ks2",
            "ks3",
            "ks4",
            "revision",
            "past paper*",
            "lesson*",
            "worksheet*",
            "powerpoint",
            "quiz*",
            "definition",
            "meaning",
            "define",
            "etymology",
            "synonym*",
            "statistic*",
            "stats",
            "facts",
            "rates",
            "research",
            "study",
            "studies",
            "theory",
            "theories",
            "history",
            "article*",
            "news",
            "documentary",
            "documentaries",
            "awareness",
            "bbc",
            "guardian",
            "wikipedia",
            "analysis",
            "summary",
            "chapter",
            "quotes",
            "poem*",
            "biography",
            "law",
            "laws",
            "legislation",
            "legal",
            "policy",
            "policies",
            "act",
            "debate",
            "museum",
            "causes of",
            "effects of",
            "risks of",
            "dangers of",
            "prevention",
            "prevent",
            "preventing",
            "campaign*",
            "charity",
            "charities",
            "psychology",
            "sociology",
        ],
    },
    // The part of the former that nobody uses who tells of themselves: "my dad hits me when I do
    // not do my homework" is no homework.
    BuiltInClass {
        name: "coursework",
        phrases: &[
            "essay*",
            "coursework",
            "gcse*",
            "a level",
            "past paper*",
            "worksheet*",
            "powerpoint",
            "definition",
            "meaning",
            "define",
            "statistic*",
            "stats",
            "research",
            "article*",
            "news",
            "documentary",
            "documentaries",
            "awareness",
            "poem*",
            "biography",
            "charity",
            "charities",
            "campaign*",
            "legislation",
            "policy",
            "policies",
            "analysis",
            "summary",
            "quotes",
        ],
    },
    BuiltInClass {
        name: "fiction",
        phrases: &[
            "movie",
            "movies",
            "film",
            "films",
            "cast",
            "trailer",
            "netflix",
            "episode*",
            "song",
            "songs",
            "lyrics",
            "chords",
            "album",
            "novel",
            "novels",
            "anime",
            "manga",
            "wiki",
            "fandom",
            "shakespeare",
            "romeo",
            "juliet",
            "macbeth",
            "hamlet",
            "actor*",
            "actress*",
            "imdb",
            "dvd",
            "soundtrack",
            "season finale",
            "tv series",
        ],
    },
    BuiltInClass {
        name: "game",
        phrases: &[
            "game",
            "games",
            "gaming",
            "gameplay",
            "minecraft",
            "roblox",
            "fortnite",
            "gta",
            "cheats",
            "walkthrough",
            "skyrim",
            "zelda",
            "pokemon",
            "sims",
            "cod",
            "warzone",
            "csgo",
            "valorant",
            "boss",
            "speedrun",
            "xbox",
            "playstation",
            "ps4",
            "ps5",
        ],
    },
    // The part of the former that lists works and is not said of one's own life: "my arm is in a
    // cast", "our song" and "he filmed it" are no fiction.
    BuiltInClass {
        name: "catalogue",
        phrases: &[
            "lyrics",
            "chords",
            "guitar tabs",
            "soundtrack",
            "imdb",
            "trailer",
            "fandom",
            "fanfic*",
            "wattpad",
            "audiobook",
            "full movie",
            "film review",
            "movie review",
            "book review",
            "cast of",
            "season finale",
            "tv series",
        ],
    },
    // Looking for help is never a concern.
    BuiltInClass {
        name: "support",
        phrases: &[
            "childline",
            "samaritans",
            "helpline*",
            "hotline*",
            "papyrus",
            "shout",
            "mind charity",
            "nspcc",
            "ceop",
            "talk to frank",
            "kooth",
            "camhs",
            "counsell*",
            "counselor*",
            "therap*",
            "support group*",
            "support for",
            "advice",
            "how to help",
            "help for",
            "helping",
            "help with",
            "get help",
            "recovery",
            "recovering",
            "report",
            "reporting",
            "stop it now",
            "nhs",
            "coping",
            "how to stop",
            "how do i stop",
            "how can i stop",
            "how do you stop",
            "help me stop",
            "want to stop",
            "how to cope",
            "quit",
            "quitting",
            "giving up",
            "safeguarding",
            "staying safe",
            "stay safe",
            "how to avoid",
            "protect",
        ],
    },
    // The part of the former that nobody writes who looks for a way to die: "painless methods nhs
    // advice" is no search for help.
    BuiltInClass {
        name: "looking_for_help",
        phrases: &[
            "childline",
            "samaritans",
            "helpline*",
            "hotline*",
            "papyrus",
            "nspcc",
            "talk to frank",
            "kooth",
            "camhs",
            "counsell*",
            "counselor*",
            "support group*",
            "how to help",
            "how can i help",
            "how we can help",
            "get help",
            "recovery",
            "prevention",
            "preventing",
            "coping with",
            "how to cope",
            "how to stop",
            "how do i stop",
            "how can i stop",
            "how do you stop",
            "help me stop",
        ],
    },
];

/// The commonest words of English prose and searches.
const ENGLISH_COMMON: &[&str] = &[
    "a", "about", "after", "all", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "best", "but", "buy", "by", "can", "cant", "could", "day", "did", "do", "does", "dont",
    "down", "for", "free", "from", "get", "go", "going", "good", "got", "had", "has", "have", "he",
    "her", "here", "him", "his", "home", "house", "how", "i", "if", "im", "in", "into", "is", "it",
    "its", "just", "keep", "know", "like", "long", "make", "making", "man", "me", "more", "much",
    "my", "need", "new", "no", "not", "now", "of", "off", "on", "one", "online", "or", "other",
    "our", "out", "over", "own", "people", "picture", "pictures", "really", "said", "say", "says",
    "school", "see", "send", "she", "should", "so", "some", "someone", "stop", "take", "than",
    "that", "the", "their", "them", "then", "there", "they", "thing", "think", "this", "time",
    "to", "too", "up", "us", "use", "using", "very", "want", "was", "way", "ways", "we", "were",
    "what", "when", "where", "which", "who", "why", "will", "with", "without", "would", "year",
    "you", "your",
];
