// A function of the host's that takes an int and a str and returns an int, called by a loop in
// Python. The loop itself is timed, too, and taken off in the report.
#include "clock.hpp"
#include "data_ways.hpp"

#include <benchmark/benchmark.h>

/// Times what makes CALLS calls.
template <class Calls> static void time_calls(benchmark::State &state, Calls calls) {
  for (auto _ : state) {
    const double start = now();
    calls();
    state.SetIterationTime((now() - start) / data::CALLS);
  }
}

static PyObject *answer_raw(PyObject *, PyObject *const *arguments, Py_ssize_t count) {
  if (count != 2) {
    PyErr_SetString(PyExc_TypeError, "it takes two arguments");
    return nullptr;
  }
  const long long number = PyLong_AsLongLong(arguments[0]);
  if (number == -1 && PyErr_Occurred()) {
    return nullptr;
  }
  Py_ssize_t length = 0;
  if (!PyUnicode_AsUTF8AndSize(arguments[1], &length)) {
    return nullptr;
  }
  return PyLong_FromLongLong(number + length);
}

/// Calls a function of data.hpp that takes a function and a count.
static void time_raw(benchmark::State &state, const char *name, PyObject *(*make)()) {
  const RawData &python = raw_data();
  PyEval_RestoreThread(python.state);
  PyObject *const function = PyDict_GetItemString(python.globals, name);
  PyObject *const called = make();
  PyObject *const count = PyLong_FromLong(data::CALLS);
  time_calls(state, [&] {
    PyObject *const result = called ? PyObject_CallFunctionObjArgs(function, called, count, nullptr)
                                    : PyObject_CallFunctionObjArgs(function, count, nullptr);
    Py_DECREF(static_cast<PyObject *>(raw::check(result)));
  });
  Py_DECREF(count);
  Py_XDECREF(called);
  PyEval_SaveThread();
}

static void host_raw(benchmark::State &state) {
  time_raw(state, "call", [] {
    static PyMethodDef definition = {
        "answer", reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(answer_raw)),
        METH_FASTCALL, nullptr};
    return PyCFunction_New(&definition, nullptr);
  });
}
BENCHMARK(host_raw)->Name("host_calls/raw")->Iterations(1)->UseManualTime();

static void loop_raw(benchmark::State &state) {
  time_raw(state, "loop", []() -> PyObject * { return nullptr; });
}
BENCHMARK(loop_raw)->Name("host_loop/raw")->Iterations(1)->UseManualTime();

static void answer_c(void *, subpy_host_call *call, const subpy_value *arguments,
                     std::size_t count) {
  std::int64_t number = 0;
  if (count != 2 || subpy_host_keywords(call)->as.items.length > 0 ||
      !subpy_value_as_int(&arguments[0], &number) || arguments[1].kind != SUBPY_STR) {
    subpy_host_raise(call, "TypeError", "it takes an int and a str");
    return;
  }
  const subpy_value answer =
      subpy_int(number + static_cast<std::int64_t>(arguments[1].as.text.length));
  subpy_host_return(call, &answer);
}

static void host_c(benchmark::State &state) {
  const subpy_id python = c_data();
  check(subpy_define_function(python, "host", "answer", answer_c, nullptr, nullptr, nullptr));
  run(python, "from host import answer");
  const std::string code = "call(answer, " + std::to_string(data::CALLS) + ")";
  time_calls(state, [&] { run(python, code.c_str()); });
}
BENCHMARK(host_c)->Name("host_calls/subpy")->Iterations(1)->UseManualTime();

static void host_cpp(benchmark::State &state) {
  subpy::Interpreter &python = cpp_data();
  python.define("host", "answer", [](std::int64_t number, std::string_view text) {
    return number + static_cast<std::int64_t>(text.size());
  });
  python.run("from host import answer");
  const std::string code = "call(answer, " + std::to_string(data::CALLS) + ")";
  time_calls(state, [&] { python.run(code); });
}
BENCHMARK(host_cpp)->Name("host_calls/subpy_cpp")->Iterations(1)->UseManualTime();
