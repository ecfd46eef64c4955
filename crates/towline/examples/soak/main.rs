//! Loads an echo server for a long time, rudely: `soak URL SERVER-PID SECONDS CONNECTIONS`
//!
//! So many clients at a time connect, talk in one of many ways (`lives.rs`), leave well or badly
//! (`rude.rs`), and connect again. Every message carries its connection and its number, and what
//! comes back is compared byte by byte or by hash. At the end no message may be missing or extra,
//! the memory of both processes has to be flat, and every descriptor closed.
//!
//! `scripts/soak` starts the server and this. Linux only: it reads `/proc`.

mod content;
mod lives;
mod process;
mod rude;
mod tally;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use towline::{CloseCode, MessageWebSocket};

use lives::{Life, WAYS};
use process::{Memory, Process};
use tally::Tally;

/// A connection that has not ended so long after the last was begun hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// So long may the server take to let go of the last connections.
const LET_GO: Duration = Duration::from_secs(15);

/// Connections that are open when the server is told to stop.
const FAREWELLS: usize = 50;

/// So long may it take to stop once all have been told: it waits 5 s for one that it believes open.
const STOPS: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, server, seconds, connections] = &args[..] else {
        eprintln!("usage: soak URL SERVER-PID SECONDS CONNECTIONS");
        return ExitCode::from(2);
    };
    let (Ok(server), Ok(seconds), Ok(connections)) =
        (server.parse(), seconds.parse(), connections.parse())
    else {
        eprintln!("soak: SERVER-PID, SECONDS and CONNECTIONS are numbers");
        return ExitCode::from(2);
    };
    match soak(url, server, Duration::from_secs(seconds), connections).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Where what was found is, and behind it.
            println!("soak: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(url: &str, server: u32, time: Duration, connections: u32) -> Result<(), String> {
    let processes = [Process::new("server", server), Process::new("client", std::process::id())];
    let descriptors = processes.each_ref().map(Process::descriptors);
    let tally = Arc::new(Tally::default());
    let end = Instant::now() + time;

    let mut workers = JoinSet::new();
    for number in 0..connections {
        let (url, tally) = (url.to_owned(), Arc::clone(&tally));
        workers.spawn(work(url, u64::from(number), connections, tally, end));
    }
    let memory = watch(&processes, &tally, end).await;
    let left = timeout(PATIENCE, async { while workers.join_next().await.is_some() {} }).await;
    print!("{tally}");
    tally.verdict()?;
    if left.is_err() {
        return Err(format!("{} connections hang", workers.len()));
    }
    for memory in &memory {
        println!("{memory}");
    }
    for memory in &memory {
        memory.verdict()?;
    }
    check_gone(&processes, descriptors).await?;
    check_farewell(url, &processes[0]).await?;
    println!(
        "{} connections, {} at a time for {} s: {} messages there and back, none lost or repeated; \
         memory flat, all closed",
        tally.connections(),
        connections,
        time.as_secs(),
        tally.messages()
    );
    Ok(())
}

/// One connection after another, until the time is over or something is wrong.
async fn work(url: String, number: u64, connections: u32, tally: Arc<Tally>, end: Instant) {
    let mut rng = StdRng::seed_from_u64(number);
    // About 5,000 exchanges a second together, however many the connections are.
    let pace = Duration::from_micros(200) * connections;
    // Not all at once.
    sleep(pace.mul_f64(rng.random_range(0.0..5.0))).await;
    let mut born = 0;
    while Instant::now() < end && !tally.has_failed() {
        let total: u32 = WAYS.iter().map(|way| way.weight).sum();
        let mut drawn = rng.random_range(0..total);
        let way = WAYS.iter().find(|way| {
            let found = drawn < way.weight;
            drawn = drawn.saturating_sub(way.weight);
            found
        });
        let Some(way) = way else { continue };
        born += 1;
        let id = (number << 32) | born;
        let life = Life { url: &url, id, rng: &mut rng, pace, end, tally: &tally, way };
        // On the heap: the ways differ in size, and the largest would be paid for by all.
        let result = Box::pin(life.live(way.kind)).await;
        tally.ended(way.name, result.map_err(|why| format!("{}, {id:x}: {why}", way.name)));
    }
}

/// Looks at the memory of both processes, until the time is over.
async fn watch<const N: usize>(
    processes: &[Process; N],
    tally: &Tally,
    end: Instant,
) -> [Memory; N] {
    let begin = Instant::now();
    let mut memory = processes.each_ref().map(|process| Memory::new(process.name()));
    while Instant::now() < end && !tally.has_failed() {
        sleep(Duration::from_millis(500)).await;
        for (memory, process) in memory.iter_mut().zip(processes) {
            memory.add(begin.elapsed(), process.resident(), tally.connections());
        }
    }
    memory
}

/// Every descriptor is closed again, and no task of ours is left.
async fn check_gone<const N: usize>(
    processes: &[Process; N],
    before: [usize; N],
) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        let now = processes.each_ref().map(Process::descriptors);
        let tasks = Handle::current().metrics().num_alive_tasks();
        if now == before && tasks == 0 {
            println!("descriptors: {now:?} open in server and client, as before; no task left");
            return Ok(());
        }
        if begin.elapsed() > LET_GO {
            return Err(format!(
                "{now:?} descriptors are open in server and client, {before:?} before, and {tasks} \
                 tasks are left, {} s after the last connection",
                LET_GO.as_secs()
            ));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Stops the server: every connection that it has is told so, and it ends.
async fn check_farewell(url: &str, server: &Process) -> Result<(), String> {
    let mut sockets = Vec::new();
    for _ in 0..FAREWELLS {
        let socket = MessageWebSocket::connect(url).await;
        sockets.push(socket.map_err(|error| format!("connecting at the end: {error}"))?);
    }
    server.terminate().map_err(|error| format!("stopping the server: {error}"))?;
    for mut socket in sockets {
        let end = timeout(LET_GO, socket.recv()).await;
        let code = socket.close_frame().map(|frame| frame.code);
        if !matches!(end, Ok(Ok(None))) || code != Some(CloseCode::GOING_AWAY) {
            return Err(format!("the server stops, and a connection sees {end:?}, {code:?}"));
        }
    }
    let begin = Instant::now();
    while server.resident() > 0 {
        if begin.elapsed() > STOPS {
            return Err(format!("the server has not stopped {} s after", STOPS.as_secs()));
        }
        sleep(Duration::from_millis(20)).await;
    }
    println!("the server stops: {FAREWELLS} connections were closed with 1001");
    Ok(())
}
