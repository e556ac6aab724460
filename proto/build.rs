//! Compiles the protocol with protox, so that no `protoc` is needed.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 5] = [
    "redshank/v1/enrolment.proto",
    "redshank/v1/events.proto",
    "redshank/v1/feed.proto",
    "redshank/v1/ingest.proto",
    "redshank/v1/policy.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=redshank");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // What gRPC reflection serves.
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().build_transport(false).compile_fds(descriptors)?;
    Ok(())
}
