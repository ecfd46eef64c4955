//! The settings of macOS, as `scutil --proxy` prints them.
//!
//! ```text
//! <dictionary> {
//!   ExceptionsList : <array> {
//!     0 : *.local
//!     1 : 169.254/16
//!   }
//!   HTTPSEnable : 1
//!   HTTPSPort : 3128
//!   HTTPSProxy : proxy.example
//! }
//! ```

use super::{Script, Settings};
use crate::proxy::rules::Rules;

#[cfg(target_os = "macos")]
pub(super) fn ask() -> Option<String> {
    super::output(std::process::Command::new("/usr/sbin/scutil").arg("--proxy"))
}

pub(super) fn parse(output: &str) -> Option<Rules> {
    let pairs = || output.lines().filter_map(|line| line.trim().split_once(" : "));
    let value = |name: &str| pairs().find(|(known, _)| *known == name).map(|(_, value)| value);
    let is_on = |name: &str| value(name) == Some("1");
    let proxy = |name: &str, scheme: &str| {
        let host = value(&format!("{name}Proxy")).filter(|_| is_on(&format!("{name}Enable")))?;
        let port = value(&format!("{name}Port")).map(|port| format!(":{port}"));
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Some(format!("{scheme}://{host}{}", port.unwrap_or_default()))
    };
    let socks = proxy("SOCKS", "socks5h");
    // The items of the only array have numbers for names.
    let is_item = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let items = pairs().filter(|(name, _)| is_item(name)).map(|(_, value)| value);
    let simple = is_on("ExcludeSimpleHostnames").then_some("<local>");
    let url = value("ProxyAutoConfigURLString").filter(|_| is_on("ProxyAutoConfigEnable"));
    let script = match url {
        Some(url) => Script::At(url.to_owned()),
        None if is_on("ProxyAutoDiscoveryEnable") => Script::Somewhere,
        None => Script::None,
    };
    let settings = Settings {
        // Both are spoken to in the clear, whatever they are for.
        plain: proxy("HTTP", "http").or_else(|| socks.clone()),
        secure: proxy("HTTPS", "http").or(socks),
        except: items.chain(simple).collect::<Vec<_>>().join(","),
        script,
    };
    settings.rules()
}

#[cfg(test)]
mod tests {
    use towline_proto::WsUri;

    use super::parse;
    use crate::proxy::Proxies;

    const OUTPUT: &str = "<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 0
  HTTPPort : 8080
  HTTPProxy : off.example
  HTTPSEnable : 1
  HTTPSPort : 3128
  HTTPSProxy : proxy.example
  SOCKSEnable : 1
  SOCKSPort : 1081
  SOCKSProxy : 2001:db8::1
}
";

    fn route(output: &str, to: &str) -> String {
        let proxies = Proxies::of(parse(output));
        proxies.route(&WsUri::parse(to).unwrap()).unwrap().to_string()
    }

    #[test]
    fn settings_are_read() {
        let expected = "through http://proxy.example:3128: the system's settings say so";
        assert_eq!(route(OUTPUT, "wss://a.example"), expected);
        let expected = "through socks5h://[2001:db8::1]:1081: the system's settings say so";
        assert_eq!(route(OUTPUT, "ws://a.example"), expected);
        assert_eq!(route(OUTPUT, "wss://printer.local"), "directly: *.local is excepted");
        assert_eq!(route(OUTPUT, "wss://169.254.1.1"), "directly: 169.254/16 is excepted");
        assert_eq!(route(OUTPUT, "wss://intranet"), "directly: <local> is excepted");
        assert_eq!(route(OUTPUT, "wss://localhost"), "directly: it is this machine");
    }

    #[test]
    fn where_nothing_is_set_nothing_is_said() {
        let none = "<dictionary> {\n  FTPPassive : 1\n}\n";
        assert!(parse(none).is_none() && parse("").is_none());
        let somewhere = "<dictionary> {\n  ProxyAutoDiscoveryEnable : 1\n}\n";
        assert!(route(somewhere, "ws://a.example").contains("WPAD"));
    }

    #[test]
    fn a_script_goes_before_what_else_is_set() {
        let script =
            "  ProxyAutoConfigEnable : 1\n  ProxyAutoConfigURLString : http://a.example/p\n";
        let proxies =
            Proxies::of(parse(&OUTPUT.replace("  HTTPEnable", &format!("{script}  HTTPEnable"))));
        let route = proxies.route(&WsUri::parse("wss://a.example").unwrap());
        match cfg!(feature = "pac") {
            true => assert!(route.unwrap_err().to_string().contains("script http://a.example/p ")),
            false => assert!(route.unwrap().to_string().contains("proxy.example")),
        }
        let off = script.replace(": 1", ": 0");
        assert!(parse(&off).is_none());
    }
}
