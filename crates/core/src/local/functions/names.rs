//! Names of a host's: `name` in a namespace, or `package.module:qualified.name`.
//!
//! What is kept of a name are the str objects that it is looked up with, never what was found: so a
//! function that is defined anew, or a module that is imported anew, is found at once.
//!
//! What is always in line here: without it setting a value takes 20 instructions more.

use std::cell::RefCell;
use std::rc::Rc;

use pyo3_ffi as ffi;

use crate::data::error::{Error, Result, Status};
use crate::local::attach::Attached;
use crate::local::cures::uninterned_names;
use crate::local::objects::namespaces::Namespace;
use crate::local::python::exception;
use crate::local::python::exception::{ATTRIBUTE_ERROR, MODULE_NOT_FOUND};
use crate::local::python::object::{Object, clear_exception, imported_as};

/// A name that is well-formed.
pub(crate) struct Name {
    text: Box<str>,
    /// `None`: a name of the namespace that is at hand.
    module: Option<Object>,
    /// The attributes from the module to the last one.
    way: Vec<Object>,
    last: Object,
}

/// How many names are kept. Each has its place by its hash; the latest one there is kept.
const KEPT: usize = 32;

/// The names that an interpreter was asked for. A look-up may run a script, which may call the host, which may ask for
/// another one: so who has a name keeps it alive.
pub(crate) struct Names(RefCell<Kept>);

struct Kept {
    names: [Option<Rc<Name>>; KEPT],
    /// Where the last one is: asked first.
    last: usize,
}

/// Why a look-up has found nothing.
pub(crate) enum Missing {
    Because(Error),
    /// An exception is set.
    Raised,
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::new(Status::InvalidArgument, message))
}

impl Names {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(Kept {
            names: [const { None }; KEPT],
            last: 0,
        }))
    }

    /// The name that `text` is. `what` says what for: "name", "callable".
    #[inline(always)]
    pub(crate) fn get(&self, py: Attached<'_>, text: &[u8], what: &str) -> Result<Rc<Name>> {
        let kept = self.0.borrow();
        match &kept.names[kept.last] {
            Some(name) if name.is(text) => Ok(name.clone()),
            _ => {
                drop(kept);
                self.look_up(py, text, what)
            }
        }
    }

    /// As [`get`](Self::get), for a name in a namespace only.
    #[inline(always)]
    pub(crate) fn plain(&self, py: Attached<'_>, text: &[u8]) -> Result<Rc<Name>> {
        let name = self.get(py, text, "name")?;
        if name.module.is_none() {
            return Ok(name);
        }
        let text = &name.text;
        let message = format!("name {text:?} has to be a name alone, without a module");
        invalid(message)
    }

    /// Makes it the last one.
    fn look_up(&self, py: Attached<'_>, text: &[u8], what: &str) -> Result<Rc<Name>> {
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let place = (hash ^ (hash >> 32)) as usize % KEPT;
        let there = self.0.borrow().names[place].clone();
        let name = match there.filter(|name| name.is(text)) {
            Some(name) => name,
            None => Rc::new(Name::parse(py, text, what)?),
        };
        let mut kept = self.0.borrow_mut();
        kept.last = place;
        let old = kept.names[place].replace(name.clone());
        drop(kept);
        drop(old);
        Ok(name)
    }
}

impl Name {
    #[inline(always)]
    fn is(&self, text: &[u8]) -> bool {
        self.text.as_bytes() == text
    }

