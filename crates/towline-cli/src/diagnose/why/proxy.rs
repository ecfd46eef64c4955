//! A proxy did not lead on.

use http::StatusCode;
use tokio_rustls::rustls::{AlertDescription as Alert, Error as TlsError};
use towline::{
    CertificateError, Credentials, Error, ErrorKind, PeerCertificates, Proxies, Proxy, TlsConfig,
};

use super::line::line;
use super::{Facts, Why, tls};

pub(super) fn of(error: &Error, facts: &Facts<'_>) -> Why {
    // It was not known yet which one.
    if error.proxy().is_none() {
        return of_script();
    }
    match (error.kind(), error.response()) {
        (_, Some(response)) => answered(response.status(), error, facts),
        (ErrorKind::Resolve, None) => {
            elsewhere(Why::new(["the proxy's name is misspelt, or known in another network alone"]))
        }
        (ErrorKind::Connect, None) => elsewhere(Why::new([
            "the proxy is off, or listens on another port",
            "this machine is not in the network whose proxy that is, and needs none",
        ])),
        (ErrorKind::TimedOut, None) if !error.attempts().is_empty() => elsewhere(Why::new([
            "the proxy is off, or a firewall drops what is sent to it",
            "this machine is not in the network whose proxy that is, and needs none",
        ])),
        _ if tls::alert(error).is_some() => refuses_us(tls::alert(error)),
        (ErrorKind::Certificate, None) => untrusted(error, facts),
        (ErrorKind::Tls, None) => no_tls(error),
        _ => other_protocol(error, facts),
    }
}

/// The proxy's certificate is no good: nothing of it can be ignored.
fn untrusted(error: &Error, facts: &Facts<'_>) -> Why {
    let shown = error.peer_certificates();
    let errors = shown.map_or(&[][..], PeerCertificates::errors);
    let worst = tls::worst(errors).unwrap_or(CertificateError::Untrusted);
    let mut why = match worst {
        CertificateError::Untrusted
        | CertificateError::IncompleteChain
        | CertificateError::InvalidSignature => Why::new([
            match facts.args.proxy.proxy_cacert {
                Some(_) => {
                    "the authority of the proxy's certificate is not in the file that --proxy-cacert names"
                }
                None => "the proxy's certificate is of an authority that is not trusted here",
            },
            "that is not the proxy",
        ])
        .mend("trust the authority that issued the proxy's certificate")
        .flag("--proxy-cacert PEM")
        .rust(
            line!(builder => builder.proxy_tls(TlsConfig::roots_pem(std::fs::read("proxy.pem")?)?)),
        ),
        CertificateError::InvalidName => Why::new([
            "the proxy's certificate is for another name than the one by which it was named",
            "that is not the proxy",
        ])
        .mend("name the proxy as its certificate does")
        .flag("--proxy https://NAME:PORT")
        .rust(line!(builder => builder.proxy(Proxy::new("https://NAME:PORT")?))),
        CertificateError::Expired => Why::new([
            "the proxy's certificate has run out, and it has no new one",
            "the clock of this machine is wrong",
        ])
        .mend("have whoever runs the proxy get a new certificate; nothing lets this one pass"),
        other => Why::new([&*format!("the proxy's certificate is no good: {other}")])
            .mend("have whoever runs the proxy get another certificate; nothing lets this one pass"),
    };
    let others = errors.iter().filter(|error| **error != worst);
    why.causes.extend(others.map(|error| format!("also: {error} ({})", error.name())));
    why
}

/// There is no TLS with the proxy.
fn no_tls(error: &Error) -> Why {
    match error.get_ref().and_then(|cause| cause.downcast_ref::<TlsError>()) {
        Some(TlsError::PeerIncompatible(_)) => refuses_us(None),
        _ => Why::new(["the proxy does not speak TLS, as most do not"])
            .mend("name the proxy with http:// rather than https://")
            .flag("--proxy http://PROXY:PORT")
            .rust(line!(builder => builder.proxy(Proxy::new("http://PROXY:PORT")?))),
    }
}

