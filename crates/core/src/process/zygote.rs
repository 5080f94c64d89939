//! The process that forks a worker for each interpreter. It has one thread, and has started Python and imported what is to
//! be there from the start.
//!
//! It tells its host when a worker has ended. It ends when its host does, and its workers with it.

mod limits;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use subpy_wire::{Malformed, Reader, Writer};

use super::Preparation;
use super::channel::has_cores;
use super::epoll::Epoll;
use super::failures;
use super::options::read_runtime;
use super::protocol::BINDS;
use super::socket;
use super::worker;
use super::worker::Ends;
use crate::data::config::RunOptions;
use crate::data::error::{Error, Status};
use crate::data::id::Id;
use crate::local::interpreter::{Interpreter, registry};
use crate::local::runtime as local;
use crate::local::runtime::zygote::{self, Forked};

/// Its socket, and a descriptor that stands for its host: where `family` puts them.
pub(super) const SOCKET: i32 = 3;
pub(super) const HOST: i32 = 4;
/// What a process crashes of is said there.
pub(super) const REPORT: i32 = 5;

/// Both sides are built of the same sources, for the same Python.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a zygote says.
pub(super) mod says {
    /// It is ready. Warnings follow: how many, and a text for each.
    pub(crate) const READY: u8 = 0;
    /// It can't start: a failure.
    pub(crate) const FAILED: u8 = 1;
    /// A worker was forked: its number, and a descriptor that stands for it.
    pub(crate) const FORKED: u8 = 2;
    /// It was not: its number, and a text that says why.
    pub(crate) const NOT_FORKED: u8 = 3;
    /// One has ended: its number, and its status as `waitpid` has it.
    pub(crate) const ENDED: u8 = 4;
}

/// A worker that lives.
struct Worker {
    process: libc::pid_t,
    pidfd: OwnedFd,
}

/// By their numbers.
type Workers = HashMap<u64, Worker>;

/// Runs one. The answer is the code that the process, or a worker that it has forked, ends with.
pub(super) fn run(preparation: Preparation) -> i32 {
    forget_binding();
    forget_handlers();
    // SAFETY: `family` has put them there, for us.
    let (socket, host) = unsafe { (OwnedFd::from_raw_fd(SOCKET), OwnedFd::from_raw_fd(HOST)) };
    let Ok((message, _)) = socket::receive(&socket) else {
        return 1;
    };
    let mut writer = Writer::new(Vec::new());
    match start(&message, preparation) {
        Ok(warnings) => {
            writer.byte(says::READY);
            writer.size(warnings.len());
            warnings.iter().for_each(|warning| writer.text(warning));
        }
        Err(error) => {
            writer.byte(says::FAILED);
            failures::write(&mut writer, &error);
        }
    }
    let is_ready = writer.into_sink();
    if socket::send(&socket, &is_ready, &[]).is_err() || is_ready[0] != says::READY {
        return 1;
    }
    leave_streams();
    let seeds = zygote::reseed().unwrap_or(false);
    has_cores(); // known before there are workers
    worker::child::watch();
    let limit = limits::open_as_many_as_can_be();
    let (zygote, mut workers) = (std::process::id(), Workers::new());
    match serve(&socket, &host, &mut workers, seeds) {
        Ok(Some(ends)) => {
            drop((socket, host));
            leave_others(workers);
            limits::put_back(limit);
            worker::run(ends, zygote as libc::pid_t, preparation)
        }
        Ok(None) | Err(_) => {
            workers
                .values()
                .for_each(|worker| socket::kill(&worker.pidfd, libc::SIGKILL));
            0
        }
    }
}

/// What happens at a signal is what the kernel does by itself. A program in Rust starts with handlers for overflows of its
/// stack, of which a signal that somebody sends is none: it would end nothing.
fn forget_handlers() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: no other thread has begun.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// The environment is the host's again.
fn forget_binding() {
    let (name, value) = BINDS;
    if std::env::var_os(name).is_some_and(|is| is == value) {
        // SAFETY: no other thread has begun.
        unsafe { std::env::remove_var(name) };
    }
}