    #[cold]
    fn parse(py: Attached<'_>, bytes: &[u8], what: &str) -> Result<Self> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            let text = String::from_utf8_lossy(bytes);
            return invalid(format!("{what} {text:?} is not UTF-8"));
        };
        let (module, qualified) = match text.split_once(':') {
            Some((module, qualified)) => (Some(module), qualified),
            None => (None, text),
        };
        let is_path = |path: &str| path.split('.').all(is_identifier);
        if !is_path(qualified) || !module.is_none_or(is_path) {
            return invalid(format!(
                "{what} {text:?} is neither a name nor package.module:qualified.name"
            ));
        }
        if module.is_none() && qualified.contains('.') {
            return invalid(format!(
                "{what} {text:?} needs a colon after its module, as in package.module:name; for an \
                 attribute of something in __main__, write __main__:{text}"
            ));
        }
        let no_memory = || {
            clear_exception(py);
            Error::new(Status::NoMemory, format!("no memory for {what} {text:?}"))
        };
        let object = |part: &str| uninterned_names::name(py, part).ok_or_else(no_memory);
        let (way, last) = qualified.rsplit_once('.').unwrap_or(("", qualified));
        let way = way.split_terminator('.').map(object);
        Ok(Self {
            module: module.map(object).transpose()?,
            way: way.collect::<Result<_>>()?,
            last: object(last)?,
            text: text.into(),
        })
    }

    /// Finds what has this name.
    #[inline(always)]
    pub(crate) fn find(
        &self,
        py: Attached<'_>,
        namespace: &Namespace,
    ) -> std::result::Result<Object, Missing> {
        if let Some(module) = &self.module {
            return self.find_in(py, module);
        }
        // SAFETY: attached; a dict and a str. The result is borrowed, and kept at once.
        let found = unsafe {
            let found =
                ffi::PyDict_GetItemWithError(namespace.globals().as_ptr(), self.last.as_ptr());
            Object::borrowed(py, found)
        };
        found.ok_or_else(|| self.missing(py, namespace.name()))
    }

    /// What it is called in its namespace.
    pub(crate) fn last(&self) -> &Object {
        &self.last
    }

    fn find_in(&self, py: Attached<'_>, name: &Object) -> std::result::Result<Object, Missing> {
        // SAFETY: attached; strs. Results are new, or NULL.
        unsafe {
            let mut found = module(py, name)?;
            let mut place = name.to_text(py).unwrap_or_default();
            for attribute in self.way.iter().chain([&self.last]) {
                let next = ffi::PyObject_GetAttr(found.as_ptr(), attribute.as_ptr());
                match Object::owned(py, next) {
                    Some(next) => found = next,
                    None if ATTRIBUTE_ERROR.is_set(py) => {
                        clear_exception(py);
                        let part = attribute.to_text(py).unwrap_or_default();
                        return Err(self.missing_part(&part, &place));
                    }
                    None => return Err(Missing::Raised),
                }
                place = format!("{place}.{}", attribute.to_text(py).unwrap_or_default());
            }
            Ok(found)
        }
    }

    #[cold]
    fn missing(&self, py: Attached<'_>, place: &str) -> Missing {
        if exception::is_set(py) {
            return Missing::Raised;
        }
        self.missing_part(&self.text, place)
    }

    #[cold]
    fn missing_part(&self, part: &str, place: &str) -> Missing {
        let message = format!("there is no {part:?} in {place}");
        Missing::Because(Error::new(Status::NotFound, message))
    }
}

/// The module of this name, which is imported if it is not yet.
#[inline]
pub(crate) fn module(py: Attached<'_>, name: &Object) -> std::result::Result<Object, Missing> {
    match imported_as(py, name) {
        Some(module) => Ok(module),
        None if exception::is_set(py) => Err(Missing::Raised),
        None => import(py, name),
    }
}

/// Imports a module that is not imported yet.
#[cold]
fn import(py: Attached<'_>, name: &Object) -> std::result::Result<Object, Missing> {
    // SAFETY: attached; a str. The result is new.
    let module = unsafe { Object::owned(py, ffi::PyImport_Import(name.as_ptr())) };
    if module.is_none() {
        if let Some(why) = not_there(py, name) {
            return Err(Missing::Because(Error::new(Status::NotFound, why)));
        }
        return Err(Missing::Raised);
    }
    // What `PyImport_Import` returns of a dotted name is the module itself.
    module.ok_or(Missing::Raised)
}

/// Whether an import has failed because there is no such module, and not inside of one: then Python's
/// words for it, and the exception is not set any more.
#[cold]
pub(crate) fn not_there(py: Attached<'_>, name: &Object) -> Option<String> {
    if !MODULE_NOT_FOUND.is_set(py) {
        return None;
    }
    let raised = exception::raised(py)?;
    let missing = raised
        .attribute(py, c"name")
        .and_then(|name| name.to_text(py));
    let asked = name.to_text(py).unwrap_or_default();
    let is_it = missing.is_some_and(|missing| {
        asked
            .strip_prefix(&*missing)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    exception::restore(py, raised);
    is_it.then(|| exception::one_line(py))
}

/// Whether it can be a name in Python; some of what only Unicode's tables can tell is let through.
pub(crate) fn is_identifier(part: &str) -> bool {
    let mut letters = part.chars();
    let is_first = |c: char| c.is_alphabetic() || c == '_' || c > '\u{7f}';
    letters.next().is_some_and(is_first) && letters.all(|c| c.is_alphanumeric() || is_first(c))
}

#[cfg(test)]
mod tests {
    use super::is_identifier;

    #[test]
    fn identifiers() {
        for good in ["x", "_", "x1", "__main__", "größe", "名"] {
            assert!(is_identifier(good), "{good}");
        }
        for bad in ["", "1x", "a b", "a-b", "a.b", "a\0", "a:b"] {
            assert!(!is_identifier(bad), "{bad}");
        }
    }
}
