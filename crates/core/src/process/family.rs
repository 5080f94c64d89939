//! The zygote, as its host has it: started once, and asked for workers.
//!
//! It is no child of the host's, so that no `wait()` of the host's meets it: a helper starts it, which is a child that
//! `wait()` does not see, and ends at once. It has a session of its own, and the host's environment, standard streams and
//! working directory, and nothing else of the host's: no descriptor, no signal mask, no ignored signal.

use std::collections::HashMap;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subpy_wire::{Reader, Writer};

use super::failures;
use super::message::Message;
use super::options::write_runtime;
use super::protocol::{BINDS, ROLE};
use super::socket;
use super::watch::Watcher;
use super::zygote::{HOST, SOCKET, VERSION, says};
use crate::data::config::{Log, RuntimeConfig};
use crate::data::error::{Error, Result, Status};

/// How long a zygote may take to start.
const START: Duration = Duration::from_secs(60);
/// How long the host waits for what a zygote says at once, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(20);
/// No more ends are read when a worker is forgotten: each has one.
const ENDS: usize = 64;

/// A zygote.
pub(super) struct Family {
    /// Held while the zygote is asked, and while its answer is awaited.
    zygote: Mutex<Zygote>,
    watcher: Watcher,
    /// What the zygote was started with.
    environment: Vec<(OsString, OsString)>,
    log: Option<Log>,
}

struct Zygote {
    socket: OwnedFd,
    /// It has done what it was asked for so far. It gets no more to do else: what it says later could be of anything.
    is_of_use: bool,
    next_number: u64,
    /// The workers that somebody has, with the statuses of those that have ended.
    workers: HashMap<u64, Option<i32>>,
}

/// A worker that was forked.
pub(super) struct Forked {
    pub(super) number: u64,
    pub(super) pidfd: OwnedFd,
    pub(super) socket: OwnedFd,
}

/// A descriptor of the folder that the process is in.
fn folder_of_process() -> Option<OwnedFd> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a C string; a descriptor that is nobody else's.
    unsafe {
        let folder = libc::open(c".".as_ptr(), flags);
        (folder >= 0).then(|| OwnedFd::from_raw_fd(folder))
    }
}

/// The descriptors of stdin, stdout and stderr that are open.
fn open_streams() -> [Option<RawFd>; 3] {
    // SAFETY: asks.
    [0, 1, 2].map(|stream| (unsafe { libc::fcntl(stream, libc::F_GETFD) } >= 0).then_some(stream))
}

fn log(config: &RuntimeConfig, message: &str) {
    if let Some(log) = &config.log {
        log.say(message);
    }
}

fn read_warnings<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<Vec<&'a str>> {
    (0..reader.count()?).map(|_| reader.text()).collect()
}

fn read_failure(message: &[u8]) -> subpy_wire::Result<Error> {
    let message = Arc::new(Message::of(message)?);
    let mut reader = Reader::new(message.bytes());
    reader.byte()?;
    failures::read(&message, &mut reader)
}

fn lost(what: &str) -> Error {
    Error::new(
        Status::Lost,
        format!("the process that makes workers {what}"),
    )
}

impl Family {
    /// Starts a zygote.
    pub(super) fn start(program: &Path, config: &RuntimeConfig) -> Result<Self> {
        let environment: Vec<_> = std::env::vars_os().collect();
        let mut of_zygote = environment.clone();
        // A program of the host's may have functions that are nowhere, and that it never calls.
        if config.worker.is_none() && !of_zygote.iter().any(|(name, _)| name == BINDS.0) {
            of_zygote.push((BINDS.0.into(), BINDS.1.into()));
        }
        let (socket, its_end) = socket::pair().map_err(|error| not_started(program, &error))?;
        let host = socket::pidfd_of(std::process::id() as libc::pid_t);
        let host = host.map_err(|error| not_started(program, &error))?;
        spawn(program, &of_zygote, &its_end, &host)
            .map_err(|error| not_started(program, &error))?;
        drop(its_end);
        let mut writer = Writer::new(Vec::new());
        writer.text(VERSION);
        write_runtime(&mut writer, config);
        let zygote = Zygote {
            socket,
            is_of_use: true,
            next_number: 1,
            workers: HashMap::new(),
        };
        // One that has ended takes nothing, and has said nothing.
        let _ = socket::send(&zygote.socket, &writer.into_sink(), &[]);
        let message = zygote
            .receive(Instant::now() + START)
            .map(|(message, _)| message);
        let message = message.unwrap_or_default();
        let mut reader = Reader::new(&message);
        match reader.byte() {
            Ok(says::READY) => {
                let warnings = read_warnings(&mut reader).unwrap_or_default();
                warnings.iter().for_each(|warning| log(config, warning));
                Ok(Self {
                    zygote: Mutex::new(zygote),
                    watcher: Watcher::start().map_err(|error| {
                        let message = format!("there is no thread to watch workers: {error}");
                        Error::new(Status::NoMemory, message)
                    })?,
                    environment,
                    log: config.log,
                })
            }
            Ok(says::FAILED) => Err(read_failure(&message).unwrap_or_else(|wrong| {
                not_started(program, &io::Error::other(wrong.to_string()))
            })),
            _ => {
                let nothing = io::Error::other("it has ended, or is none of this version's");
                Err(not_started(program, &nothing))
            }
        }
    }

