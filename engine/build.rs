//! Makes Rust of the messages in `proto/`, with a compiler of its own: nobody has to install protoc.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let files = ["proto/cluster.proto", "proto/plan.proto"];
    let parsed = protox::compile(files, ["proto"])?;
    tonic_prost_build::configure().compile_fds(parsed)?;
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
    Ok(())
}