/// Those that stand for workers are from here on, where that many can be open: what modules have opened is not.
const HIGH: RawFd = 512;

/// A descriptor that stands for a worker.
fn pidfd_of_worker(process: libc::pid_t) -> io::Result<OwnedFd> {
    let pidfd = socket::pidfd_of(process)?;
    // SAFETY: a descriptor of ours; a new one, which is nobody else's.
    unsafe {
        match libc::fcntl(pidfd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH) {
            -1 => Ok(pidfd),
            high => Ok(OwnedFd::from_raw_fd(high)),
        }
    }
}

/// In a worker: lets go of what stands for the others.
fn leave_others(workers: Workers) {
    let (high, low): (Vec<_>, Vec<_>) = workers
        .into_values()
        .partition(|worker| worker.pidfd.as_raw_fd() >= HIGH);
    drop(low);
    std::mem::forget(high);
    // SAFETY: nobody else has any there.
    unsafe { libc::syscall(libc::SYS_close_range, HIGH, u32::MAX, 0) };
}

/// Keeps the place of the descriptor that crashes are reported to: a worker puts its own there.
fn keep_report() {
    // SAFETY: a C string, and a descriptor that nobody has.
    unsafe {
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if nothing != REPORT {
            libc::dup3(nothing, REPORT, libc::O_CLOEXEC);
            libc::close(nothing);
        }
    }
}

/// Where memory runs out, the kernel ends workers before their host.
fn go_first() {
    const MORE: i32 = 200;
    const MOST: i32 = 1000;
    let place = "/proc/self/oom_score_adj";
    let now = std::fs::read_to_string(place)
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok());
    if let Some(now) = now {
        // It may always be raised; where it can't, they are as likely to be ended as the host.
        let _ = std::fs::write(place, MOST.min(MORE + now).to_string());
    }
}

/// Lets go of the host's streams, which each worker gets anew.
fn leave_streams() {
    // SAFETY: a C string, and descriptors that are the process's to change.
    unsafe {
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if nothing >= 0 {
            (0..=2).for_each(|stream| {
                libc::dup2(nothing, stream);
            });
            libc::close(nothing);
        }
    }
}

fn start(message: &[u8], preparation: Preparation) -> Result<Vec<String>, Error> {
    let malformed = |error: subpy_wire::Malformed| Error::new(Status::Internal, error.to_string());
    let mut reader = Reader::new(message);
    let version = reader.text().map_err(malformed)?;
    if version != VERSION {
        let message = format!("it is of subpy {VERSION}, and the library is of subpy {version}");
        return Err(Error::new(Status::Unsupported, message));
    }
    let config = read_runtime(&mut reader).map_err(malformed)?;
    keep_report();
    go_first();
    zygote::become_one();
    local::retain(Some(&config), preparation.main)?;
    zygote::find_restrictions()?;
    let main = registry::find(Id::MAIN)?;
    preload(&main, &config.preload)
}

/// Imports what is to be there from the start, and has the garbage collector leave it alone. The answer is what the host is
/// to be told.
fn preload(main: &Interpreter, names: &[String]) -> Result<Vec<String>, Error> {
    let run = |code: &str| {
        let options = RunOptions {
            filename: Some("<preload>"),
            ..RunOptions::DEFAULT
        };
        main.run(code.as_bytes(), &options)
    };
    let mut warnings = Vec::new();
    for name in names {
        let before = native_threads();
        run(&format!("__import__({name:?})"))
            .map_err(|error| error.preceded_by(&format!("preload: {name}: ")))?;
        let left = main.threads()?;
        if left > 0 {
            let message = format!(
                "preload: {name} leaves {left} Python thread(s) behind, which a worker would not have: import it in \
                 each worker"
            );
            return Err(Error::new(Status::Unsupported, message));
        }
        let more = native_threads().saturating_sub(before);
        if more > 0 {
            warnings.push(format!(
                "preload: {name} has started {more} thread(s) in C, which a worker does not have: see docs/packages.md"
            ));
        }
    }
    run(&format!(
        "import faulthandler; faulthandler.enable({REPORT}); del faulthandler"
    ))?;
    // Functions of ours that modules have called after a fork are compiled once, here.
    run(
        "import sys\nif 'signal' in sys.modules: sys.modules['signal'].set_wakeup_fd(-1)\ndel sys",
    )?;
    run("import gc; gc.collect(); gc.freeze(); del gc")?;
    main.forget_code()?;
    Ok(warnings)
}

