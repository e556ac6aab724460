//! `cargo demo -- --once`, with the browser and without one.

use redshank_tests::programs::{command, output};

#[tokio::test]
async fn the_demo_passes_with_a_real_browser() {
    super::scene::browser();
    let mut demo = command(env!("CARGO_BIN_EXE_demo"));
    demo.arg("--once");
    let output = output(demo, "").await.unwrap();
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("alerts, as expected"), "{}", output.stdout);
}

#[tokio::test]
async fn the_demo_passes_without_a_browser() {
    let mut demo = command(env!("CARGO_BIN_EXE_demo"));
    // Only what the build needs: no folder with a browser in it.
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let toolchain = std::path::Path::new(&cargo).parent().unwrap().to_owned();
    let tools = tempfile::TempDir::new().unwrap();
    for tool in ["cc", "ar", "ld", "make", "perl", "kill", "gcc", "as"] {
        let folders = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&folders).map(|f| f.join(tool)).find(|p| p.is_file());
        if let Some(found) = found {
            std::os::unix::fs::symlink(found, tools.path().join(tool)).unwrap();
        }
    }
    demo.env("PATH", std::env::join_paths([toolchain.as_path(), tools.path()]).unwrap());
    demo.arg("--once");
    let output = output(demo, "").await.unwrap();
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("No browser is installed here"), "{}", output.stdout);
    assert!(output.stdout.contains("alerts, as expected"), "{}", output.stdout);
}
