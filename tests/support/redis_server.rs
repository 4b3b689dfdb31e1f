//! A real Redis server of the test's own, on a free port.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use super::temporary::Directory;

const MISSING: &str = "these tests need a real Redis server: install it with `apt-get install redis-server` (or your \
     system's redis package), or set SURECAL_SKIP_REDIS=1 to go without them";

pub struct RedisServer {
    process: Option<Child>,
    port: u16,
    password: Option<&'static str>,
    directory: Directory,
}

impl RedisServer {
    /// `None`: the environment says to go without.
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    pub fn start_with(password: Option<&'static str>) -> Option<Self> {
        if std::env::var("SURECAL_SKIP_REDIS").is_ok_and(|skip| skip == "1") {
            return None;
        }
        // The port may be taken between looking and starting: then another one.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self { process: None, port, password, directory: Directory::new() };
            if server.try_start() {
                return Some(server);
            }
        }
        panic!("redis-server did not start on any of five free ports");
    }

    fn try_start(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--unixsocket", "", "--save", ""]);
        command.args(["--appendonly", "no", "--daemonize", "no", "--dir"]).arg(self.directory.path());
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = spawned.unwrap_or_else(|error| panic!("{MISSING} ({})", error.kind()));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
        if !ready {
            self.stop();
        }
        ready
    }

    pub fn url(&self) -> String {
        let login = self.password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}/0", self.port)
    }

    /// Gone at once, with all it held.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // A paused process does not hear anything but this.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// On the same port again, empty.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.try_start(), "redis-server did not start again");
    }

    /// Takes what is sent, and does nothing about it.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Does it all now.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
