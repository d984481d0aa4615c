//! Lists the virtual services and their real servers, of the network namespace
//! that is named, or else of its own:
//!
//! ```sh
//! cargo run -p ipvs --example list [NAMESPACE]
//! ```

use ipvs::{Ipvs, Modprobe, Namespace};
use std::env;
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Err(error) = list() else {
        return ExitCode::SUCCESS;
    };
    eprint!("{error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprint!(": {cause}");
        source = cause.source();
    }
    eprintln!();
    ExitCode::FAILURE
}

fn list() -> Result<(), Box<dyn Error>> {
    let namespace = match env::args_os().nth(1) {
        Some(name) => Namespace::named(name)?,
        None => Namespace::current(),
    };
    let mut ipvs = Ipvs::open(namespace, Modprobe::Never)?;
    for service in ipvs.services()? {
        println!("{} {}", service.key, service.config.scheduler);
        for server in ipvs.servers(&service.key)? {
            let (weight, active) = (server.config.weight, server.active);
            println!("  {} weight {weight}, {active} active", server.key);
        }
    }
    Ok(())
}
