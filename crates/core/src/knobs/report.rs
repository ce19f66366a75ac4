//! Node's report of a fatal error, read where the build's own text goes to a terminal.

/// Characters from the start of a report that hold its header; the whole of one is about 8 KiB (measured, Node 20).
const HEADER_CHARS: usize = 1024;

/// Whether this text is Node's report of a full heap. `--report-compact` writes it on one line that begins with
/// the header, whose `trigger` is `OOMError` (measured, Node 20).
pub fn is_heap_report(text: &str) -> bool {
    let header: String = text.chars().take(HEADER_CHARS).filter(|c| !c.is_whitespace()).collect();
    header.starts_with("{\"header\":{") && header.contains("\"trigger\":\"OOMError\"")
}
