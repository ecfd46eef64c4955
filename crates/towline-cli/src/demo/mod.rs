//! `towline demo`: everything once, on this machine alone.

mod measure;
mod server;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use towline::TlsConfig;

use crate::args::DemoArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::print::size;
use measure::Measured;

pub(crate) async fn run(args: &DemoArgs) -> Outcome {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => std::env::current_exe()
            .map_err(|error| Failure::reading("this program's own file", &error))?,
    };
    let len = length(&file)?;
    println!("Sending text, binary and a file of {} over ws and wss.", size(len));
    println!("File: {}", file.display());
    println!();

    let certificate = server::certificate()?;
    let trust = TlsConfig::roots_pem(&certificate.pem)?;
    let file = Arc::new(file);
    let plain = server::start(None, &file).await?;
    let secure = server::start(Some(&certificate), &file).await?;
    let columns = [
        ("ws", measure::all(&plain.url, None, &file).await?),
        ("wss", measure::all(&secure.url, Some(trust), &file).await?),
    ];
    plain.stop().await;
    secure.stop().await;
    table::print(&columns);

    let differences: Vec<String> =
        columns.iter().flat_map(|(name, measured)| differences(name, measured)).collect();
    match differences.is_empty() {
        true => {
            println!();
            println!("All of it arrived as it was sent.");
            Ok(())
        }
        false => Err(Failure::new(Code::Other, differences.join("; "))),
    }
}

fn length(file: &PathBuf) -> Outcome<u64> {
    let failed = |error| Failure::reading(file.display(), &error);
    // Opened, so that what cannot be read is found out now.
    let metadata = std::fs::File::open(file).and_then(|file| file.metadata()).map_err(failed)?;
    match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(Failure::new(Code::Read, format!("{} is not a file", file.display()))),
    }
}

fn differences(name: &str, measured: &Measured) -> Vec<String> {
    let Measured { file_sha256, up, down, .. } = measured;
    let mut differences = measured.differences.clone();
    for (way, arrived) in [("up", up), ("down", down)] {
        if arrived.sha256 != *file_sha256 {
            differences.push(format!(
                "the file differs on its way {way}: SHA-256 {file_sha256} became {}",
                arrived.sha256
            ));
        }
    }
    differences.into_iter().map(|difference| format!("{name}: {difference}")).collect()
}
