//! `towline isolate check`: what a manifest permits, and what is odd in it.

use serde_json::{Value, json};
use towline::isolation::{Class, Dns, Manifest, Policy, Ports};

use crate::args::CheckArgs;
use crate::exit::Outcome;
use crate::json;

/// Those that a capability grants.
const NETWORKS: [Class; 3] = [Class::Internet, Class::Private, Class::Multicast];

pub(super) fn run(args: &CheckArgs) -> Outcome {
    let policy = super::policy(&args.manifest)?;
    let manifest = policy.manifest().expect("it was made of one");
    match args.json {
        true => json::event(&object(&policy, manifest)),
        false => print(&policy, manifest),
    }
    Ok(())
}

fn print(policy: &Policy, manifest: &Manifest) {
    println!("{}", manifest.family_name().unwrap_or_else(|| manifest.app()));
    let names: Vec<&str> = manifest.capabilities().iter().map(|one| one.name()).collect();
    row("declares", if names.is_empty() { "no capability".to_owned() } else { names.join(", ") });
    let granted = policy.capabilities();
    for class in NETWORKS {
        let verb = match (granted.connect(class), granted.accept(class)) {
            (true, true) => "may be connected to, and may connect",
            (true, false) => "may be connected to",
            (false, _) => "is out of reach",
        };
        row(class.word(), verb.to_owned());
    }
    let list = |key, texts: Vec<String>| {
        if !texts.is_empty() {
            row(key, texts.join(", "));
        }
    };
    list("hosts", manifest.hosts().map(all).unwrap_or_default());
    list("never", all(manifest.deny()));
    list("listens on", manifest.ports().map(all).unwrap_or_default());
    match manifest.loopback_out() {
        Ports::These(ports) => list("this machine", all(ports)),
        _ => row("this machine", "any port".to_owned()),
    }
    list("Unix sockets", manifest.unix_allow().to_vec());
    match manifest.dns() {
        Dns::Names(names) => list("names", names.clone()),
        Dns::Off => row("names", "none".to_owned()),
        _ => {}
    }
    for warning in manifest.warnings() {
        println!("  odd: {warning}");
    }
}

fn row(key: &str, text: String) {
    println!("  {key:<13} {text}");
}

fn all<T: ToString>(things: &[T]) -> Vec<String> {
    things.iter().map(ToString::to_string).collect()
}

fn object(policy: &Policy, manifest: &Manifest) -> Value {
    let granted = policy.capabilities();
    let by_class = |grants: &dyn Fn(Class) -> bool| {
        let pairs = NETWORKS.map(|class| (class.word().to_owned(), Value::from(grants(class))));
        Value::Object(pairs.into_iter().collect())
    };
    json!({
        "v": 1,
        "type": "manifest",
        "app": manifest.app(),
        "family_name": manifest.family_name(),
        "capabilities": manifest.capabilities().iter().map(|one| one.name()).collect::<Vec<_>>(),
        "out": by_class(&|class| granted.connect(class)),
        "in": by_class(&|class| granted.accept(class)),
        "hosts": manifest.hosts().map(all),
        "deny": all(manifest.deny()),
        "ports": manifest.ports(),
        "loopback_out": match manifest.loopback_out() {
            Ports::These(ports) => json!(ports),
            _ => json!("any"),
        },
        "unix": manifest.unix_allow(),
        "dns": match manifest.dns() {
            Dns::Names(names) => json!(names),
            Dns::Off => json!("off"),
            _ => json!("auto"),
        },
        "warnings": manifest.warnings().iter().map(|warning| {
            json!({ "line": warning.place.line, "column": warning.place.column, "text": warning.what })
        }).collect::<Vec<_>>(),
    })
}
