//! HTTP/2's server side, frame by frame (RFC 9113), so that a script can say exactly what a server must not.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{Log, SECOND};

pub(crate) const SETTINGS: u8 = 4;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const DATA: u8 = 0;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
/// `:status: 200` in HPACK's static table.
pub(crate) const STATUS_200: &[u8] = &[0x88];

/// An HTTP/2 server's side of a connection.
pub(crate) struct Frames {
    stream: TcpStream,
}

impl Frames {
    pub(crate) async fn accept(mut stream: TcpStream) -> Option<Self> {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.ok()?;
        let mut frames = Self { stream };
        frames.write(SETTINGS, 0, 0, &[]).await?;
        Some(frames)
    }

    pub(crate) async fn write(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) -> Option<()> {
        let length = u32::try_from(payload.len()).ok()?.to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(id.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).await.ok()
    }

    /// The next whole request's stream.
    pub(crate) async fn request(&mut self, log: &Log) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            match head[3] {
                SETTINGS if head[4] & ACK == 0 => self.write(SETTINGS, ACK, 0, &[]).await?,
                DATA | HEADERS if head[4] & END_STREAM != 0 => {
                    log.requests.lock().unwrap().push(String::from_utf8_lossy(&payload).into_owned());
                    return Some(id);
                }
                _ => {}
            }
        }
    }

    pub(crate) async fn answer(&mut self, id: u32) -> Option<()> {
        self.write(HEADERS, 4 | END_STREAM, id, STATUS_200).await
    }

    pub(crate) async fn go_away(&mut self, last: u32) -> Option<()> {
        let payload = [last.to_be_bytes(), 0_u32.to_be_bytes()].concat();
        self.write(GOAWAY, 0, 0, &payload).await
    }

    pub(crate) async fn reset(&mut self, id: u32, code: u32) -> Option<()> {
        self.write(RST_STREAM, 0, id, &code.to_be_bytes()).await
    }

    /// Reads on until the client closes, as a server that closes gracefully does.
    pub(crate) async fn linger(&mut self) {
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(SECOND, self.stream.read_to_end(&mut rest)).await;
    }
}
