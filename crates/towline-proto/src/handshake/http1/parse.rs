//! A whole head, taken apart (RFC 9112 §3, §4, §5).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};

use super::HeadError;

/// Parses a request whose blank line is there, of at most so many lines.
pub(super) fn parse_request(head: &[u8], lines: usize) -> Result<Request<()>, HeadError> {
    let head = Bytes::copy_from_slice(head);
    let mut lines = vec![httparse::EMPTY_HEADER; lines];
    let mut parsed = httparse::Request::new(&mut lines);
    finished(parsed.parse(&head))?;
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Err(HeadError::StartLine);
    };
    // RFC 9112 §3.2: a target is ASCII, and has no fragment. `Uri` would drop it in silence.
    if !target.is_ascii() || target.contains('#') {
        return Err(HeadError::StartLine);
    }
    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::StartLine)?;
    *request.uri_mut() = Uri::try_from(target).map_err(|_| HeadError::StartLine)?;
    *request.version_mut() = version(parsed.version);
    *request.headers_mut() = header_map(&head, parsed.headers)?;
    Ok(request)
}

/// Parses a response whose blank line is there, of at most so many lines.
pub(super) fn parse_response(head: &[u8], lines: usize) -> Result<Response<()>, HeadError> {
    let head = Bytes::copy_from_slice(head);
    let mut lines = vec![httparse::EMPTY_HEADER; lines];
    let mut parsed = httparse::Response::new(&mut lines);
    finished(parsed.parse(&head))?;
    let code = parsed.code.ok_or(HeadError::StartLine)?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(code).map_err(|_| HeadError::StartLine)?;
    *response.version_mut() = version(parsed.version);
    *response.headers_mut() = header_map(&head, parsed.headers)?;
    Ok(response)
}

fn finished(status: httparse::Result<usize>) -> Result<(), HeadError> {
    use httparse::Error;
    match status {
        Ok(httparse::Status::Complete(_)) => Ok(()),
        Ok(httparse::Status::Partial) => Err(HeadError::Unfinished),
        Err(Error::HeaderName | Error::HeaderValue) => Err(HeadError::HeaderLine),
        Err(Error::NewLine) => Err(HeadError::LineEnd),
        Err(Error::Status | Error::Token) => Err(HeadError::StartLine),
        Err(Error::TooManyHeaders) => Err(HeadError::TooManyHeaders),
        Err(Error::Version) => Err(HeadError::Version),
    }
}

fn version(minor: Option<u8>) -> Version {
    if minor == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 }
}

/// The header lines that were found in a head, whose memory their values share.
fn header_map(head: &Bytes, lines: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::try_with_capacity(lines.len()).unwrap_or_default();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(head.slice_ref(line.value));
        let (Ok(name), Ok(value)) = (name, value) else { return Err(HeadError::HeaderLine) };
        // More headers than the map can hold, which a limit set very high would let through.
        headers.try_append(name, value).map_err(|_| HeadError::TooManyHeaders)?;
    }
    Ok(headers)
}
