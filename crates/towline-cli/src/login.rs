//! Who the user is, from the arguments to the library's settings.

use std::env;
use std::io;

use towline::{ClientBuilder, Credentials, Scheme, Secret};

use crate::args::{Hidden, LoginArgs};
use crate::exit::{Code, Failure, Outcome};
use crate::listen::read;

/// Where a password is, if it is not to be typed or written: other users see command lines.
const PASSWORD: &str = "TOWLINE_PASSWORD";

pub(crate) fn set(builder: ClientBuilder, args: &LoginArgs) -> Outcome<ClientBuilder> {
    if let Some(token) = &args.oauth2_bearer {
        return Ok(builder.credentials(Credentials::bearer(value(token)?)));
    }
    let text = args.user.as_ref().map(value).transpose()?;
    if args.negotiate && is_nobody(text.as_deref()) {
        return Ok(builder.credentials(Credentials::negotiate()));
    }
    let Some(text) = text else { return Ok(builder) };
    let (name, password) = match text.split_once(':') {
        Some((name, password)) => (name, password.into()),
        None => (&*text, password_of(&text, "--user", PASSWORD)?),
    };
    let credentials = Credentials::password(name, password);
    let credentials = by(credentials, [args.basic, args.digest, args.ntlm, args.negotiate]);
    let credentials = if args.basic { credentials.unasked() } else { credentials };
    Ok(builder.credentials(credentials))
}

/// Whether no name was given. As in curl: then a ticket says who it is.
pub(crate) fn is_nobody(user: Option<&str>) -> bool {
    user.is_none_or(|user| user == ":")
}

/// Leaves one scheme, if one was asked for: of Basic, Digest, NTLM and Negotiate.
pub(crate) fn by(credentials: Credentials, asked: [bool; 4]) -> Credentials {
    let schemes = [Scheme::Basic, Scheme::Digest, Scheme::Ntlm, Scheme::Negotiate];
    let one = schemes.into_iter().zip(asked).find_map(|(scheme, asked)| asked.then_some(scheme));
    match one {
        Some(scheme) => credentials.only([scheme]),
        None => credentials,
    }
}

/// What was given, or the first line of the file that was.
pub(crate) fn value(given: &Hidden) -> Outcome<String> {
    let Some(path) = given.reveal().strip_prefix('@') else { return Ok(given.reveal().to_owned()) };
    let text = String::from_utf8(read(path.as_ref())?)
        .map_err(|_| Failure::new(Code::Usage, format!("reading {path}: it is not text")))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// A password that was not given: the variable's, or what is typed now.
pub(crate) fn password_of(name: &str, flag: &str, variable: &str) -> Outcome<Secret> {
    if let Ok(password) = env::var(variable) {
        return Ok(password.into());
    }
    let failed = |error: io::Error| {
        let how = format!("write NAME:PASSWORD into a file for {flag} @FILE, or set {variable}");
        Failure::new(Code::Usage, format!("asking for the password: {error}; {how}"))
    };
    let password = ask(&format!("password of {}: ", crate::print::escape(name))).map_err(failed)?;
    // Ctrl-C, which is a letter while a password is typed.
    if password.contains('\u{3}') {
        return Err(Failure::interrupted());
    }
    Ok(password.into())
}

/// Asks at the terminal, whatever standard input is, and does not show what is typed.
#[cfg(unix)]
fn ask(prompt: &str) -> io::Result<String> {
    use std::io::{BufRead, Write};

    use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

    let mut terminal = std::fs::File::options().read(true).write(true).open("/dev/tty")?;
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    // Whoever interrupts it has to find the terminal as it was.
    silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent)?;
    let mut line = String::new();
    let asked = write!(terminal, "{prompt}")
        .and_then(|()| terminal.flush())
        .and_then(|()| io::BufReader::new(&terminal).read_line(&mut line));
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &before)?;
    writeln!(terminal)?;
    asked?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// There is no way to hide what is typed that needs no more code than it is worth.
#[cfg(not(unix))]
fn ask(_: &str) -> io::Result<String> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "it would be seen here"))
}
