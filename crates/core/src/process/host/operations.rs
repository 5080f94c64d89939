//! What its scripts do with interpreters is done here: the ids that they use are this process's.

use subpy_wire::{Malformed, Reader, Writer};

use super::Remote;
use crate::data::error::Result;
use crate::data::tree::OwnedValue;
use crate::local::enter;
use crate::process::channel::Broken;
use crate::process::lines::Line;
use crate::process::protocol::replies;
use crate::process::values::{Checked, Received};
use crate::process::{failures, operations};

impl Remote {
    /// Does what a script wants. The answer is the reply.
    pub(super) fn operate(
        &self,
        line: &mut Line<'_>,
        received: &Received<'_>,
        reader: &mut Reader<'_>,
    ) -> std::result::Result<Vec<u8>, Broken> {
        self.check_may_create()?;
        let done = operations::read(received, reader, |operation| {
            let operate = || (self.creator.operate)(self.id, operation);
            line.lend(|| enter::for_far_call(self.id, operate))
        })??;
        Ok(self.reply(&done))
    }

    /// Fails for one that its host lets create nothing: its scripts have no package that asks for it.
    pub(super) fn check_may_create(&self) -> subpy_wire::Result<()> {
        match self.may_create {
            true => Ok(()),
            false => Err(Malformed("its scripts may not create interpreters")),
        }
    }

    fn reply(&self, done: &Result<OwnedValue>) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        let value = done.as_ref().map(|value| Checked::new(value.get()));
        match value {
            Ok(Ok(value)) => {
                writer.byte(replies::VALUE);
                value.write(&mut writer, self);
            }
            Ok(Err(error)) => {
                writer.byte(replies::FAILED);
                failures::write(&mut writer, &error.into_plain_error("result"));
            }
            Err(error) => {
                writer.byte(replies::FAILED);
                failures::write(&mut writer, error);
            }
        }
        writer.into_sink()
    }
}
