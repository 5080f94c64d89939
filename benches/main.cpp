// The raw C API, subpy's C and subpy's C++ do the same work, side by side in one process. subpy
// starts Python; the raw side makes thread states and interpreters of its own in it.
//
//     subpy_bench [Google Benchmark's options]
//     subpy_bench alone [...]      without subpy: the raw ones alone are to be selected
//     subpy_bench counted [...]    with account_memory
//     subpy_bench alive raw|subpy COUNT [no-site]
//     subpy_bench processes subpy|local life|memory|calls|ends|numpy|alive|cycles COUNT [MODULE...]
//     subpy_bench script FILE REPETITIONS          runs it, in an interpreter that may create others
//     subpy_bench source short|busy|large          prints that program
#include "alive.hpp"
#include "parallel.hpp"
#include "processes_main.hpp"
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

/// Runs a file in Python, which gets `repetitions` and prints its results.
static int run_script(const char *file, const char *repetitions) {
  subpy::Runtime runtime;
  subpy::InterpreterConfig config;
  config.allow_interpreters = true;
  subpy::Interpreter python(std::move(config));
  try {
    python.run("import runpy\nrunpy.run_path('" + std::string(file) +
               "', {'repetitions': " + repetitions + "}, '__main__')");
  } catch (const subpy::Error &error) {
    std::fputs(error.traceback().data(), stderr);
    return 1;
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count > 1 && !std::strcmp(arguments[1], "alive")) {
    return alive(count - 2, arguments + 2);
  }
  if (count > 1 && !std::strcmp(arguments[1], "processes")) {
    return measure_processes(count - 2, arguments + 2);
  }
  if (count == 3 && !std::strcmp(arguments[1], "source")) {
    const std::string name = arguments[2];
    std::fputs(name == "large"  ? sources::large().c_str()
               : name == "busy" ? sources::BUSY
                                : sources::SHORT,
               stdout);
    return 0;
  }
  if (count == 4 && !std::strcmp(arguments[1], "script")) {
    return run_script(arguments[2], arguments[3]);
  }
  const bool alone = count > 1 && !std::strcmp(arguments[1], "alone");
  const bool counted = count > 1 && !std::strcmp(arguments[1], "counted");
  if (alone || counted) {
    arguments[1] = arguments[0];
    arguments++, count--;
  }
  become_multithreaded();
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) {
    return 2;
  }
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.account_memory = counted;
  alone ? raw::start() : check(subpy_initialize(&config, nullptr));
  benchmark::AddCustomContext("python", subpy_python_version());
  benchmark::RunSpecifiedBenchmarks();
  return 0; // not finalized: the raw side's thread states are still there
}
