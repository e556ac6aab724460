//! The codes of a `logformat` (squid.conf, `logformat`; Squid's src/format/Token.cc), and what they are here.

/// What a field of a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Slot {
    Seconds,
    Fraction,
    Start,
    Local,
    Client,
    ClientName,
    Login,
    External,
    Ident,
    User,
    Method,
    ClientUrl,
    Url,
    ServerUrl,
    Scheme,
    Domain,
    Port,
    Path,
    Status,
    Result,
    UserAgent,
    Sni,
    Tag,
    Log,
    Error,
}

/// How many slots there are.
pub(super) const SLOTS: usize = Slot::Error as usize + 1;

/// What the text of a code can look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// A whole number, or a dash.
    Whole,
    /// A number with a point, or a dash.
    Decimal,
    /// A date and time by a `strftime` argument; the flag says that it is UTC's.
    Date(bool),
    /// Something without a space.
    Word,
    /// What a client or server sent: Squid quotes it even where the format asks for nothing.
    Sent,
    /// Anything, spaces and all, unless the format asks for quoting.
    Free,
}

/// One code: what it is called, what its text looks like, and what it is for.
pub(super) type Code = (&'static str, Text, Option<Slot>);

use Text::{Date, Decimal, Free, Sent, Whole, Word};

/// In the order in which Squid looks: the long names, those of two letters, those of one.
pub(super) const CODES: &[Code] = &[
    ("ssl::>sni", Word, Some(Slot::Sni)),
    ("tls::>sni", Word, Some(Slot::Sni)),
    ("err_code", Word, Some(Slot::Error)),
    ("note", Sent, None),
    (">handshake", Word, None),
    (">eui", Word, None),
    (">qos", Word, None),
    ("<qos", Word, None),
    (">nfmark", Word, None),
    ("<nfmark", Word, None),
    (">la", Word, None),
    ("<la", Word, None),
    ("la", Word, None),
    (">lp", Whole, None),
    ("<lp", Whole, None),
    ("lp", Whole, None),
    ("oa", Word, None),
    ("ts", Whole, Some(Slot::Seconds)),
    ("tu", Whole, Some(Slot::Fraction)),
    ("tS", Decimal, Some(Slot::Start)),
    ("tl", Date(false), Some(Slot::Local)),
    ("tg", Date(true), Some(Slot::Local)),
    ("tr", Decimal, None),
    ("dt", Decimal, None),
    ("<pt", Decimal, None),
    ("<tt", Decimal, None),
    (">ha", Sent, None),
    ("un", Free, Some(Slot::User)),
    ("ul", Free, Some(Slot::Login)),
    ("ue", Free, Some(Slot::External)),
    ("ui", Free, Some(Slot::Ident)),
    (">Hs", Whole, Some(Slot::Status)),
    ("<Hs", Whole, None),
    ("Hs", Whole, Some(Slot::Status)),
    ("<bs", Whole, None),
    ("Ss", Word, Some(Slot::Result)),
    ("Sh", Word, None),
    ("mt", Word, None),
    (">rm", Sent, Some(Slot::Method)),
    ("<rm", Sent, None),
    ("rm", Sent, Some(Slot::Method)),
    (">ru", Sent, Some(Slot::ClientUrl)),
    ("<ru", Sent, Some(Slot::ServerUrl)),
    ("ru", Sent, Some(Slot::Url)),
    (">rs", Sent, Some(Slot::Scheme)),
    ("<rs", Sent, None),
    (">rd", Sent, Some(Slot::Domain)),
    ("<rd", Sent, None),
    (">rP", Whole, Some(Slot::Port)),
    ("<rP", Whole, None),
    (">rp", Sent, Some(Slot::Path)),
    ("<rp", Sent, None),
    ("rp", Sent, Some(Slot::Path)),
    (">rv", Word, None),
    ("<rv", Word, None),
    ("rv", Word, None),
    (">st", Whole, None),
    ("<st", Whole, None),
    ("st", Whole, None),
    (">sh", Whole, None),
    ("<sh", Whole, None),
    ("<sH", Whole, None),
    ("<sS", Whole, None),
    ("sn", Whole, None),
    ("et", Sent, Some(Slot::Tag)),
    ("ea", Sent, Some(Slot::Log)),
    (">a", Word, Some(Slot::Client)),
    (">A", Word, Some(Slot::ClientName)),
    (">p", Whole, None),
    ("<a", Word, None),
    ("<A", Word, None),
    ("<p", Whole, None),
    (">h", Sent, None),
    ("<h", Sent, None),
    (">v", Word, None),
];

/// The code with which `rest` begins, and how long it is. One that is not known is anything up to what
/// follows it.
pub(super) fn code(rest: &str) -> (Text, Option<Slot>, usize) {
    let prefix = if rest.starts_with("http::") { "http::".len() } else { 0 };
    let name = &rest[prefix..];
    if let Some((code, text, slot)) = CODES.iter().find(|(code, ..)| name.starts_with(code)) {
        // `%err_code` is not `%err_codes`, and what begins with a long unknown name is unknown.
        let long = run(name);
        if long <= code.len() || code.len() <= 3 && !name[..long].contains(['_', ':']) {
            return (*text, *slot, prefix + code.len());
        }
    }
    (Free, None, prefix + run(name))
}

/// How long the name is that begins here: `icap::tt`, `adapt::<last_h`, `>negotiated_version`.
fn run(name: &str) -> usize {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = name.as_bytes();
    let mut at = 0;
    loop {
        at += usize::from(matches!(bytes.get(at), Some(b'<' | b'>')));
        while bytes.get(at).is_some_and(|byte| letters(*byte)) {
            at += 1;
        }
        if !bytes[at..].starts_with(b"::") {
            return at;
        }
        at += 2;
    }
}