    /// Tells the host what no call can say.
    pub(super) fn log(&self, message: &str) {
        if let Some(log) = &self.log {
            log.say(message);
        }
    }

    /// The environment of this process, if it is not what the zygote has.
    pub(super) fn changed_environment(&self) -> Option<Vec<(OsString, OsString)>> {
        let now: Vec<_> = std::env::vars_os().collect();
        (now != self.environment).then_some(now)
    }

    pub(super) fn watcher(&self) -> &Watcher {
        &self.watcher
    }

    /// Whether the zygote can be asked for workers.
    pub(super) fn is_of_use(&self) -> bool {
        self.is_there() && self.zygote().is_of_use
    }

    /// Whether the zygote is there, as far as can be seen.
    pub(super) fn is_there(&self) -> bool {
        let mut entry = libc::pollfd {
            fd: self.zygote().socket.as_raw_fd(),
            events: 0,
            revents: 0,
        };
        // SAFETY: one entry.
        unsafe { libc::poll(&mut entry, 1, 0) };
        entry.revents & (libc::POLLHUP | libc::POLLERR) == 0
    }

    fn zygote(&self) -> MutexGuard<'_, Zygote> {
        self.zygote.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a worker forked, which gets this channel.
    pub(super) fn fork(&self, channel: &OwnedFd) -> Result<Forked> {
        let (socket, its_end) = socket::pair().map_err(|error| {
            let message = format!("there is no room for one more worker: {error}");
            Error::new(Status::NoMemory, message)
        })?;
        let mut zygote = self.zygote();
        let forked = zygote.fork(channel, &its_end);
        if let Err(error) = &forked {
            zygote.is_of_use = error.status() != Status::Lost;
        }
        let (number, pidfd) = forked?;
        Ok(Forked {
            number,
            pidfd,
            socket,
        })
    }

    /// How a worker has ended, as `waitpid` has it. `None`: nobody knows.
    pub(super) fn end_of(&self, number: u64) -> Option<i32> {
        let end = Instant::now() + SOON;
        let mut zygote = self.zygote();
        loop {
            if let Some(status) = zygote.workers.get(&number)? {
                return Some(*status);
            }
            zygote.receive_end(end)?;
        }
    }

    /// Nobody has this worker any more. What the zygote has said meanwhile is read: it waits where there is no room.
    pub(super) fn forget(&self, number: u64) {
        let mut zygote = self.zygote();
        zygote.workers.remove(&number);
        let now = Instant::now();
        for _ in 0..ENDS {
            if zygote.receive_end(now).is_none() {
                break;
            }
        }
    }
}

impl Zygote {
    /// Has a worker forked, which gets these. The answer is its number, and what stands for it.
    fn fork(&mut self, channel: &OwnedFd, socket: &OwnedFd) -> Result<(u64, OwnedFd)> {
        let number = self.next_number;
        self.next_number += 1;
        let here = folder_of_process();
        let mut writer = Writer::new(Vec::new());
        let mut descriptors = vec![channel.as_raw_fd(), socket.as_raw_fd()];
        writer.u64(number);
        for descriptor in [here.as_ref().map(AsRawFd::as_raw_fd)]
            .into_iter()
            .chain(open_streams())
        {
            writer.flag(descriptor.is_some());
            descriptors.extend(descriptor);
        }
        let asked = socket::send(&self.socket, &writer.into_sink(), &descriptors);
        asked.map_err(|error| lost(&format!("has ended: {error}")))?;
        let end = Instant::now() + SOON;
        loop {
            let (message, descriptors) = self.receive(end)?;
            let mut reader = Reader::new(&message);
            let said = (reader.byte(), reader.u64());
            match said {
                (Ok(says::FORKED), Ok(forked)) if forked == number => {
                    let pidfd = descriptors.into_iter().next().filter(socket::is_pidfd);
                    let pidfd = pidfd.ok_or_else(|| lost("does not keep to the rules"))?;
                    self.workers.insert(number, None);
                    return Ok((number, pidfd));
                }
                (Ok(says::NOT_FORKED), Ok(forked)) if forked == number => {
                    let why = reader.text().unwrap_or("it does not say why");
                    let message = format!("no worker could be made: {why}");
                    return Err(Error::new(Status::NoMemory, message));
                }
                (Ok(says::ENDED), Ok(ended)) => self.note_end(ended, &mut reader),
                _ if message.is_empty() => return Err(lost("has ended")),
                _ => return Err(lost("does not keep to the rules")),
            }
        }
    }

