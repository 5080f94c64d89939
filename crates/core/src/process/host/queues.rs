//! What its worker wants of queues, which are the host's.

use std::time::{Duration, Instant};

use subpy_wire::{Malformed, Queue as WireQueue, QueueRules, Reader, Writer};

use super::Remote;
use super::known_queues::Given;
use crate::data::object_handle::ObjectHandle;
use crate::data::queue::{Queue, Refused, WaitLimit};
use crate::local::enter;
use crate::local::interpreter::{Interpreter, family};
use crate::process::channel::Broken;
use crate::process::items::{codes, read_put_item, write_item};
use crate::process::lines::Line;
use crate::process::options::read_time;
use crate::process::protocol::replies;
use crate::process::queues::{QueueEnds, rules_of, write_rules};
use crate::process::values::{Checked, Received};

/// The host has so many handles of objects of an interpreter, at most.
const MOST_OBJECTS: usize = 1 << 24;

impl QueueEnds for Remote {
    fn sent(&self, queue: &Queue) {
        self.queues.sent(queue);
    }

    fn received(&self, queue: &WireQueue) -> Option<Queue> {
        self.queues.get(queue.id).ok()
    }

    fn object_sent(&self, object: u64) -> u64 {
        ObjectHandle::find(object).map_or(0, |found| found.address)
    }

    fn object_received(&self, object: u64) -> subpy_wire::Result<Option<ObjectHandle>> {
        let handle = match self.home.count() < MOST_OBJECTS {
            true => ObjectHandle::new(&self.home, object),
            false => None,
        };
        handle
            .map(Some)
            .ok_or(Malformed("there are too many objects"))
    }
}

/// What is answered of a queue.
enum Answer {
    Done,
    Queue(Queue),
    Found(Option<Queue>),
    Refused(Refused),
    Item(Box<Given>),
    Look(usize, bool),
}

impl Remote {
    /// Does what its worker wants of a queue. The answer is the reply, and what it gets.
    pub(super) fn use_queue(
        &self,
        line: &mut Line<'_>,
        received: &Received<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<(Vec<u8>, Option<Box<Given>>), Broken> {
        let answer = self.answer_of_queue(line, received, reader)?;
        let mut writer = Writer::new(Vec::new());
        let mut given = None;
        match answer {
            Answer::Done => writer.byte(replies::DONE),
            Answer::Queue(queue) => {
                self.sent(&queue);
                writer.byte(replies::DONE);
                writer.u64(queue.id());
            }
            Answer::Found(found) => {
                writer.byte(replies::DONE);
                writer.option(found, |writer, queue| {
                    self.sent(&queue);
                    write_rules(queue.rules()).write(writer);
                });
            }
            Answer::Refused(why) => writer.byte(match why {
                Refused::TimeOver => replies::TIME_OVER,
                Refused::Closed => replies::CLOSED,
                Refused::Stopped => replies::STOPPED,
                Refused::NoMemory => replies::NO_MEMORY,
            }),
            Answer::Look(length, is_closed) => {
                writer.byte(replies::DONE);
                writer.u64(length as u64);
                writer.flag(is_closed);
            }
            Answer::Item(got) => {
                match Checked::new(got.item.value.get()) {
                    Ok(value) => {
                        writer.byte(replies::DONE);
                        write_item(&mut writer, &got.item, &value, self);
                    }
                    // More than a process can be given: somebody else may get it.
                    Err(_) => {
                        got.take_back();
                        return Ok((vec![replies::NO_MEMORY], None));
                    }
                }
                given = Some(got);
            }
        }
        Ok((writer.into_sink(), given))
    }

    fn answer_of_queue(
        &self,
        line: &mut Line<'_>,
        received: &Received<'_>,
        reader: &mut Reader<'_>,
    ) -> Result<Answer, Broken> {
        let code = reader.byte()?;
        if let codes::CREATE | codes::FIND = code {
            self.check_may_create()?;
        }
        if code == codes::CREATE {
            let rules = QueueRules::read(reader)?;
            reader.end()?;
            if self.queues.are_too_many() {
                return Ok(Answer::Refused(Refused::NoMemory));
            }
            let rules = rules_of(&rules, Some(family::first(self.id)));
            return Ok(Answer::Queue(Queue::with(rules)));
        }
        let id = reader.u64()?;
        if code == codes::FIND {
            reader.end()?;
            let of_family = Some(family::first(self.id));
            let known = self.queues.get(id).ok();
            let made = || Queue::find(id).filter(|queue| queue.rules().maker == of_family);
            return Ok(Answer::Found(known.or_else(made)));
        }
        let queue = self.queues.get(id)?;
        match code {
            codes::PUT => {
                let mut item = read_put_item(received, reader, self.id)?;
                reader.end()?;
                if item.is_pickled && !queue.rules().takes_pickles {
                    return Err(Malformed("a queue of plain data gets something else").into());
                }
                if queue.is_in(&item.value) {
                    return Err(Malformed("a queue is put into itself").into());
                }
                item.charge = self.queues.charge(&item, received.message.bytes().len());
                if item.charge.is_none() {
                    return Ok(Answer::Refused(Refused::NoMemory));
                }
                self.outside(line, || match queue.try_put(item) {
                    Ok(()) => Answer::Done,
                    Err((why, _)) => Answer::Refused(why),
                })
            }
            codes::WAIT_FOR_ROOM => {
                let time = read_time(reader)?;
                reader.end()?;
                self.outside(line, || {
                    let waited = self.waiting(time, |limit| queue.wait_for_room(limit));
                    refused_or(waited.map(|()| Answer::Done))
                })
            }
            codes::GET => {
                let time = read_time(reader)?;
                reader.end()?;
                self.outside(line, || {
                    let item = match queue.try_get() {
                        Err(Refused::TimeOver) if !time.is_zero() => {
                            self.waiting(time, |limit| queue.get_item(limit))
                        }
                        got => got,
                    };
                    refused_or(item.map(|item| Answer::Item(Box::new(Given { queue, item }))))
                })
            }
            codes::LOOK => {
                reader.end()?;
                Ok(Answer::Look(queue.length(), queue.is_closed()))
            }
            codes::CLOSE => {
                reader.end()?;
                queue.close();
                Ok(Answer::Done)
            }
            codes::LET_GO => {
                let received = reader.u64()?;
                reader.end()?;
                let gone = self.queues.let_go(id, received)?;
                self.outside(line, move || {
                    drop(gone);
                    drop(queue);
                    Answer::Done
                })
            }
            _ => Err(Malformed("a queue is asked for what there is not").into()),
        }
    }

    /// Does `work` for its script, which may call functions of the host's: what goes may be theirs.
    fn outside<T>(&self, line: &mut Line<'_>, work: impl FnOnce() -> T) -> Result<T, Broken> {
        line.lend(|| enter::for_far_call(self.id, work))
    }

    fn waiting<T>(&self, time: Duration, work: impl FnOnce(&WaitLimit<'_>) -> T) -> T {
        let keeps_waiting = Interpreter::keeps_waiting();
        work(&WaitLimit {
            until: Instant::now().checked_add(time),
            keeps_waiting: &|| keeps_waiting() && self.is_alive(),
        })
    }
}

fn refused_or(done: Result<Answer, Refused>) -> Answer {
    done.unwrap_or_else(Answer::Refused)
}
