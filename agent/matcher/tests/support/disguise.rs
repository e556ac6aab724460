//! Ten disguises, each in several manners, written without a look at the code that undoes them.

use super::chance::Chance;

/// Writes some letters otherwise; nothing if they cannot be so written.
pub type Manner = fn(&str, &mut Chance) -> Option<String>;

/// A disguise with its manners: for one word, and for a whole text where that is more than each
/// word by itself.
pub struct Disguise {
    pub name: &'static str,
    /// Whether it happens to some words of a text, rather than being done to all.
    pub by_accident: bool,
    pub words: &'static [(&'static str, Manner)],
    pub texts: &'static [(&'static str, Manner)],
}

pub const DISGUISES: &[Disguise] = &[
    Disguise {
        name: "leetspeak",
        by_accident: false,
        words: &[
            ("digits", |word, _| leet(word, DIGITS)),
            ("signs", |word, _| leet(word, SIGNS)),
            ("heavy", |word, _| leet(word, HEAVY)),
            ("strokes", |word, _| leet(word, STROKES)),
            ("ones", |word, _| leet(word, ONES)),
            ("one letter", leet_one),
        ],
        texts: &[],
    },
    Disguise {
        name: "confusables",
        by_accident: false,
        words: &[
            ("all letters", |word, chance| confuse(word, 1, chance)),
            ("some", |word, chance| confuse(word, 2, chance)),
        ],
        texts: &[],
    },
    Disguise {
        name: "zero-width",
        by_accident: false,
        words: &[
            ("between all", |word, chance| Some(between(word, |_| invisible(chance)))),
            ("one", |word, chance| {
                let (at, sign) = (inner(word, chance)?, invisible(chance));
                Some(insert(word, at, &sign))
            }),
        ],
        texts: &[],
    },
    Disguise {
        name: "spacing",
        by_accident: false,
        words: &[
            ("single blanks", |word, _| Some(between(word, |_| " ".to_owned()))),
            ("double blanks", |word, _| Some(between(word, |_| "  ".to_owned()))),
        ],
        texts: &[
            ("no word bounds", |text, _| Some(spread(text, " ", " "))),
            ("three blanks between words", |text, _| Some(spread(text, " ", "   "))),
            ("two and four blanks", |text, _| Some(spread(text, "  ", "    "))),
        ],
    },
    Disguise {
        name: "dots",
        by_accident: false,
        words: &[
            ("dots", |word, _| Some(between(word, |_| ".".to_owned()))),
            ("hyphens", |word, _| Some(between(word, |_| "-".to_owned()))),
            ("underscores", |word, _| Some(between(word, |_| "_".to_owned()))),
            ("asterisks", |word, _| Some(between(word, |_| "*".to_owned()))),
            ("slashes", |word, _| Some(between(word, |_| "/".to_owned()))),
            ("dots with blanks", |word, _| Some(between(word, |_| " . ".to_owned()))),
            ("mixed", |word, chance| {
                Some(between(word, |_| {
                    (*chance.one_of(&[".", "-", "_", "*", "/", "~"]).unwrap()).to_owned()
                }))
            }),
        ],
        texts: &[("no word bounds", |text, _| Some(spread(text, ".", ".")))],
    },
    Disguise {
        name: "stretching",
        by_accident: false,
        words: &[
            ("one letter", |word, chance| stretch(word, 1, chance)),
            ("several letters", |word, chance| stretch(word, 3, chance)),
            ("every letter doubled", |word, _| Some(word.chars().flat_map(|c| [c, c]).collect())),
        ],
        texts: &[],
    },
    Disguise {
        name: "mixed case",
        by_accident: false,
        words: &[
            ("by chance", |word, chance| {
                Some(
                    word.chars()
                        .map(|c| if chance.once_in(2) { c.to_ascii_uppercase() } else { c })
                        .collect(),
                )
            }),
            ("upper", |word, _| Some(word.to_uppercase())),
        ],
        texts: &[],
    },
    Disguise {
        name: "accents",
        by_accident: false,
        words: &[
            ("letters with accents", |word, chance| {
                Some(word.chars().map(|c| accented(c, chance)).collect())
            }),
            ("combining marks", |word, chance| Some(marked(word, 1, chance))),
            ("stacked marks", |word, chance| Some(marked(word, 9, chance))),
        ],
        texts: &[],
    },
    Disguise {
        name: "emoji between",
        by_accident: false,
        words: &[
            ("one kind", |word, chance| {
                let emoji = *chance.one_of(EMOJI)?;
                Some(between(word, |_| emoji.to_owned()))
            }),
            ("mixed", |word, chance| {
                Some(between(word, |_| (*chance.one_of(EMOJI).unwrap()).to_owned()))
            }),
            ("with blanks", |word, chance| {
                Some(between(word, |_| format!(" {} ", chance.one_of(EMOJI).unwrap())))
            }),
        ],
        texts: &[("no word bounds", |text, _| Some(spread(text, "💔", "💔")))],
    },
    Disguise {
        name: "misspelling",
        by_accident: true,
        words: &[
            ("swap", swap),
            ("omission", |word, chance| {
                let at = slip(word, chance)?;
                Some(
                    word.chars()
                        .enumerate()
                        .filter(|(index, _)| *index != at)
                        .map(|(_, c)| c)
                        .collect(),
                )
            }),
            ("doubling", |word, chance| {
                let at = slip(word, chance)?;
                Some(insert(word, at, &word.chars().nth(at)?.to_string()))
            }),
            ("neighbouring key", |word, chance| {
                let at = slip(word, chance)?;
                let keys: Vec<char> = neighbours(word.chars().nth(at)?).chars().collect();
                replace(word, at, *chance.one_of(&keys)?)
            }),
            ("vowel", vowel),
            ("as people misspell", |word, _| {
                COMMON
                    .iter()
                    .find(|(meant, _)| *meant == word)
                    .map(|(_, written)| (*written).to_owned())
            }),
        ],
        texts: &[],
    },
];

