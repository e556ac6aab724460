//! What the notice says to each audience, sentence by sentence.
//!
//! Written to be read by those whom it is for: young children in lines of at most ten words beside a picture,
//! pupils in the words of nine- to eleven-year-olds, staff and families in full. The numbers are those of the
//! United Kingdom: Childline 0800 1111, Shout 85258, CEOP, 999.

use super::Facts;
use crate::observation::Audience;

/// A notice, before it has a form.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) title: &'static str,
    pub(super) school: String,
    pub(super) version: u32,
    pub(super) lead: String,
    pub(super) sections: Vec<Section>,
}

/// A part of it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) symbol: Symbol,
    pub(super) heading: &'static str,
    pub(super) paragraphs: Vec<String>,
    pub(super) items: Vec<String>,
}

/// The picture beside a section; the words say all of it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A screen that is looked at.
    Screen,
    /// A person.
    Person,
    /// A lock.
    Lock,
    /// A heart.
    Heart,
    /// A telephone.
    Telephone,
}

pub(super) fn page(facts: &Facts, audience: Audience) -> Page {
    let (title, lead, sections) = match audience {
        Audience::YoungChildren => young_children(facts),
        Audience::Pupils => pupils(facts),
        Audience::Staff => staff(facts),
        Audience::Families => families(facts),
    };
    Page { title, school: facts.school.clone(), version: facts.version, lead, sections }
}

