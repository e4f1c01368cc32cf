//! Requests per second that the simulator answers on one core. It serves on one thread and the clients run beside it on
//! others, so a second of that thread is the honest unit and the wall clock is a lower bound.
//!
//! `cargo run --release -p ruzhi-sim --example throughput`

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ruzhi_sim::factory::{API_KEY, APP_ID, CORP_ID, ENTRY_ID, Factory, SECRET};
use ruzhi_sim::{Knobs, Limits, Simulator};

const CLIENTS: usize = 8;
const CALLS: usize = 5_000;
/// The kernel counts processor time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

type Failure = Box<dyn std::error::Error + Send + Sync>;

struct Client {
    address: String,
    socket: BufReader<TcpStream>,
}

impl Client {
    fn new(address: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), socket: BufReader::new(socket) })
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> Result<String, Failure> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {API_KEY}\r\ncontent-type: \
             application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.socket.get_mut().write_all(request.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.socket.read_line(&mut line)?;
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.socket.read_exact(&mut answer)?;
        Ok(String::from_utf8(answer)?)
    }
}

fn main() -> Result<(), Failure> {
    let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
    simulator.load(Factory::new(7, 1000).document())?;
    simulator.set_limits(Limits { enabled: false, ..Limits::default() });
    simulator.set_knobs(Knobs { sync_ip_is_legacy: true, ..Knobs::default() });
    let address = simulator.url().replace("http://", "");
    let path = format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret={SECRET}");
    let answer = Client::new(&address)?.call("GET", &path, "")?;
    let token = answer.split('"').nth(9).ok_or("gettoken gave no token")?.to_owned();

    let create = |number: usize| {
        let body = format!(
            r#"{{"userid":"N{number}","name":"张三","mobile":"139{number:08}","department":[2,11],"position":"工程师","to_invite":false}}"#
        );
        ("POST", format!("/cgi-bin/user/create?access_token={token}"), body)
    };
    let update = |number: usize| {
        let body = format!(r#"{{"userid":"N{number}","position":"班组长"}}"#);
        ("POST", format!("/cgi-bin/user/update?access_token={token}"), body)
    };
    let get = |number: usize| {
        ("GET", format!("/cgi-bin/user/get?access_token={token}&userid=N{number}"), String::new())
    };
    let list = |_| {
        let body = format!(r#"{{"app_id":"{APP_ID}","entry_id":"{ENTRY_ID}","limit":10}}"#);
        ("POST", "/api/v5/app/entry/data/list".to_owned(), body)
    };
    measure("user/create", &address, r#"{"errcode":0,"#, &create)?;
    measure("user/update", &address, r#"{"errcode":0,"#, &update)?;
    measure("user/get", &address, r#"{"errcode":0,"#, &get)?;
    measure("data/list of 10 rows", &address, r#"{"data":["#, &list)?;
    simulator.assert_understood();
    Ok(())
}

fn measure(
    what: &str,
    address: &str,
    good: &str,
    request: &(impl Fn(usize) -> (&'static str, String, String) + Sync),
) -> Result<(), Failure> {
    let spent_before = processor_time()?;
    let started = Instant::now();
    std::thread::scope(|scope| {
        let client = |client: usize| {
            let mut connection = Client::new(address)?;
            for number in client * CALLS..(client + 1) * CALLS {
                let (method, path, body) = request(number);
                let answer = connection.call(method, &path, &body)?;
                if !answer.starts_with(good) {
                    return Err(format!("{what}: {answer}").into());
                }
            }
            Ok(())
        };
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
    .map_err(|failure: Failure| failure)?;
    let calls = (CLIENTS * CALLS) as f64;
    let by_clock = calls / started.elapsed().as_secs_f64();
    let by_processor = calls / processor_time()?.saturating_sub(spent_before).max(TICK).as_secs_f64();
    writeln!(
        io::stdout(),
        "{what:24} {by_processor:>9.0} requests in a second of one core, {by_clock:>9.0} by the clock"
    )?;
    Ok(())
}

/// Processor time used by the simulator's thread so far, from the kernel's account.
fn processor_time() -> Result<Duration, Failure> {
    for thread in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(thread?.path().join("stat"))?;
        if let Some((_, rest)) = stat.split_once("(ruzhi-sim) ") {
            let used = rest.split(' ').skip(11).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
            return Ok(TICK * used);
        }
    }
    Err("the simulator has no thread".into())
}
