//! Runs the command, as a server or to its end, and peers for it.

use std::fs;
use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use towline::{MessageWebSocket, Server, Upgrade};

pub(crate) fn towline<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command
        .args(args)
        .env_remove("COLUMNS")
        .env_remove("SSL_CERT_FILE")
        .env_remove("TOWLINE_PASSWORD")
        .env_remove("TOWLINE_PROXY_PASSWORD");
    // Its proxies are the machine's matter, not the tests'.
    for scheme in ["ws", "wss", "http", "https", "all", "no"] {
        let name = format!("{scheme}_proxy");
        command.env_remove(name.to_uppercase()).env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run of the command left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn out(&self) -> &str {
        str::from_utf8(&self.out).unwrap()
    }

    /// Checks the exit code, and says everything if it is another.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "out: {:?}\nerr: {}", self.out.escape_ascii(), self.err);
        self
    }
}

/// Runs the command to its end with nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}

/// Runs the command to its end.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    let mut running = Running::start(towline(args).stdin(Stdio::piped()));
    let mut stdin = running.stdin.take().unwrap();
    let input = input.to_vec();
    // It may end before it has read everything.
    thread::spawn(move || stdin.write_all(&input).ok());
    running.wait()
}

/// The command while it runs; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) out: Option<BufReader<std::process::ChildStdout>>,
    err: Option<thread::JoinHandle<String>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let out = child.stdout.take().map(BufReader::new);
        let err = child.stderr.take().map(|mut err| {
            thread::spawn(move || {
                let mut text = String::new();
                err.read_to_string(&mut text).ok();
                text
            })
        });
        Self { child, stdin, out, err }
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn wait(mut self) -> Ran {
        let mut out = Vec::new();
        if let Some(stdout) = &mut self.out {
            stdout.read_to_end(&mut out).unwrap();
        }
        let code = self.child.wait().unwrap().code();
        let err = self.err.take().map(|err| err.join().unwrap()).unwrap_or_default();
        Ran { code, out, err }
    }

    /// Its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Asks for what is in its files anew.
    #[cfg(unix)]
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Most resident memory that it has had, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `towline echo` or `towline serve`, on a port of its own.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) running: Running,
}

pub(crate) fn serve(args: &[&str]) -> Served {
    let mut running = Running::start(&mut towline(&[args, &["--listen", "127.0.0.1:0"]].concat()));
    let line = running.line();
    let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
    Served { url, running }
}

impl Served {
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends an HTTP request just as it is written, and gives the answer's status line and all.
    pub(crate) fn http(&self, request: &str) -> String {
        let address = self.url.split_once("//").unwrap().1;
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// A server made of the library, for one connection after another; its URL.
pub(crate) fn peer<F>(handle: impl Fn(MessageWebSocket) -> F + Send + 'static) -> String
where
    F: Future<Output = towline::Result<()>>,
{
    upgrades(async move |upgrade: Upgrade| {
        if let Ok(socket) = upgrade.accept_message().await {
            handle(socket).await.ok();
        }
    })
}

/// The same, with the request in hand.
pub(crate) fn upgrades(handle: impl AsyncFn(Upgrade) + Send + 'static) -> String {
    let (sender, url) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::bind("127.0.0.1:0").await.unwrap();
            sender.send(format!("ws://{}", server.local_addr())).unwrap();
            loop {
                if let Ok(upgrade) = server.accept().await.unwrap().handshake().await {
                    handle(upgrade).await;
                }
            }
        });
    });
    url.recv().unwrap()
}

/// A server that answers every connection with these bytes and closes; its port.
pub(crate) fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
        }
    });
    port
}

/// A folder of the test's own, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("towline-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// The names of what is in it, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// So many bytes that are not all the same.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0_u8..=250).cycle().take(len).collect()
}
