//! One native host's connection, from its hello to its end.
//!
//! ```text
//! hello ──► welcome, private list ──► items ──► one batch ──► durable ──► stored ──► items …
//!                  ▲ again when policy or the hour changes
//! ```
//! The next message is not read before the last one is dealt with: whoever sends faster than that waits
//! in his own socket. Every wait for the peer has an end, but for the one between two messages.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{ReadHalf, WriteHalf, split};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Shared;
use super::pace;
use super::placing::{self, Origin, place};
use super::report::{Standing, known_browser, label};
use super::terms::Terms;
use super::users::{Account, Admitted};
use crate::native::frame::{FROM_BROWSER, Frame, FrameReader, FrameWriter};
use crate::native::local::Accepted;
use crate::native::message::{
    Body, FromExtension, Hello, Items, PROTOCOL, Session, ToExtension, Welcome,
};
use crate::observation::{Batch, Checkpoint, Content, Evidence, NoticeShown, Observation};

/// How long a connection may be open without a hello: the extension says it at once.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How long a message may take from its length to its end.
const MESSAGE_WITHIN: Duration = Duration::from_secs(10);
/// How long the peer may leave a message unread.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// Bytes from which a message is a long one, of which an account has one at a time.
const LONG: usize = 64 * 1024;
/// Malformed messages after which a connection is closed: ours makes none.
const MOST_MALFORMED: u32 = 16;
/// How often a pupil's own device looks whether school has begun or ended.
const HOURS_EVERY: Duration = Duration::from_secs(15);

/// The connection is at its end, whoever's fault that is.
struct Ended;

/// Speaks with one native host until either side has had enough.
pub(super) async fn serve(stream: Accepted, user: Admitted, shared: Arc<Shared>) {
    // Whoever is in debt waits before his first word: to dial again buys nothing.
    sleep(user.shared().spend(pace::MESSAGE)).await;
    let account = user.shared().account(shared.settings.root.clone()).await;
    let (from, to) = split(stream);
    let mut connection = Connection {
        reader: FrameReader::new(from, FROM_BROWSER),
        writer: FrameWriter::new(to),
        malformed: 0,
        rests_until: Instant::now(),
        user,
        account,
        shared,
    };
    // How it ended, coverage says where it matters.
    let Ok(Ok(hello)) = timeout(HELLO_WITHIN, connection.first_hello()).await else { return };
    let _ = connection.speak(hello).await;
}

struct Connection {
    reader: FrameReader<ReadHalf<Accepted>>,
    writer: FrameWriter<WriteHalf<Accepted>>,
    malformed: u32,
    /// When what was said last is paid for.
    rests_until: Instant,
    user: Admitted,
    account: Account,
    shared: Arc<Shared>,
}

/// A browser's session on this connection; the browser counts as having an extension while it is there.
struct Speaker {
    session: Session,
    origin: Origin,
    label: String,
    shared: Arc<Shared>,
}

/// What a message was for.
enum Said {
    Nothing,
    Hello(Hello),
}

impl Connection {
    /// Waits for the hello. What comes before it was meant for a connection that is gone, and comes again.
    async fn first_hello(&mut self) -> Result<Hello, Ended> {
        loop {
            self.reader.announced().await.map_err(|_| Ended)?.ok_or(Ended)?;
            if let Said::Hello(hello) = self.listen(None, None).await? {
                return Ok(hello);
            }
        }
    }

    async fn speak(&mut self, first: Hello) -> Result<(), Ended> {
        let mut hello = first;
        loop {
            if hello.protocol != PROTOCOL {
                hello = self.refuse(&hello).await?;
                continue;
            }
            let speaker = Speaker::new(&hello, &self.account, &self.shared);
            hello = self.welcomed(&speaker).await?;
        }
    }

    /// Serves one session until the extension says hello anew.
    async fn welcomed(&mut self, speaker: &Speaker) -> Result<Hello, Ended> {
        let mut policy = self.shared.policy.clone();
        policy.mark_changed();
        let (mut terms, mut told): (Option<Terms>, Option<Welcome>) = (None, None);
        let mut look_at = Instant::now() + HOURS_EVERY;
        let personal = self.shared.settings.personal;
        loop {
            tokio::select! {
                biased;
                changed = policy.changed() => {
                    changed.map_err(|_| Ended)?;
                    let in_force = policy.borrow_and_update().clone();
                    terms = in_force.map(|it| Terms::new(it, &self.account.name, personal));
                    told = None;
                }
                () = sleep_until(look_at), if personal => look_at = Instant::now() + HOURS_EVERY,
                announced = self.reader.announced() => {
                    announced.map_err(|_| Ended)?.ok_or(Ended)?;
                    if let Said::Hello(hello) = self.listen(Some(speaker), terms.as_ref()).await? {
                        return Ok(hello);
                    }
                }
            }
            if let Some(terms) = &terms {
                let welcome = terms.welcome(self.shared.clock.now());
                if told.as_ref() != Some(&welcome) {
                    self.welcome(&welcome, terms).await?;
                    told = Some(welcome);
                }
            }
        }
    }

