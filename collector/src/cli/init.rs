//! `init`: keys, certificates, database, settings, in a folder that was empty.
//!
//! `collector.toml` is written last: without it no other command opens the folder, so an `init` that was
//! interrupted leaves nothing that could be taken for a collector.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use redshank_proto::clock::{Clock, Randomness};
use redshank_proto::id::KeyId;

use super::Init;
use crate::keys::DataFolder;
use crate::keys::root_ca::RootCa;
use crate::settings::{Settings, is_name};
use crate::store::keys::{KeyKind, WrappedKey};
use crate::store::{Scope, Store};

pub(super) async fn init(
    data: &Path,
    init: &Init,
    clock: &Arc<dyn Clock>,
    randomness: &Arc<dyn Randomness>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    if let Some(wrong) = init.names.iter().find(|name| !is_name(name)) {
        bail!("--name {wrong}: neither a DNS name nor an IP address");
    }
    let settings = Settings::template(&init.names, init.enrolment, init.agents, init.console);
    let folder = DataFolder::new(data);
    Settings::parse(&folder.settings(), &settings)?;
    folder.create()?;

    let root = folder.draw_root_key(&**randomness)?;
    let key = folder.draw_database_key(&root, &**randomness)?;
    let ca = RootCa::draw(clock.now(), &**randomness)?;
    folder.keep_root_ca(&root, &ca, &**randomness)?;
    let (private, issuing) = ca.draw_issuing(clock.now(), &**randomness)?;
    let (kind, id) = (KeyKind::Issuing, KeyId::draw(&**randomness));
    let row = WrappedKey {
        key: id,
        school: None,
        kind,
        wrapped: root.wrap(kind.as_str(), id, &private, &**randomness)?,
        chain: vec![issuing, ca.certificate().to_vec()],
    };
    let store = Store::create(&folder.database(), &key, clock.clone(), randomness.clone())?;
    store.write(&Scope::command_line(), move |edit| edit.add_key(&row)).await?;
    folder.write_new(&folder.settings(), settings.as_bytes())?;

    writeln!(
        out,
        "A new collector is in {data}.\n\
         Keep {data}/root.key safe and apart: it opens everything, and nothing opens without it.\n\
         {root} may be moved away; `school add --root-ca FILE` asks for it.\n\
         Next: redshank-collector school add \"NAME\", then redshank-collector serve.",
        data = data.display(),
        root = folder.offline_root().display(),
    )?;
    Ok(())
}
