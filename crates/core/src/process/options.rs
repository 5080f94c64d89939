//! Options and configs, as messages have them. The host itself sees to it that a run keeps to its time.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use subpy_wire::{Malformed, Reader, Sink, Writer};

use crate::data::config::{
    Budget, CacheLimits, CallOptions, FileOptions, InterpreterConfig, RunOptions, RuntimeConfig,
};
use crate::data::conversion::{Buffers, Conversion, Objects};
use crate::data::id::Id;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::object_use::ObjectUse;

/// The run may use no more than `budget`, either.
pub(super) fn write_run<S: Sink>(writer: &mut Writer<S>, options: &RunOptions<'_>, budget: Budget) {
    let budget = options.budget.within(budget);
    let has = [
        options.filename.is_some(),
        options.measure || options.timeout.is_some(),
        budget.cpu.is_some(),
        budget.output.is_some(),
        options.in_namespace.is_some(),
    ];
    writer.flags(has);
    options.filename.iter().for_each(|name| writer.text(name));
    budget.cpu.iter().for_each(|time| write_time(writer, *time));
    budget.output.iter().for_each(|bytes| writer.u64(*bytes));
    let name = options.in_namespace;
    name.iter().for_each(|name| writer.text(name));
}

pub(super) fn read_run<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<RunOptions<'a>> {
    let [has_filename, measure, has_cpu, has_output, has_namespace] = reader.flags()?;
    let filename = has_filename.then(|| reader.text()).transpose()?;
    let cpu = has_cpu.then(|| read_time(reader)).transpose()?;
    let output = has_output.then(|| reader.u64()).transpose()?;
    let in_namespace = has_namespace.then(|| reader.text()).transpose()?;
    Ok(RunOptions {
        filename,
        measure,
        budget: Budget { cpu, output },
        in_namespace,
        ..RunOptions::DEFAULT
    })
}

pub(super) fn write_file<S: Sink>(
    writer: &mut Writer<S>,
    options: &FileOptions<'_>,
    budget: Budget,
) {
    write_run(writer, &options.run, budget);
    writer.option(options.arguments, |writer, arguments| {
        writer.size(arguments.len());
        arguments.iter().for_each(|argument| writer.text(argument));
    });
}

/// The options, and the arguments.
pub(super) fn read_file<'a>(
    reader: &mut Reader<'a>,
) -> subpy_wire::Result<(RunOptions<'a>, Option<Vec<&'a str>>)> {
    let run = read_run(reader)?;
    let arguments = reader.option(|reader| {
        let arguments = (0..reader.count()?).map(|_| reader.text());
        arguments.collect()
    })?;
    Ok((run, arguments))
}

pub(super) fn write_call<S: Sink>(
    writer: &mut Writer<S>,
    options: &CallOptions<'_>,
    budget: Budget,
) {
    write_run(writer, &options.run, budget);
    writer.option(options.conversion.as_ref(), write_conversion);
}

pub(super) fn read_call<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<CallOptions<'a>> {
    Ok(CallOptions {
        run: read_run(reader)?,
        conversion: reader.option(read_conversion)?,
    })
}

pub(super) fn write_use<S: Sink>(writer: &mut Writer<S>, what: ObjectUse<'_>) {
    let (number, name) = match what {
        ObjectUse::Call => (0, ""),
        ObjectUse::CallMethod(name) => (1, name),
        ObjectUse::Get(name) => (2, name),
        ObjectUse::Set(name) => (3, name),
        ObjectUse::Item => (4, ""),
        ObjectUse::Next => (5, ""),
        ObjectUse::Value => (6, ""),
        ObjectUse::Text => (7, ""),
        ObjectUse::Run => (8, ""),
    };
    writer.byte(number);
    writer.text(name);
}

pub(super) fn read_use<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<ObjectUse<'a>> {
    let (number, name) = (reader.byte()?, reader.text()?);
    Ok(match number {
        0 => ObjectUse::Call,
        1 => ObjectUse::CallMethod(name),
        2 => ObjectUse::Get(name),
        3 => ObjectUse::Set(name),
        4 => ObjectUse::Item,
        5 => ObjectUse::Next,
        6 => ObjectUse::Value,
        7 => ObjectUse::Text,
        8 => ObjectUse::Run,
        _ => return Err(Malformed("there is no such use of an object")),
    })
}