    async fn welcome(&mut self, welcome: &Welcome, terms: &Terms) -> Result<(), Ended> {
        self.say(&ToExtension::Welcome(welcome.clone())).await?;
        let mut from = 0;
        loop {
            let entries = terms.private(from);
            if entries.is_empty() {
                return Ok(());
            }
            from += entries.len();
            self.say(&ToExtension::Private { entries }).await?;
        }
    }

    /// Tells an extension of another version so, and listens for nothing but another hello: to hang up
    /// would have its host dial again and again.
    async fn refuse(&mut self, hello: &Hello) -> Result<Hello, Ended> {
        let label = label(&hello.browser, &self.account.name);
        self.shared.report.browser(&label, |standing| standing.other_protocol = true);
        let reason = "this agent and this extension are of versions that do not understand each other; \
                      bring both up to date";
        self.say(&ToExtension::Refused { protocol: PROTOCOL, reason }).await?;
        loop {
            self.reader.announced().await.map_err(|_| Ended)?.ok_or(Ended)?;
            if let Said::Hello(hello) = self.listen(None, None).await? {
                return Ok(hello);
            }
        }
    }

    /// Reads the message that has been announced, at the account's pace, and deals with it. Items count
    /// only from a speaker and under terms; the others come again.
    async fn listen(
        &mut self,
        speaker: Option<&Speaker>,
        terms: Option<&Terms>,
    ) -> Result<Said, Ended> {
        sleep_until(self.rests_until).await;
        let user = self.user.shared();
        let length = self.reader.announced().await.map_err(|_| Ended)?.ok_or(Ended)?;
        let _long = match length {
            LONG.. => Some(user.long.acquire().await.map_err(|_| Ended)?),
            _ => None,
        };
        let frame = self.frame().await?;
        let (said, items) = match FromExtension::read(frame.payload()) {
            Ok(FromExtension::Hello(hello)) => (Said::Hello(hello), 0),
            Ok(FromExtension::Items(items)) => {
                let count = items.len();
                if let (Some(speaker), Some(terms)) = (speaker, terms) {
                    self.take(&items, speaker, terms).await?;
                }
                (Said::Nothing, count)
            }
            Ok(FromExtension::NoticeShown(shown)) => {
                self.note(shown).await?;
                (Said::Nothing, 1)
            }
            Ok(FromExtension::Unknown) => (Said::Nothing, 0),
            Err(_) => {
                self.malformed += 1;
                if let Some(speaker) = speaker {
                    speaker.malformed(1);
                }
                if self.malformed == MOST_MALFORMED {
                    return Err(Ended);
                }
                (Said::Nothing, 0)
            }
        };
        self.rests_until = Instant::now() + user.spend(cost(length, items));
        Ok(said)
    }

    async fn frame(&mut self) -> Result<Frame, Ended> {
        let read = timeout(MESSAGE_WITHIN, self.reader.next()).await;
        read.map_err(|_| Ended)?.map_err(|_| Ended)?.ok_or(Ended)
    }

    /// Hands items over, each once, and says that they are stored once they are.
    async fn take(
        &mut self,
        items: &Items<'_>,
        speaker: &Speaker,
        terms: &Terms,
    ) -> Result<(), Ended> {
        let user = self.user.shared();
        let turn = user.turn.lock().await;
        let (key, session) = (self.account.key, speaker.session);
        let before = self.shared.sessions().taken(key, session);
        let Sorted { observations, taken, malformed, lost } =
            sort(items, before, &speaker.origin, terms, self.shared.clock.now());
        speaker.malformed(malformed);
        speaker.lost(lost);
        if !observations.is_empty() {
            self.store(observations, session, taken).await?;
        } else if taken > before {
            self.shared.sessions().take(key, session, taken);
        }
        // The account's other connections need not wait for this one's peer to listen.
        drop(turn);
        if taken > 0 { self.say(&ToExtension::Stored { n: taken }).await } else { Ok(()) }
    }

    /// Keeps that the notice was shown to this account at its sign-in, and says so.
    async fn note(&mut self, shown: NoticeShown) -> Result<(), Ended> {
        let now = self.shared.clock.now();
        let evidence = vec![Evidence::OsUser(self.account.name.clone())];
        let shared = Arc::clone(&self.shared);
        let room = shared.out.reserve().await.map_err(|_| Ended)?;
        // Nothing waits between the place and its sending: the places of two arrive in their order.
        let noted =
            self.is_current(shown).then(|| shared.told.note(&self.account.name, shown, now));
        if let Some(checkpoint) = noted.flatten() {
            let observations = vec![placing::shown(shown, evidence, now)];
            let (done, stored) = oneshot::channel();
            room.send(Batch { observations, checkpoints: vec![checkpoint], done: Some(done) });
            stored.await.map_err(|_| Ended)?;
        } else {
            drop(room);
        }
        self.say(&ToExtension::Noted).await
    }

