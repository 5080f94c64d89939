// Running a script of 100 KB again: what it costs to find kept code by its whole source.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

static void large_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  const raw::Program program(interpreter, sources::large().c_str());
  for (auto _ : state) {
    program.run(interpreter);
  }
}
BENCHMARK(large_raw)->Name("run_large/raw");

static void large_c(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  const std::string source = sources::large();
  run(interpreter, source.c_str());
  for (auto _ : state) {
    run(interpreter, source.c_str());
  }
}
BENCHMARK(large_c)->Name("run_large/subpy");

static void large_cpp(benchmark::State &state) {
  subpy::Interpreter &interpreter = cpp_interpreter();
  const std::string source = sources::large();
  interpreter.run(source);
  for (auto _ : state) {
    interpreter.run(source);
  }
}
BENCHMARK(large_cpp)->Name("run_large/subpy_cpp");

static void turns_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  const raw::Program programs[] = {{interpreter, sources::large(1).c_str()},
                                   {interpreter, sources::large(2).c_str()}};
  int i = 0;
  for (auto _ : state) {
    programs[i++ % 2].run(interpreter);
  }
}
BENCHMARK(turns_raw)->Name("run_large_turns/raw");

static void turns_c(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  const std::string programs[] = {sources::large(1), sources::large(2)};
  for (const std::string &program : programs) {
    run(interpreter, program.c_str());
  }
  int i = 0;
  for (auto _ : state) {
    run(interpreter, programs[i++ % 2].c_str());
  }
}
BENCHMARK(turns_c)->Name("run_large_turns/subpy");

static void compile_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  const std::string source = sources::large();
  for (auto _ : state) {
    PyEval_RestoreThread(interpreter);
    Py_DECREF(raw::Program::compile(source.c_str()));
    PyEval_SaveThread();
  }
}
BENCHMARK(compile_raw)->Name("compile_large/raw");
