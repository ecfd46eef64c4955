//! Connecting, as every command that connects does it.

use std::time::Duration;

use towline::{Client, ClientBuilder, Config, Deflate, WebSocket};

use crate::args::ClientArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::handshake;
use crate::listen::read;
use crate::{isolate, login, proxy, tls, way};

/// So long may the peer take for what lies between us: a pong or the closing frame waits behind
/// megabytes in the system's buffers, and a slow line carries those for minutes.
pub(crate) const SLOW_LINE: Duration = Duration::from_secs(5 * 60);

/// Limits for messages that are streamed.
pub(crate) fn streaming() -> Config {
    Config::default()
        .max_message_size(u64::MAX)
        .max_fragments(u64::MAX)
        .pong_timeout(SLOW_LINE)
        .close_timeout(SLOW_LINE)
}

/// Connects, and shows how if it was asked for.
pub(crate) async fn connect(url: &str, args: &ClientArgs, config: Config) -> Outcome<WebSocket> {
    let client = builder(url, args, config)?.build()?;
    let socket = client.connect(url).await.inspect_err(|error| {
        if args.verbose {
            handshake::show_attempts(error.attempts());
            if let Some(shown) = error.peer_certificates() {
                handshake::show_certificates(shown);
            }
            if let Some(response) = error.response() {
                handshake::show_response(response);
            }
        }
    })?;
    if args.verbose {
        handshake::show(socket.info());
    }
    Ok(socket)
}

/// The client that the arguments describe.
pub(crate) fn build(url: &str, args: &ClientArgs, config: Config) -> Outcome<Client> {
    Ok(builder(url, args, config)?.build()?)
}

/// A client's settings, from the arguments.
pub(crate) fn builder(url: &str, args: &ClientArgs, config: Config) -> Outcome<ClientBuilder> {
    let config = config.pong_interval(args.pong_interval);
    let mut builder = Client::builder().config(config);
    for header in headers(&args.headers)? {
        let Some((name, value)) = header.split_once(':') else {
            // Not repeated: it may be a secret.
            return Err(Failure::new(
                Code::Usage,
                "a header lacks its colon; write \"Name: value\"",
            ));
        };
        builder = builder.header(name.trim(), value.trim());
    }
    for name in &args.subprotocols {
        builder = builder.subprotocol(name);
    }
    if let Some(origin) = &args.origin {
        builder = builder.origin(origin);
    }
    if args.deflate {
        builder = builder.deflate(Deflate::default());
    }
    if let Some(manifest) = &args.manifest {
        builder = builder.policy(isolate::policy(manifest)?);
    }
    let builder = login::set(builder, &args.login)?;
    let builder = proxy::set(way::set(builder, &args.way, url), &args.proxy)?;
    tls::set(builder, &args.tls)
}

/// The headers, with those of each `@FILE` in its place.
fn headers(given: &[String]) -> Outcome<Vec<String>> {
    let mut headers = Vec::new();
    for header in given {
        let Some(path) = header.strip_prefix('@') else {
            headers.push(header.clone());
            continue;
        };
        let text = String::from_utf8(read(path.as_ref())?)
            .map_err(|_| Failure::new(Code::Usage, format!("reading {path}: it is not text")))?;
        headers.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    Ok(headers)
}
