//! An interpreter as the owner of the objects that we make in it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use pyo3_ffi::{PyInterpreterState, PyObject};

use crate::data::id::Id;
use crate::data::object_handle::Home;
use crate::local::attach;
use crate::local::attach::Attached;
use crate::local::memory::account::Account;
use crate::local::objects::library::Library;
use crate::local::objects::namespaces::{Namespace, Namespaces};
use crate::local::objects::release::Loans;
use crate::local::python::object::Object;

/// `None`: an exception is set.
pub(crate) type MakeType = fn(Attached<'_>, &Rc<Owner>) -> Option<Object>;

/// Does some work in the interpreter with this id, which lives, in whatever thread. Nothing is done if Python has ended.
pub(crate) type Access = fn(Id, work: &mut dyn FnMut());

/// Shared by what is kept of an interpreter and by the objects that we have made in it. Touched only
/// while the interpreter is attached, which is also what counts its references.
pub(crate) struct Owner {
    pub(crate) id: Id,
    /// Where the interpreter's memory is counted.
    pub(crate) account: Option<&'static Account>,
    /// Compared. Threads attach to it while something keeps it from being ended.
    pub(crate) python: *mut PyInterpreterState,
    pub(crate) access: Access,
    /// The types of our objects, made when they are first needed.
    pub(crate) function_type: OnceCell<Object>,
    pub(crate) memory_type: OnceCell<Object>,
    pub(crate) queue_type: OnceCell<Object>,
    /// Makes that one.
    pub(crate) make_queue_type: Cell<Option<MakeType>>,
    /// The object of each queue, by its id: borrowed, an object takes itself out.
    pub(crate) queues: RefCell<BTreeMap<u64, *mut PyObject>>,
    /// The classes of Python's library that it has used.
    pub(crate) library: Library,
    /// How many buffers of the interpreter's objects the host holds: it can't be ended meanwhile.
    pub(crate) pins: Cell<usize>,
    /// What it has borrowed of the host.
    pub(crate) loans: Loans,
    pub(crate) namespaces: Namespaces,
    /// Of the objects that a host has handles of.
    pub(crate) home: Arc<Home>,
}

impl Owner {
    /// Of the attached interpreter.
    pub(crate) fn new(
        _: Attached<'_>,
        home: &Arc<Home>,
        account: Option<&'static Account>,
        access: Access,
        main: &Namespace,
    ) -> Rc<Self> {
        Rc::new(Self {
            id: home.id,
            home: home.clone(),
            account,
            python: attach::attached_interpreter(),
            access,
            function_type: OnceCell::new(),
            memory_type: OnceCell::new(),
            queue_type: OnceCell::new(),
            make_queue_type: Cell::new(None),
            queues: RefCell::default(),
            library: Library::default(),
            pins: Cell::new(0),
            loans: Loans::default(),
            namespaces: Namespaces::new(main),
        })
    }
}
