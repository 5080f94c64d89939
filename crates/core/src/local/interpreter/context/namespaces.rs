//! Namespaces of an interpreter: they are added and removed, and something is done in one.

use std::ffi::CString;

use super::Context;
use crate::data::config::RunOptions;
use crate::data::error::{Error, Result, Status};
use crate::local::functions::names::is_identifier;
use crate::local::python::object::{Object, imported_as};

impl Context<'_> {
    /// Does `work` in the namespace of this name.
    #[inline]
    pub(crate) fn in_namespace<T>(
        &self,
        name: &str,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let namespaces = &self.owner.namespaces;
        let found = namespaces
            .find(name)
            .ok_or_else(|| self.no_namespace(name))?;
        let running = namespaces.begin(found);
        work(&Context {
            namespace: running.namespace(),
            ..*self
        })
    }

    /// What runs in a namespace comes from the file that the options name.
    #[inline]
    pub(crate) fn name_file(&self, options: &RunOptions<'_>) -> Result<()> {
        match (options.in_namespace, options.filename) {
            (Some(_), Some(file)) => {
                let named = self.namespace.set_file(self.py, file);
                named.ok_or_else(|| self.raised())
            }
            _ => Ok(()),
        }
    }

    /// Adds a namespace.
    pub(crate) fn add_namespace(&self, name: &str) -> Result<()> {
        let invalid = |message| Err(Error::new(Status::InvalidArgument, message));
        let c_name = CString::new(name).ok().filter(|_| is_identifier(name));
        let Some(c_name) = c_name else {
            return invalid(format!(
                "name {name:?} can't be a namespace's: it has to be one that a Python module can have, without dots"
            ));
        };
        let add = || {
            let key = Object::text(self.py, name)?;
            // (A script may have removed it from what is imported.)
            let is_there = self.owner.namespaces.find(name).is_some();
            if is_there || imported_as(self.py, &key).is_some() {
                return Some(false);
            }
            self.owner.namespaces.add(self.py, &c_name)?;
            Some(true)
        };
        match add() {
            Some(true) => Ok(()),
            Some(false) => invalid(format!(
                "there is a module or namespace {name:?} already: choose another name"
            )),
            None => Err(self.raised()),
        }
    }

    /// Removes a namespace, with what only it has.
    pub(crate) fn remove_namespace(&self, name: &str) -> Result<()> {
        let namespaces = &self.owner.namespaces;
        let found = namespaces
            .find(name)
            .ok_or_else(|| self.no_namespace(name))?;
        if found.is_running() {
            let message = format!("namespace {name:?} is running: wait until its run has ended");
            return Err(Error::new(Status::Busy, message));
        }
        namespaces.remove(self.py, &found);
        Ok(())
    }

    #[cold]
    fn no_namespace(&self, name: &str) -> Error {
        let message = format!("there is no namespace {name:?}: add it first");
        Error::new(Status::NotFound, message)
    }
}