/// How many threads the process has.
fn native_threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Forks workers, and tells of those that have ended. `seeds`: there is something to seed before each fork. In a worker, the answer is what it has of its host.
fn serve(
    socket: &OwnedFd,
    host: &OwnedFd,
    workers: &mut Workers,
    seeds: bool,
) -> io::Result<Option<Ends>> {
    /// Workers have the numbers from 1 on.
    const OF_SOCKET: u64 = 0;
    const OF_HOST: u64 = u64::MAX;
    let epoll = Epoll::new()?;
    epoll.add(socket.as_raw_fd(), OF_SOCKET)?;
    epoll.add(host.as_raw_fd(), OF_HOST)?;
    loop {
        match epoll.wait() {
            OF_HOST => return Ok(None),
            OF_SOCKET => {
                let (message, descriptors) = socket::receive(socket)?;
                let Ok((number, ends)) = asked(&message, descriptors) else {
                    return Ok(None); // the host is gone
                };
                match fork() {
                    Ok(Forked::Child) => return Ok(Some(ends)),
                    Ok(Forked::Parent(process)) => {
                        let pidfd = pidfd_of_worker(process)?;
                        let said = [&[says::FORKED][..], &number.to_ne_bytes()].concat();
                        socket::send(socket, &said, &[pidfd.as_raw_fd()])?;
                        epoll.add(pidfd.as_raw_fd(), number)?;
                        workers.insert(number, Worker { process, pidfd });
                        if seeds {
                            let _ = zygote::reseed(); // as much as can be done
                        }
                    }
                    Err(why) => {
                        let mut writer = Writer::new(Vec::new());
                        writer.byte(says::NOT_FORKED);
                        writer.u64(number);
                        writer.text(&why);
                        socket::send(socket, &writer.into_sink(), &[])?;
                    }
                }
            }
            number => {
                if let Some(worker) = workers.remove(&number) {
                    epoll.remove(worker.pidfd.as_raw_fd());
                    tell_end(socket, number, &worker)?;
                }
            }
        }
    }
}

/// The number of a worker that is wanted, and what it gets.
fn asked(message: &[u8], descriptors: Vec<OwnedFd>) -> subpy_wire::Result<(u64, Ends)> {
    const MISSING: Malformed = Malformed("a descriptor is missing");
    let mut reader = Reader::new(message);
    let number = reader.u64()?;
    let mut descriptors = descriptors.into_iter();
    let channel = descriptors.next().ok_or(MISSING)?;
    let socket = descriptors.next().ok_or(MISSING)?;
    let mut if_given = || match reader.flag()? {
        true => descriptors.next().ok_or(MISSING).map(Some),
        false => Ok(None),
    };
    let folder = if_given()?;
    let streams = [if_given()?, if_given()?, if_given()?];
    let ends = Ends {
        channel,
        socket,
        report: REPORT,
        folder,
        streams,
    };
    Ok((number, ends))
}

fn fork() -> Result<Forked, String> {
    let forked = zygote::fork().map_err(|error| error.message().to_owned())?;
    forked.map_err(|error| error.to_string())
}

fn tell_end(socket: &OwnedFd, number: u64, worker: &Worker) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: a child of ours that has ended; a place for its status.
    unsafe { libc::waitpid(worker.process, &mut status, 0) };
    let mut writer = Writer::new(Vec::new());
    writer.byte(says::ENDED);
    writer.u64(number);
    writer.i32(status);
    socket::send(socket, &writer.into_sink(), &[])
}
