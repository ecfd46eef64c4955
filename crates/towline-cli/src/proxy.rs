//! Which proxies lead to the server, from the arguments to the library's settings.

use towline::{ClientBuilder, Credentials, PacScript, Proxies, Proxy, TlsConfig};

use crate::args::ProxyArgs;
use crate::exit::{Failure, Outcome};
use crate::listen::read;
use crate::login;

pub(crate) fn set(mut builder: ClientBuilder, args: &ProxyArgs) -> Outcome<ClientBuilder> {
    if let Some(path) = &args.proxy_cacert {
        builder = builder.proxy_tls(TlsConfig::roots_pem(read(path)?)?);
    }
    Ok(builder.proxies(proxies(args)?))
}

fn proxies(args: &ProxyArgs) -> Outcome<Proxies> {
    let who = credentials(args)?;
    let mut proxies = match args.proxy.as_deref() {
        None if args.proxy_pac.is_some() => {
            // As with --proxy: the script says what of this machine is reached how.
            let script = Proxies::script(script(args)?).loopback(true);
            match &who {
                Some(who) => script.credentials(who),
                None => script,
            }
        }
        // As in curl: none, whatever the environment says.
        Some("") => Proxies::none(),
        Some(last) => {
            let mut chain =
                args.preproxy.iter().map(Proxy::new).collect::<towline::Result<Vec<_>>>()?;
            let last = Proxy::new(last)?;
            chain.push(match &who {
                Some(who) => last.credentials(who.clone()),
                None => last,
            });
            // As in curl: who writes it means this server, wherever that is.
            Proxies::all(chain).loopback(true)
        }
        None => {
            let proxies = match args.proxy_system {
                true => Proxies::system(),
                false => Proxies::environment(),
            };
            match &who {
                Some(who) => proxies.credentials(who),
                None => proxies,
            }
        }
    };
    if let Some(list) = &args.noproxy {
        proxies = proxies.except(list);
    }
    Ok(proxies)
}

/// The script at a URL, or in a file.
fn script(args: &ProxyArgs) -> Outcome<PacScript> {
    let place = args.proxy_pac.as_deref().unwrap_or_default();
    match place.contains("://") {
        true => Ok(PacScript::url(place)?),
        false => match std::fs::metadata(place) {
            Ok(_) => Ok(PacScript::file(place)),
            Err(error) => Err(Failure::reading(place, &error)),
        },
    }
}

/// Where the proxy's password is, if it is not to be typed or written.
const PASSWORD: &str = "TOWLINE_PROXY_PASSWORD";

/// Reads `USER:PASSWORD` or `@FILE`. It is repeated in no error.
fn credentials(args: &ProxyArgs) -> Outcome<Option<Credentials>> {
    let line = args.proxy_user.as_ref().map(login::value).transpose()?;
    if args.proxy_negotiate && login::is_nobody(line.as_deref()) {
        return Ok(Some(Credentials::negotiate()));
    }
    let Some(line) = line else { return Ok(None) };
    let (user, password) = match line.split_once(':') {
        Some((user, password)) => (user, password.into()),
        None => (&*line, login::password_of(&line, "--proxy-user", PASSWORD)?),
    };
    let by = [args.proxy_basic, args.proxy_digest, args.proxy_ntlm, args.proxy_negotiate];
    Ok(Some(login::by(Credentials::password(user, password), by)))
}