pub(super) fn write_conversion<S: Sink>(writer: &mut Writer<S>, conversion: &Conversion) {
    let (lossless_text, pin_bytes) = (conversion.lossless_text, conversion.pin_bytes);
    writer.flags([
        lossless_text,
        pin_bytes,
        conversion.strided,
        conversion.exact,
        conversion.convert,
    ]);
    writer.byte(match conversion.objects {
        Objects::None => 0,
        Objects::Others => 1,
        Objects::Itself => 2,
    });
    writer.byte(match conversion.buffers {
        Buffers::All => 0,
        Buffers::Views => 1,
        Buffers::None => 2,
    });
}

pub(super) fn read_conversion(reader: &mut Reader<'_>) -> subpy_wire::Result<Conversion> {
    let [lossless_text, pin_bytes, strided, exact, convert] = reader.flags()?;
    let objects = match reader.byte()? {
        0 => Objects::None,
        1 => Objects::Others,
        2 => Objects::Itself,
        _ => return Err(Malformed("there are no such objects")),
    };
    Ok(Conversion {
        lossless_text,
        pin_bytes,
        strided,
        exact,
        convert,
        objects,
        buffers: match reader.byte()? {
            0 => Buffers::All,
            1 => Buffers::Views,
            2 => Buffers::None,
            _ => return Err(Malformed("there are no such buffers")),
        },
    })
}

/// `taken`: whether its stdout, its stderr and its stdin are taken.
pub(super) fn write_config<S: Sink>(
    writer: &mut Writer<S>,
    config: &InterpreterConfig,
    taken: [bool; 3],
) {
    writer.flags(taken);
    writer.size(config.arguments.len());
    config.arguments.iter().for_each(|text| writer.text(text));
    write_paths(writer, &config.search_paths);
    writer.flag(config.output_bytes);
    writer.size(config.code_cache.entries);
    writer.size(config.code_cache.bytes);
    writer.u64(config.memory_limit);
    writer.u64(config.thread_limit.into());
    writer.u64(config.recursion_limit.into());
    writer.flag(config.allow_fork);
    writer.flag(config.allow_exec);
    writer.flag(config.allow_threads);
    writer.flag(config.allow_daemon_threads);
    writer.flag(config.core_dumps);
}