    /// What it says until then.
    fn receive(&self, end: Instant) -> Result<(Vec<u8>, Vec<OwnedFd>)> {
        let time = end.saturating_duration_since(Instant::now());
        match socket::wait_for_any(&[self.socket.as_raw_fd()], time.as_millis() as i32) {
            Ok(ready) if ready[0] => {}
            _ => return Err(lost("does not answer")),
        }
        socket::receive(&self.socket).map_err(|error| lost(&format!("has ended: {error}")))
    }

    /// Reads that a worker has ended. `None`: it has not said so until then.
    fn receive_end(&mut self, end: Instant) -> Option<()> {
        let (message, _) = self.receive(end).ok()?;
        let mut reader = Reader::new(&message);
        match (reader.byte(), reader.u64()) {
            (Ok(says::ENDED), Ok(ended)) => {
                self.note_end(ended, &mut reader);
                Some(())
            }
            _ => None,
        }
    }

    fn note_end(&mut self, number: u64, reader: &mut Reader<'_>) {
        if let (Ok(status), Some(known)) = (reader.i32(), self.workers.get_mut(&number)) {
            *known = Some(status);
        }
    }
}

fn not_started(program: &Path, why: &io::Error) -> Error {
    let message = format!(
        "{} could not be started: {why}; is it there, and may it be executed?",
        program.display()
    );
    Error::new(Status::Unsupported, message)
}

fn variable((name, value): &(OsString, OsString)) -> Option<CString> {
    CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
}

/// What is made before the fork: nothing is allocated afterwards.
struct Prepared {
    program: CString,
    /// These end in a NULL.
    arguments: [*const libc::c_char; 3],
    environment: Vec<*const libc::c_char>,
}

/// Starts the program as a zygote, and waits until it has begun.
fn spawn(
    program: &Path,
    environment: &[(OsString, OsString)],
    socket: &OwnedFd,
    host: &OwnedFd,
) -> io::Result<()> {
    let name = CString::new(program.as_os_str().as_bytes()).map_err(io::Error::other)?;
    let variables: Vec<_> = environment.iter().filter_map(variable).collect();
    let pointers = variables.iter().map(|variable| variable.as_ptr());
    let mut prepared = Prepared {
        program: name,
        arguments: [null(); 3],
        environment: pointers.chain([null()]).collect(),
    };
    prepared.arguments[0] = prepared.program.as_ptr();
    prepared.arguments[1] = ROLE.as_ptr();
    // It is written to if the program can't be executed, and closed if it can.
    let (report, its_report) = socket::pair()?;
    // SAFETY: as `fork`, but for the signal at its end: there is none, so `wait` does not see it. What runs in the child
    // allocates nothing, and takes no lock.
    unsafe {
        let no_signal: libc::c_long = 0;
        let none = null_mut::<u8>();
        match libc::syscall(libc::SYS_clone, no_signal, none, none, none, none) {
            0 => helper(&prepared, socket, host, &its_report),
            ..0 => return Err(io::Error::last_os_error()),
            helper => {
                let flags = libc::__WALL;
                while libc::waitpid(helper as libc::pid_t, null_mut(), flags) < 0
                    && *libc::__errno_location() == libc::EINTR
                {}
            }
        }
    }
    drop(its_report);
    let (message, _) = socket::receive(&report)?;
    match message.try_into() {
        Ok(error) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(error))),
        Err(_) => Ok(()),
    }
}

/// In the helper: starts the zygote, and ends.
///
/// # Safety
/// In a process that was just forked, with one thread.
unsafe fn helper(prepared: &Prepared, socket: &OwnedFd, host: &OwnedFd, report: &OwnedFd) -> ! {
    // SAFETY: only calls of the system.
    unsafe {
        let none = null_mut::<u8>();
        let flags = libc::SIGCHLD as libc::c_long;
        if libc::syscall(libc::SYS_clone, flags, none, none, none, none) != 0 {
            libc::_exit(0);
        }
        libc::setsid();
        // What it opens later is none of these.
        while (0..=2).contains(&libc::open(c"/dev/null".as_ptr(), libc::O_RDWR)) {}
        for signal in 1..=libc::SIGRTMAX() {
            libc::signal(signal, libc::SIG_DFL);
        }
        let mut nothing = std::mem::zeroed();
        libc::sigemptyset(&mut nothing);
        libc::sigprocmask(libc::SIG_SETMASK, &nothing, null_mut());
        // To places that none of them has, then to their own.
        let [socket, host, report] =
            [socket, host, report].map(|fd| libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD, 10));
        libc::dup2(socket, SOCKET);
        libc::dup2(host, HOST);
        let report_at = HOST + 1;
        libc::dup3(report, report_at, libc::O_CLOEXEC);
        libc::syscall(libc::SYS_close_range, report_at + 1, u32::MAX, 0);
        libc::execve(
            prepared.program.as_ptr(),
            prepared.arguments.as_ptr(),
            prepared.environment.as_ptr(),
        );
        let error = *libc::__errno_location();
        libc::write(report_at, (&raw const error).cast(), size_of::<i32>());
        libc::_exit(127)
    }
}
