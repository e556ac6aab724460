//! `device list`, `device approve`, `device revoke`.

use std::io::Write;

use redshank_proto::id::DeviceId;
use serde_json::json;

use super::{Format, Host};
use crate::store::Scope;
use crate::store::devices::DeviceSummary;

pub(super) async fn list(
    host: &Host,
    school: Option<&str>,
    format: Format,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let schools = match school {
        Some(school) => vec![host.school(school).await?],
        None => host.schools().await?.into_iter().map(|school| school.school).collect(),
    };
    let mut devices = Vec::new();
    for school in schools {
        let scope = Scope::command_line();
        let of_school = host.store.read(&scope, move |view| view.devices(school)).await?;
        devices.extend(of_school.into_iter().map(|device| (school, device)));
    }
    if format.json {
        let rows: Vec<_> = devices
            .iter()
            .map(|(school, device)| {
                json!({
                    "device": device.device.to_string(),
                    "school": school.to_string(),
                    "status": device.status.as_str(),
                    "host_name": device.host_name,
                    "serial_number": device.serial_number,
                    "platform": device.platform,
                    "agent_version": device.agent_version,
                    "enrolled_at": device.enrolled_at.to_string(),
                    "last_seen_at": device.last_seen_at.map(|seen| seen.to_string()),
                    "forked": device.forked,
                    "policy_serial": device.policy_serial,
                    "spooled_events": device.spooled_events,
                    "lost_events": device.lost_events,
                    "dead_letters": device.dead_letters,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::Value::from(rows))?;
    } else if devices.is_empty() {
        writeln!(out, "No device has enrolled; `token create` makes a token for one.")?;
    } else {
        for (_, device) in devices {
            writeln!(out, "{}", row(&device))?;
        }
    }
    Ok(())
}

pub(super) async fn approve(
    host: &Host,
    device: DeviceId,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    host.store.write(&Scope::command_line(), move |edit| edit.approve_device(device)).await?;
    writeln!(out, "Device {device} is approved.")?;
    Ok(())
}

pub(super) async fn revoke(
    host: &Host,
    device: DeviceId,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    host.store.write(&Scope::command_line(), move |edit| edit.revoke_device(device)).await?;
    writeln!(out, "Device {device} is revoked; to be watched over again, it enrols anew.")?;
    Ok(())
}

fn row(device: &DeviceSummary) -> String {
    let seen = device.last_seen_at.map_or_else(|| "never".to_owned(), |seen| seen.to_string());
    // What a device says of itself is its own: no control character of it reaches a terminal.
    let printable = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    format!(
        "{}  {:<8}  {}  {}  seen {seen}",
        device.device,
        device.status.as_str(),
        printable(&device.host_name),
        printable(&device.serial_number),
    )
}
