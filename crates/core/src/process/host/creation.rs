//! How it comes to be, and how it is watched.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};

use subpy_wire::Writer;

use super::known_queues::KnownQueues;
use super::releasing::Releasing;
use super::streams::Streams;
use super::{Creator, Life, Remote, Told};
use crate::data::config::InterpreterConfig;
use crate::data::error::{Error, Result, Status};
use crate::data::object_handle::Home;
use crate::local::functions::host_function;
use crate::local::interpreter::modules;
use crate::local::interpreter::nested::far::{self, FarRun};
use crate::local::interpreter::registry;
use crate::process::channel::{self, Broken, Channel, Control, Sending, Side};
use crate::process::family::{Family, Forked};
use crate::process::lines::Lines;
use crate::process::options::{write_config, write_creator, write_environment, write_places};
use crate::process::protocol::asks;
use crate::process::socket;
use crate::process::watch::Seen;
use crate::util::thread::Thread;

/// How long it may take until it is ready: what was imported before the fork may have something to do after it.
const START: Duration = Duration::from_secs(60);

impl Remote {
    /// Makes one, which imports from these places.
    pub(in crate::process) fn create(
        family: &Arc<Family>,
        config: InterpreterConfig,
        places: Option<&[String]>,
        creator: Creator,
        told: Told,
    ) -> Result<Arc<Self>> {
        let taken = [
            config.stdout.is_some(),
            config.stderr.is_some(),
            config.stdin.is_some(),
        ];
        let described = InterpreterConfig {
            stdout: None,
            stderr: None,
            stdin: None,
            ..config
        };
        let file = channel::create().map_err(no_memory)?;
        let mut channel = Channel::new(&file, Side::Host).map_err(no_memory)?;
        let id = registry::next_id();
        let mut prepare = Writer::new(Vec::new());
        prepare.byte(asks::PREPARE);
        prepare.u64(0);
        write_config(&mut prepare, &described, taken);
        write_environment(&mut prepare, family.changed_environment().as_deref());
        write_places(&mut prepare, places);
        let may_create = described.allow_interpreters;
        write_creator(&mut prepare, may_create.then_some(id));
        let prepare = prepare.into_sink();
        // It finds what it is to be when it looks for the first time.
        let is_there = channel.put_at_once(&prepare);
        let Forked {
            number,
            pidfd,
            socket,
        } = family.fork(&file)?;
        let control = channel.control();
        let lines = Lines::default();
        lines.add(channel);
        let remote = Arc::new(Self {
            id,
            family: family.clone(),
            number,
            pidfd: Arc::new(pidfd),
            lines,
            control,
            others: Mutex::default(),
            stay: Mutex::default(),
            under_way: Mutex::default(),
            outermost: AtomicU32::new(0),
            interrupted_by_handler: AtomicU32::new(0),
            next_number: AtomicU32::new(1),
            gil_keepers: Mutex::default(),
            budget: described.budget,
            functions: Mutex::default(),
            queues: KnownQueues::new(described.memory_limit),
            home: Home::new(id, told.objects_wait),
            releasing: Releasing::default(),
            streams: Streams::new(config.stdout, config.stderr, config.stdin),
            seen: Mutex::default(),
            life: Mutex::new(Life::There),
            lost: OnceLock::new(),
            watched: Mutex::default(),
            may_create,
            creator,
            ending: Mutex::default(),
            destroyed: told.destroyed,
        });
        let as_outer: Weak<dyn FarRun> = Arc::downgrade(&remote) as _;
        far::insert(remote.id, as_outer);
        let prepare = || {
            remote.watch(socket)?;
            remote.prepare((!is_there).then_some(&prepare[..]))?;
            let mut modules = modules::added_everywhere().into_iter();
            modules.try_for_each(|module| remote.add_module(&module))?;
            let everywhere = host_function::defined_everywhere();
            everywhere
                .into_iter()
                .try_for_each(|definition| remote.put(definition))
        };
        prepare().inspect_err(|_| {
            remote.end_now("it could not be prepared");
            remote.let_go();
            far::remove(remote.id);
        })?;
        Ok(remote)
    }

    /// Waits until it is what it is to be. What says so is sent, if it is not there.
    fn prepare(&self, to_send: Option<&[u8]>) -> Result<()> {
        let mut line = self.line()?;
        let end = Instant::now() + START;
        let is_late = || Instant::now() >= end;
        let write = |writer: &mut Writer<Sending<'_>>| {
            to_send.inspect(|message| writer.put(message)).is_some()
        };
        let waits = || self.is_alive() && !is_late();
        let prepared = self.until_answered(&mut line, &waits, write);
        let lost = |broken| {
            if is_late() {
                self.end_now("it was not ready after a minute");
            }
            self.lose(broken)
        };
        prepared.map_err(lost)?.map(drop)
    }

    /// Has its end seen, and gives the threads of its scripts channels.
    fn watch(self: &Arc<Self>, socket: OwnedFd) -> Result<()> {
        let (remote, pidfd) = (Arc::downgrade(self), self.pidfd.clone());
        let ended = move || {
            let _is_open = &pidfd;
            if let Some(remote) = remote.upgrade() {
                remote.has_ended();
            }
            false
        };
        let end = (self.pidfd.as_raw_fd(), Box::new(ended) as Seen);
        let remote = Arc::downgrade(self);
        let descriptor = socket.as_raw_fd();
        let wants_channel = move || {
            let asked = socket::receive(&socket).is_ok_and(|(message, _)| !message.is_empty());
            let remote = remote.upgrade().filter(|_| asked);
            remote.is_some_and(|remote| remote.give_channel(&socket).is_ok())
        };
        let wants = (descriptor, Box::new(wants_channel) as Seen);
        for (descriptor, seen) in [end, wants] {
            let number = self
                .family
                .watcher()
                .watch(descriptor, seen)
                .map_err(no_memory)?;
            self.watched().push(number);
        }
        Ok(())
    }

    /// Its process is gone: who waits for it is told.
    fn has_ended(self: &Arc<Self>) {
        let mut life = self.life();
        if *life == Life::There {
            *life = Life::Gone;
        }
        let is_lost = *life == Life::Gone;
        drop(life);
        self.control.close();
        self.others().iter().for_each(Control::close);
        // A call that waits says so itself.
        if is_lost && self.under_way().is_empty() && self.lost.get().is_none() {
            let lost = self.lose(Broken::Gone);
            self.family.log(lost.message());
        }
        if is_lost {
            self.lines.end_turns();
        }
        if is_lost && self.may_create {
            // It may take a while, and this thread sees all that ends.
            let me = self.clone();
            if Thread::start(c"subpy ending", move || me.end_created(None)).is_err() {
                self.end_created(None);
            }
        }
    }

    /// Gives a thread of its scripts a channel, with a thread here that serves it; or none, if there are too many.
    fn give_channel(self: &Arc<Self>, socket: &OwnedFd) -> std::io::Result<()> {
        const MOST: usize = 1000;
        if self.others().len() >= MOST {
            return socket::send_now(socket, &[0], &[]);
        }
        let file = channel::create()?;
        let channel = Channel::new(&file, Side::Host)?;
        self.others().push(channel.control());
        let remote = self.clone();
        Thread::start(c"subpy worker", move || remote.serve(channel))?;
        socket::send_now(socket, &[1], &[file.as_raw_fd()])
    }
}

fn no_memory(error: std::io::Error) -> Error {
    Error::new(
        Status::NoMemory,
        format!("there is no room for one more process: {error}"),
    )
}