const DIGITS: &[(char, &str)] =
    &[('a', "4"), ('e', "3"), ('i', "1"), ('o', "0"), ('s', "5"), ('t', "7")];
const SIGNS: &[(char, &str)] = &[
    ('a', "@"),
    ('e', "3"),
    ('i', "!"),
    ('l', "|"),
    ('o', "0"),
    ('s', "$"),
    ('t', "+"),
    ('c', "("),
];
const HEAVY: &[(char, &str)] = &[
    ('a', "4"),
    ('b', "8"),
    ('c', "<"),
    ('e', "3"),
    ('g', "6"),
    ('i', "1"),
    ('o', "0"),
    ('q', "9"),
    ('s', "5"),
    ('t', "7"),
    ('z', "2"),
];
const STROKES: &[(char, &str)] = &[
    ('w', "\\/\\/"),
    ('v', "\\/"),
    ('k', "|<"),
    ('f', "ph"),
    ('h', "|-|"),
    ('d', "|)"),
    ('u', "|_|"),
    ('c', "¢"),
    ('l', "£"),
    ('e', "€"),
];
const ONES: &[(char, &str)] = &[('i', "1"), ('l', "1"), ('g', "9"), ('o', "0")];

fn leet(word: &str, table: &[(char, &str)]) -> Option<String> {
    let drawn = |c: char| table.iter().find(|(letter, _)| *letter == c).map(|(_, drawn)| *drawn);
    word.chars().any(|c| drawn(c).is_some()).then(|| {
        word.chars().map(|c| drawn(c).map_or_else(|| c.to_string(), str::to_owned)).collect()
    })
}

fn leet_one(word: &str, chance: &mut Chance) -> Option<String> {
    let table: Vec<(char, &str)> = [DIGITS, SIGNS, HEAVY]
        .concat()
        .into_iter()
        .filter(|(letter, _)| word.contains(*letter))
        .collect();
    let (letter, drawn) = *chance.one_of(&table)?;
    Some(word.replacen(letter, drawn, 1))
}

