//! Scripts: the functions that they call one by one, and their limits.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use towline_proto::WsUri;

use super::PacScript;
use super::engine::{Failure, Limits, Machine, run};
use crate::auth::Credentials;

/// Wednesday, 15 July 2026, 14:30:45 UTC.
const NOW: Duration = Duration::from_secs(1_784_125_845);

#[expect(clippy::unnecessary_wraps, reason = "others fail")]
fn look_up(host: &str, _: Duration) -> Result<Vec<IpAddr>, String> {
    let ips: &[&str] = match host {
        "two.example" => &["2001:db8::7", "192.0.2.7"],
        "six.example" => &["2001:db8::6"],
        "ten.example" => &["10.1.2.3"],
        _ => &[],
    };
    Ok(ips.iter().map(|ip| ip.parse().unwrap()).collect())
}

fn answer(script: &str, limits: Limits) -> Result<String, String> {
    let machine = Machine { look_up: Box::new(look_up), now: SystemTime::UNIX_EPOCH + NOW };
    let answer = run(script, ("ws://www.a.example/x?y", "www.a.example"), machine, limits);
    answer.map_err(|failure| match failure {
        Failure::Script(why) => why,
        Failure::LookUp(_) => unreachable!("every name is looked up"),
    })
}

/// What an expression comes to.
#[track_caller]
fn value(expression: &str) -> String {
    let script = format!("function FindProxyForURL(url, host) {{ return String({expression}); }}");
    answer(&script, Limits::DEFAULT).unwrap()
}

