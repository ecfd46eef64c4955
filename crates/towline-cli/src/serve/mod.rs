//! `towline serve`: a page, an echo, uploads, downloads and the Windows sample's paths, on one port.

mod download;
mod ended;
mod page;
mod sample;
mod upload;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use tokio::runtime::Runtime;
use towline::{Incoming, Server, Upgrade, WebSocket};

use crate::args::ServeArgs;
use crate::client::streaming;
use crate::echo::echo;
use crate::exit::{Code, Failure, Outcome};
use crate::listen;
use crate::print::escape;

pub(crate) use download::{LENGTH_HEADER, send_file};
pub(crate) use ended::Ended;
pub(crate) use upload::upload;

pub(crate) fn run(args: &ServeArgs) -> Outcome {
    let site = Arc::new(Site::new(args)?);
    runtime()?.block_on(async {
        let builder = listen::with_keys(Server::builder().config(streaming()), &args.keys)?;
        let builder = listen::with_policy(builder, args.manifest.as_deref())?;
        let server = listen::with_deflate(builder, args.deflate).bind(&args.listen).await?;
        let stop = listen::announce(&server);
        // A browser cannot go to "every address of this machine".
        let page = listen::url(&server).replacen("ws", "http", 1);
        let page = page.replace("0.0.0.0", "localhost").replace("[::]", "localhost");
        println!("open {page}/ in a browser");
        listen::run(server, stop, |incoming| {
            drop(tokio::spawn(connection(incoming, Arc::clone(&site))));
        })
        .await
    })
}

/// Threads as many as processors: a slow disk then holds up nobody but its own connection.
pub(crate) fn runtime() -> Outcome<Runtime> {
    Runtime::new().map_err(|error| Failure::new(Code::Other, format!("starting threads: {error}")))
}

/// What is served.
#[derive(Debug)]
struct Site {
    /// The folder of uploads and downloads, with no symbolic link in its path.
    folder: Option<PathBuf>,
    clock: sample::Clock,
    quiet: bool,
}

impl Site {
    fn new(args: &ServeArgs) -> Outcome<Self> {
        let folder = args.dir.as_deref().map(real_folder).transpose()?;
        Ok(Self { folder, clock: sample::Clock::new(), quiet: args.quiet })
    }

    fn log(&self, line: impl FnOnce() -> String) {
        if !self.quiet {
            eprintln!("{}", escape(&line()));
        }
    }
}

fn real_folder(path: &Path) -> Outcome<PathBuf> {
    let real = path.canonicalize().map_err(|error| Failure::reading(path.display(), &error))?;
    match real.is_dir() {
        true => Ok(real),
        false => Err(Failure::new(Code::Read, format!("{} is not a folder", path.display()))),
    }
}

async fn connection(incoming: Incoming, site: Arc<Site>) {
    let peer = incoming.peer_addr();
    let upgrade = match incoming.handshake().await {
        Ok(upgrade) => upgrade,
        Err(error) => return site.log(|| format!("{peer} {error}")),
    };
    let method = upgrade.request().method().clone();
    // Without the query: it may hold a secret.
    let path = upgrade.path().to_owned();
    match route(upgrade, &path, &site).await {
        Ok(Answer::Status(status)) => site.log(|| format!("{peer} {method} {path} {status}")),
        Ok(Answer::Ended(ended)) => site.log(|| format!("{peer} {path} {ended}")),
        Err(error) => site.log(|| format!("{peer} {path} {error}")),
    }
}

/// How a request was answered.
enum Answer {
    /// As plain HTTP.
    Status(StatusCode),
    /// As a WebSocket, which is over.
    Ended(Ended),
}

async fn route(upgrade: Upgrade, path: &str, site: &Site) -> towline::Result<Answer> {
    let ended = match path {
        "/" if !upgrade.is_websocket() => return show_page(upgrade).await,
        "/echo" => echo(upgrade.accept_stream().await?).await,
        "/upload" => {
            let name = upload::wanted_name(upgrade.request().uri().query());
            upload(upgrade.accept_stream().await?, site.folder.as_deref(), &name).await
        }
        // What was asked of the server of old is asked of this one. Its third path wanted a
        // client's certificate; so will this one when the library can ask for it.
        "/WebSocketSample/EchoWebSocket.ashx"
        | "/WebSocketSample/EchoWebSocketWithClientAuthentication.ashx" => {
            sample::echo(upgrade.accept_message().await?, site.clock).await
        }
        "/WebSocketSample/partialMessages.ashx" => {
            sample::partial(upgrade.accept_message().await?, site.clock).await
        }
        _ => {
            let found = match (path.strip_prefix("/download/"), &site.folder) {
                (Some(name), Some(folder)) => download::find(folder, name).await,
                _ => None,
            };
            match found {
                Some(found) => {
                    let upgrade = upgrade.header(LENGTH_HEADER, found.len.into());
                    let socket: WebSocket = upgrade.accept().await?;
                    send_file(socket.into(), found.file).await
                }
                None => {
                    upgrade.reject(StatusCode::NOT_FOUND).await?;
                    return Ok(Answer::Status(StatusCode::NOT_FOUND));
                }
            }
        }
    };
    Ok(Answer::Ended(ended))
}

async fn show_page(upgrade: Upgrade) -> towline::Result<Answer> {
    let method = upgrade.request().method();
    let response = match method == Method::GET || method == Method::HEAD {
        true => page::response(),
        false => {
            let mut response = Response::new(Bytes::from_static(b"this page is for looking at\n"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allowed = http::HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(http::header::ALLOW, allowed);
            response
        }
    };
    let status = response.status();
    upgrade.respond(response).await?;
    Ok(Answer::Status(status))
}