/// Letters of other alphabets and styles that look like these.
const LOOK_ALIKES: &[(char, &str)] = &[
    ('a', "аαａ𝐚𝒶𝔞𝕒𝖆𝗮ᴀⓐ🅰🇦ɑ"),
    ('b', "Ьｂ𝐛𝒷𝔟𝕓𝖇𝗯ʙⓑ🅱🇧"),
    ('c', "сϲｃ𝐜𝒸𝔠𝕔𝖈𝗰ᴄⓒ🅲🇨"),
    ('d', "ԁｄ𝐝𝒹𝔡𝕕𝖉𝗱ᴅⓓ🅳🇩"),
    ('e', "еｅ𝐞ℯ𝔢𝕖𝖊𝗲ᴇⓔ🅴🇪"),
    ('f', "ｆ𝐟𝒻𝔣𝕗𝖋𝗳ꜰⓕ🅵🇫"),
    ('g', "ɡｇ𝐠ℊ𝔤𝕘𝖌𝗴ɢⓖ🅶🇬"),
    ('h', "һｈ𝐡𝒽𝔥𝕙𝖍𝗵ʜⓗ🅷🇭"),
    ('i', "іιｉ𝐢𝒾𝔦𝕚𝖎𝗶ɪⓘ🅸🇮"),
    ('j', "јｊ𝐣𝒿𝔧𝕛𝖏𝗷ᴊⓙ🅹🇯"),
    ('k', "кκｋ𝐤𝓀𝔨𝕜𝖐𝗸ᴋⓚ🅺🇰"),
    ('l', "ӏｌ𝐥𝓁𝔩𝕝𝖑𝗹ʟⓛ🅻🇱"),
    ('m', "мｍ𝐦𝓂𝔪𝕞𝖒𝗺ᴍⓜ🅼🇲"),
    ('n', "ηｎ𝐧𝓃𝔫𝕟𝖓𝗻ɴⓝ🅽🇳"),
    ('o', "оοｏ𝐨ℴ𝔬𝕠𝖔𝗼ᴏⓞ🅾🇴"),
    ('p', "рρｐ𝐩𝓅𝔭𝕡𝖕𝗽ᴘⓟ🅿🇵"),
    ('q', "ԛｑ𝐪𝓆𝔮𝕢𝖖𝗾ⓠ🆀🇶"),
    ('r', "ｒ𝐫𝓇𝔯𝕣𝖗𝗿ʀⓡ🆁🇷г"),
    ('s', "ѕｓ𝐬𝓈𝔰𝕤𝖘𝘀ꜱⓢ🆂🇸"),
    ('t', "тτｔ𝐭𝓉𝔱𝕥𝖙𝘁ᴛⓣ🆃🇹"),
    ('u', "υｕ𝐮𝓊𝔲𝕦𝖚𝘂ᴜⓤ🆄🇺"),
    ('v', "ѵνｖ𝐯𝓋𝔳𝕧𝖛𝘃ᴠⓥ🆅🇻"),
    ('w', "ԝｗ𝐰𝓌𝔴𝕨𝖜𝘄ᴡⓦ🆆🇼ш"),
    ('x', "хｘ𝐱𝓍𝔵𝕩𝖝𝘅ⓧ🆇🇽"),
    ('y', "уγｙ𝐲𝓎𝔶𝕪𝖞𝘆ʏⓨ🆈🇾"),
    ('z', "ｚ𝐳𝓏𝔷𝕫𝖟𝘇ᴢⓩ🆉🇿"),
];