#[track_caller]
fn check(expressions: &[&str], expected: &str) {
    for expression in expressions {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn names_are_compared() {
    check(
        &[
            "isPlainHostName('www')",
            "dnsDomainIs(host, '.a.example')",
            "dnsDomainIs('WWW.A.Example', '.a.example')",
            "localHostOrDomainIs('www.a.example', 'www.a.example')",
            "localHostOrDomainIs('www', 'www.a.example')",
            "shExpMatch(url, '*a.example/*')",
            "shExpMatch(host, 'www.?.example')",
            "url === 'ws://www.a.example/x?y'",
        ],
        "true",
    );
    check(
        &[
            "isPlainHostName(host)",
            "isPlainHostName('2001:db8::1')",
            "dnsDomainIs('www', '.a.example')",
            "dnsDomainIs('a.example.org', '.a.example')",
            "localHostOrDomainIs('ww', 'www.a.example')",
            "localHostOrDomainIs('home.a.example', 'www.a.example')",
            "shExpMatch(host, 'www')",
            "shExpMatch('aXb', 'a.b')",
        ],
        "false",
    );
    check(&["dnsDomainLevels('www')"], "0");
    check(&["dnsDomainLevels(host)"], "2");
}

#[test]
fn names_are_looked_up() {
    for (expression, expected) in [
        ("isResolvable('two.example')", "true"),
        ("isResolvable('six.example')", "false"),
        ("isResolvable('none.example')", "false"),
        ("isResolvableEx('six.example')", "true"),
        ("isResolvableEx('none.example')", "false"),
        ("dnsResolve('two.example')", "192.0.2.7"),
        ("dnsResolve('TEN.example')", "10.1.2.3"),
        ("dnsResolve('192.0.2.9')", "192.0.2.9"),
        ("dnsResolve('none.example')", "null"),
        ("dnsResolve(null)", "null"),
        ("dnsResolveEx('two.example')", "2001:db8::7;192.0.2.7"),
        ("dnsResolveEx('none.example')", ""),
        ("isInNet('ten.example', '10.0.0.0', '255.0.0.0')", "true"),
        ("isInNet('192.0.2.7', '192.0.2.0', '255.255.255.0')", "true"),
        ("isInNet('192.0.3.7', '192.0.2.0', '255.255.255.0')", "false"),
        ("isInNet('192.0.2.7', '192.0.9.7', '255.255.0.255')", "true"),
        ("isInNet(dnsResolve('none.example'), '0.0.0.0', '0.0.0.0')", "false"),
        ("isInNet('10.1.1.1', 'nonsense', '255.0.0.0')", "false"),
        ("isInNetEx('2001:db8:1::1', '2001:db8::/32')", "true"),
        ("isInNetEx('2001:db9::1', '2001:db8::/32')", "false"),
        ("isInNetEx('10.1.1.1', '10.0.0.0/8')", "true"),
        ("isInNetEx('10.1.1.1', '10.0.0.0/33')", "false"),
        ("isInNetEx('10.1.1.1', '2001:db8::/0')", "false"),
        (
            "sortIpAddressList('10.2.3.9; 2001:db8::2;10.2.3.4;2001:db8::1')",
            "2001:db8::1;2001:db8::2;10.2.3.4;10.2.3.9",
        ),
        ("sortIpAddressList('x')", "false"),
        ("getClientVersion()", "1.0"),
        ("alert('x')", "undefined"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
    let own = value("myIpAddress()");
    assert!(own.parse::<IpAddr>().unwrap().is_ipv4(), "{own}");
    assert!(
        value("myIpAddressEx()")
            .split(';')
            .filter(|ip| !ip.is_empty())
            .all(|ip| { ip.parse::<IpAddr>().is_ok() })
    );
}

#[test]
fn days_and_dates_may_come_round_again() {
    check(
        &[
            "weekdayRange('WED', 'GMT')",
            "weekdayRange('mon', 'FRI', 'GMT')",
            "weekdayRange('SAT', 'WED', 'GMT')",
            "dateRange(15, 'GMT')",
            "dateRange(1, 15, 'GMT')",
            "dateRange(31, 16, 'GMT') || dateRange(14, 16, 'GMT')",
            "dateRange('JUL', 'GMT')",
            "dateRange('JAN', 'jul', 'GMT')",
            "dateRange('NOV', 'AUG', 'GMT')",
            "dateRange(2026, 'GMT')",
            "dateRange(2020, 2030, 'GMT')",
            "dateRange(15, 'JUL', 'GMT')",
            "dateRange(1, 'JUL', 15, 'JUL', 'GMT')",
            "dateRange(20, 'DEC', 15, 'JUL', 'GMT')",
            "dateRange('JUL', 2026, 'FEB', 2027, 'GMT')",
            "dateRange(15, 'JUL', 2026, 'GMT')",
            "dateRange(31, 'DEC', 2025, 1, 'AUG', 2026, 'GMT')",
            // Where the clock of this machine has the date of UTC or a neighbour's, these hold too.
            "dateRange(2026) && weekdayRange('TUE', 'THU') && dateRange(14, 16)",
        ],
        "true",
    );
    check(
        &[
            "weekdayRange('THU', 'GMT')",
            "weekdayRange('THU', 'TUE', 'GMT')",
            "weekdayRange('nonsense', 'GMT')",
            "weekdayRange('GMT')",
            "dateRange(16, 'GMT')",
            "dateRange(16, 14, 'GMT')",
            "dateRange('AUG', 'JUN', 'GMT')",
            "dateRange(2027, 2030, 'GMT')",
            "dateRange(2030, 2020, 'GMT')",
            "dateRange(16, 'JUL', 14, 'JUL', 'GMT')",
            "dateRange(1, 'AUG', 31, 'DEC', 'GMT')",
            "dateRange('AUG', 2026, 'FEB', 2027, 'GMT')",
            "dateRange(16, 'JUL', 2026, 31, 'DEC', 2026, 'GMT')",
            "dateRange(1, 'FEB', 'x', 4, 'GMT')",
            "dateRange('GMT')",
            "dateRange()",
        ],
        "false",
    );
}

#[test]
fn times_are_in_a_range_to_its_end() {
    check(
        &[
            "timeRange(14, 'GMT')",
            "timeRange(9, 14, 'GMT')",
            "timeRange(22, 15, 'GMT')",
            "timeRange(14, 30, 14, 30, 'GMT')",
            "timeRange(23, 0, 14, 30, 'GMT')",
            "timeRange(14, 30, 45, 14, 30, 45, 'GMT')",
            "timeRange(0, 0, 0, 23, 59, 59, 'GMT')",
            "timeRange(0, 23)",
        ],
        "true",
    );
    check(
        &[
            "timeRange(15, 'GMT')",
            "timeRange(15, 13, 'GMT')",
            "timeRange(14, 31, 15, 0, 'GMT')",
            "timeRange(14, 30, 46, 15, 0, 0, 'GMT')",
            "timeRange('x', 'GMT')",
            "timeRange(1, 2, 3, 'GMT')",
            "timeRange('GMT')",
        ],
        "false",
    );
}

#[test]
fn a_script_is_what_browsers_take() {
    for script in [
        "function FindProxyForURL(u, h) { return 'DIRECT' }",
        "const FindProxyForURL = (u, h) => 'DIRECT'",
        "FindProxyForURL = function () { undeclared = 'DIRECT'; return undeclared }",
        "var FindProxyForURL = new Function('return \"DIRECT\"')",
        "function FindProxyForURLEx() { return 'DIRECT' }",
        "function FindProxyForURLEx() { return 'x' } function FindProxyForURL() { return 'DIRECT' }",
    ] {
        assert_eq!(answer(script, Limits::DEFAULT).as_deref(), Ok("DIRECT"), "{script}");
    }
    for script in ["function FindProxyForURL() {}", "FindProxyForURL = () => null"] {
        assert_eq!(answer(script, Limits::DEFAULT).as_deref(), Ok(""), "{script}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (script, expected) in [
        ("", "it has no function FindProxyForURL"),
        ("FindProxyForURL = 1", "it has no function FindProxyForURL"),
        ("FindProxyForURL = () => 1", "FindProxyForURL gave something else than text"),
        ("FindProxyForURL = async () => 'DIRECT'", "something else than text"),
        ("\n\nfunction (", "line 3: "),
        ("\nfunction FindProxyForURL() {\n  return nothing;\n}", "line 3: nothing is not defined"),
        ("FindProxyForURL = () => {\n throw new Error('no') }", "line 2: no"),
        ("FindProxyForURL = () => { throw 'words' }", "words"),
        ("FindProxyForURL = () => shExpMatch('a'.repeat(1e5), '*'.repeat(1e5))", "too much text"),
    ] {
        let why = answer(script, Limits::DEFAULT).unwrap_err();
        assert!(why.contains(expected), "{script:?}: {why}");
    }
}

#[test]
fn a_script_has_limits() {
    let limits = Limits { time: Duration::from_millis(50), ..Limits::DEFAULT };
    for endless in [
        "for (;;);",
        "FindProxyForURL = () => { for (;;) try { for (;;); } catch (e) {} }",
        "FindProxyForURL = () => /^(a+)+$/.test('a'.repeat(40) + 'b')",
    ] {
        let why = answer(endless, limits).unwrap_err();
        assert_eq!(why, "it ran for more than 0.05 s", "{endless}");
    }
    for (greedy, expected) in [
        ("for (let all = [];;) all.push('x'.repeat(1 << 20))", "out of memory"),
        ("'x'.repeat(1 << 29)", "out of memory"),
        ("(function deeper() { deeper() })()", "stack"),
    ] {
        let why = answer(greedy, Limits::DEFAULT).unwrap_err();
        assert!(why.contains(expected), "{greedy}: {why}");
    }
}

#[test]
fn much_work_of_ours_is_a_scripts_too() {
    let limits = Limits { time: Duration::from_millis(50), ..Limits::DEFAULT };
    // Each takes a while, and the engine looks at the clock once in thousands of them.
    let script = "const a = 'a'.repeat(3000); \
                  for (;;) try { shExpMatch(a, '*' + a.slice(0, 1500) + 'b') } catch (e) {}";
    let begun = Instant::now();
    assert_eq!(answer(script, limits).unwrap_err(), "it ran for more than 0.05 s");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn names_have_limits() {
    let limits = Limits { time: Duration::from_millis(50), ..Limits::DEFAULT };
    let many = |count: u32| {
        let script = format!(
            "FindProxyForURL = () => {{ let n = 0; for (let i = 0; i < {count}; i++) \
             try {{ n += isResolvable(i + '.example') }} catch (e) {{}} return 'n' + n }}"
        );
        // Waiting for a name counts for the names alone.
        let look_up = |_: &str, left: Duration| match left.checked_sub(Duration::from_secs(15)) {
            None => Err("no answer".to_owned()),
            Some(_) => {
                std::thread::sleep(Duration::from_millis(3));
                Ok(vec![[10, 0, 0, 1].into()])
            }
        };
        let machine = Machine { look_up: Box::new(look_up), now: SystemTime::UNIX_EPOCH };
        (script, machine)
    };
    let asked = ("ws://a/", "a");
    let (script, machine) = many(32);
    assert_eq!(run(&script, asked, machine, limits).as_deref(), Ok("n32"));
    // It would choose as if they did not exist.
    let (script, machine) = many(33);
    let why = run(&script, asked, machine, limits).unwrap_err();
    assert_eq!(why, Failure::Script("it looked up more than 32 names".to_owned()));
    let (script, machine) = many(20);
    let limits = Limits { look_ups: Duration::from_millis(15_020), ..limits };
    let why = run(&script, asked, machine, limits).unwrap_err();
    assert_eq!(why, Failure::LookUp("no answer".to_owned()));
}

#[test]
fn nothing_is_kept_from_one_run_to_the_next() {
    let script = PacScript::text(
        "var n = 0; FindProxyForURL = (url) => 'PROXY n' + ++n + '.x' + url.length",
    );
    let uri = WsUri::parse("wss://a.example/secret?token").unwrap();
    let text = match &script.script().source {
        super::Source::Text(text) => text.clone(),
        super::Source::File(_) | super::Source::Url(_) => unreachable!("it is a text"),
    };
    let who = Credentials::password("ann", "a");
    for _ in 0..2 {
        let routes = script.script().run(&text, &uri, Some(&who), look_up).unwrap();
        // It sees wss://a.example/ alone.
        let expected = "through http://n1.x16:80: the script of the program says so";
        assert_eq!(routes[0].to_string(), expected);
        assert!(routes[0].proxies()[0].shown_credentials().is_some());
    }
}

#[test]
fn a_script_has_an_address() {
    for (url, shown) in [
        ("http://wpad/wpad.dat?secret", "http://wpad/wpad.dat"),
        ("HTTPS://a.example:8443/p", "https://a.example:8443/p"),
        ("file:///etc/proxy.pac", "/etc/proxy.pac"),
        ("file://localhost/etc/proxy.pac", "/etc/proxy.pac"),
    ] {
        assert_eq!(PacScript::url(url).unwrap().to_string(), shown);
    }
    for url in ["", "proxy.pac", "ftp://a/b", "http://", "file://other/a", "data:,x"] {
        let error = PacScript::url(url).unwrap_err().to_string();
        assert!(error.starts_with("reading the address of a script"), "{error}");
    }
}
