//! What can be typed besides messages.

use std::path::PathBuf;

use towline::CloseCode;

/// A line that was typed.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Line {
    Text(String),
    Close(CloseCode, String),
    Ping,
    File(PathBuf),
    Quit,
    Help,
    /// Not understood, and why.
    Bad(String),
}

pub(super) const HELP: &str = "\
/close [CODE [REASON]]  close the connection, by default with 1000
/ping                   measure a round trip
/file PATH              send a file as one binary message
/quit                   close the connection with 1000 and leave, as Ctrl-D
//TEXT                  send text that begins with a slash
Anything else is sent as a text message.";

impl Line {
    pub(super) fn parse(line: &str) -> Self {
        let Some(command) = line.strip_prefix('/') else { return Self::Text(line.to_owned()) };
        if command.starts_with('/') {
            return Self::Text(command.to_owned());
        }
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "close" => close(rest),
            "ping" => Self::Ping,
            "file" if rest.is_empty() => Self::Bad("/file needs the path of a file".to_owned()),
            "file" => Self::File(rest.into()),
            "quit" => Self::Quit,
            "help" => Self::Help,
            _ => Self::Bad(format!("there is no /{name}; /help lists what there is")),
        }
    }
}

fn close(rest: &str) -> Line {
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    if code.is_empty() {
        return Line::Close(CloseCode::NORMAL, String::new());
    }
    let Ok(number) = code.parse() else {
        return Line::Bad(format!("{code:?} is no close code; try /close 1000 goodbye"));
    };
    match CloseCode::new(number) {
        Ok(code) => Line::Close(code, reason.trim().to_owned()),
        Err(error) => Line::Bad(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use towline::CloseCode;

    #[test]
    fn a_slash_begins_a_command() {
        assert_eq!(Line::parse("hello /quit"), Line::Text("hello /quit".to_owned()));
        assert_eq!(Line::parse(""), Line::Text(String::new()));
        assert_eq!(Line::parse("//etc"), Line::Text("/etc".to_owned()));
        assert_eq!(Line::parse("/close"), Line::Close(CloseCode::NORMAL, String::new()));
        let code = CloseCode::new(4001).unwrap();
        assert_eq!(Line::parse("/close 4001 so long"), Line::Close(code, "so long".to_owned()));
        assert_eq!(Line::parse("/file a b.txt"), Line::File("a b.txt".into()));
        for bad in ["/close 1006", "/close soon", "/file", "/shout"] {
            assert!(matches!(Line::parse(bad), Line::Bad(_)), "{bad}");
        }
    }
}
