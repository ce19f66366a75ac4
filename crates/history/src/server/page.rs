//! A page of metrics: what one process says of itself, asked for once.

use super::access::Access;
use super::http::{Client, Request, Unread};
use crate::HistoryError;

/// A longer page is none, in bytes: Node's default metrics are some 10 KiB.
const BODY_BYTES_MAX: u64 = 4 << 20;

/// Where a process shows its metrics.
#[derive(Debug)]
pub struct Page {
    client: Client,
}

impl Page {
    /// At a URL, which may have user and password; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// Where that is no URL, or a file of [`Access`] cannot be read.
    pub fn new(url: &str, access: &Access) -> Result<Page, HistoryError> {
        Ok(Page { client: Client::new(url, access)? })
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// Where there is no answer in time, or it is none.
    pub fn read(&self) -> Result<String, HistoryError> {
        let text = self.client.fetch_once(&Request::Get("", Vec::new()), BODY_BYTES_MAX, |_, body| {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            String::from_utf8(bytes).map_err(|_| Unread::Wrong("the answer is no text".into()))
        })?;
        text.ok_or_else(|| self.client.failed("there is no such page", "check its path, such as /metrics"))
    }
}
