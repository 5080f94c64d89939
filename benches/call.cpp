// Calling a Python function: two ints in and one out; a dict of ten entries in and a list of 1,000
// floats out. And the list alone, by its name.
#include "data.hpp"
#include "data_ways.hpp"

#include <benchmark/benchmark.h>

static PyObject *look_up(PyObject *globals, PyObject *name) {
  PyObject *const found = PyDict_GetItemWithError(globals, name);
  raw::check(found);
  Py_INCREF(found);
  return found;
}

static std::vector<double> floats_of(PyObject *list) {
  std::vector<double> floats(static_cast<std::size_t>(PyList_GET_SIZE(list)));
  for (std::size_t i = 0; i < floats.size(); i++) {
    floats[i] = PyFloat_AsDouble(PyList_GET_ITEM(list, static_cast<Py_ssize_t>(i)));
    if (floats[i] == -1 && PyErr_Occurred()) {
      std::exit(1);
    }
  }
  return floats;
}

/// What the other ways get, an array of the host's own. It is to be freed.
static double *floats_of(const subpy_value &list) {
  const subpy_items &items = list.as.items;
  auto *const floats = static_cast<double *>(std::malloc(items.length * sizeof(double)));
  for (std::size_t i = 0; i < items.length; i++) {
    if (!subpy_value_as_float(&items.data[i], &floats[i])) {
      std::exit(1);
    }
  }
  return floats;
}

// Two ints. ---------------------------------------------------------------------------------------

static void ints_raw(benchmark::State &state) {
  const RawData &python = raw_data();
  std::int64_t n = 0;
  for (auto _ : state) {
    PyEval_RestoreThread(python.state);
    PyObject *const function = look_up(python.globals, python.add);
    PyObject *arguments[] = {nullptr, PyLong_FromLongLong(n), PyLong_FromLongLong(2)};
    auto *const result = static_cast<PyObject *>(raw::check(
        PyObject_Vectorcall(function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr)));
    benchmark::DoNotOptimize(n = PyLong_AsLongLong(result));
    Py_DECREF(result);
    Py_DECREF(arguments[1]);
    Py_DECREF(arguments[2]);
    Py_DECREF(function);
    PyEval_SaveThread();
  }
}
BENCHMARK(ints_raw)->Name("call_ints/raw");

static void ints_c(benchmark::State &state) {
  const subpy_id python = c_data();
  std::int64_t n = 0;
  for (auto _ : state) {
    const subpy_value arguments[] = {subpy_int(n), subpy_int(2)};
    subpy_value result;
    check(subpy_call(python, "add", arguments, 2, &result, nullptr));
    subpy_value_as_int(&result, &n);
    subpy_value_clear(&result);
  }
}
BENCHMARK(ints_c)->Name("call_ints/subpy");

static void ints_cpp(benchmark::State &state) {
  subpy::Interpreter &python = cpp_data();
  std::int64_t n = 0;
  for (auto _ : state) {
    n = python.call<std::int64_t>("add", n, 2);
  }
}
BENCHMARK(ints_cpp)->Name("call_ints/subpy_cpp");

// A dict and a list.
// --------------------------------------------------------------------------------

static void dict_raw(benchmark::State &state) {
  const RawData &python = raw_data();
  for (auto _ : state) {
    PyEval_RestoreThread(python.state);
    PyObject *const function = look_up(python.globals, python.handle);
    PyObject *const event = PyDict_New();
    for (const auto &[key, number] : data::event()) {
      PyObject *const name =
          PyUnicode_FromStringAndSize(key.data(), static_cast<Py_ssize_t>(key.size()));
      PyObject *const value = PyLong_FromLongLong(number);
      PyDict_SetItem(event, name, value);
      Py_DECREF(name);
      Py_DECREF(value);
    }
    auto *const result = static_cast<PyObject *>(raw::check(PyObject_CallOneArg(function, event)));
    benchmark::DoNotOptimize(floats_of(result).back());
    Py_DECREF(result);
    Py_DECREF(event);
    Py_DECREF(function);
    PyEval_SaveThread();
  }
}
BENCHMARK(dict_raw)->Name("call_dict/raw");

static void dict_c(benchmark::State &state) {
  const subpy_id python = c_data();
  for (auto _ : state) {
    subpy_value pairs[20];
    std::size_t i = 0;
    for (const auto &[key, number] : data::event()) {
      pairs[i++] = subpy_str_n(key.data(), key.size());
      pairs[i++] = subpy_int(number);
    }
    const subpy_value event = subpy_dict(pairs, i / 2);
    subpy_value result;
    check(subpy_call(python, "handle", &event, 1, &result, nullptr));
    double *const floats = floats_of(result);
    subpy_value_clear(&result);
    benchmark::DoNotOptimize(floats[data::FLOATS - 1]);
    std::free(floats);
  }
}
BENCHMARK(dict_c)->Name("call_dict/subpy");

static void dict_cpp(benchmark::State &state) {
  subpy::Interpreter &python = cpp_data();
  for (auto _ : state) {
    benchmark::DoNotOptimize(python.call<std::vector<double>>("handle", data::event()).back());
  }
}
BENCHMARK(dict_cpp)->Name("call_dict/subpy_cpp");

// The list. ---------------------------------------------------------------------------------------

static void list_raw(benchmark::State &state) {
  const RawData &python = raw_data();
  for (auto _ : state) {
    PyEval_RestoreThread(python.state);
    benchmark::DoNotOptimize(
        floats_of(PyDict_GetItemWithError(python.globals, python.floats)).back());
    PyEval_SaveThread();
  }
}
BENCHMARK(list_raw)->Name("get_floats/raw");

static void list_c(benchmark::State &state) {
  const subpy_id python = c_data();
  for (auto _ : state) {
    subpy_value list;
    check(subpy_get(python, "floats", &list, nullptr));
    double *const floats = floats_of(list);
    subpy_value_clear(&list);
    benchmark::DoNotOptimize(floats[data::FLOATS - 1]);
    std::free(floats);
  }
}
BENCHMARK(list_c)->Name("get_floats/subpy");

static void list_cpp(benchmark::State &state) {
  subpy::Interpreter &python = cpp_data();
  for (auto _ : state) {
    benchmark::DoNotOptimize(python.get<std::vector<double>>("floats").back());
  }
}
BENCHMARK(list_cpp)->Name("get_floats/subpy_cpp");
