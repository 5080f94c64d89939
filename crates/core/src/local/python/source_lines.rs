//! Lines of the files that tracebacks name.

use std::collections::HashMap;
use std::ffi::c_int;

use crate::local::attach::Attached;
use crate::local::python::object::{Object, clear_exception};

/// The files of some tracebacks: what the host has run is known, other ones are asked for line by line.
pub(crate) struct Files<'a> {
    /// The source of what the host has run under a name.
    source_of: &'a dyn Fn(&str) -> Option<String>,
    known: HashMap<String, Option<Source>>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(source_of: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            source_of,
            known: HashMap::new(),
        }
    }

    /// One of this name is in a traceback.
    pub(crate) fn add(&mut self, name: String) {
        let source = |name: &String| (self.source_of)(name).map(Source::new);
        self.known.entry(name).or_insert_with_key(source);
    }

    /// The names and the texts of those that the host has run.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = self.known.iter();
        known.filter_map(|(name, source)| Some((&**name, &*source.as_ref()?.text)))
    }

    /// A line without its end; empty if it is not known. `line_of(name, number, globals)` knows those of other files.
    pub(crate) fn line(
        &self,
        py: Attached<'_>,
        name: &str,
        number: c_int,
        line_of: Option<&Object>,
        globals: impl FnOnce() -> Option<Object>,
    ) -> String {
        let of_python = || {
            let (name, number) = (Object::text(py, name)?, Object::int(py, number.into())?);
            let line = line_of?.call(py, &[&name, &number, &globals()?]);
            line.and_then(|line| line.to_text(py))
        };
        let line = match self.known.get(name) {
            _ if number <= 0 => None,
            Some(Some(source)) => source.line(number as usize).map(str::to_owned),
            _ => of_python(),
        };
        clear_exception(py);
        let line = line.unwrap_or_default();
        line.trim_end_matches(['\n', '\r']).to_owned()
    }
}

/// A text, and where its lines start.
struct Source {
    text: String,
    starts: Vec<usize>,
}

impl Source {
    fn new(text: String) -> Self {
        let bytes = text.as_bytes();
        let is_end = |at: &usize| match bytes[*at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let ends = (0..bytes.len()).filter(is_end).map(|at| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { text, starts }
    }

    /// The nth one, from 1 on.
    fn line(&self, number: usize) -> Option<&str> {
        let start = *self.starts.get(number - 1)?;
        let end = self.starts.get(number).copied();
        self.text.get(start..end.unwrap_or(self.text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_those_of_python_end() {
        let source = Source::new("a\nb\r\nc\rd\u{2028}\x0c\n\nlast".into());
        let lines = (1..=7).map(|number| source.line(number));
        let lines: Vec<&str> = lines.map_while(|line| line).collect();
        assert_eq!(
            lines,
            ["a\n", "b\r\n", "c\r", "d\u{2028}\x0c\n", "\n", "last"]
        );
    }

    #[test]
    fn a_source_is_asked_for_once() {
        let asked = std::cell::Cell::new(0);
        let source_of = |name: &str| {
            asked.set(asked.get() + 1);
            (name == "a.py").then(|| "x = 1\n".to_owned())
        };
        let mut files = Files::new(&source_of);
        for name in ["a.py", "b.py", "a.py", "b.py"] {
            files.add(name.into());
        }
        assert_eq!(files.sources().collect::<Vec<_>>(), [("a.py", "x = 1\n")]);
        assert_eq!(asked.get(), 2);
    }
}
