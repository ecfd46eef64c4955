//! Names with addresses of both families, of which some are dead: in a network of its own, by the
//! operating system's resolver.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;
use towline::{
    Attempt, AttemptOutcome, Client, ClientBuilder, ErrorKind, Family, Proxies, Server, WebSocket,
};

use crate::namespace::inside;
use crate::raw::within;

/// What is 2001:db8::1 or 192.0.2.1 is alive. 2001:db8::66 and 192.0.2.66 take what they are sent
/// and never answer. Nothing reaches 2001:db8:1::1.
const HOSTS: &str = "\
2001:db8::1    both.example v4dead.example
192.0.2.1      both.example v6dead.example v6refused.example
2001:db8::66   v6dead.example dead.example
192.0.2.66     v4dead.example dead.example
2001:db8:1::1  v6refused.example
";

const NETWORK: &[&str] = &[
    "ip link set lo up",
    // Either takes everything and gives nothing; few machines have neither.
    "(ip link add void type dummy 2>/dev/null || ip tuntap add dev void mode tun)",
    "ip link set void up",
    "ip address add 2001:db8::1/64 dev void nodad",
    "ip address add 192.0.2.1/24 dev void",
    "ip route add unreachable 2001:db8:1::/64",
];

#[test]
fn names_of_both_families_where_one_is_dead() {
    let hosts = std::env::temp_dir().join(format!("towline-hosts-{}", std::process::id()));
    fs::write(&hosts, HOSTS).unwrap();
    let mount = format!("mount --bind {} /etc/hosts", hosts.display());
    let commands = [NETWORK, &[&*mount]].concat();
    if inside("families::names_of_both_families_where_one_is_dead", &commands) {
        tokio::runtime::Runtime::new().unwrap().block_on(races());
    }
    fs::remove_file(&hosts).unwrap();
}

async fn races() {
    let builder = ["both", "v4dead", "v6dead", "v6refused"]
        .iter()
        .fold(Server::builder(), |builder, name| builder.allow_host(&format!("{name}.example")));
    let server = builder.bind("[::]:0").await.unwrap();
    let port = server.local_addr().port();
    tokio::spawn(async move {
        while let Ok(incoming) = server.accept().await {
            tokio::spawn(async move {
                let mut socket = incoming.handshake().await?.accept_message().await?;
                while socket.recv().await?.is_some() {}
                towline::Result::Ok(())
            });
        }
    });
    let connect = async |builder: ClientBuilder, name: &str| {
        let client = builder.proxies(Proxies::none()).build().unwrap();
        within(client.connect(format!("ws://{name}.example:{port}/"))).await
    };

    // RFC 6724: of two that are alive IPv6 comes first.
    let both = connect(Client::builder(), "both").await.unwrap();
    assert!(ip(&both).is_ipv6() && both.info().attempts().is_empty());
    let v4 = connect(Client::builder().family(Family::PreferV4), "both").await.unwrap();
    assert!(ip(&v4).is_ipv4() && v4.info().attempts().is_empty());

    // One that is silent costs the delay, not the minute that it has to answer.
    for (name, family) in [("v6dead", Family::Any), ("v4dead", Family::PreferV4)] {
        let delay = Duration::from_millis(250);
        let builder = Client::builder().family(family);
        let begun = Instant::now();
        let socket = connect(builder, name).await.unwrap();
        assert!((delay..20 * delay).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        let [silent, alive] = socket.info().attempts() else { panic!("{name}: not two attempts") };
        assert!(matches!(silent.outcome, AttemptOutcome::Overtaken), "{silent}");
        assert!(matches!(alive.outcome, AttemptOutcome::Connected), "{alive}");
        assert!(alive.began >= delay && silent.took >= delay, "{silent:?} {alive:?}");
        assert_eq!(alive.address.ip(), ip(&socket));
        assert_ne!(alive.address.is_ipv4(), silent.address.is_ipv4());
    }

    // One that fails costs nothing, whatever the delay. The system would not begin with it.
    let builder = Client::builder().family(Family::PreferV6).attempt_delay(Duration::MAX);
    let socket = connect(builder, "v6refused").await.unwrap();
    let [failed, alive] = socket.info().attempts() else { panic!("not two attempts") };
    assert!(matches!(failed.outcome, AttemptOutcome::Failed(_)), "{failed}");
    assert!(failed.address.is_ipv6() && alive.address.is_ipv4());

    // Nobody answers: each has its own time, and all of it one.
    let limit = Duration::from_millis(400);
    for builder in
        [Client::builder().connect_timeout(limit), Client::builder().total_timeout(limit)]
    {
        let error = connect(builder, "dead").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
        let silent = |attempt: &Attempt| matches!(attempt.outcome, AttemptOutcome::TimedOut);
        assert!(error.attempts().len() == 2 && error.attempts().iter().all(silent), "{error}");
        let told = format!("connecting to dead.example: [2001:db8::66]:{port}: no answer in time");
        assert!(error.to_string().starts_with(&told), "{error}");
    }
    let builder = Client::builder().family(Family::OnlyV4).connect_timeout(limit);
    let error = connect(builder, "dead").await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::TimedOut, 1));
    let builder = Client::builder().connect_timeout(limit).proxies(Proxies::none());
    let client = builder.build().unwrap();
    let error = within(client.connect("ws://192.0.2.66/")).await.unwrap_err();
    assert!(error.to_string().starts_with("connecting to 192.0.2.66:80: no answer"), "{error}");
}

fn ip(socket: &WebSocket) -> IpAddr {
    // IPv4 reaches a server of both families under an address of IPv6.
    socket.info().peer_addr().unwrap().ip().to_canonical()
}