fn confuse(word: &str, once_in: usize, chance: &mut Chance) -> Option<String> {
    let confused: String = word
        .chars()
        .map(|c| {
            let alike = LOOK_ALIKES.iter().find(|(letter, _)| *letter == c);
            let alike: Vec<char> =
                alike.map(|(_, list)| list.chars().collect()).unwrap_or_default();
            if chance.once_in(once_in) { chance.one_of(&alike).copied().unwrap_or(c) } else { c }
        })
        .collect();
    (confused != word).then_some(confused)
}

const INVISIBLE: &[char] = &[
    '\u{AD}',
    '\u{34F}',
    '\u{61C}',
    '\u{115F}',
    '\u{1160}',
    '\u{17B4}',
    '\u{17B5}',
    '\u{180B}',
    '\u{180E}',
    '\u{200B}',
    '\u{200C}',
    '\u{200D}',
    '\u{200E}',
    '\u{200F}',
    '\u{202A}',
    '\u{202B}',
    '\u{202C}',
    '\u{202D}',
    '\u{202E}',
    '\u{2060}',
    '\u{2061}',
    '\u{2062}',
    '\u{2063}',
    '\u{2064}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{206A}',
    '\u{206F}',
    '\u{3164}',
    '\u{FE00}',
    '\u{FE0E}',
    '\u{FE0F}',
    '\u{FEFF}',
    '\u{FFA0}',
    '\u{FFF9}',
    '\u{FFFA}',
    '\u{FFFB}',
    '\u{1D173}',
    '\u{1D17A}',
    '\u{E0001}',
    '\u{E0061}',
    '\u{E007F}',
    '\u{E0100}',
];

fn invisible(chance: &mut Chance) -> String {
    chance.one_of(INVISIBLE).map(char::to_string).unwrap_or_default()
}

const EMOJI: &[&str] = &[
    "💔",
    "😀",
    "❤️",
    "🔥",
    "✨",
    "😂",
    "💀",
    "🖤",
    "👍🏽",
    "👨‍👩‍👧",
    "🙂",
    "⭐",
    "♥",
    "☠️",
    "🥺",
    "🫠",
];

fn accented(c: char, chance: &mut Chance) -> char {
    let list = match c {
        'a' => "áàâäãåā",
        'c' => "çćč",
        'e' => "éèêëēė",
        'g' => "ğģ",
        'i' => "íìîïī",
        'k' => "ķ",
        'l' => "łļ",
        'n' => "ñńň",
        'o' => "óòôöõøō",
        'r' => "ŕř",
        's' => "śšş",
        't' => "ťţ",
        'u' => "úùûüū",
        'w' => "ŵẁ",
        'y' => "ýÿŷ",
        'z' => "źžż",
        _ => return c,
    };
    let list: Vec<char> = list.chars().collect();
    chance.one_of(&list).copied().unwrap_or(c)
}

/// Puts up to so many combining marks on each letter.
fn marked(word: &str, most: usize, chance: &mut Chance) -> String {
    let mut marked = String::new();
    for c in word.chars() {
        marked.push(c);
        for _ in 0..=chance.below(most) {
            let mark = u32::try_from(chance.below(0x4E)).unwrap_or_default();
            marked.extend(char::from_u32(0x300 + mark));
        }
    }
    marked
}

fn stretch(word: &str, letters: usize, chance: &mut Chance) -> Option<String> {
    let mut stretched: Vec<(char, usize)> = word.chars().map(|c| (c, 1)).collect();
    for _ in 0..letters {
        let at = chance.below(stretched.len());
        stretched.get_mut(at)?.1 = 3 + chance.below(8);
    }
    Some(stretched.into_iter().flat_map(|(c, times)| std::iter::repeat_n(c, times)).collect())
}

/// Writes all letters of a text apart, and its words by something else.
fn spread(text: &str, letters: &str, words: &str) -> String {
    let spread: Vec<String> =
        text.split_whitespace().map(|word| between(word, |_| letters.to_owned())).collect();
    spread.join(words)
}

fn between(word: &str, mut separator: impl FnMut(usize) -> String) -> String {
    let mut written = String::new();
    for (index, c) in word.chars().enumerate() {
        if index > 0 {
            written.push_str(&separator(index));
        }
        written.push(c);
    }
    written
}

