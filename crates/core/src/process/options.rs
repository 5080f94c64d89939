//! Options and configs, as messages have them. The host itself sees to it that a run keeps to its time.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use subpy_wire::{Malformed, Reader, Sink, Writer};

use crate::data::config::{
    Budget, CacheLimits, CallOptions, InterpreterConfig, RunOptions, RuntimeConfig,
};
use crate::data::conversion::{Buffers, Conversion};

/// The run may use no more than `budget`, either.
pub(super) fn write_run<S: Sink>(writer: &mut Writer<S>, options: &RunOptions<'_>, budget: Budget) {
    let budget = options.budget.within(budget);
    writer.flag(options.filename.is_some());
    writer.text(options.filename.unwrap_or_default());
    writer.flag(options.measure || options.timeout.is_some());
    write_time(writer, budget.cpu);
    writer.flag(budget.output.is_some());
    writer.u64(budget.output.unwrap_or_default());
}

pub(super) fn read_run<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<RunOptions<'a>> {
    let has_name = reader.flag()?;
    let filename = reader.text()?;
    let measure = reader.flag()?;
    let cpu = read_time(reader)?;
    let has_output = reader.flag()?;
    let output = reader.u64()?;
    Ok(RunOptions {
        filename: has_name.then_some(filename),
        measure,
        budget: Budget {
            cpu,
            output: has_output.then_some(output),
        },
        ..RunOptions::DEFAULT
    })
}

pub(super) fn write_call<S: Sink>(
    writer: &mut Writer<S>,
    options: &CallOptions<'_>,
    budget: Budget,
) {
    write_run(writer, &options.run, budget);
    writer.flag(options.conversion.is_some());
    write_conversion(writer, &options.conversion.unwrap_or_default());
}

pub(super) fn read_call<'a>(reader: &mut Reader<'a>) -> subpy_wire::Result<CallOptions<'a>> {
    let run = read_run(reader)?;
    let has_conversion = reader.flag()?;
    let conversion = read_conversion(reader)?;
    Ok(CallOptions {
        conversion: has_conversion.then_some(conversion),
        run,
    })
}

pub(super) fn write_conversion<S: Sink>(writer: &mut Writer<S>, conversion: &Conversion) {
    writer.flag(conversion.lossless_text);
    writer.flag(conversion.pin_bytes);
    writer.flag(conversion.strided);
    writer.byte(match conversion.buffers {
        Buffers::All => 0,
        Buffers::Views => 1,
        Buffers::None => 2,
    });
    writer.flag(conversion.exact);
}

pub(super) fn read_conversion(reader: &mut Reader<'_>) -> subpy_wire::Result<Conversion> {
    Ok(Conversion {
        lossless_text: reader.flag()?,
        pin_bytes: reader.flag()?,
        strided: reader.flag()?,
        buffers: match reader.byte()? {
            0 => Buffers::All,
            1 => Buffers::Views,
            2 => Buffers::None,
            _ => return Err(Malformed("there are no such buffers")),
        },
        exact: reader.flag()?,
    })
}

/// `taken`: whether its stdout and its stderr are taken.
pub(super) fn write_config<S: Sink>(
    writer: &mut Writer<S>,
    config: &InterpreterConfig,
    taken: (bool, bool),
) {
    writer.flag(taken.0);
    writer.flag(taken.1);
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

/// With whether its stdout and its stderr are taken.
pub(super) fn read_config(
    reader: &mut Reader<'_>,
) -> subpy_wire::Result<(InterpreterConfig, (bool, bool))> {
    let taken = (reader.flag()?, reader.flag()?);
    let config = InterpreterConfig {
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
        writer.flag(path.is_some());
        write_path(writer, path.as_deref().unwrap_or(Path::new("")));
    }
    writer.size(config.module_search_paths.len());
    for path in &*config.module_search_paths {
        write_path(writer, path);
    }
    writer.flag(config.isolated);
    writer.flag(config.import_site);
    writer.flag(config.account_memory);
    writer.flag(config.ignore_sigpipe);
    writer.flag(config.forbid_patches);
    writer.size(config.preload.len());
    config.preload.iter().for_each(|name| writer.text(name));
}

pub(super) fn read_runtime(reader: &mut Reader<'_>) -> subpy_wire::Result<RuntimeConfig> {
    let mut paths = [None, None, None];
    for path in &mut paths {
        let is_there = reader.flag()?;
        let there = read_path(reader)?;
        *path = is_there.then_some(there);
    }
    let [program_name, home, executable] = paths;
    let places = (0..reader.count()?).map(|_| read_path(reader));
    let module_search_paths = places.collect::<subpy_wire::Result<_>>()?;
    Ok(RuntimeConfig {
        program_name,
        home,
        executable,
        module_search_paths,
        isolated: reader.flag()?,
        import_site: reader.flag()?,
        account_memory: reader.flag()?,
        ignore_sigpipe: reader.flag()?,
        forbid_patches: reader.flag()?,
        preload: {
            let names = (0..reader.count()?).map(|_| Ok(reader.text()?.to_owned()));
            names.collect::<subpy_wire::Result<_>>()?
        },
        allow_main: true,
        ..RuntimeConfig::default()
    })
}

fn write_path<S: Sink>(writer: &mut Writer<S>, path: &Path) {
    writer.bytes(path.as_os_str().as_bytes());
}

fn read_path(reader: &mut Reader<'_>) -> subpy_wire::Result<PathBuf> {
    Ok(OsStr::from_bytes(reader.bytes()?).into())
}

pub(super) fn write_time<S: Sink>(writer: &mut Writer<S>, time: Option<Duration>) {
    writer.flag(time.is_some());
    let nanoseconds = time.unwrap_or_default().as_nanos();
    writer.u64(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
}

pub(super) fn read_time(reader: &mut Reader<'_>) -> subpy_wire::Result<Option<Duration>> {
    let is_there = reader.flag()?;
    let time = Duration::from_nanos(reader.u64()?);
    Ok(is_there.then_some(time))
}

/// `None`: it is what the zygote has.
pub(super) fn write_environment<S: Sink>(
    writer: &mut Writer<S>,
    environment: Option<&[(OsString, OsString)]>,
) {
    writer.flag(environment.is_some());
    let environment = environment.unwrap_or_default();
    writer.size(environment.len());
    for (name, value) in environment {
        writer.bytes(name.as_bytes());
        writer.bytes(value.as_bytes());
    }
}

/// The names and the values.
type Environment<'a> = Vec<(&'a [u8], &'a [u8])>;

pub(super) fn read_environment<'a>(
    reader: &mut Reader<'a>,
) -> subpy_wire::Result<Option<Environment<'a>>> {
    let is_there = reader.flag()?;
    let pairs = (0..reader.count()?).map(|_| Ok((reader.bytes()?, reader.bytes()?)));
    let pairs = pairs.collect::<subpy_wire::Result<_>>()?;
    Ok(is_there.then_some(pairs))
}