/// With whether its stdout, its stderr and its stdin are taken.
pub(super) fn read_config(
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<(InterpreterConfig, [bool; 3])> {
    let taken = reader.flags()?;
    let config = InterpreterConfig {
        arguments: read_texts(reader)?,
        search_paths: read_paths(reader)?,
        output_bytes: reader.flag()?,
        code_cache: CacheLimits {
            entries: reader.size()?,
            bytes: reader.size()?,
        },
        memory_limit: reader.u64()?,
        thread_limit: reader.u64()? as u32,
        recursion_limit: reader.u64()? as u32,
        allow_fork: reader.flag()?,
        allow_exec: reader.flag()?,
        allow_threads: reader.flag()?,
        allow_daemon_threads: reader.flag()?,
        core_dumps: reader.flag()?,
        ..InterpreterConfig::default()
    };
    Ok((config, taken))
}

/// What a zygote has to know of it.
pub(super) fn write_runtime<S: Sink>(writer: &mut Writer<S>, config: &RuntimeConfig) {
    for path in [&config.program_name, &config.home, &config.executable] {
        writer.option(path.as_deref(), write_path);
    }
    write_paths(writer, &config.module_search_paths);
    writer.flag(config.isolated);
    writer.flag(config.import_site);
    writer.flag(config.account_memory);
    writer.flag(config.ignore_sigpipe);
    writer.flag(config.forbid_patches);
    writer.size(config.preload.len());
    config.preload.iter().for_each(|name| writer.text(name));
}

pub(super) fn read_runtime(reader: &mut Reader<'_>) -> subpy_wire::Result<RuntimeConfig> {
    Ok(RuntimeConfig {
        program_name: reader.option(read_path)?,
        home: reader.option(read_path)?,
        executable: reader.option(read_path)?,
        module_search_paths: read_paths(reader)?.into(),
        isolated: reader.flag()?,
        import_site: reader.flag()?,
        account_memory: reader.flag()?,
        ignore_sigpipe: reader.flag()?,
        forbid_patches: reader.flag()?,
        preload: read_texts(reader)?.into(),
        allow_main: true,
        ..RuntimeConfig::default()
    })
}

fn write_path<S: Sink>(writer: &mut Writer<S>, path: &Path) {
    writer.bytes(path.as_os_str().as_bytes());
}

fn write_paths<S: Sink>(writer: &mut Writer<S>, paths: &[PathBuf]) {
    writer.size(paths.len());
    paths.iter().for_each(|path| write_path(writer, path));
}

fn read_paths(reader: &mut Reader<'_>) -> subpy_wire::Result<Vec<PathBuf>> {
    (0..reader.count()?).map(|_| read_path(reader)).collect()
}

fn read_texts(reader: &mut Reader<'_>) -> subpy_wire::Result<Vec<String>> {
    let texts = (0..reader.count()?).map(|_| Ok(reader.text()?.to_owned()));
    texts.collect()
}

fn read_path(reader: &mut Reader<'_>) -> subpy_wire::Result<PathBuf> {
    Ok(OsStr::from_bytes(reader.bytes()?).into())
}

pub(super) fn write_time<S: Sink>(writer: &mut Writer<S>, time: Duration) {
    writer.u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

pub(super) fn read_time(reader: &mut Reader<'_>) -> subpy_wire::Result<Duration> {
    reader.u64().map(Duration::from_nanos)
}

/// Whether to wait on is asked where it is waited.
pub(super) fn write_end<S: Sink>(writer: &mut Writer<S>, ending: &EndOptions<'_>) {
    write_time(writer, ending.timeout);
    writer.flags([ending.stop_threads, ending.exit_functions_first]);
}

pub(super) fn read_end(reader: &mut Reader<'_>) -> subpy_wire::Result<EndOptions<'static>> {
    let timeout = read_time(reader)?;
    let [stop_threads, exit_functions_first] = reader.flags()?;
    Ok(EndOptions {
        exit_functions_first,
        ..EndOptions::within(timeout, stop_threads)
    })
}

/// Where it imports from; `None`: from where the zygote does.
pub(super) fn write_places<S: Sink>(writer: &mut Writer<S>, places: Option<&[String]>) {
    writer.option(places, |writer, places| {
        writer.size(places.len());
        places.iter().for_each(|place| writer.text(place));
    });
}

pub(super) fn read_places(reader: &mut Reader<'_>) -> subpy_wire::Result<Option<Vec<String>>> {
    reader.option(read_texts)
}

/// The id that it has, if its scripts may create interpreters.
pub(super) fn write_creator<S: Sink>(writer: &mut Writer<S>, id: Option<Id>) {
    writer.option(id, |writer, id| write_id(writer, id));
}

pub(super) fn read_creator(reader: &mut Reader<'_>) -> subpy_wire::Result<Option<Id>> {
    reader.option(read_id)
}

pub(super) fn write_id<S: Sink>(writer: &mut Writer<S>, id: Id) {
    writer.u64(id.get() as u64);
}

pub(super) fn read_id(reader: &mut Reader<'_>) -> subpy_wire::Result<Id> {
    reader.u64().map(|id| Id::new(id as i64))
}

/// `None`: it is what the zygote has.
pub(super) fn write_environment<S: Sink>(
    writer: &mut Writer<S>,
    environment: Option<&[(OsString, OsString)]>,
) {
    writer.option(environment, |writer, environment| {
        writer.size(environment.len());
        for (name, value) in environment {
            writer.bytes(name.as_bytes());
            writer.bytes(value.as_bytes());
        }
    });
}

/// The names and the values.
type Environment<'a> = Vec<(&'a [u8], &'a [u8])>;

pub(super) fn read_environment<'a>(
    reader: &mut Reader<'a>,
) -> subpy_wire::Result<Option<Environment<'a>>> {
    reader.option(|reader| {
        let pairs = (0..reader.count()?).map(|_| Ok((reader.bytes()?, reader.bytes()?)));
        pairs.collect()
    })
}
