//! Texts made to be slow, against the matcher's own rate on ordinary pages.

use std::collections::BTreeMap;
use std::io::{self, Write};

use redshank_matcher::{Expression, MAX_TEXT, Matcher, Pack, Place};

use crate::clock::{best, rate};
use crate::packs::{self, Source};
use crate::{compile, count};

/// Prints the ordinary rate and a line for each text.
pub(crate) fn measure(out: &mut impl Write, sources: &[Source], pages: &[&str]) -> io::Result<()> {
    let packs = packs::parse(sources)?;
    let matcher = compile(sources)?;
    writeln!(out, "{:<50} {:>8} {:>7} {:>10}", "", "MB/s", "ratio", "matches")?;
    let ordinary: f64 = line(out, "ordinary pages, typed", &matcher, pages, None)?;
    for (name, unit) in units(&packs) {
        let text = unit.repeat(MAX_TEXT.div_ceil(unit.len()));
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
        line(out, name, &matcher, &[text], Some(ordinary))?;
    }
    let (name, worst, text) = worst_rules()?;
    let text = text.repeat(MAX_TEXT / text.len());
    line(out, name, &worst, &[&text], Some(ordinary))?;
    Ok(())
}

fn line(
    out: &mut impl Write,
    name: &str,
    matcher: &Matcher,
    texts: &[&str],
    reference: Option<f64>,
) -> io::Result<f64> {
    let bytes = texts.iter().map(|text| text.len()).sum();
    let (time, found) = best(|| count(matcher, texts, Place::Typed));
    let rate = rate(bytes, time);
    let ratio = rate / reference.unwrap_or(rate);
    writeln!(out, "{name:<50} {rate:>8.1} {ratio:>7.2} {found:>10}")?;
    Ok(rate)
}

/// Gives names and texts to be repeated.
fn units(packs: &[Pack]) -> Vec<(&'static str, String)> {
    let expressions: Vec<Expression> = packs.iter().flat_map(Pack::expressions).collect();
    let mut wakes: BTreeMap<&str, usize> = BTreeMap::new();
    for anchor in expressions.iter().flat_map(|it| &it.anchors) {
        *wakes.entry(anchor).or_default() += 1;
    }
    let mut busiest: Vec<(usize, &str)> = wakes.into_iter().map(|(word, n)| (n, word)).collect();
    busiest.sort_unstable_by(|a, b| b.cmp(a));
    let words = |count: usize| -> String {
        busiest.iter().take(count).map(|(_, word)| format!("{word} ")).collect()
    };
    // Every second word of a phrase's anchor stands; what must stand beside it does not.
    let near_misses: String =
        busiest.iter().take(200).map(|(_, word)| format!("i want to {word} it my ")).collect();
    vec![
        ("the busiest word alone", words(1)),
        ("the 20 busiest words", words(20)),
        ("every word that wakes a phrase", words(usize::MAX)),
        ("near misses of phrases", near_misses),
        ("one match after the other", "how to kill myself ".to_owned()),
        ("a match in each sentence", "I want to kill myself tonight. ".to_owned()),
        ("dotted: k.i.l.l.", "k.i.l.l.".to_owned()),
        ("spread: k i l l m y s e l f", "k i l l m y s e l f ".to_owned()),
        (
            "single letters: a b c",
            "a b c d e f g h i j k l m n o p q r s t u v w x y z ".to_owned(),
        ),
        ("dotted words that are none: zq.xj.", "zq.xj.".to_owned()),
        ("leetspeak: h0w 2 k1ll my$elf", "h0w t0 k1ll my$elf ".to_owned()),
        ("all ones: 1111a ", "1i1l1i1l1i1l1a ".to_owned()),
        ("stretched: kiiiill myyyyself", "kiiiill myyyyself ".to_owned()),
        ("stretched, no word: aaabbbccc", "aaabbbcccdddeee ".to_owned()),
        ("one giant word", "killmyself".to_owned()),
        ("one giant stretched word", "k".to_owned()),
        ("punctuation alone", "!?.,;|$@+-".to_owned()),
        ("blanks alone", " ".to_owned()),
        ("apostrophes: don't i'm", "don't i'm 'em' ".to_owned()),
        ("zero-width flood", "\u{200B}\u{200D}\u{FEFF}".to_owned()),
        ("zero-width between letters", "k\u{200B}i\u{200D}l\u{AD}l ".to_owned()),
        ("combining marks between letters", "k\u{301}i\u{308}l\u{335}l\u{336} ".to_owned()),
        ("confusables: кіll mуѕеlf", "how to кіll mуѕеlf ".to_owned()),
        ("mathematical letters", "𝐤𝐢𝐥𝐥 𝓶𝔂𝓼𝓮𝓵𝓯 ".to_owned()),
        ("characters that fold to many", "\u{FDFA}\u{FDFB}½⑽ ".to_owned()),
        ("emoji between letters", "k😀i😀l😀l ".to_owned()),
        ("Polish", "zażółć gęślą jaźń i chcę się zabić ".to_owned()),
        ("Urdu", "میں مرنا چاہتا ہوں ".to_owned()),
        ("Chinese", "我想自杀你好世界".to_owned()),
    ]
}

/// Gives rules of the widest gaps and largest classes that the format takes, and a text in which
/// all but their last word stands everywhere.
fn worst_rules() -> io::Result<(&'static str, Matcher, &'static str)> {
    let class: Vec<String> = (0..300).map(|n| format!("'w{n}', 'red w{n}'")).collect();
    let phrase = "'(red|fox) <8> ([many]|red|fox) <8> (red|fox|[few]) <8> (fox|red) <8> never'";
    let text = format!(
        "format = 1\ncategory = 'wellbeing'\nlanguage = 'en'\nversion = 1\nreviewed = 'nobody'\n\
         [classes]\nmany = [{}]\nfew = ['fox a', 'red b', 'fox red', 'red fox']\n\
         [[rule]]\nid = 'wellbeing.worst'\nseverity = 3\nnote = 'Slow on purpose.'\n\
         phrases = [{}]\n",
        class.get(..190).unwrap_or_default().join(", "),
        vec![phrase; 20].join(", "),
    );
    let pack = Pack::parse("worst.toml", &text).map_err(|wrong| packs::refused(&wrong))?;
    let matcher = Matcher::compile(&[pack]).map_err(|wrong| packs::refused(&wrong))?;
    Ok(("worst rules: <8> gaps and classes", matcher, "red fox "))
}