type Words = (&'static str, String, Vec<Section>);

/// At most ten words a line, but for the school's own.
fn young_children(facts: &Facts) -> Words {
    let mut seen = vec![];
    if browsing(facts) {
        seen.push("Grown-ups at school may see what you look at.");
        seen.push("They may see what you search for.");
    }
    if facts.typed {
        seen.push("They may see some words you type.");
    }
    if facts.device.media {
        seen.push("They may see when you plug in a stick.");
    }
    if facts.device.pupils_own {
        seen.push("They only look in school time.");
    }
    seen.push("They do this to keep you safe.");
    let mut help = vec!["You can tell a grown-up you trust.".to_owned()];
    help.extend(given(&facts.help));
    let sections = vec![
        Section::lines(Symbol::Screen, "This device is watched", seen),
        Section::lines(
            Symbol::Lock,
            "Some things are just for you",
            vec![
                "Nobody here sees your passwords.",
                "Nobody here sees you through the camera.",
                "Helplines like Childline are private.",
            ],
        ),
        Section::lines(
            Symbol::Heart,
            "You can always ask for help",
            vec![
                "You are never in trouble for asking for help.",
                "Being sad or scared is not your fault.",
            ],
        ),
        Section { paragraphs: help, ..Section::new(Symbol::Person, "Sad, worried or scared?") },
        Section::lines(
            Symbol::Telephone,
            "Or call somebody",
            vec!["Childline: 0800 1111. It is free.", "In danger right now? Call 999."],
        ),
    ];
    ("This device helps to keep you safe", String::new(), sections)
}

fn pupils(facts: &Facts) -> Words {
    let school = or(&facts.school, "Your school");
    let lead = format!(
        "{school} watches this device, to help keep you safe. It is no secret: here you can read what is seen, who \
         sees it, and what nobody sees."
    );
    let mut who =
        vec![sentence(&facts.watched_by, "Adults at school whose job is to keep pupils safe.")];
    who.push(
        "They do not sit and watch your screen. The device itself looks for signs that somebody may be in danger, \
         and tells them."
            .to_owned(),
    );
    if browsing(facts) {
        who.push(
            "With a worrying find go the pages that were opened in the ten minutes before it, with their titles."
                .to_owned(),
        );
    }
    if facts.visits && browsing(facts) {
        who.push(
            "The school is also told which other websites were opened: the address, not what you did there.".to_owned(),
        );
    }
    if facts.device.pupils_own {
        who.push(
            "This is your own device. Only the school's browser is watched, and only in school hours. Nothing else \
             is."
                .to_owned(),
        );
    }
    let sections = vec![
        Section { paragraphs: who, ..Section::new(Symbol::Person, "Who looks") },
        Section {
            items: seen(facts, Reader::Pupil),
            ..Section::new(Symbol::Screen, "What is seen")
        },
        Section {
            items: never(facts, Reader::Pupil),
            ..Section::new(Symbol::Lock, "What is never seen")
        },
        Section::lines(
            Symbol::Heart,
            "Looking for help is always fine",
            vec![
                "Nobody is punished for looking for help.",
                "Nobody is told that you opened Childline or another helpline on the school's private list: open them \
                 whenever you like.",
            ],
        ),
        help(facts, Reader::Pupil),
    ];
    ("What this device shows your school", lead, sections)
}

fn staff(facts: &Facts) -> Words {
    let school = or(&facts.school, "The school");
    let lead = format!(
        "{school} monitors this device openly, to safeguard children, as Keeping Children Safe in Education asks of \
         schools. This is what it does on this device."
    );
    let mut who =
        vec![sentence(&facts.watched_by, "The Designated Safeguarding Lead and deputies.")];
    who.push(
        "What is seen is held against safeguarding rules on the device itself. What matches is sent, sealed, with the \
         words around it; technicians see no content. Somebody whom a concern names is not shown it."
            .to_owned(),
    );
    if browsing(facts) {
        who.push(
            "With a match of severity 3 or more go addresses and titles of the pages of the ten minutes before."
                .to_owned(),
        );
    }
    who.push(if facts.visits && browsing(facts) {
        "Other pages are reported as scheme, host and path only.".to_owned()
    } else {
        "Nothing else is reported.".to_owned()
    });
    let sections = vec![
        Section { paragraphs: who, ..Section::new(Symbol::Person, "Who looks, and at what") },
        Section {
            items: seen(facts, Reader::Staff),
            ..Section::new(Symbol::Screen, "What is seen")
        },
        Section {
            items: never(facts, Reader::Staff),
            ..Section::new(Symbol::Lock, "What is never seen")
        },
        Section::lines(
            Symbol::Heart,
            "Looking for help",
            vec![
                "Nobody is punished for looking for help, staff no more than pupils. Visits to helplines and support \
                 websites on the school's private list are not recorded, nor what is written there.",
            ],
        ),
        help(facts, Reader::Staff),
    ];
    ("How this device is monitored", lead, sections)
}

fn families(facts: &Facts) -> Words {
    let school = or(&facts.school, "The school");
    let lead = format!(
        "{school} monitors this device, to notice when a child may be in danger. Your child is told, and may read \
         the same in other words. Whoever else uses the device is seen as your child would be."
    );
    let mut who = vec![sentence(
        &facts.watched_by,
        "The school's Designated Safeguarding Lead and deputies.",
    )];
    who.push(
        "The device looks for signs of danger by itself; what it finds is sent to these people, with the words \
         around it. They decide what to do, and when to speak with you."
            .to_owned(),
    );
    if browsing(facts) {
        who.push(
            "With a worrying find go the pages that were opened in the ten minutes before it, with their titles."
                .to_owned(),
        );
    }
    if facts.visits && browsing(facts) {
        who.push(
            "The addresses of other websites are sent, too, without what was done there."
                .to_owned(),
        );
    }
    if facts.device.pupils_own {
        who.push("This device is your child's own: only the school's browser is watched, in school hours.".to_owned());
    }
    let sections = vec![
        Section { paragraphs: who, ..Section::new(Symbol::Person, "Who looks") },
        Section {
            items: seen(facts, Reader::Family),
            ..Section::new(Symbol::Screen, "What is seen")
        },
        Section {
            items: never(facts, Reader::Family),
            ..Section::new(Symbol::Lock, "What is never seen")
        },
        Section::lines(
            Symbol::Heart,
            "Looking for help",
            vec![
                "No child is punished for looking for help: visits to helplines and support websites on the school's \
                 private list are told to nobody, to you neither.",
            ],
        ),
        help(facts, Reader::Family),
    ];
    ("How your child's school device is monitored", lead, sections)
}

/// For whom a sentence is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Pupil,
    Staff,
    Family,
}

impl Reader {
    fn pick(self, pupil: &str, others: &str) -> String {
        if self == Self::Pupil { pupil } else { others }.to_owned()
    }
}

fn browsing(facts: &Facts) -> bool {
    facts.device.histories || facts.device.extension || facts.device.logs
}

