//! What is on this machine: Unix sockets, the resolver, kinds of sockets.

use std::env;

use super::denied::Inner;
use super::fix::Edit;
use super::rules::Rules;
use super::{Code, Denied, Fix};
use crate::manifest::is_under;
use crate::{Capability, Dns};

impl Rules {
    pub(super) fn judge_unix(&self, path: &[u8]) -> Result<(), Denied> {
        let shown = shown(path);
        if self.manifest.unix_allow.iter().any(|allowed| is_path(&expand(allowed), path)) {
            return Ok(());
        }
        let because = match self.is_native() {
            true => "Its manifest does not name that socket (allow under [unix])",
            false => "A manifest of Windows cannot name a Unix socket; one of ours can",
        };
        // What is no text cannot be written there.
        let edit = (self.is_native() && !shown.contains(char::REPLACEMENT_CHARACTER)).then(|| {
            let all =
                self.manifest.unix_allow.iter().chain([&shown]).map(|path| format!("{path:?}"));
            self.own_line("unix", "allow", all)
        });
        let doing = format!("use the Unix socket {shown}");
        Err(self.local(
            Code::UnixSocket,
            None,
            doing,
            because.to_owned(),
            edit.into_iter().collect(),
        ))
    }

    pub(super) fn judge_name(&self, name: &str) -> Result<(), Denied> {
        let host = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        // RFC 6761 §6.3: nobody is asked for it.
        if host == "localhost" || is_under(&host, "localhost") {
            return Ok(());
        }
        let refused = match &self.manifest.dns {
            Dns::Auto => None,
            Dns::Off => {
                let line = "mode = \"auto\"".to_owned();
                let edit = Edit::new(super::Target::Manifest, "[dns]", line);
                Some(("Its manifest looks up no names (mode under [dns])", edit))
            }
            Dns::Names(names) => {
                let has = |known: &String| *known == host || is_under(&host, known);
                (!names.iter().any(has)).then(|| {
                    let all = names.iter().chain([&host]).map(|name| format!("{name:?}"));
                    let edit = self.own_line("dns", "names", all);
                    ("Its manifest looks up other names alone (names under [dns])", edit)
                })
            }
        };
        let mut edits: Vec<Edit> = refused.iter().map(|(_, edit)| edit.clone()).collect();
        let doing = format!("look up {name}");
        if !self.reaches_anything() {
            let all = [Capability::InternetClient, Capability::PrivateNetworkClientServer];
            let free = all.into_iter().find(|capability| self.withheld(*capability).is_none());
            let Some(missing) = free else {
                let by = self.withheld(Capability::InternetClient).unwrap_or_default();
                let because = format!("It reaches no network, since {by} withholds all of them");
                return Err(self.local(Code::PolicyDeny, None, doing, because, vec![]));
            };
            edits.insert(0, self.declaring(missing));
            let because = "It reaches no network, so names are not looked up for it".to_owned();
            return Err(self.local(Code::DnsOff, Some(missing), doing, because, edits));
        }
        match refused {
            Some((because, _)) => {
                Err(self.local(Code::DnsOff, None, doing, because.to_owned(), edits))
            }
            None => Ok(()),
        }
    }

    fn local(
        &self,
        code: Code,
        missing: Option<Capability>,
        doing: String,
        because: String,
        edits: Vec<Edit>,
    ) -> Denied {
        Denied::new(Inner {
            app: self.manifest.app().to_owned(),
            doing,
            code,
            address: None,
            classified: None,
            missing,
            because,
            fix: Fix::of(edits),
        })
    }
}

/// What a kind of socket that cannot be judged is refused with.
pub(super) fn family(app: &str, doing: &str) -> Denied {
    Denied::new(Inner {
        app: app.to_owned(),
        doing: doing.to_owned(),
        code: Code::Family,
        address: None,
        classified: None,
        missing: None,
        because: "No policy can judge where such a socket leads, so nothing grants it".to_owned(),
        fix: None,
    })
}

/// A path, or the name of an abstract socket with an @ before it.
fn shown(path: &[u8]) -> String {
    match path.split_first() {
        Some((0, name)) => format!("@{}", String::from_utf8_lossy(name)),
        _ => String::from_utf8_lossy(trimmed(path)).into_owned(),
    }
}

/// The kernel's copy of a path may end with zeros.
fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
    &path[..end]
}

/// Whether what the manifest names is this one. A path with `..` is none that it names.
fn is_path(allowed: &str, path: &[u8]) -> bool {
    if let Some((0, name)) = path.split_first() {
        return allowed.strip_prefix('@').is_some_and(|allowed| allowed.as_bytes() == name);
    }
    let path = trimmed(path);
    let plain = !path.split(|byte| *byte == b'/').any(|part| part == b"..");
    plain && path.starts_with(b"/") && allowed.as_bytes() == path
}

/// With the variables at its beginning and in it: `$XDG_RUNTIME_DIR/chat.sock`. One that is not set
/// leaves a path that is none.
fn expand(text: &str) -> String {
    let mut parts = text.split('$');
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
        match env::var(&part[..end]) {
            Ok(value) => expanded += &value,
            Err(_) => {
                expanded.push('$');
                expanded += &part[..end];
            }
        }
        expanded += &part[end..];
    }
    expanded
}
