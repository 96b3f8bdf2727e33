use std::io;
use std::os::windows::io::{FromRawSocket, IntoRawSocket, RawSocket};

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

pub enum Choice {
    Socket(RawSocket),
}

pub struct Session(Vec<Choice>);

impl Session {
    pub fn choose(&mut self, choice: Choice) -> io::Result<()> {
        self.0.push(choice);
        Ok(())
    }

    pub fn start(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct Link(RawSocket);

impl Link {
    pub fn number(&self) -> u32 {
        0
    }

    pub fn bind(&self, _port: u16) {}
}

impl FromRawSocket for Link {
    unsafe fn from_raw_socket(raw: RawSocket) -> Self {
        Self(raw)
    }
}

impl IntoRawSocket for Link {
    fn into_raw_socket(self) -> RawSocket {
        self.0
    }
}

pub fn listen() -> NamedPipeServer {
    ServerOptions::new()
        .create(r"\\.\pipe\library")
        .expect("nobody has the name")
}
