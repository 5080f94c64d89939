// Calling a Python function of two ints by a handle of it: by the way in and out each time, and inside of one stay.
#include "data.hpp"
#include "data_ways.hpp"

#include <benchmark/benchmark.h>

/// The function, which the raw side keeps, as a handle does.
static PyObject *raw_add() {
  static PyObject *const add = [] {
    const RawData &python = raw_data();
    PyEval_RestoreThread(python.state);
    PyObject *const found = PyDict_GetItemWithError(python.globals, python.add);
    raw::check(found);
    Py_INCREF(found);
    PyEval_SaveThread();
    return found;
  }();
  return add;
}

static std::int64_t raw_call(PyObject *add, std::int64_t n) {
  PyObject *arguments[] = {nullptr, PyLong_FromLongLong(n), PyLong_FromLongLong(2)};
  auto *const result = static_cast<PyObject *>(raw::check(
      PyObject_Vectorcall(add, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr)));
  n = PyLong_AsLongLong(result);
  Py_DECREF(result);
  Py_DECREF(arguments[1]);
  Py_DECREF(arguments[2]);
  return n;
}

static subpy_object c_add() {
  static const subpy_object add = [] {
    subpy_object object = 0;
    check(subpy_get_object(c_data(), "add", &object, nullptr));
    return object;
  }();
  return add;
}

static void c_calls(benchmark::State &state) {
  const subpy_object add = c_add();
  std::int64_t n = 0;
  for (auto _ : state) {
    const subpy_value arguments[] = {subpy_int(n), subpy_int(2)};
    subpy_value result;
    check(subpy_object_call(add, arguments, 2, &result, nullptr));
    subpy_value_as_int(&result, &n);
    subpy_value_clear(&result);
  }
}

static const subpy::Object &cpp_add() {
  static const auto *const add = new subpy::Object(cpp_data().get<subpy::Object>("add"));
  return *add;
}

static void cpp_calls(benchmark::State &state) {
  const subpy::Object &add = cpp_add();
  std::int64_t n = 0;
  for (auto _ : state) {
    n = add.call<std::int64_t>(n, 2);
  }
}

// In and out each time. ---------------------------------------------------------------------------

static void handle_raw(benchmark::State &state) {
  PyObject *const add = raw_add();
  PyThreadState *const python = raw_data().state;
  std::int64_t n = 0;
  for (auto _ : state) {
    PyEval_RestoreThread(python);
    benchmark::DoNotOptimize(n = raw_call(add, n));
    PyEval_SaveThread();
  }
}
BENCHMARK(handle_raw)->Name("call_handle/raw");
BENCHMARK(c_calls)->Name("call_handle/subpy");
BENCHMARK(cpp_calls)->Name("call_handle/subpy_cpp");

// Inside. -----------------------------------------------------------------------------------------

static void inside_raw(benchmark::State &state) {
  PyObject *const add = raw_add();
  PyEval_RestoreThread(raw_data().state);
  std::int64_t n = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(n = raw_call(add, n));
  }
  PyEval_SaveThread();
}
BENCHMARK(inside_raw)->Name("call_inside/raw");

static void inside_c(benchmark::State &state) {
  const subpy_id id = c_data();
  check(subpy_enter(id, nullptr, nullptr));
  c_calls(state);
  check(subpy_leave(id, nullptr));
}
BENCHMARK(inside_c)->Name("call_inside/subpy");

static void inside_cpp(benchmark::State &state) {
  const subpy::Entered inside = cpp_data().enter();
  cpp_calls(state);
}
BENCHMARK(inside_cpp)->Name("call_inside/subpy_cpp");
