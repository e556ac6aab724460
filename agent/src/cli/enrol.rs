//! `enrol`: from a token to a certificate, told step by step.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use redshank_proto::clock::System;
use redshank_proto::token::Token;
use zeroize::Zeroizing;

use super::{EnrolArgs, TOKEN_VARIABLE};
use crate::enrolment::{self, Enrolment};
use crate::state::{ProxySettings, Settings, StateDir, read_bounded, read_roots};

/// A token has 114 characters; a file may have a line's end after it.
const TOKEN_FILE_BYTES: u64 = 1024;

/// Enrols this device and says what came of it.
pub(super) fn enrol(
    state: &StateDir,
    settings: &Settings,
    args: &EnrolArgs,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let _lock = state.lock()?;
    let ca = args.ca.as_ref().or(settings.ca.as_ref());
    let enrolment = Enrolment {
        collector: args.collector.clone(),
        token: token(args)?,
        extra_roots: ca.map(|file| read_roots(file)).transpose()?,
        proxy: settings.proxy.as_ref().map(ProxySettings::load).transpose()?,
        device: enrolment::describe(),
        again: args.again,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let enrolled = runtime.block_on(enrolment::enrol(state, &enrolment, Arc::new(System)))?;
    writeln!(out, "Enrolled as device {} of school {}.", enrolled.device, enrolled.school)?;
    writeln!(out, "Certificate until {}.", enrolled.certificate_until)?;
    writeln!(out, "Policy {} is stored.", enrolled.policy_serial)?;
    if enrolled.pending {
        writeln!(
            out,
            "A technician has yet to approve this device; until then its events are marked unverified."
        )?;
    }
    writeln!(out, "Start the agent with `redshank-agent run`.")?;
    Ok(())
}

fn token(args: &EnrolArgs) -> anyhow::Result<Token> {
    if let Some(token) = &args.token {
        return token.parse().context("--token");
    }
    if let Some(file) = &args.token_file {
        return token_in(file);
    }
    match std::env::var(TOKEN_VARIABLE).map(Zeroizing::new) {
        Ok(token) => token.parse().context(TOKEN_VARIABLE),
        Err(_) => bail!("no token: give --token, --token-file or the variable {TOKEN_VARIABLE}"),
    }
}

fn token_in(file: &Path) -> anyhow::Result<Token> {
    let at = || file.display().to_string();
    let Some(bytes) = read_bounded(file, TOKEN_FILE_BYTES)?.map(Zeroizing::new) else {
        bail!("{}: there is no such token file", file.display());
    };
    let text = std::str::from_utf8(&bytes).with_context(at)?;
    text.parse().with_context(at)
}
