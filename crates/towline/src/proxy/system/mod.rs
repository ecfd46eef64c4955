//! What the operating system's settings say. Each system is asked by its own program, whose output is
//! parsed here, so that the parsers are tested on every system.

#[cfg(any(target_os = "macos", test))]
mod macos;
#[cfg(any(windows, test))]
mod windows;

use super::rules::Rules;
#[cfg(all(feature = "pac", any(target_os = "macos", windows, test)))]
use super::{PacScript, Scripted};
#[cfg(any(target_os = "macos", windows, test))]
use super::{except::Exceptions, rules::Choice, url};

/// The rules, if the settings say anything of proxies.
#[cfg(target_os = "macos")]
pub(super) fn rules() -> Option<Rules> {
    macos::ask().and_then(|output| macos::parse(&output))
}

/// The rules, if the settings say anything of proxies.
#[cfg(windows)]
pub(super) fn rules() -> Option<Rules> {
    windows::ask().and_then(|output| windows::parse(&output))
}

/// There are no settings that all programs share.
#[cfg(not(any(target_os = "macos", windows)))]
pub(super) const fn rules() -> Option<Rules> {
    None
}

#[cfg(any(target_os = "macos", windows, test))]
const SAY_SO: &str = "the system's settings say so";

#[cfg(any(target_os = "macos", windows, test))]
const SCRIPT: &str = "the system's settings name a script (PAC), which is not run";

#[cfg(any(target_os = "macos", windows, test))]
const DISCOVERY: &str = "the system's settings have a script looked for (WPAD), which is not done";

/// What the settings come to.
#[cfg(any(target_os = "macos", windows, test))]
#[derive(Debug, Default)]
struct Settings {
    /// Addresses of proxies.
    plain: Option<String>,
    secure: Option<String>,
    /// In the form of `NO_PROXY`.
    except: String,
    script: Script,
}

/// Whether a script chooses the proxy.
#[cfg(any(target_os = "macos", windows, test))]
#[derive(Debug, Default)]
enum Script {
    #[default]
    None,
    /// The one at this URL.
    At(String),
    /// One that has to be looked for in the network.
    Somewhere,
}

#[cfg(any(target_os = "macos", windows, test))]
impl Settings {
    fn rules(self) -> Option<Rules> {
        let none = match self.script {
            Script::None if self.plain.is_none() && self.secure.is_none() => return None,
            Script::None => "the system's settings name none",
            Script::At(_) if cfg!(feature = "pac") => "the system's settings name no other way",
            Script::At(_) => SCRIPT,
            Script::Somewhere => DISCOVERY,
        };
        let choice = |address: Option<String>| match address.as_deref().map(url::parse) {
            None => Choice::Direct(none),
            Some(Ok(proxy)) => Choice::Through([proxy].into(), SAY_SO),
            Some(Err(why)) => Choice::Bad("the system's settings of a proxy", why),
        };
        let (plain, secure) = (choice(self.plain), choice(self.secure));
        #[cfg(feature = "pac")]
        let (plain, secure) = match self.script {
            Script::None | Script::Somewhere => (plain, secure),
            Script::At(url) => scripted(&url, plain, secure),
        };
        Some(Rules { plain, secure, except: Exceptions::parse(&self.except), loopback: false })
    }
}

/// A script, and what holds where it cannot be read.
#[cfg(all(feature = "pac", any(target_os = "macos", windows, test)))]
fn scripted(url: &str, plain: Choice, secure: Choice) -> (Choice, Choice) {
    let Ok(script) = PacScript::url(url) else {
        let bad =
            Choice::Bad("the system's settings of a script (PAC)", "that is no address of one");
        return (bad.clone(), bad);
    };
    let choice = |otherwise| {
        let (script, otherwise) = (script.clone(), Some(otherwise));
        Choice::Script(Box::new(Scripted { script, credentials: None, otherwise }))
    };
    (choice(plain), choice(secure))
}

/// What a program of the system's writes.
#[cfg(any(target_os = "macos", windows))]
fn output(command: &mut std::process::Command) -> Option<String> {
    let output = command.stdin(std::process::Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
