//! TLS, from the arguments to the library's settings.

use std::path::Path;

use towline::{CertificateError, ClientBuilder, Identity, Pin, Severity, TlsConfig, TlsVersion};

use crate::args::{Hidden, TlsArgs};
use crate::exit::{Code, Failure, Outcome};
use crate::listen::read;

pub(crate) fn set(mut builder: ClientBuilder, args: &TlsArgs) -> Outcome<ClientBuilder> {
    if let Some(path) = &args.cacert {
        let pem = read(path)?;
        builder = builder.tls(match args.ca_native {
            true => TlsConfig::platform_and_roots_pem(pem)?,
            false => TlsConfig::roots_pem(pem)?,
        });
    }
    if let Some(path) = &args.cert {
        let identity = identity(path, args.key.as_deref(), args.pass.as_ref())?;
        builder = builder.identity(identity);
    }
    let ignored = ignored(args);
    if !ignored.is_empty() {
        builder = builder.ignore_certificate_errors(ignored);
    }
    if let Some(pins) = &args.pinnedpubkey {
        for pin in read_pins(pins)? {
            builder = builder.pin(pin);
        }
    }
    for path in &args.crlfile {
        builder = builder.crls(read(path)?);
    }
    if !args.alpn.is_empty() {
        builder = builder.alpn(args.alpn.iter().map(String::as_str));
    }
    match (args.tls_1_2, args.tls_1_3) {
        (_, true) => builder = builder.min_tls_version(TlsVersion::Tls13),
        (true, false) => builder = builder.min_tls_version(TlsVersion::Tls12),
        (false, false) => {}
    }
    if let Some(newest) = args.tls_max {
        builder = builder.max_tls_version(newest.into());
    }
    // As curl and browsers do.
    if std::env::var_os("SSLKEYLOGFILE").is_some() {
        builder = builder.key_log();
    }
    Ok(builder)
}

/// What of a server's certificate is let pass.
pub(crate) fn ignored(args: &TlsArgs) -> Vec<CertificateError> {
    match args.insecure {
        true => ignorable().collect(),
        false => args.ignore_certificate_error.clone(),
    }
}

fn ignorable() -> impl Iterator<Item = CertificateError> {
    CertificateError::ALL.iter().copied().filter(|error| error.severity() == Severity::Ignorable)
}

/// A certificate with its key, in whichever form the files are.
pub(crate) fn identity(
    cert: &Path,
    key: Option<&Path>,
    pass: Option<&Hidden>,
) -> Outcome<Identity> {
    let bytes = read(cert)?;
    // DER begins with a SEQUENCE; PEM is text.
    if bytes.first() == Some(&0x30) {
        let name = cert.display();
        return Identity::from_pkcs12(bytes, &password(pass)?).map_err(|error| match pass {
            Some(_) => error.into(),
            None => Failure::new(
                Code::Usage,
                format!("{error}; give the password of {name} by --pass @FILE"),
            ),
        });
    }
    match key {
        Some(key) => Ok(Identity::from_pem(bytes, read(key)?)?),
        None if !holds_key(&bytes) => {
            let text = format!("{} holds no private key; name its file by --key", cert.display());
            Err(Failure::new(Code::Usage, text))
        }
        None => Ok(Identity::from_pem(&bytes, &bytes)?),
    }
}

fn holds_key(pem: &[u8]) -> bool {
    const KEY: &[u8] = b"PRIVATE KEY-----";
    pem.windows(KEY.len()).any(|window| window == KEY)
}

fn password(given: Option<&Hidden>) -> Outcome<String> {
    let given = given.map(Hidden::reveal);
    let Some(path) = given.and_then(|given| given.strip_prefix('@')) else {
        return Ok(given.unwrap_or_default().to_owned());
    };
    let text = String::from_utf8(read(path.as_ref())?)
        .map_err(|_| Failure::new(Code::Usage, format!("reading {path}: it is not text")))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// `sha256//…`, several with `;` between them, or a file that a key or certificate is in.
fn read_pins(given: &str) -> Outcome<Vec<Pin>> {
    let bad = |error| Failure::new(Code::Usage, format!("reading --pinnedpubkey: {error}"));
    if !given.starts_with("sha256//") {
        return Ok(vec![Pin::from_pem(read(given.as_ref())?).map_err(bad)?]);
    }
    given.split(';').map(|pin| pin.trim().parse().map_err(bad)).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use towline::Client;

    use crate::args::{Cli, Command};

    fn set(flags: &str) -> Result<String, String> {
        let line = format!("towline ping wss://a.example/ {flags}");
        let Command::Ping(args) = Cli::try_parse_from(line.split_whitespace())
            .map_err(|error| error.to_string())?
            .command
        else {
            panic!("that was ping");
        };
        let set = super::set(Client::builder(), &args.client.tls);
        set.map(|set| format!("{set:?}")).map_err(|error| error.text().to_owned())
    }

    #[test]
    fn flags_reach_the_library() {
        let pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let set = set(&format!(
            "--ignore-certificate-error untrusted,InvalidName --pinnedpubkey {pin};{pin} \
             --alpn http/1.1 --tlsv1.3"
        ))
        .unwrap();
        for expected in ["[Untrusted, InvalidName]", &format!("[{pin}, {pin}]"), "min: Some(Tls13)"]
        {
            assert!(set.contains(expected), "{expected} is not in {set}");
        }
    }

    #[test]
    fn insecure_is_all_that_may_be_ignored_and_no_more() {
        let set = set("-k").unwrap();
        assert!(set.contains("RevocationFailure") && !set.contains("Revoked,"), "{set}");
    }

    #[test]
    fn nonsense_is_told() {
        let error = set("--ignore-certificate-error everything").unwrap_err();
        assert!(error.contains("revocation-information-missing"), "{error}");
        let error = set("--pinnedpubkey sha256//short").unwrap_err();
        assert!(error.contains("expected sha256//"), "{error}");
        assert!(set("--key key.pem").is_err() && set("--ca-native").is_err());
    }
}
