//! A manifest of ours, in TOML.

use super::suggest::did_you_mean;
use super::{Dns, Manifest, ManifestError, Source, Table, Warning};
use crate::{Capabilities, Capability};

type Result<T> = std::result::Result<T, ManifestError>;

pub(super) fn parse(source: &Source) -> Result<Manifest> {
    Table::parse(source, |root| manifest(&root))
}

fn manifest(root: &Table<'_>) -> Result<Manifest> {
    root.only(&["app", "client", "server", "loopback", "unix", "dns"])?;
    let Some(app) = root.table("app")? else {
        let error = root.source.error(0, "it does not say whose manifest it is");
        return Err(error.suggest(Some("begin with [app] and name = \"…\"".to_owned())));
    };
    app.only(&["name", "publisher", "capabilities"])?;
    let Some((byte, name)) = app.string("name")? else {
        let error = root.source.error(root.byte("app"), "the app has no name");
        return Err(error.suggest(Some("add name = \"…\" under [app]".to_owned())));
    };
    check_name(root.source, byte, name)?;
    let mut manifest = Manifest::new(name);
    if let Some((_, publisher)) = app.string("publisher")? {
        manifest.family_name = Some(super::family_name::family_name(name, publisher));
    }
    let declared = app.strings("capabilities")?.unwrap_or_default();
    let (capabilities, warnings) = capabilities(root.source, &declared);
    (manifest.capabilities, manifest.warnings) = (capabilities, warnings);

    if let Some(client) = root.table("client")? {
        client.only(&["hosts", "deny"])?;
        manifest.hosts = client.parsed("hosts")?;
        manifest.deny = client.parsed("deny")?.unwrap_or_default();
        for key in ["hosts", "deny"] {
            let strings = client.strings(key)?.unwrap_or_default();
            manifest.warnings.extend(client.duplicates(key, &strings));
        }
    }
    if let Some(server) = root.table("server")? {
        server.only(&["ports"])?;
        manifest.ports = server.ports("ports")?;
    }
    if let Some(loopback) = root.table("loopback")? {
        loopback.only(&["out"])?;
        manifest.loopback_out = loopback.ports_or_any("out")?;
    }
    if let Some(unix) = root.table("unix")? {
        unix.only(&["allow"])?;
        let strings = unix.strings("allow")?.unwrap_or_default();
        manifest.warnings.extend(unix.duplicates("allow", &strings));
        manifest.unix_allow = strings.iter().map(|(_, path)| (*path).to_owned()).collect();
    }
    if let Some(dns) = root.table("dns")? {
        dns.only(&["mode", "names"])?;
        manifest.dns = names(&dns)?;
    }
    manifest.warnings.sort();
    Ok(manifest)
}

/// The capabilities that are declared, and what is odd about them.
pub(crate) fn capabilities(
    source: &Source,
    declared: &[(usize, &str)],
) -> (Capabilities, Vec<Warning>) {
    let mut warnings = Vec::new();
    let mut known: Vec<Capability> = Vec::new();
    for (byte, name) in declared {
        match Capability::of_name(name) {
            Some(capability) if known.contains(&capability) => {
                warnings
                    .push(source.warning(*byte, format!("{name} is declared before: remove one")));
            }
            Some(capability) => known.push(capability),
            None => {
                let names = Capability::ALL.iter().map(|capability| capability.name());
                let hint =
                    did_you_mean(name, names).map(|hint| format!("; {hint}")).unwrap_or_default();
                let what =
                    format!("{name:?} is no capability of the network, so it grants nothing{hint}");
                warnings.push(source.warning(*byte, what));
            }
        }
    }
    warnings.extend(redundant(source, declared, &known));
    (known.into_iter().collect(), warnings)
}

/// internetClientServer is internetClient and more.
fn redundant(source: &Source, declared: &[(usize, &str)], known: &[Capability]) -> Option<Warning> {
    let server = known.contains(&Capability::InternetClientServer);
    let client = declared.iter().find(|(_, name)| *name == Capability::InternetClient.name());
    let (byte, _) = client.filter(|_| server)?;
    let what =
        "internetClient says nothing beside internetClientServer, which implies it: remove it";
    Some(source.warning(*byte, what))
}

/// `mode = "auto"`, `"off"`, or `"names"` with `names = […]`; also `mode = { names = […] }` in short,
/// as `names = […]` alone.
fn names(dns: &Table<'_>) -> Result<Dns> {
    let mode = dns.string("mode")?;
    let names = dns.strings("names")?;
    match (mode, names) {
        (None | Some((_, "names")), Some(names)) => {
            let name = |(_, name): &(usize, &str)| name.trim_end_matches('.').to_ascii_lowercase();
            Ok(Dns::Names(names.iter().map(name).collect()))
        }
        (None | Some((_, "auto")), None) => Ok(Dns::Auto),
        (Some((_, "off")), None) => Ok(Dns::Off),
        (Some((byte, "names")), None) => {
            let error = dns.source.error(byte, "the mode is names, and there are none");
            Err(error.suggest(Some("add names = [\"corp.example\"] under [dns]".to_owned())))
        }
        (Some((byte, "auto" | "off")), Some(_)) => {
            let error = dns.source.error(byte, "names are for the mode names");
            Err(error.suggest(Some("write mode = \"names\", or remove the names".to_owned())))
        }
        (Some((byte, mode)), _) => {
            let error = dns.source.error(byte, format!("there is no mode {mode:?}"));
            let hint = did_you_mean(mode, ["auto", "off", "names"]);
            Err(error.suggest(hint.or_else(|| Some("there are auto, off and names".to_owned()))))
        }
    }
}

/// A name is shown in errors and is a key in policies.
pub(super) fn check_name(source: &Source, byte: usize, name: &str) -> Result<()> {
    /// As long as a file's name may be nearly everywhere.
    const MAX_CHARS: usize = 255;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > MAX_CHARS || !name.chars().all(good) {
        let error = source.error(byte, format!("{name:?} is no name for an app"));
        return Err(error.suggest(Some("use letters, digits, -, _ and .".to_owned())));
    }
    Ok(())
}
