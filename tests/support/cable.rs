//! A cable between a program and its broker that can be cut: a TCP relay on a port of its own.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Relays to one port for as long as the process lives.
pub struct Cable {
    port: u16,
    plugged: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    /// A cable to this port of 127.0.0.1.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let plugged = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::clone(&plugged);
        spawn(move || {
            for near in listener.incoming().flatten() {
                let _ = plug(near, target, &ends);
            }
        });
        Self { port, plugged }
    }

    /// The URL of the program's end.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Ends every connection without a goodbye on either side. The next one finds the cable whole again.
    pub fn cut(&self) {
        for stream in self.plugged.lock().expect("no thread panics here").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn plug(near: TcpStream, target: u16, ends: &Mutex<Vec<TcpStream>>) -> std::io::Result<()> {
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let there = (near.try_clone()?, far.try_clone()?);
    let back = (far.try_clone()?, near.try_clone()?);
    ends.lock().expect("no thread panics here").extend([near, far]);
    spawn(move || relay(there));
    spawn(move || relay(back));
    Ok(())
}

fn relay((mut from, mut to): (TcpStream, TcpStream)) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .name("cable".into())
        .spawn(work)
        .expect("a thread");
}
