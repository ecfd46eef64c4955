//! It was open, and does not work.

use towline::{CloseCode, CloseFrame, Error, ErrorKind};

use super::line::line;
use super::{Facts, Why};

/// The server closed it.
pub(super) fn closed(frame: Option<&CloseFrame>, facts: &Facts<'_>) -> Why {
    match frame.map(|frame| frame.code) {
        Some(CloseCode::POLICY_VIOLATION) => Why::new([
            "the server does not let in who does not say who it is, or is not from a page of its own",
            "a limit of the server's was hit: messages, connections, or users",
        ])
        .mend("say who you are, as the server's documents have it")
        .flag("--user NAME, --oauth2-bearer TOKEN, -H or -o")
        .rust(line!(builder => builder.header("Authorization", "Bearer TOKEN"))),
        Some(CloseCode::PROTOCOL_ERROR) if facts.args.subprotocols.is_empty() => {
            Why::new(["the server wants a subprotocol, and none was offered"])
                .mend("offer the subprotocol that the server speaks")
                .flag("-s NAME")
                .rust(line!(builder => builder.subprotocol("NAME")))
        }
        Some(code) if (3000..5000).contains(&code.get()) => {
            let code = code.get();
            Why::new([&*format!("the server's own rules: what its documents say of the code {code}")])
                .mend("look the code up in the server's documents")
        }
        Some(CloseCode::INTERNAL_ERROR | CloseCode::SERVICE_RESTART | CloseCode::TRY_AGAIN_LATER) => {
            Why::new(["the server has trouble, or too much to do"]).mend("try again later")
        }
        _ => Why::new([
            "the server expects a message, or a subprotocol, right at the start",
            "it has nothing to say at that path",
        ])
        .mend("talk to it as its documents have it")
        .flag("-s NAME")
        .rust(line!(builder => builder.subprotocol("NAME"))),
    }
}

/// It is open, and says nothing.
pub(super) fn no_pong() -> Why {
    Why::new([
        "the server does not read, or does not answer pings as RFC 6455 has it",
        "a proxy or a firewall on the way holds back what is sent",
    ])
    .mend(
        "have the server read and answer pings; or, if it never will, go without them, which a program can",
    )
    .rust("Config::default().ping_interval(None)")
}

/// It broke.
pub(super) fn lost(error: &Error) -> Why {
    match error.kind() {
        ErrorKind::Protocol | ErrorKind::TooBig => Why::new([
            "the server does not keep to the protocol (RFC 6455)",
            "a proxy or a firewall on the way changes what is sent",
        ])
        .mend(
            "connect by wss, so that nothing on the way can change it; or have the server mended",
        ),
        _ => Why::new([
            "the server stopped, or has thrown the connection away",
            "a proxy or a firewall on the way lets the handshake through, and no message",
        ])
        .mend("connect by wss, so that nothing on the way knows what it carries"),
    }
}