    /// Whether it is the notice of the policy in force: nobody was shown another.
    fn is_current(&self, shown: NoticeShown) -> bool {
        let policy = self.shared.policy.borrow();
        policy.as_ref().is_some_and(|policy| policy.notice().version == shown.version)
    }

    /// Leaves out showings of the notice that are no news, and gives the place to keep with the others.
    fn noted(&self, observations: &mut Vec<Observation>) -> Option<Checkpoint> {
        let mut place = None;
        observations.retain(|seen| match seen.content {
            Content::NoticeShown(shown) => {
                let (name, at) = (&self.account.name, seen.occurred_at);
                let noted = self.is_current(shown).then(|| self.shared.told.note(name, shown, at));
                let noted = noted.flatten();
                let is_news = noted.is_some();
                place = noted.or(place.take());
                is_news
            }
            _ => true,
        });
        place
    }

    /// Sends a batch, and waits until it is durable.
    async fn store(
        &self,
        mut observations: Vec<Observation>,
        session: Session,
        taken: u64,
    ) -> Result<(), Ended> {
        let (done, stored) = oneshot::channel();
        let room = self.shared.out.reserve().await.map_err(|_| Ended)?;
        // Nothing waits between the place and its sending: batches arrive in the order of their places.
        let place = {
            let mut sessions = self.shared.sessions();
            sessions.take(self.account.key, session, taken);
            sessions.encode()
        };
        let mut checkpoints = vec![Checkpoint { input: super::INPUT.to_owned(), place }];
        checkpoints.extend(self.noted(&mut observations));
        room.send(Batch { observations, checkpoints, done: Some(done) });
        // Untold, the agent is ending: the items come again to the next one.
        stored.await.map_err(|_| Ended)
    }

    async fn say(&mut self, message: &ToExtension) -> Result<(), Ended> {
        let frame = message.frame().map_err(|_| Ended)?;
        let sent = timeout(TAKEN_WITHIN, self.writer.send(frame)).await;
        sent.map_err(|_| Ended)?.map_err(|_| Ended)
    }
}

impl Speaker {
    fn new(hello: &Hello, account: &Account, shared: &Arc<Shared>) -> Self {
        let browser = known_browser(&hello.browser);
        let label = label(browser, &account.name);
        shared.report.browser(&label, |standing| standing.here(hello.private_windows));
        shared.presence.here(&account.name, browser, shared.clock.now());
        let origin = Origin { account: account.name.clone(), browser };
        Self { session: hello.session, origin, label, shared: Arc::clone(shared) }
    }

    /// So many messages or items were no use.
    fn malformed(&self, count: u64) {
        if count > 0 {
            let report = &self.shared.report;
            report.browser(&self.label, |it| it.malformed = it.malformed.saturating_add(count));
        }
    }

    /// So many items were given up.
    fn lost(&self, count: u64) {
        if count > 0 {
            let report = &self.shared.report;
            report.browser(&self.label, |it| it.lost = it.lost.saturating_add(count));
        }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.shared.report.browser(&self.label, Standing::gone);
        let Origin { account, browser } = &self.origin;
        self.shared.presence.gone(account, browser, self.shared.clock.now());
    }
}

/// What a message's items come to.
#[derive(Debug, Default)]
struct Sorted {
    observations: Vec<Observation>,
    /// The highest number that has been taken.
    taken: u64,
    malformed: u64,
    lost: u64,
}

/// Sorts out the items past `before`; the others were handed over before, by this connection or another, to
/// this agent or an earlier one.
fn sort(items: &Items<'_>, before: u64, origin: &Origin, terms: &Terms, now: Timestamp) -> Sorted {
    let mut sorted = Sorted { taken: before, ..Sorted::default() };
    for item in items.each() {
        match item {
            Ok(item) if item.n <= sorted.taken => {}
            Ok(item) => {
                sorted.taken = item.n;
                if let Body::Lost { count } = item.body {
                    sorted.lost = sorted.lost.saturating_add(count);
                }
                sorted.observations.extend(place(item, origin, terms, now));
            }
            Err(bad) => {
                sorted.malformed += 1;
                sorted.taken = sorted.taken.max(bad.n.unwrap_or(0));
            }
        }
    }
    sorted
}

/// What a message costs its account.
fn cost(length: usize, items: usize) -> u64 {
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    pace::MESSAGE
        .saturating_add(wide(length))
        .saturating_add(pace::ITEM.saturating_mul(wide(items)))
}
