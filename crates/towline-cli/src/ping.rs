//! `towline ping`: round-trip times, as ping(8) tells them.

use std::pin::pin;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout_at};
use towline::{
    BandwidthStatistics, CloseCode, Config, Event, MessageReceiver, MessageSender, MessageWebSocket,
};

use crate::args::PingArgs;
use crate::client::connect;
use crate::exit::{Code, Failure, Outcome, closed};
use crate::print::count;
use crate::{interrupt, json};

pub(crate) async fn run(args: &PingArgs) -> Outcome {
    // Our own pings are the ones that count.
    let config = Config::default().ping_interval(None);
    let socket: MessageWebSocket = connect(&args.url, &args.client, config).await?.into();
    let peer = socket.info().peer_addr().map_or_else(String::new, |peer| peer.to_string());
    if !args.client.json {
        println!("PING {peer}");
    }
    let (mut receiver, sender) = socket.split();
    let mut trips = Trips::default();
    let pinging = ping_all(args, &peer, &mut receiver, &sender, &mut trips);
    let result = tokio::select! {
        result = pinging => result,
        () = interrupt::pressed() => Ok(()),
    };
    interrupt::next_one_kills();
    let path = Path::of(&mut receiver);
    trips.report(&peer, args.client.json, &path);
    if args.client.verbose && !args.client.json {
        path.report();
    }
    result?;
    sender.close(CloseCode::NORMAL, "").await?;
    while receiver.recv_event().await?.is_some() {}
    closed(receiver.close_frame())?;
    match trips.times.is_empty() {
        true => Err(Failure::new(Code::Timeout, "no pong came")),
        false => Ok(()),
    }
}

async fn ping_all(
    args: &PingArgs,
    peer: &str,
    receiver: &mut MessageReceiver,
    sender: &MessageSender,
    trips: &mut Trips,
) -> Outcome {
    for seq in 1..=args.count.unwrap_or(u64::MAX) {
        let begun = Instant::now();
        let payload = seq.to_be_bytes();
        trips.sent += 1;
        sender.ping(payload).await?;
        let waiting = wait_for_pong(receiver, &payload);
        match timeout_at(begun + args.timeout, waiting).await {
            Ok(came) => {
                came?;
                let time = begun.elapsed();
                trips.times.push(time);
                let ms = time.as_secs_f64() * 1e3;
                match args.client.json {
                    true => json::event(&json!({ "v": 1, "type": "pong", "seq": seq, "ms": ms })),
                    false => println!("pong from {peer}: seq={seq} time={ms:.3} ms"),
                }
            }
            Err(_) if args.client.json => {
                json::event(&json!({ "v": 1, "type": "lost", "seq": seq }));
            }
            Err(_) => println!("no pong from {peer}: seq={seq}"),
        }
        if Some(seq) != args.count {
            listen_until(receiver, begun + args.interval).await?;
        }
    }
    Ok(())
}

async fn wait_for_pong(receiver: &mut MessageReceiver, payload: &[u8]) -> Outcome {
    while let Some(event) = receiver.recv_event().await? {
        if matches!(event, Event::Pong(pong) if pong == payload) {
            return Ok(());
        }
    }
    closed(receiver.close_frame())?;
    Err(Failure::new(Code::Lost, "the server closed the connection"))
}

/// Lets the time pass, while what comes is read and dropped.
async fn listen_until(receiver: &mut MessageReceiver, until: Instant) -> Outcome {
    let mut passed = pin!(sleep_until(until));
    loop {
        tokio::select! {
            () = &mut passed => return Ok(()),
            event = receiver.recv_event() => {
                if event?.is_none() {
                    closed(receiver.close_frame())?;
                    return Err(Failure::new(Code::Lost, "the server closed the connection"));
                }
            }
        }
    }
}

/// What TCP knows of the way.
#[derive(Debug)]
struct Path {
    tcp: Option<Duration>,
    bandwidth: BandwidthStatistics,
}

impl Path {
    fn of(receiver: &mut MessageReceiver) -> Self {
        Self { tcp: receiver.tcp_round_trip(), bandwidth: receiver.bandwidth() }
    }

    fn report(&self) {
        if let Some(tcp) = self.tcp {
            println!("round-trip of TCP = {:.3} ms", milliseconds(tcp));
        }
        let rate = |bits: u64| crate::print::rate(bits / 8, Duration::from_secs(1));
        let BandwidthStatistics { outbound_bits_per_second, inbound_bits_per_second, .. } =
            self.bandwidth;
        let (to, from) = (rate(outbound_bits_per_second), rate(inbound_bits_per_second));
        println!("bandwidth to, from = {to}, {from}");
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What came of the pings.
#[derive(Debug, Default)]
struct Trips {
    sent: u32,
    times: Vec<Duration>,
}

impl Trips {
    fn report(&self, peer: &str, json: bool, path: &Path) {
        let (sent, received) = (self.sent, u64::try_from(self.times.len()).unwrap_or(u64::MAX));
        let [min, avg, max, stddev] = self.statistics();
        if json {
            return json::event(&json!({
                "v": 1, "type": "summary", "sent": sent, "received": received,
                "min": min, "avg": avg, "max": max, "stddev": stddev,
                "tcp": path.tcp.map(milliseconds),
                "outbound_bits_per_second": path.bandwidth.outbound_bits_per_second,
                "inbound_bits_per_second": path.bandwidth.inbound_bits_per_second,
            }));
        }
        let lost = f64::from(sent) - self.count();
        let percent = if sent == 0 { 0.0 } else { 100.0 * lost / f64::from(sent) };
        println!("--- {peer} ping statistics ---");
        let received_pongs = count(received, "pong");
        println!(
            "{} sent, {received_pongs} received, {percent:.0}% lost",
            count(sent.into(), "ping")
        );
        if received > 0 {
            println!("round-trip min/avg/max/stddev = {min:.3}/{avg:.3}/{max:.3}/{stddev:.3} ms");
        }
    }

    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.times.len()).unwrap_or(u32::MAX))
    }

    /// Minimum, average, maximum and standard deviation, in milliseconds.
    fn statistics(&self) -> [f64; 4] {
        let times = || self.times.iter().map(|time| time.as_secs_f64() * 1e3);
        let count = self.count();
        if count == 0.0 {
            return [0.0; 4];
        }
        let avg = times().sum::<f64>() / count;
        let variance = times().map(|time| (time - avg).powi(2)).sum::<f64>() / count;
        let min = times().fold(f64::INFINITY, f64::min);
        let max = times().fold(0.0, f64::max);
        [min, avg, max, variance.sqrt()]
    }
}

#[cfg(test)]
mod tests {
    use super::Trips;
    use std::time::Duration;

    #[test]
    fn statistics_are_those_of_ping() {
        let times = [2, 4, 4, 4, 5, 5, 7, 9].map(Duration::from_millis).to_vec();
        let rounded = Trips { sent: 8, times }.statistics().map(|ms| (ms * 1e3).round());
        assert_eq!(rounded, [2000.0, 5000.0, 9000.0, 2000.0]);
        assert_eq!(Trips::default().statistics(), [0.0; 4]);
    }
}
