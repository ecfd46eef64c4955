//! Fake proxies in this process.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use towline::Proxy;

/// How a fake proxy behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manners {
    /// Wants ann with her password, by Basic.
    pub(super) locked: bool,
    /// Ends the connection after a 407.
    pub(super) impatient: bool,
    /// Asks so, once each, before it leads on.
    pub(super) asks: &'static [&'static str],
    /// Answers with this and nothing else.
    pub(super) answer: Option<&'static str>,
}

/// A fake HTTP proxy. Names lead to this machine.
#[derive(Debug)]
pub(super) struct Fake {
    pub(super) port: u16,
    /// The heads of the requests that came, in order.
    heads: Arc<Mutex<Vec<String>>>,
}

pub(super) const ANN: &str = "Proxy-Authorization: Basic YW5uOnMzY3JldA==\r\n";

impl Fake {
    pub(super) async fn http(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::default();
        let fake = Self { port, heads: Arc::clone(&heads) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manners, Arc::clone(&heads)));
            }
        });
        fake
    }

    pub(super) fn proxy(&self) -> Proxy {
        Proxy::new(format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

pub(super) async fn serve<T: AsyncRead + AsyncWrite + Unpin>(
    mut stream: T,
    manners: Manners,
    heads: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let number = {
            let mut heads = heads.lock().unwrap();
            heads.push(head.clone());
            heads.len() - 1
        };
        if let Some(answer) = manners.answer {
            return stream.write_all(answer.as_bytes()).await;
        }
        let basic = (manners.locked && !head.contains(ANN)).then_some("Basic realm=\"fake\"");
        if let Some(challenge) = basic.or_else(|| manners.asks.get(number).copied()) {
            let close = if manners.impatient { "Connection: close\r\n" } else { "" };
            let answer = format!(
                "HTTP/1.1 407 Proxy Authentication Required\r\n{close}\
                 Proxy-Authenticate: {challenge}\r\nContent-Length: 4\r\n\r\nwho?"
            );
            stream.write_all(answer.as_bytes()).await?;
            if manners.impatient {
                return Ok(());
            }
            continue;
        }
        let target = head.split(' ').nth(1).unwrap();
        let port = target.rsplit(':').next().unwrap();
        let Ok(mut far) = TcpStream::connect(format!("127.0.0.1:{port}")).await else {
            return stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
        };
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        copy_bidirectional(&mut stream, &mut far).await?;
        return Ok(());
    }
}

/// A fake SOCKS proxy of either version, which wants no password. Gives its port, and what it is asked
/// for.
pub(super) async fn socks() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::default();
    let account = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_socks(stream, Arc::clone(&account)));
        }
    });
    (port, asked)
}

async fn serve_socks(mut stream: TcpStream, account: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    let version = stream.read_u8().await?;
    let (host, port) = match version {
        4 => {
            let mut request = [0; 7];
            stream.read_exact(&mut request).await?;
            drop(until_zero(&mut stream).await?);
            let host = match request[3..6] {
                [0, 0, 0] => until_zero(&mut stream).await?,
                _ => request[3..].escape_ascii().to_string(),
            };
            (host, u16::from_be_bytes([request[1], request[2]]))
        }
        _ => {
            let methods = stream.read_u8().await?;
            stream.read_exact(&mut vec![0; methods.into()]).await?;
            stream.write_all(b"\x05\0").await?;
            let mut request = [0; 4];
            stream.read_exact(&mut request).await?;
            let len = match request[3] {
                1 => 4,
                3 => stream.read_u8().await?,
                _ => 16,
            };
            let mut host = vec![0; len.into()];
            stream.read_exact(&mut host).await?;
            (host.escape_ascii().to_string(), stream.read_u16().await?)
        }
    };
    account.lock().unwrap().push(host);
    let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
    match version {
        4 => stream.write_all(b"\0\x5a\0\0\0\0\0\0").await?,
        _ => stream.write_all(b"\x05\0\0\x01\0\0\0\0\0\0").await?,
    }
    copy_bidirectional(&mut stream, &mut far).await?;
    Ok(())
}

async fn until_zero(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_u8().await? {
            0 => return Ok(bytes.escape_ascii().to_string()),
            byte => bytes.push(byte),
        }
    }
}
