//! What a worker says: answers, and what it wants of its host.

use std::ffi::{CStr, CString};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use subpy_wire::{Malformed, Reader, Writer};

use super::Remote;
use super::known_queues::Given;
use crate::data::error::{Result, Status};
use crate::data::id::Id;
use crate::data::tree::OwnedValue;
use crate::data::value::{Value, View};
use crate::local::convert::to_python;
use crate::local::enter;
use crate::local::functions::host_call::{FarCall, HostCall};
use crate::local::functions::host_function::Definition;
use crate::local::interpreter::stats::Stats;
use crate::local::memory::account::MemoryUsage;
use crate::process::channel::Broken;
use crate::process::failures;
use crate::process::lines::Line;
use crate::process::message::Message;
use crate::process::protocol::{answers, replies, wants};
use crate::process::values;
use crate::process::values::{Checked, Received};
use crate::util::thread::this_thread;

/// So much is read at once for a script, at most, in bytes.
const MOST_INPUT: usize = 64 << 10;

/// What was said.
pub(super) enum Heard {
    Answer(Result<OwnedValue>),
    /// It was no answer, and what was wanted is done. The worker is given this item.
    Want(Option<Box<Given>>),
    /// What is to be answered.
    Result(OwnedValue),
    /// That is the answer.
    ResultIsThere,
}

/// What a function of the host's answers a script of another process.
struct FarAnswer<'a> {
    remote: &'a Remote,
    function: &'a str,
    message: Vec<u8>,
}

impl FarCall for FarAnswer<'_> {
    fn interpreter(&self) -> Id {
        self.remote.id
    }

    fn answer(&mut self, value: &Value<'_>) {
        match Checked::to(value, self.remote.id) {
            Ok(value) => {
                let remote = self.remote;
                self.write(replies::VALUE, |writer| value.write(writer, remote));
            }
            Err(error) => {
                let error = error.into_plain_error(&format!("{}(): result", self.function));
                let kind = match error.status() {
                    Status::NotShareable => "builtins.TypeError",
                    Status::NoMemory => "builtins.MemoryError",
                    _ => "builtins.ValueError",
                };
                self.raise(kind, error.message());
            }
        }
        to_python::lent_by(value, &mut Vec::new());
    }

    fn raise(&mut self, kind: &str, message: &str) {
        self.write(replies::RAISED, |writer| {
            writer.text(kind);
            writer.text(message);
        });
    }
}

impl FarAnswer<'_> {
    fn write(&mut self, reply: u8, write: impl FnOnce(&mut Writer<Vec<u8>>)) {
        let mut writer = Writer::new(Vec::new());
        writer.byte(reply);
        write(&mut writer);
        self.message = writer.into_sink();
    }
}

/// The calling thread does something for a thread that a script has started, which has the GIL of its process meanwhile.
struct KeepsGil<'a>(&'a Remote);

impl<'a> KeepsGil<'a> {
    fn begin(remote: &'a Remote) -> Self {
        remote.gil_keepers().push(this_thread());
        Self(remote)
    }
}

impl Drop for KeepsGil<'_> {
    fn drop(&mut self) {
        let this = this_thread();
        let mut keepers = self.0.gil_keepers();
        if let Some(at) = keepers.iter().rposition(|thread| *thread == this) {
            keepers.swap_remove(at);
        }
    }
}

pub(super) fn is_str(value: &Value<'_>) -> bool {
    matches!(value.view(), View::Str(_) | View::Wtf8(_))
}

