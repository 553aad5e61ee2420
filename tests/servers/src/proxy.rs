//! A proxy that breaks connections.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// A TCP proxy on loopback: between a client and a server, to cut connections, to hang, to lose answers, to vanish, or
/// to lead to another server.
pub struct Proxy {
    port: u16,
    line: Arc<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Forwards,
    Hangs,
    LosesAnswers,
    LosesAnAnswer,
    Over,
}

struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    mode: Mode,
    /// The port of the server that new connections are forwarded to.
    server: u16,
    open: Vec<TcpStream>,
    /// How often the server has vanished.
    vanished: u32,
}

impl Proxy {
    /// A proxy to the server at this port.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Mutex::new(State { mode: Mode::Forwards, server: port, open: Vec::new(), vanished: 0 });
        let line = Arc::new(Line { state, changed: Condvar::new() });
        thread::spawn({
            let line = Arc::clone(&line);
            move || {
                for client in listener.incoming().flatten() {
                    if line.state().mode == Mode::Over {
                        break;
                    }
                    line.connect(client);
                }
            }
        });
        Self { port: own, line }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection that has been used by now. New ones are accepted.
    pub fn cut(&self) {
        for stream in self.line.state().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// From now on it accepts connections and forwards nothing.
    pub fn hang(&self) {
        self.line.change(Mode::Hangs);
    }

    /// From now on it hands the client's words over, and ends the connection in place of an answer.
    pub fn lose_answers(&self) {
        self.line.change(Mode::LosesAnswers);
    }

    /// The same for the next answer only.
    pub fn lose_an_answer(&self) {
        self.line.change(Mode::LosesAnAnswer);
    }

    /// The server's machine goes without a word and another one takes its address: whatever is said on a connection that
    /// is open now is swallowed, and nobody is told that it ended. New ones are forwarded.
    pub fn vanish(&self) {
        self.line.state().vanished += 1;
    }

    /// The address moves: new connections are forwarded to the server at this port. Open ones stay where they are.
    pub fn move_to(&self, port: u16) {
        self.line.state().server = port;
    }

    /// It forwards again, what it has kept back included.
    pub fn resume(&self) {
        self.line.change(Mode::Forwards);
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, mode: Mode) {
        self.state().mode = mode;
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let (port, born) = {
            let state = self.state();
            (state.server, state.vanished)
        };
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
        for (from, to, is_answer) in [(&client, &server, false), (&server, &client, true)] {
            let _ = from.set_nodelay(true);
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let line = Arc::clone(self);
            thread::spawn(move || line.forward(from, to, is_answer, born));
        }
        self.state().open.extend([client, server]);
    }

    fn forward(&self, mut from: TcpStream, mut to: TcpStream, is_answer: bool, born: u32) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read) = from.read(&mut buffer) {
            let mut state = self.changed.wait_while(self.state(), |state| state.mode == Mode::Hangs).unwrap();
            let (mode, swallowed) = (state.mode, state.vanished != born);
            if is_answer && read > 0 && !swallowed && mode == Mode::LosesAnAnswer {
                state.mode = Mode::Forwards;
            }
            drop(state);
            if swallowed && mode != Mode::Over {
                match read {
                    0 => return,
                    _ => continue,
                }
            }
            let lost = mode == Mode::Over || (is_answer && matches!(mode, Mode::LosesAnswers | Mode::LosesAnAnswer));
            let octets = buffer.get(..read).unwrap_or_default();
            if octets.is_empty() || lost || to.write_all(octets).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.line.change(Mode::Over);
        self.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy(127.0.0.1:{})", self.port)
    }
}
