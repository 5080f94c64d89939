//! The queues that scripts of a worker have: their host's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use subpy_wire::{QueueRules, Reader, Writer};

use super::of_host::{OfHost, of_host};
use super::{Worker, child};
use crate::data::queue::far::FarQueues;
use crate::data::queue::{Item, Refused, Rules, WaitLimit};
use crate::local::enter;
use crate::process::channel::Sending;
use crate::process::items::{codes, read_got_item, write_item};
use crate::process::message::Message;
use crate::process::options::write_time;
use crate::process::protocol::{replies, wants};
use crate::process::queues::{rules_of, write_rules};
use crate::process::values::Checked;

/// The host is asked to wait so long at once: what this side wants meanwhile is seen then.
const SLICE: Duration = Duration::from_millis(100);

impl Worker {
    fn want_of_queue(
        self: &Arc<Self>,
        code: u8,
        write: impl FnOnce(&mut Writer<Sending<'_>>),
    ) -> Arc<Message> {
        self.want(|writer| {
            writer.byte(wants::QUEUE);
            writer.byte(code);
            write(writer);
        })
    }
}

/// What the host has said of one, if it has not refused it.
fn said<T>(
    reply: &Message,
    read: impl FnOnce(&mut Reader<'_>) -> subpy_wire::Result<T>,
) -> Result<T, Refused> {
    let mut reader = Reader::new(reply.bytes());
    let code = reader.byte();
    match code {
        Ok(replies::DONE) => read(&mut reader).map_err(|_| Refused::Closed),
        Ok(replies::TIME_OVER) => Err(Refused::TimeOver),
        Ok(replies::STOPPED) => Err(Refused::Stopped),
        Ok(replies::NO_MEMORY) => Err(Refused::NoMemory),
        _ => Err(Refused::Closed),
    }
}

/// Has the host wait, piece by piece, until it is done or the time is over.
fn wait<T>(
    limit: &WaitLimit<'_>,
    ask: impl Fn(Duration) -> Result<T, Refused>,
) -> Result<T, Refused> {
    loop {
        let left = limit
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        match ask(left.map_or(SLICE, |left| left.min(SLICE))) {
            Err(Refused::TimeOver) => {
                if let Some(why) = limit.is_over() {
                    return Err(why);
                }
            }
            // The host knows it first.
            Err(Refused::Stopped) => {
                while (limit.keeps_waiting)() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                return Err(Refused::Stopped);
            }
            done => return done,
        }
    }
}

impl FarQueues for Arc<Worker> {
    fn create(&self, rules: &Rules) -> Option<u64> {
        if child::is_one() {
            return None;
        }
        let reply = self.want_of_queue(codes::CREATE, |writer| write_rules(rules).write(writer));
        said(&reply, |reader| reader.u64()).ok()
    }

    fn find(&self, id: u64) -> Option<Rules> {
        if child::is_one() {
            return None;
        }
        let reply = self.want_of_queue(codes::FIND, |writer| writer.u64(id));
        let rules = said(&reply, |reader| reader.option(QueueRules::read));
        rules.ok()?.map(|rules| rules_of(&rules, None))
    }

    fn put(&self, id: u64, item: Item, limit: &WaitLimit<'_>) -> Result<(), (Refused, Item)> {
        let Ok(value) = Checked::of_python(item.value.get()) else {
            return Err((Refused::NoMemory, item));
        };
        if child::is_one() {
            drop(value);
            return Err((Refused::Closed, item));
        }
        let put = || {
            let reply = self.want_of_queue(codes::PUT, |writer| {
                writer.u64(id);
                write_item(writer, &item, &value, &OfHost);
            });
            said(&reply, |_| Ok(()))
        };
        let wait_for_room = |time| {
            let reply = self.want_of_queue(codes::WAIT_FOR_ROOM, |writer| {
                writer.u64(id);
                write_time(writer, time);
            });
            said(&reply, |_| Ok(()))
        };
        let done = loop {
            match put() {
                Err(Refused::TimeOver) => match wait(limit, wait_for_room) {
                    Ok(()) => {}
                    Err(why) => break Err(why),
                },
                done => break done,
            }
        };
        drop(value);
        done.map_err(|why| (why, item))
    }

    fn get(&self, id: u64, limit: &WaitLimit<'_>) -> Result<Item, Refused> {
        if child::is_one() {
            return Err(Refused::Closed);
        }
        wait(limit, |time| {
            let reply = self.want_of_queue(codes::GET, |writer| {
                writer.u64(id);
                write_time(writer, time);
            });
            said(&reply, |reader| read_got_item(&of_host(&reply), reader))
        })
    }

    fn look(&self, id: u64) -> (usize, bool) {
        if child::is_one() {
            return (0, true);
        }
        let reply = self.want_of_queue(codes::LOOK, |writer| writer.u64(id));
        let look = said(&reply, |reader| Ok((reader.size()?, reader.flag()?)));
        look.unwrap_or((0, true))
    }

    fn close(&self, id: u64) {
        if !child::is_one() {
            self.want_of_queue(codes::CLOSE, |writer| writer.u64(id));
        }
    }

    fn let_go(&self, id: u64, received: u64) {
        if child::is_one() {
            return;
        }
        enter::for_host(|| {
            self.want_of_queue(codes::LET_GO, |writer| {
                writer.u64(id);
                writer.u64(received);
            })
        });
    }
}
