//! `serve`: everything wired together, as in the picture.
//!
//! The order matters. Policies are signed and refusals are known before a listener is bound; the addresses
//! are said once all three are. To stop: listeners close, requests under way get their time, triage ends at
//! the end of a batch, and the store's last commit is waited for when the last handle to it goes.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context as _;
use redshank_proto::tls::Target;
use redshank_proto::v1::enrolment_service_server::SERVICE_NAME as ENROLMENT;
use redshank_proto::v1::feed_service_server::SERVICE_NAME as FEED;
use redshank_proto::v1::ingest_service_server::SERVICE_NAME as INGEST;
use redshank_proto::v1::policy_service_server::SERVICE_NAME as POLICY;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

use super::Host;
use super::policy::publish_to;
use crate::listen::standing::Standing;
use crate::listen::{
    Acceptor, Certificates, DRAIN, describe, grpc_server, places, serve_console,
    server_for_strangers,
};
use crate::policy::{Decisions, Rules};
use crate::store::{Purpose, Scope};
use crate::{console, enrolment, feed, ingest, policy, triage};

/// Where the collector listens, `https://host:port` each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Where devices enrol.
    pub enrolment: String,
    /// What devices are told to report to.
    pub agents: String,
    /// Where people sign in.
    pub console: String,
}

/// Serves until the process is told to stop.
pub(super) async fn until_signalled(
    host: Host,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let stopping = CancellationToken::new();
    let signalled = stopping.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        tracing::info!("stopping");
        signalled.cancel();
    });
    let ready = |addresses: &Addresses| {
        writeln!(out, "enrolment {}", addresses.enrolment)?;
        writeln!(out, "agents {}", addresses.agents)?;
        writeln!(out, "console {}", addresses.console)?;
        writeln!(out, "ready")?;
        out.flush()
    };
    serve(host, stopping, ready).await
}

/// Serves until `stopping`; calls `ready` once all listeners are bound.
///
/// # Errors
/// If a key, a certificate or a listener is of no use, with the file or address named.
pub async fn serve(
    host: Host,
    stopping: CancellationToken,
    ready: impl FnOnce(&Addresses) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let ring = host.ring().await?;
    publish_policies(&host, &ring).await;
    let closing = CancellationToken::new();
    let standing = Standing::new(closing.clone());
    standing.look(&host.store, &*host.clock).await?;
    let Host { settings, store, clock, randomness, .. } = host;
    let certificates = Certificates::load(&store, &ring, &settings, &clock).await?;

    let bind = async |what, address, tls, bounds| {
        Acceptor::bind(address, tls, bounds, standing.clone()).await.with_context(|| {
            format!("{what}.listen in collector.toml: {address} cannot be bound; is it in use?")
        })
    };
    let tls = certificates.clone();
    let for_enrolment =
        bind("enrolment", settings.enrolment, tls.enrolment, places::ENROLMENT).await?;
    let for_agents = bind("agents", settings.agents, tls.agents, places::AGENTS).await?;
    let for_console = bind("console", settings.console, tls.console, places::CONSOLE).await?;
    let name = settings.names.first().map_or("localhost", String::as_str);
    let addresses = Addresses {
        enrolment: url(name, for_enrolment.address()?),
        agents: settings
            .agents_url
            .clone()
            .map_or_else(|| for_agents.address().map(|address| url(name, address)), Ok)?,
        console: url(name, for_console.address()?),
    };
    Target::parse(&addresses.agents)?;

    let enrolling =
        enrolment::service(store.clone(), ring.clone(), addresses.agents.clone(), clock.clone());
    let reporting =
        ingest::service(store.clone(), standing.clone(), clock.clone(), stopping.clone());
    let reading = feed::service(store.clone(), ring.clone(), clock.clone(), stopping.clone());
    let enrolment_routes = describe(Routes::new(enrolling), &[ENROLMENT]).await?;
    let agents_routes =
        Routes::new(reporting).add_service(policy::service(store.clone())).add_service(reading);
    let agents_routes = describe(agents_routes, &[INGEST, POLICY, FEED]).await?;
    let console_settings =
        console::Settings { stopping: stopping.clone(), ..console::Settings::default() };
    let console = console::router(store.clone(), console_settings, clock.clone(), randomness);

    let tasks = TaskTracker::new();
    for (mut server, routes, acceptor) in [
        (server_for_strangers(), enrolment_routes, for_enrolment),
        (grpc_server(), agents_routes, for_agents),
    ] {
        let (connections, stopped) =
            (acceptor.connections(stopping.clone()), stopping.clone().cancelled_owned());
        tasks.spawn(async move {
            let serving =
                server.add_routes(routes).serve_with_incoming_shutdown(connections, stopped);
            if let Err(error) = serving.await {
                tracing::error!(%error, "a listener failed");
            }
        });
    }
    let connections = for_console.connections(stopping.clone());
    tasks.spawn(serve_console(console, connections, stopping.clone()));
    tasks.spawn(triage::run(store.clone(), ring.clone(), stopping.clone()));
    tasks.spawn(standing.follow(store.clone(), ring.clone(), clock.clone(), stopping.clone()));
    tasks.spawn(certificates.follow(store, ring, settings, clock, stopping.clone()));
    ready(&addresses).context("the addresses could not be printed")?;

    stopping.cancelled().await;
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        closing.cancel();
        if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
    }
    Ok(())
}

/// Signs what has changed. A mistake in the rules keeps nobody from being watched over: what was in force
/// stays in force, and the log says why.
async fn publish_policies(host: &Host, ring: &crate::keys::KeyRing) {
    let publish = async {
        let rules = Rules::read(host.settings.rules.as_deref())?;
        let schools = host.schools().await?;
        let decisions = Decisions::read(&host.folder.policies(), &schools)?;
        let scope = Scope::system(Purpose::Start);
        for school in schools {
            let published = publish_to(host, ring, &scope, &school, &rules, &decisions).await;
            if let Err(error) = published {
                let (school, error) = (school.school, format!("{error:#}"));
                tracing::error!(%school, error, "the policy in force stays as it is");
            }
        }
        anyhow::Ok(())
    };
    if let Err(error) = publish.await {
        tracing::error!(error = format!("{error:#}"), "the policies in force stay as they are");
    }
}

fn url(name: &str, address: SocketAddr) -> String {
    let port = address.port();
    if name.contains(':') {
        format!("https://[{name}]:{port}")
    } else {
        format!("https://{name}:{port}")
    }
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match signals {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be heard; only a kill ends this process");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "Ctrl-C cannot be heard; only a kill ends this process");
        std::future::pending::<()>().await;
    }
}