/// What is seen on this device: only what runs on it.
fn seen(facts: &Facts, reader: Reader) -> Vec<String> {
    let device = &facts.device;
    let mut items = Vec::new();
    if device.histories || device.extension {
        items.push(reader.pick(
            "Websites that are opened here, their titles, and what is searched for.",
            "Websites that are opened, their titles, and what is searched for.",
        ));
    }
    if device.extension {
        items.push(
            "The same in a private window, where the school's extension is switched on for it."
                .to_owned(),
        );
    }
    if device.logs {
        items.push(
            "Web addresses that iPads and other devices ask for through this computer, what is searched for by them, \
             and what the school's filter blocked."
                .to_owned(),
        );
    }
    let read = |kind: bool| kind && (reader != Reader::Staff || facts.staff_typed);
    if read(facts.typed) {
        items.push(reader.pick(
            "What is typed into websites and AI chats. It is checked on this device; only worrying words, and a few \
             around them, are sent.",
            "Text typed into websites and AI chats. It is checked on the device; only what matches, and a few words \
             around it, is sent.",
        ));
    }
    if read(facts.ai_answers) {
        items.push("What AI chats answer, checked in the same way.".to_owned());
    }
    if read(facts.page_text) {
        items.push("The words on web pages, checked in the same way.".to_owned());
    }
    if device.programs {
        items.push(reader.pick(
            "Which programs run. The school is told only of those on its list, such as programs that get round the \
             filter or let somebody else use the device.",
            "Which programs run, by name, place and maker. Only those on the school's lists are reported: what gets \
             round the filter, remote control, and what the school does not allow.",
        ));
    }
    if device.media {
        items.push(
            "USB sticks and memory cards as they come and go: name and size, never a file on them."
                .to_owned(),
        );
    }
    items
}

/// What is never seen; what policy has switched off is said, too.
fn never(facts: &Facts, reader: Reader) -> Vec<String> {
    let device = &facts.device;
    let mut items = vec![
        "Passwords, payments and one-time codes.".to_owned(),
        "Websites on the school's private list: helplines and counselling, health, faith, LGBTQ+ support, law and money \
         advice, and banking."
            .to_owned(),
        "The camera, the microphone, pictures of the screen, and what is in your files.".to_owned(),
        reader.pick(
            "E-mail websites on that list.",
            "Mail, safeguarding records, and staff and payroll systems on that list.",
        ),
    ];
    let read = |kind: bool| kind && (reader != Reader::Staff || facts.staff_typed);
    if !read(facts.typed) {
        items.push(reader.pick(
            "What you type into websites, other than what you search for.",
            "Text typed into websites, other than searches.",
        ));
    }
    if !read(facts.page_text) {
        items.push("The words on the pages that are read.".to_owned());
    }
    if device.pupils_own {
        items.push("Anything outside school hours, and other programs or browsers.".to_owned());
    }
    if device.since_shown {
        items.push(reader.pick(
            "What you did on this device before you were first shown this.",
            "What a person did on this device before being first shown this notice.",
        ));
    } else {
        items.push("What was done on this device before the school set it up.".to_owned());
    }
    items
}

fn help(facts: &Facts, reader: Reader) -> Section {
    let mut items = Vec::new();
    match (facts.help.is_empty(), reader) {
        (true, Reader::Pupil) => items.push("An adult you trust, at home or at school.".to_owned()),
        (true, _) => items.push("The school's Designated Safeguarding Lead.".to_owned()),
        (false, Reader::Pupil) => {
            items.push(format!("An adult you trust. In school: {}", facts.help));
        }
        (false, _) => items.push(format!("In school: {}", facts.help)),
    }
    items.push("Childline: 0800 1111, free, day and night; also childline.org.uk".to_owned());
    items.push("Shout: text SHOUT to 85258, free, day and night".to_owned());
    items.push(reader.pick(
        "CEOP, the police for the internet, if somebody online frightens or pressures you: ceop.police.uk",
        "CEOP, if somebody online abuses or pressures a child: ceop.police.uk",
    ));
    items.push("999, if somebody is in danger".to_owned());
    let paragraphs = vec![reader.pick(
        "In the evening, at weekends and in the holidays perhaps nobody at school looks. Do not wait for them: in \
         danger, call 999.",
        "Outside school hours perhaps nobody looks at what was found. This is no emergency service: in danger, call \
         999.",
    )];
    Section { items, paragraphs, ..Section::new(Symbol::Telephone, "Where help is") }
}

impl Section {
    fn new(symbol: Symbol, heading: &'static str) -> Self {
        Self { symbol, heading, paragraphs: Vec::new(), items: Vec::new() }
    }

    fn lines(symbol: Symbol, heading: &'static str, lines: Vec<&str>) -> Self {
        let paragraphs = lines.into_iter().map(str::to_owned).collect();
        Self { paragraphs, ..Self::new(symbol, heading) }
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| sentence(text, ""))
}

/// The school's words as a sentence.
fn sentence(text: &str, otherwise: &str) -> String {
    let text = or(text, otherwise);
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
