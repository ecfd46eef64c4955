//! Policies in TOML.

use std::io::ErrorKind;
use std::path::Path;

use super::layer::{AppRules, Layer};
use crate::manifest::{Source, Table, capabilities, did_you_mean, read};
use crate::{Class, Definitions, ManifestError, Range};

type Result<T> = std::result::Result<T, ManifestError>;

/// Whose policy it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Level {
    /// The machine's, which may define and exempt.
    Machine,
    /// A user's, which narrows.
    User,
}

/// Keys of both.
const COMMON: [&str; 4] = ["capabilities", "deny", "critical_ports", "apps"];

/// Keys that say what addresses mean, and who may do what.
const MACHINE: [&str; 13] = [
    "private_ranges",
    "private_ranges_authoritative",
    "internet_proxies",
    "intranet_proxies",
    "proxies_authoritative",
    "neutral_domains",
    "reserved_as",
    "nat64_prefixes",
    "metadata_addresses",
    "trusted_networks",
    "untrusted_lan",
    "user_exemptions",
    "minimum_backend",
];

/// Keys of an app.
const APP: [&str; 6] =
    ["capabilities", "deny", "loopback_out", "loopback_in", "critical_ports", "metadata"];

/// Back ends, the strongest first.
const BACKENDS: [&str; 4] = ["system", "private", "shared", "floor"];

/// The policy in a file; none if there is no file.
pub(super) fn load(level: Level, path: &Path) -> Result<Layer> {
    match path.try_exists() {
        Ok(false) => return Ok(Layer::default()),
        // Something that cannot be seen may narrow.
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            return Err(ManifestError::unreadable(path, cause));
        }
        Ok(true) | Err(_) => {}
    }
    Layer::parse(level, &path.display().to_string(), &read(path)?)
}

impl Layer {
    /// Understands a policy in TOML. The name is for errors.
    ///
    /// # Errors
    /// It cannot be understood, or says what only the machine's may; then it says where.
    pub fn parse(level: Level, name: &str, bytes: &[u8]) -> Result<Self> {
        let source = Source::decode(name, bytes)?;
        Table::parse(&source, |root| layer(level, &root))
    }
}

fn layer(level: Level, root: &Table<'_>) -> Result<Layer> {
    let all: Vec<&str> = COMMON.into_iter().chain(MACHINE).collect();
    root.only(&all)?;
    if level == Level::User
        && let Some(key) = MACHINE.into_iter().find(|key| root.has(key))
    {
        let error = root.source.error(root.byte(key), format!("a user's policy cannot say {key}"));
        return Err(error.suggest(Some("it belongs in the machine's policy".to_owned())));
    }
    let mut layer = Layer {
        file: root.source.name.clone(),
        critical_ports: root.ports("critical_ports")?.unwrap_or_default(),
        definitions: definitions(root)?,
        user_exemptions: root.bool("user_exemptions")?.unwrap_or_default(),
        minimum_backend: backend(root)?,
        ..Layer::default()
    };
    layer.all = narrowing(root, &mut layer)?;
    for (name, app) in
        root.table("apps")?.iter().flat_map(Table::tables).collect::<Result<Vec<_>>>()?
    {
        app.only(&APP)?;
        let rules = AppRules {
            loopback_out: app.ports_or_any("loopback_out")?,
            loopback_in: app.ports_or_any("loopback_in")?,
            critical_ports: app.ports("critical_ports")?.unwrap_or_default(),
            metadata: app.bool("metadata")?.unwrap_or_default(),
            ..narrowing(&app, &mut layer)?
        };
        layer.apps.insert(name.to_owned(), rules);
    }
    for key in ["neutral_domains", "proxies_authoritative"].into_iter().filter(|key| root.has(key))
    {
        let what = format!("{key} has no effect: proxies and domains are never looked for here");
        layer.warnings.push(root.source.warning(root.byte(key), what));
    }
    layer.warnings.sort();
    Ok(layer)
}

/// What narrows, of all apps or of one.
fn narrowing(table: &Table<'_>, layer: &mut Layer) -> Result<AppRules> {
    let declared = table.strings("capabilities")?;
    let granted = declared.map(|declared| capabilities(table.source, &declared));
    let granted = granted.map(|(granted, mut warnings)| {
        layer.warnings.append(&mut warnings);
        granted
    });
    let deny = table.parsed("deny")?.unwrap_or_default();
    Ok(AppRules { capabilities: granted, deny, ..AppRules::default() })
}

fn definitions(root: &Table<'_>) -> Result<Definitions> {
    let mut definitions = Definitions {
        private_ranges: root.parsed("private_ranges")?.unwrap_or_default(),
        private_ranges_authoritative: root
            .bool("private_ranges_authoritative")?
            .unwrap_or_default(),
        internet_proxies: root.parsed("internet_proxies")?.unwrap_or_default(),
        intranet_proxies: root.parsed("intranet_proxies")?.unwrap_or_default(),
        nat64_prefixes: root.parsed("nat64_prefixes")?.unwrap_or_default(),
        metadata_addresses: root.parsed("metadata_addresses")?.unwrap_or_default(),
        ..Definitions::default()
    };
    for (byte, text) in root.strings("nat64_prefixes")?.unwrap_or_default() {
        let range = text.parse::<Range>().ok().filter(|range| range.first().is_ipv6());
        let length = range.and_then(Range::prefix_length);
        if !matches!(length, Some(32 | 40 | 48 | 56 | 64 | 96)) {
            let error = root.source.error(byte, format!("{text:?} in nat64_prefixes is none"));
            let lengths = "RFC 6052 has prefixes of 32, 40, 48, 56, 64 and 96 bits";
            return Err(error.suggest(Some(lengths.to_owned())));
        }
    }
    for (_, network) in root.strings("trusted_networks")?.unwrap_or_default() {
        match network.parse() {
            Ok(range) => definitions.trusted_ranges.push(range),
            Err(_) => definitions.trusted_interfaces.push(network.to_owned()),
        }
    }
    definitions.untrusted_lan_is_internet =
        one_of(root, "untrusted_lan", &["private", "internet"])?.as_deref() == Some("internet");
    if let Some(table) = root.table("reserved_as")? {
        for key in table.keys() {
            let range = key.parse().map_err(|error| {
                root.source.error(table.byte(key), format!("{key:?} in reserved_as: {error}"))
            })?;
            let class = match one_of(&table, key, &["private", "internet"])?.as_deref() {
                Some("internet") => Class::Internet,
                _ => Class::Private,
            };
            definitions.reserved_as.push((range, class));
        }
    }
    Ok(definitions)
}

fn backend(root: &Table<'_>) -> Result<Option<String>> {
    one_of(root, "minimum_backend", &BACKENDS)
}

fn one_of(table: &Table<'_>, key: &str, words: &[&str]) -> Result<Option<String>> {
    let Some((byte, word)) = table.string(key)? else { return Ok(None) };
    if words.contains(&word) {
        return Ok(Some(word.to_owned()));
    }
    let error = table.source.error(byte, format!("{word:?} is no {key}"));
    let all = || format!("there are {}", words.join(", "));
    Err(error.suggest(did_you_mean(word, words.iter().copied()).or_else(|| Some(all()))))
}
