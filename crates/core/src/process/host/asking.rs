//! How something is asked for, and answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use subpy_wire::{Malformed, Writer};

use super::known_queues::Given;
use super::served::Heard;
use super::{Asked, NONE_OF_OURS, Remote};
use crate::data::config::RunOptions;
use crate::data::error::{Error, Result, Status};
use crate::data::tree::OwnedValue;
use crate::local::enter;
use crate::local::interpreter::nested::FarNested;
use crate::local::stack;
use crate::process::channel::{Broken, Channel, Sending};
use crate::process::lines::Line;
use crate::process::message::Message;
use crate::process::protocol::asks;
use crate::util::thread::this_thread;

/// Something is under way, until this is dropped.
pub(super) struct UnderWay<'a>(&'a Remote, u32);

impl<'a> UnderWay<'a> {
    pub(super) fn begin(remote: &'a Remote, number: u32) -> Self {
        let mut under_way = remote.under_way();
        under_way.push(Asked {
            number,
            thread: this_thread(),
            ends: None,
            inner: Vec::new(),
            went_on: None,
        });
        let outermost = under_way[0].number;
        remote.outermost.store(outermost, Ordering::SeqCst);
        Self(remote, number)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = self.0.under_way();
        under_way.retain(|asked| asked.number != self.1);
        let outermost = under_way.first().map_or(0, |asked| asked.number);
        self.0.outermost.store(outermost, Ordering::SeqCst);
    }
}

impl Remote {
    /// The number of what is asked for next: never 0.
    pub(super) fn next_number(&self) -> u32 {
        match self.next_number.fetch_add(1, Ordering::Relaxed) {
            0 => self.next_number(),
            number => number,
        }
    }

    /// Asks for something, when it is the calling thread's turn, and waits until it is done, or until its time is over.
    pub(super) fn ask(
        self: &Arc<Self>,
        asked: u8,
        options: &RunOptions<'_>,
        write: impl FnOnce(&mut Writer<Sending<'_>>),
    ) -> Result<OwnedValue> {
        self.check_depth()?;
        let mut line = self.line_in_turn(options.wait)?;
        self.say_released(&mut line)?;
        let number = self.next_number();
        let under_way = UnderWay::begin(self, number);
        let nested = FarNested::begin(self.id, || self.as_inner(number, options.kill_after));
        let limit = options
            .timeout
            .map(|time| self.limit(number, time, options));
        let limit = limit.transpose()?;
        let start = (options.measure || limit.is_some()).then(Instant::now);
        let done = enter::for_host(|| self.converse(&mut line, asked, number, write));
        if asked != asks::OBJECT && done.as_ref().is_ok_and(OwnedValue::is_end) {
            return Err(self.lose(NONE_OF_OURS));
        }
        if let Some(start) = start {
            // With the way there and back, which its limit counts, too.
            self.seen().0.last_wall = start.elapsed();
        }
        drop(nested);
        drop(under_way);
        // One that was killed meanwhile has answered too late.
        if let Some(lost) = self.lost.get() {
            return Err(lost.clone());
        }
        match limit {
            Some(limit) => done.map_err(|error| limit.error(error)),
            None => done,
        }
    }

    /// Fails where the host and this interpreter call each other without an end: Python's limits are the worker's, and it
    /// may have none, so the host looks after its own stack.
    fn check_depth(&self) -> Result<()> {
        const DEEPEST: usize = 1000;
        let is_inside = enter::current_interpreter().0.is_some();
        if !is_inside || self.under_way().len() < DEEPEST && !stack::is_nearly_full() {
            return Ok(());
        }
        let message = format!(
            "the host and interpreter {} call each other too deeply",
            self.id
        );
        Err(Error::new(Status::Limit, message))
    }

    pub(super) fn converse(
        &self,
        line: &mut Line<'_>,
        asked: u8,
        number: u32,
        write: impl FnOnce(&mut Writer<Sending<'_>>),
    ) -> Result<OwnedValue> {
        self.not_lost()?;
        let is_alive = || self.is_alive();
        let answer = self.until_answered(line, &is_alive, |writer| {
            writer.byte(asked);
            writer.u64(number.into());
            write(writer);
            true
        });
        match answer {
            Ok(answer) => answer,
            Err(broken) => Err(self.lose(broken)),
        }
    }

    /// Sends what is written, if anything is, and does what is wanted until there is an answer, or until it waits no more.
    pub(super) fn until_answered(
        &self,
        line: &mut Line<'_>,
        waits: &dyn Fn() -> bool,
        write: impl FnOnce(&mut Writer<Sending<'_>>) -> bool,
    ) -> std::result::Result<Result<OwnedValue>, Broken> {
        let mut writer = Writer::new(line.channel()?.send(waits));
        if write(&mut writer) {
            writer.into_sink().finish()?;
        }
        let (mut given, mut result) = (None, None);
        loop {
            let message = self.receive(line, waits, given.take())?;
            match self.hear(line, &message)? {
                Heard::Answer(answer) => return Ok(answer),
                Heard::Want(item) => given = item,
                Heard::Result(value) => result = Some(value),
                Heard::ResultIsThere => {
                    let result = result.ok_or(Malformed("there is no result"))?;
                    return Ok(Ok(result));
                }
            }
        }
    }

    /// What the worker says next. It was given this item before, which is the next one again if it has ended before it had
    /// it.
    fn receive(
        &self,
        line: &mut Line<'_>,
        waits: &dyn Fn() -> bool,
        given: Option<Box<Given>>,
    ) -> std::result::Result<Arc<Message>, Broken> {
        let channel = line.channel()?;
        let received = channel.receive(waits);
        if let (Err(_), Some(given), false) = (&received, given, channel.was_taken()) {
            given.take_back();
        }
        received.map(Arc::new)
    }

    /// What a thread of a script's says on its own channel, is done here.
    pub(super) fn serve(self: Arc<Self>, channel: Channel) {
        let mut line = self.lines.served(channel);
        let is_alive = || self.is_alive();
        let mut given = None;
        let broken = loop {
            let received = self.receive(&mut line, &is_alive, given.take());
            match received.and_then(|message| self.hear(&mut line, &message)) {
                Ok(Heard::Want(item)) => given = item,
                Ok(_) => break NONE_OF_OURS,
                Err(broken) => break broken,
            }
        };
        if broken != Broken::Gone {
            self.lose(broken);
        }
    }
}