impl Remote {
    /// Reads what the worker says, and does what it wants.
    pub(super) fn hear(
        &self,
        line: &mut Line<'_>,
        message: &Arc<Message>,
    ) -> Result<Heard, Broken> {
        let mut reader = Reader::new(message.bytes());
        let done = [replies::DONE];
        let received = Received {
            message,
            queues: self,
        };
        let (mut given, mut result) = (None, None);
        let reply = match reader.byte()? {
            answers::DONE => {
                let answer = self.answer(&mut reader, |_| Ok(Ok(OwnedValue::NONE)))?;
                return Ok(Heard::Answer(answer));
            }
            answers::END => {
                let end = |_: &mut Reader<'_>| Ok(Ok(OwnedValue::END));
                return self.answer(&mut reader, end).map(Heard::Answer);
            }
            answers::VALUE => {
                let read = |reader: &mut Reader<'_>| values::read(&received, reader).map(Ok);
                return self.answer(&mut reader, read).map(Heard::Answer);
            }
            answers::FAILED => {
                let read = |reader: &mut Reader<'_>| failures::read(message, reader).map(Err);
                return self.answer(&mut reader, read).map(Heard::Answer);
            }
            answers::RESULT => {
                let nothing = |_: &mut Reader<'_>| Ok(Ok(OwnedValue::NONE));
                return self
                    .answer(&mut reader, nothing)
                    .map(|_| Heard::ResultIsThere);
            }
            wants::RESULT => {
                let value = values::read(&received, &mut reader)?;
                reader.end()?;
                result = Some(value);
                done.to_vec()
            }
            wants::QUEUE => {
                let (reply, item) = self.use_queue(line, &received, &mut reader)?;
                given = item;
                reply
            }
            wants::OUTPUT => {
                let stream = &self.streams.outputs[usize::from(reader.flag()?)];
                let piece = reader.bytes()?;
                reader.end()?;
                if let Some(mut output) = stream.take()? {
                    let handed_on = line.lend(|| enter::for_far_call(self.id, || output(piece)));
                    stream.put_back(output);
                    handed_on?;
                }
                done.to_vec()
            }
            wants::INPUT => {
                let room = reader.size()?.clamp(1, MOST_INPUT);
                reader.end()?;
                let mut bytes = vec![0; room];
                let mut length = 0;
                if let Some(mut input) = self.streams.stdin.take()? {
                    let read = || length = input(&mut bytes).min(room);
                    let given = line.lend(|| enter::for_far_call(self.id, read));
                    self.streams.stdin.put_back(input);
                    given?;
                }
                let mut writer = Writer::new(Vec::new());
                writer.byte(replies::INPUT);
                writer.bytes(&bytes[..length]);
                writer.into_sink()
            }
            wants::CALL => self.call_function(line, &received, &mut reader)?,
            wants::OPERATE => self.operate(line, &received, &mut reader)?,
            wants::DROP => {
                let number = reader.u64()?;
                reader.end()?;
                let dropped = self.functions().remove(&number);
                line.lend(|| enter::for_far_call(self.id, || drop(dropped)))?;
                done.to_vec()
            }
            _ => return Err(Malformed("what is said is nothing that there is").into()),
        };
        // One that was killed may have said this before.
        if self.lost.get().is_some() {
            given.into_iter().for_each(|given| given.take_back());
            return Err(Broken::Gone);
        }
        let is_alive = || self.is_alive();
        let mut writer = Writer::new(line.channel()?.send(&is_alive));
        writer.put(&reply);
        writer.into_sink().finish()?;
        Ok(match result {
            Some(value) => Heard::Result(value),
            None => Heard::Want(given),
        })
    }

    fn answer(
        &self,
        reader: &mut Reader<'_>,
        read: impl FnOnce(&mut Reader<'_>) -> subpy_wire::Result<Result<OwnedValue>>,
    ) -> Result<Result<OwnedValue>, Broken> {
        let is_counted = reader.flag()?;
        let [hits, misses, entries, bytes, cpu, current, peak] = reader.u64s()?;
        let usage = MemoryUsage { current, peak };
        {
            let mut seen = self.seen();
            let stats = Stats {
                code_cache_hits: hits,
                code_cache_misses: misses,
                code_cache_entries: entries,
                code_cache_bytes: bytes,
                // The host has measured that itself.
                last_wall: seen.0.last_wall,
                last_cpu: Duration::from_nanos(cpu),
            };
            *seen = (stats, is_counted.then_some(usage));
        }
        let answer = read(reader)?;
        reader.end()?;
        Ok(answer)
    }

    /// Calls a function of the host's. The answer is the reply.
    fn call_function(
        &self,
        line: &mut Line<'_>,
        received: &Received<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Vec<u8>, Broken> {
        let number = reader.u64()?;
        let namespace = reader.option(|reader| {
            let name = CString::new(reader.text()?);
            name.map_err(|_| Malformed("a namespace has a NUL in its name"))
        })?;
        let arguments = values::read_list(received, reader, false)?;
        let keywords = values::read(received, reader)?;
        reader.end()?;
        let function = self.functions().get(&number).cloned();
        let function = function.ok_or(Malformed("there is no such function"))?;
        let View::Dict(pairs) = keywords.get().view() else {
            return Err(Malformed("the keywords of a call are no dict").into());
        };
        if !pairs.iter().all(|[name, _]| is_str(name)) {
            return Err(Malformed("a keyword of a call is no str").into());
        }
        let namespace = namespace.map(|name| name.as_c_str().into());
        let call = || self.call_now(&function, namespace, &arguments, &keywords);
        let keeps_gil = line.is_served() && !function.releases_gil();
        let _keeps_gil = keeps_gil.then(|| KeepsGil::begin(self));
        line.lend(|| enter::for_far_call(self.id, call))
    }

    fn call_now(
        &self,
        function: &Definition,
        namespace: Option<Rc<CStr>>,
        arguments: &OwnedValue,
        keywords: &OwnedValue,
    ) -> Vec<u8> {
        let mut answer = FarAnswer {
            remote: self,
            function: function.described().1,
            message: Vec::new(),
        };
        let mut call = HostCall::far(&mut answer, *keywords.get().as_raw(), namespace);
        function.call(&mut call, arguments.get().items());
        let plain = call.plain_answer().map(Value::as_raw).copied();
        drop(call);
        if let Some(plain) = plain {
            // SAFETY: it points to nothing.
            answer.answer(unsafe { Value::from_raw(&plain) });
        }
        answer.message
    }
}