fn insert(word: &str, at: usize, what: &str) -> String {
    word.chars().take(at).collect::<String>() + what + &word.chars().skip(at).collect::<String>()
}

fn replace(word: &str, at: usize, c: char) -> Option<String> {
    let written: String =
        word.chars().enumerate().map(|(index, old)| if index == at { c } else { old }).collect();
    (written != word).then_some(written)
}

/// A place within a word, not before its first letter.
fn inner(word: &str, chance: &mut Chance) -> Option<usize> {
    let length = word.chars().count();
    (length > 1).then(|| 1 + chance.below(length - 1))
}

/// A place where people slip: in longer words, seldom at the first letter.
fn slip(word: &str, chance: &mut Chance) -> Option<usize> {
    (word.chars().count() >= 5).then(|| inner(word, chance)).flatten()
}

fn swap(word: &str, chance: &mut Chance) -> Option<String> {
    if word.chars().count() < 4 {
        return None;
    }
    let at = inner(word, chance)?.min(word.chars().count() - 2);
    let mut letters: Vec<char> = word.chars().collect();
    letters.swap(at, at + 1);
    let written: String = letters.into_iter().collect();
    (written != word).then_some(written)
}

fn vowel(word: &str, chance: &mut Chance) -> Option<String> {
    let at = slip(word, chance)?;
    let vowels = ['a', 'e', 'i', 'o', 'u'];
    let old = word.chars().nth(at)?;
    if !vowels.contains(&old) {
        return None;
    }
    replace(word, at, *chance.one_of(&vowels)?)
}

fn neighbours(c: char) -> &'static str {
    match c {
        'a' => "qsz",
        'b' => "vn",
        'c' => "xv",
        'd' => "sf",
        'e' => "wr",
        'f' => "dg",
        'g' => "fh",
        'h' => "gj",
        'i' => "uo",
        'j' => "hk",
        'k' => "jl",
        'l' => "k",
        'm' => "n",
        'n' => "bm",
        'o' => "ip",
        'p' => "o",
        'q' => "w",
        'r' => "et",
        's' => "ad",
        't' => "ry",
        'u' => "yi",
        'v' => "cb",
        'w' => "qe",
        'x' => "zc",
        'y' => "tu",
        _ => "x",
    }
}

/// What people really write.
const COMMON: &[(&str, &str)] = &[
    ("suicide", "sucide"),
    ("suicidal", "sucidal"),
    ("suicide", "suiside"),
    ("committing", "comitting"),
    ("commit", "comit"),
    ("paracetamol", "paracetemol"),
    ("ibuprofen", "ibuprofin"),
    ("overdose", "overdoze"),
    ("myself", "mysefl"),
    ("yourself", "youself"),
    ("kill", "kil"),
    ("killing", "kiling"),
    ("want", "wnat"),
    ("anymore", "anymor"),
    ("anorexia", "anerexia"),
    ("bulimia", "bulemia"),
    ("cannabis", "canabis"),
    ("cocaine", "cocane"),
    ("heroin", "herion"),
    ("ketamine", "ketamin"),
    ("xanax", "xanex"),
    ("pornography", "pornagraphy"),
    ("friends", "freinds"),
    ("friend", "freind"),
    ("boyfriend", "boyfreind"),
    ("threatened", "threatend"),
    ("depressed", "depresed"),
    ("worthless", "worthles"),
    ("nobody", "noboby"),
    ("school", "shcool"),
    ("knife", "knfie"),
    ("cutting", "cuting"),
    ("proxy", "proxi"),
    ("unblock", "unblok"),
    ("bypass", "bypas"),
    ("gambling", "gambeling"),
    ("nudes", "nuudes"),
    ("pictures", "pitcures"),
    ("blackmail", "blackmale"),
    ("explosives", "explosivs"),
    ("jihad", "jihaad"),
];
