//! Lines of Rust.

/// A line of Rust that changes a client's settings, as text. It is compiled as well, so that it stays
/// true.
macro_rules! line {
    ($builder:ident => $line:expr) => {{
        #[allow(dead_code, reason = "it has to compile, and is told as text")]
        fn compiles($builder: towline::ClientBuilder) -> towline::Result<towline::ClientBuilder> {
            Ok($line)
        }
        let line = stringify!($line).split_whitespace().collect::<Vec<_>>().join(" ");
        line.replacen(concat!(stringify!($builder), "."), "Client::builder().", 1)
    }};
}

pub(super) use line;
