//! The settings of a user of Windows, as `reg query` prints them.
//!
//! ```text
//! HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Internet Settings
//!     ProxyEnable    REG_DWORD    0x1
//!     ProxyServer    REG_SZ    proxy.example:3128
//!     ProxyOverride    REG_SZ    *.corp.example;10.*;<local>
//! ```

use super::{Script, Settings};
use crate::proxy::rules::Rules;

#[cfg(windows)]
pub(super) fn ask() -> Option<String> {
    use std::os::windows::process::CommandExt;

    /// CREATE_NO_WINDOW: a program without a console must not have one flash up.
    const NO_WINDOW: u32 = 0x0800_0000;
    const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";
    // By its whole path: a program of that name that lies about elsewhere is not to be run.
    let root = std::env::var_os("SystemRoot")?;
    let reg = std::path::Path::new(&root).join(r"System32\reg.exe");
    super::output(std::process::Command::new(reg).args(["query", KEY]).creation_flags(NO_WINDOW))
}

pub(super) fn parse(output: &str) -> Option<Rules> {
    let value = |name: &str| {
        output.lines().find_map(|line| {
            let (known, rest) = line.trim().split_once("    ")?;
            let (_, value) = rest.split_once("    ")?;
            (known == name).then_some(value.trim())
        })
    };
    let is_on = |name: &str| value(name).is_some_and(|value| value != "0x0");
    let server = value("ProxyServer").filter(|_| is_on("ProxyEnable")).unwrap_or_default();
    let settings = Settings {
        plain: proxy(server, "http"),
        secure: proxy(server, "https"),
        except: value("ProxyOverride").map(except).unwrap_or_default(),
        script: match value("AutoConfigURL").filter(|url| !url.is_empty()) {
            Some(url) => Script::At(url.to_owned()),
            None => Script::None,
        },
    };
    settings.rules()
}

/// One proxy for everything, or a list such as `http=one:80;https=two:80;socks=three`.
fn proxy(server: &str, wanted: &str) -> Option<String> {
    let entries = || server.split([';', ' ']).filter(|entry| !entry.is_empty());
    let of = |wanted: &str| {
        let mut pairs = entries().filter_map(|entry| entry.split_once('='));
        pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, address)| address)
    };
    let for_all = entries().find(|entry| !entry.contains('='));
    match of(wanted).or(for_all) {
        Some(address) => Some(address.to_owned()),
        None => of("socks").map(|address| format!("socks4a://{address}")),
    }
}

/// The list of exceptions in the form of `NO_PROXY`: a star stands for the end of an address, too.
fn except(list: &str) -> String {
    list.split(';').map(|entry| network(entry.trim())).collect::<Vec<_>>().join(",")
}

/// `10.*` as `10/8`, and anything else as it is.
fn network(entry: &str) -> String {
    let numbers: Vec<_> = entry.split('.').take_while(|part| *part != "*").collect();
    let rest = entry.split('.').skip(numbers.len());
    let is_number = |part: &&str| part.parse::<u8>().is_ok();
    let is_network = (1..=3).contains(&numbers.len())
        && numbers.iter().all(is_number)
        && rest.clone().count() > 0
        && rest.clone().all(|part| part == "*");
    if !is_network {
        return entry.to_owned();
    }
    format!("{}/{}", numbers.join("."), 8 * numbers.len())
}

#[cfg(test)]
mod tests {
    use towline_proto::WsUri;

    use super::{network, parse};
    use crate::proxy::Proxies;

    fn output(server: &str, enabled: bool) -> String {
        let enabled = u8::from(enabled);
        format!(
            "\r\nHKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\r\n\
             \x20   User Agent    REG_SZ    Mozilla/4.0 (compatible; MSIE 8.0; Win32)\r\n\
             \x20   ProxyEnable    REG_DWORD    0x{enabled}\r\n\
             \x20   ProxyServer    REG_SZ    {server}\r\n\
             \x20   ProxyOverride    REG_SZ    *.corp.example;10.*;<local>\r\n\r\n"
        )
    }

    fn route(output: &str, to: &str) -> String {
        let proxies = Proxies::of(parse(output));
        proxies.route(&WsUri::parse(to).unwrap()).unwrap().to_string()
    }

    #[test]
    fn settings_are_read() {
        let one = output("proxy.example:3128", true);
        let expected = "through http://proxy.example:3128: the system's settings say so";
        assert_eq!(route(&one, "ws://a.example"), expected);
        assert_eq!(route(&one, "wss://a.example"), expected);
        assert_eq!(route(&one, "wss://a.corp.example"), "directly: *.corp.example is excepted");
        assert_eq!(route(&one, "wss://10.2.3.4"), "directly: 10/8 is excepted");
        assert_eq!(route(&one, "wss://intranet"), "directly: <local> is excepted");
        let two = output("http=one.example:80;https=https://two.example", true);
        assert!(route(&two, "ws://a.example").starts_with("through http://one.example:80: "));
        assert!(route(&two, "wss://a.example").starts_with("through https://two.example:443: "));
        let socks = output("ftp=one.example:80;socks=three.example:1080", true);
        let expected = "through socks4a://three.example:1080: ";
        assert!(route(&socks, "wss://a.example").starts_with(expected));
    }

    #[test]
    fn where_nothing_is_set_nothing_is_said() {
        assert!(parse(&output("proxy.example:3128", false)).is_none());
        assert!(parse("").is_none());
        let script = "    AutoConfigURL    REG_SZ    http://wpad.example/wpad.dat\r\n";
        let proxies = Proxies::of(parse(script));
        match proxies.route(&WsUri::parse("ws://a.example").unwrap()) {
            Ok(route) => assert!(cfg!(not(feature = "pac")) && route.why().contains("PAC")),
            Err(error) => {
                assert!(error.to_string().contains("script http://wpad.example/wpad.dat "))
            }
        }
    }

    #[test]
    fn stars_at_the_end_of_an_address_are_a_network() {
        for (entry, expected) in [
            ("10.*", "10/8"),
            ("192.168.*", "192.168/16"),
            ("192.168.*.*", "192.168/16"),
            ("192.168.1.*", "192.168.1/24"),
            ("192.168.1.1", "192.168.1.1"),
            ("*.example", "*.example"),
            ("*", "*"),
            ("<local>", "<local>"),
            ("999.*", "999.*"),
            ("10.*.1", "10.*.1"),
        ] {
            assert_eq!(network(entry), expected);
        }
    }
}
