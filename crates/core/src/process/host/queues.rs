//! The queues that its worker knows, and what that wants of them.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use subpy_wire::{Malformed, Queue as WireQueue, QueueRules, Reader, Writer};

use super::Remote;
use crate::data::queue::{Charge, Item, Queue, Refused, WaitLimit};
use crate::local::enter;
use crate::local::interpreter::{Interpreter, family};
use crate::process::channel::Broken;
use crate::process::lines::Line;
use crate::process::message::Message;
use crate::process::options::read_time;
use crate::process::protocol::replies;
use crate::process::queues::{QueueEnds, codes, read_item, rules_of, write_item, write_rules};
use crate::process::values::{Checked, Received};

/// A worker may know so many.
const MOST: usize = 1 << 16;
/// What an item takes besides its value, in bytes.
const ITEM: usize = 256;
/// What it has put may take so much memory, in bytes, if it has no other limit.
const MOST_MEMORY: u64 = 1 << 30;

/// The queues that a worker knows.
#[derive(Default)]
pub(super) struct KnownQueues {
    /// By their numbers, with how often each was sent.
    all: Mutex<HashMap<u64, (Queue, u64)>>,
    /// How much memory the items have that it has put, and nobody has got.
    memory: Arc<AtomicUsize>,
}

/// An item that a worker has got: until it says so, it may be the next one again.
pub(super) struct Given {
    queue: Queue,
    item: Item,
}

impl Given {
    /// The worker has ended before.
    pub(super) fn take_back(self) {
        self.queue.put_back(self.item);
    }
}

impl KnownQueues {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, (Queue, u64)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, id: u64) -> subpy_wire::Result<Queue> {
        let all = self.all();
        let (queue, _) = all.get(&id).ok_or(Malformed("there is no such queue"))?;
        Ok(queue.clone())
    }

    /// The worker knows none any more.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.all());
        drop(all);
    }
}

impl QueueEnds for Remote {
    fn sent(&self, queue: &Queue) {
        let mut all = self.queues.all();
        let known = all.entry(queue.id());
        known.or_insert_with(|| (queue.clone(), 0)).1 += 1;
    }

    fn received(&self, queue: &WireQueue) -> Option<Queue> {
        self.queues.get(queue.id).ok()
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
        message: &Arc<Message>,
        reader: &mut Reader<'_>,
    ) -> Result<(Vec<u8>, Option<Box<Given>>), Broken> {
        let answer = self.answer_of_queue(line, message, reader)?;
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
        message: &Arc<Message>,
        reader: &mut Reader<'_>,
    ) -> Result<Answer, Broken> {
        let code = reader.byte()?;
        if let codes::CREATE | codes::FIND = code {
            self.check_may_create()?;
        }
        if code == codes::CREATE {
            let rules = QueueRules::read(reader)?;
            reader.end()?;
            if self.queues.all().len() >= MOST {
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
                let received = Received {
                    message,
                    queues: self,
                };
                let mut item = read_item(&received, reader, Some(self.id))?;
                reader.end()?;
                let bytes = message.bytes().len() + item.value.size() + ITEM;
                item.charge = match self.charge(bytes) {
                    Some(charge) => Some(charge),
                    None => return Ok(Answer::Refused(Refused::NoMemory)),
                };
                if queue.is_in(&item.value) {
                    return Err(Malformed("a queue is put into itself").into());
                }
                let put = || {
                    queue
                        .try_put(item)
                        .map_err(|(why, item)| (why, drop(item)).0)
                };
                self.outside(line, || refused_or(put().map(|()| Answer::Done)))
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
                let gone = self.let_go_of(id, received)?;
                self.outside(line, move || {
                    drop(gone);
                    drop(queue);
                    Answer::Done
                })
            }
            _ => Err(Malformed("a queue is asked for what there is not").into()),
        }
    }

    /// Room for so many bytes more; `None`: there is none.
    fn charge(&self, bytes: usize) -> Option<Charge> {
        let most = match self.memory_limit {
            0 => MOST_MEMORY,
            limit => limit,
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Charge::new(&self.queues.memory, bytes, most)
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

    /// Nothing stands for a queue in the worker, unless it was sent once more meanwhile.
    fn let_go_of(&self, id: u64, received: u64) -> subpy_wire::Result<Option<Queue>> {
        let mut all = self.queues.all();
        let known = all
            .get_mut(&id)
            .ok_or(Malformed("there is no such queue"))?;
        let left = known.1.checked_sub(received);
        known.1 = left.ok_or(Malformed("a queue was not received so often"))?;
        Ok(match known.1 {
            0 => all.remove(&id).map(|(queue, _)| queue),
            _ => None,
        })
    }
}

fn refused_or(done: Result<Answer, Refused>) -> Answer {
    done.unwrap_or_else(Answer::Refused)
}
