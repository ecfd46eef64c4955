//! `--json`: one object a line, each with the version of this format and a type.
//!
//! | type | with |
//! |---|---|
//! | `open` | `peer`, `subprotocol`, `tls` |
//! | `text` | `text` |
//! | `binary` | `bytes`, `base64` |
//! | `waiting` of `--reconnect` | `seconds` until it is tried again, `why` |
//! | `lost` of `--reconnect` | `perhaps`: how many messages perhaps did not arrive |
//! | `close` | `code` (1005: there was none), `reason` |
//! | `error` | `exit`, `message` |
//! | `sent`, `received` | `bytes`, `sha256`, `seconds` |
//! | `pong` | `seq`, `ms` |
//! | `lost` | `seq` |
//! | `summary` of `ping` | `sent`, `received`, `min`, `avg`, `max`, `stddev`; `tcp` in ms or null, `outbound_bits_per_second`, `inbound_bits_per_second` |
//! | `attack` | `name`, `source`, `verdict`, `good`, `note`, `memory` in bytes or null, `seconds` |
//! | `attack` of `--list` | `name`, `source`, `does`, `good`, `because`, `max_memory`, `slow` |
//! | `step` of `diagnose` | `step`, `state`, `text`, `details`, `ms` or null; `certificates`, `status` |
//! | `diagnosis` | `ok`, `exit`, `ignored` certificate errors; of a failure `step`, `message`, `causes`, `mend`, `web_error_status`, `hresult` |
//! | `manifest` of `isolate` | `app`, `family_name`, `capabilities`, `out` and `in` by class, `hosts`, `deny`, `ports`, `loopback_out`, `unix`, `dns`, `warnings` |
//! | `explanation` | `direction`, `name`, `address`, `port`, `class`, `why`, `unwrapped`, `from`, `allowed`; of a refusal `code`, `missing`, `message`, `fix`, `neterror_type` |
//! | `listening` | `url` |
//! | `summary` of `abuse` | `good`, `bad`, `skipped`, `not_played` |

use std::io::{Write, stdout};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufWriter, Stdout};
use towline::{CloseFrame, ConnectionInfo, Message, MessageKind, MessageReader};

use crate::exit::Failure;
use crate::output::Trouble;

/// Largest message shown, in bytes. An object has to be held whole.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Prints an event at once.
pub(crate) fn event(event: &Value) {
    let mut out = stdout().lock();
    // A broken pipe ends quietly.
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

pub(crate) fn open(info: &ConnectionInfo) {
    event(&json!({
        "v": 1,
        "type": "open",
        "peer": info.peer_addr().map(|peer| peer.to_string()),
        "subprotocol": info.subprotocol(),
        "tls": info.tls_version().map(|version| version.to_string()),
    }));
}

pub(crate) fn close(frame: Option<&CloseFrame>) {
    // RFC 6455 §7.1.5: 1005 stands for a closing frame without a code.
    let code = frame.map_or(1005, |frame| frame.code.get());
    let reason = frame.map_or("", |frame| frame.reason.as_str());
    event(&json!({ "v": 1, "type": "close", "code": code, "reason": reason }));
}

pub(crate) fn error(failure: &Failure) {
    let exit = failure.code().number();
    event(&json!({ "v": 1, "type": "error", "exit": exit, "message": failure.text() }));
}

/// A message that is there whole.
pub(crate) fn whole(message: &Message) {
    event(&match message {
        Message::Text(text) => json!({ "v": 1, "type": "text", "text": text.as_str() }),
        Message::Binary(data) => {
            let base64 = STANDARD.encode(data);
            json!({ "v": 1, "type": "binary", "bytes": data.len(), "base64": base64 })
        }
    });
}

/// Shows a message as it was received.
pub(crate) async fn message(
    message: &mut MessageReader<'_>,
    out: &mut BufWriter<Stdout>,
) -> Result<(), Trouble> {
    let mut whole = Vec::new();
    while let Some(chunk) = message.chunk().await? {
        if whole.len() + chunk.bytes.len() > MAX_MESSAGE {
            let text = "a message is too large for --json; receive it with `towline recv`";
            return Err(Trouble::Output(std::io::Error::other(text)));
        }
        whole.extend_from_slice(chunk.bytes);
    }
    let event = match message.kind() {
        MessageKind::Text => {
            json!({ "v": 1, "type": "text", "text": String::from_utf8_lossy(&whole) })
        }
        MessageKind::Binary => {
            let base64 = STANDARD.encode(&whole);
            json!({ "v": 1, "type": "binary", "bytes": whole.len(), "base64": base64 })
        }
    };
    Ok(out.write_all(format!("{event}\n").as_bytes()).await?)
}