/// It speaks TLS, and not with us.
fn refuses_us(alert: Option<Alert>) -> Why {
    const VERSIONS: &str = "the proxy and this program have no version or cipher of TLS in common: the proxy's may be old";
    const IDENTITY: &str =
        "the proxy wants a certificate of you, which only a program can show to a proxy";
    let identity = || {
        // Not as a line that compiles here: the settings are of another library.
        Why::new([IDENTITY])
            .mend("have whoever runs the proxy let you in without, or by a password")
            .flag("--proxy-user @FILE, with a line NAME:PASSWORD in it")
            .rust("Client::builder().proxy_tls(TlsConfig::from_rustls(config))")
    };
    match alert {
        Some(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => identity(),
        Some(Alert::HandshakeFailure) => {
            let mut why = identity();
            why.causes.push(VERSIONS.to_owned());
            why
        }
        Some(_) | None => {
            Why::new([VERSIONS]).mend("have the proxy renewed: it has to speak TLS 1.2 at least")
        }
    }
}

/// The script that chooses the proxy does not.
fn of_script() -> Why {
    Why::new([
        "the script that chooses the proxy is somewhere else now, or its server is off",
        "the script has a mistake, or takes too long",
    ])
    .mend("correct the script or its address; or name the proxy yourself")
    .flag("--proxy http://PROXY:PORT")
    .rust(line!(builder => builder.proxy(Proxy::new("http://PROXY:PORT")?)))
}

/// The proxy itself is not where it should be.
fn elsewhere(why: Why) -> Why {
    why.mend("start the proxy, or correct its address; --proxy \"\" is for networks that need none")
        .flag("--proxy http://PROXY:PORT")
        .rust(line!(builder => builder.proxy(Proxy::new("http://PROXY:PORT")?)))
}

/// The proxy is there, and does not reach the server.
fn behind(why: Why, facts: &Facts<'_>) -> Why {
    why.mend("start the server, or correct its name and port; or go around the proxy, if the server is in this network")
        .flag(match facts.args.proxy.proxy {
            Some(_) => "--proxy \"\"".to_owned(),
            None => format!("--noproxy {}", facts.host()),
        })
        .rust(line!(builder => builder.proxies(Proxies::none())))
}

fn answered(status: StatusCode, error: &Error, facts: &Facts<'_>) -> Why {
    match status {
        // tinyproxy says 401 where it means 407.
        StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED => {
            asks(error.to_string().contains("does not take that user name"))
        }
        StatusCode::FORBIDDEN | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            let why = Why::new([
                "the proxy's rules do not allow that server",
                "they allow port 443 alone, which is that of wss",
            ]);
            match facts.is_secure() && facts.port() == 443 {
                true => why.mend("have whoever runs the proxy allow the server"),
                false => {
                    let better = facts.at("wss", &facts.bracketed());
                    why.mend("connect by wss to port 443, if the server is there").address(&better)
                }
            }
        }
        StatusCode::NETWORK_AUTHENTICATION_REQUIRED => log_in(),
        status if status.is_redirection() || status.is_success() => log_in(),
        status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => behind(
            Why::new([
                "no server listens at that host and port, or it is off",
                "the proxy does not know the server's name",
                "the server is in this network, and has to be reached without the proxy",
            ]),
            facts,
        ),
        _ => elsewhere(Why::new(["what answers there is a web server, and no proxy"])),
    }
}

fn log_in() -> Why {
    Why::new(["the network wants you to log in first (a captive portal)"])
        .mend("open any page in a browser, log in, and connect again")
}

fn other_protocol(error: &Error, facts: &Facts<'_>) -> Why {
    let is_socks = error.proxy().is_some_and(|proxy| proxy.starts_with("socks"));
    let cause = error.get_ref().map(ToString::to_string).unwrap_or_default();
    if cause.contains("who we are") || cause.contains("does not take") {
        return asks(cause.contains("does not take"));
    }
    if cause.contains("(SOCKS") {
        return behind(
            Why::new([
                &cause,
                "the server is in this network, and has to be reached without the proxy",
            ]),
            facts,
        );
    }
    let (cause, scheme) = match is_socks {
        true => {
            ("that proxy does not speak this kind of SOCKS: it speaks HTTP, or another one", "http")
        }
        false => ("that proxy does not speak HTTP: it speaks SOCKS, or TLS", "socks5h"),
    };
    let line = line!(builder => builder.proxy(Proxy::new("SCHEME://PROXY:PORT")?));
    let other = match error.kind() {
        ErrorKind::TimedOut => "the proxy cannot reach the server, and does not say so",
        _ => "it does not lead to that server, and ends the connection instead",
    };
    Why::new([cause, other])
        .mend("name the proxy with the scheme that it speaks")
        .flag(format!("--proxy {scheme}://PROXY:PORT"))
        .rust(line.replace("SCHEME", scheme))
}

/// It wants to know who we are, and nobody said, or said it wrongly.
fn asks(was_said: bool) -> Why {
    let why = match was_said {
        true => Why::new(["the user name or the password for the proxy is wrong"]),
        false => Why::new(["the proxy wants to know who you are, and nobody said"]),
    };
    why.mend("give the user name and the password that the proxy knows")
        .flag("--proxy-user @FILE, with a line NAME:PASSWORD in it")
        .rust(line!(builder => builder.proxy(
            Proxy::new("http://PROXY:PORT")?.credentials(Credentials::password("NAME", "PASSWORD"))
        )))
}
