//! Finds the phrases of safeguarding rule packs in text, in linear time.
//!
//! # What always holds
//! - Pure: no file, clock, socket or randomness; the same packs and text give the same findings.
//!   It also compiles for wasm32.
//! - Linear: the time for a text is bounded by its length times a constant of the packs. No rule
//!   can make it slow, because no phrase spans more than 40 words, no condition looks further than
//!   50, and nothing is tried twice. [`Matcher::effort`] counts it.
//! - A match names bytes of the original text, on character bounds, whatever was folded.
//! - At most [`MAX_TEXT`] bytes are read, and [`Findings::cut_at`] says when that was less than all.
//! - [`PART_SEPARATOR`] parts a text: the [`Matcher::hits`] of texts joined by it are those of each.
//!
//! # From text to match
//! ```text
//!        64 bytes       tokens         those that      those that
//! text ─► block ─► scan ─► view ─► wake a phrase ─► phrase_set ─► judgement ─► matches,
//!                   │                                   ▲          near, unless,  folded
//!                   └─► suspects ─► blur ─► glance ─────┘          maybe, persons by rule
//!                       (one in 30)  (few)  (unmasked view of a stretch)
//! ```
//! An ordinary word costs a few dozen instructions, none of them a loop over its letters: `block`
//! tells the kinds of 64 bytes at once, `scan` cuts plain ASCII words by the bits that come out,
//! makes a `key` of each by two loads, and asks two small bit fields of the `lexicon` whether a
//! phrase may hang on it. A token is 20 bytes in a `view`; which words of the packs it is, is looked
//! up when somebody asks, which is at the words that wake a phrase and beside them. Whatever is not
//! plain ASCII goes through `fold`, which draws every character to what a reader sees and remembers
//! the answer, and `words`, which cuts and keeps offsets.
//!
//! `phrase_set` hangs each phrase on its rarest words. Where one stands, a few bits say whether
//! what must stand beside it may; then the phrase is read, both ways, with all places it can have
//! reached in one 64-bit set. `judgement` holds a hit against its rule's conditions; rules with the
//! same conditions share them, and once a rule has [`MAX_PER_RULE`] matches that cannot be graver,
//! its further hits are passed over.
//!
//! `signs` adds up in a pupil's own writing (searches, typed text) what no phrase says alone, most of
//! it runs of a few words, which `runs` finds.
//!
//! Disguises are undone in two ways. What a pupil wrote (search, typed) and titles are short:
//! `disguise` reads every word of them with care and patience, and a hit in plain letters is judged
//! in the surroundings that it shows, too; in a pupil's own writing it also sees slips through, for
//! rules that ask for it. A page is long and was written by others: it is read at a glance. `scan`
//! notes every word at which a disguise may begin; `blur` says at once of nearly all that they hide
//! no word of the packs; `glance` undoes digits for letters, spread and stretched words.
//! `unmasking` sees to it that only the stretch of a page in which an undone word makes a phrase is
//! read again, with the same outcome as if all of it had been. Both short cuts are held by tests
//! against the long way: every word through `words`, every token looked at, the whole text undone.
//!
//! How fast that is, and what a matcher holds in memory: `cargo bench -p redshank-matcher`.
//!
//! What is not seen through: three and more words written without any blank ("iwanttodie"), a
//! short word drawn with digits alone ("70"), reversed text, and misspellings that no single slip
//! and no sound explains. In titles, misspellings. In pages, moreover: several marks between
//! letters ("k - i - l - l"), censored letters ("k*ll"), letters drawn with several characters ("|<ill"),
//! spread letters that fall into words in more than one way, and what marks at a word's end stand
//! for ("cu+"). Addresses, hosts and names of programs are read as they stand.
//!
//! # Packs
//! TOML, one file per category and language, read by [`Pack::parse`], tried against their own
//! examples by [`lint()`], compiled by [`Matcher::compile`]. The format is explained in the
//! `README.md` beside the shipped packs (`collector/rules`), the phrase syntax also in `phrase`.
//!
//! [`Matcher::to_bytes`] gives the compiled form for [`Matcher::from_bytes`] of the same build, which
//! takes about a tenth of the time; `stored` says what is checked. Words' tables (`lexicon`, `blur`, the
//! list of `disguise`) are laid out anew.
//!
//! ```
//! use redshank_matcher::{Category, Matcher, Pack, Place};
//!
//! let pack = Pack::parse("en/wellbeing.toml", r#"
//!     format = 1
//!     category = "wellbeing"
//!     language = "en"
//!     version = 1
//!     reviewed = "nobody yet"
//!     [[rule]]
//!     id = "wellbeing.lonely"
//!     severity = 3
//!     note = "Says that nobody is there for them."
//!     phrases = ["i have no friends"]
//! "#).map_err(|wrong| wrong[0].to_string())?;
//! let matcher = Matcher::compile(&[pack]).map_err(|wrong| wrong[0].to_string())?;
//! let findings = matcher.find("I have no fr1ends!", Place::Typed);
//! assert_eq!(findings.matches[0].category, Category::Wellbeing);
//! # Ok::<(), String>(())
//! ```

mod anchor;
mod block;
mod blur;
mod category;
mod diagnostic;
mod disguise;
mod expression;
mod fold;

mod format;
mod glance;
mod host;
mod judgement;
mod kept;
mod key;
mod language;
mod lexicon;
mod lint;
mod matcher;
mod pack;
mod persons;
mod phrase;
mod phrase_set;
mod phrases;
mod quotation;
mod runs;
mod scan;
mod sharing;
mod signs;
mod stored;
mod unmasking;
mod view;
mod vocabulary;
mod words;

pub use category::{AgeGroup, Category, FourC, Place, Setting, Severity, UnknownName};
pub use diagnostic::Diagnostic;
pub use expression::{BETWEEN_WORDS, Expression};
pub use lint::{MIN_EXAMPLES, lint};
pub use matcher::{Candidate, Findings, Hit, MAX_PER_RULE, MAX_TEXT, Match, Matcher};
pub use pack::{FORMAT, MAX_PACK, MAX_POINTS, MAX_SIGNS, Pack};
pub use phrases::{PhraseMistake, Phrases};
pub use signs::{LEAST_SIGNS, balanced};
pub use stored::Unreadable;
pub use words::{PART_SEPARATOR, normalise};
