// 100 MB to Python and back: as memory that both share, in each direction, and as bytes, which are
// copied both times.
#include "data_ways.hpp"

#include <benchmark/benchmark.h>

static void give_raw(PyObject *memory) {
  PyDict_SetItem(raw_data().globals, raw_data().memory, memory);
  Py_DECREF(memory);
}

static PyObject *shared_raw() {
  std::vector<char> &large = data::large();
  return PyMemoryView_FromMemory(large.data(), static_cast<Py_ssize_t>(large.size()), PyBUF_READ);
}

static subpy_value buffer_of(subpy_buffer_info &info) {
  info = SUBPY_BUFFER_INFO_INIT;
  info.data = data::large().data();
  info.length = data::large().size();
  return subpy_buffer(&info);
}

static subpy::HostBuffer host_buffer() { return subpy::HostBuffer(subpy::as_bytes(data::large())); }

// Shared, to Python: in the place of what was shared before.
// ------------------------------------------

static void set_raw() {
  PyEval_RestoreThread(raw_data().state);
  give_raw(shared_raw());
  PyEval_SaveThread();
}

static void in_raw(benchmark::State &state) {
  set_raw();
  for (auto _ : state) {
    set_raw();
  }
}
BENCHMARK(in_raw)->Name("buffer_in/raw");

static void set_c() {
  subpy_buffer_info info;
  const subpy_value value = buffer_of(info);
  check(subpy_set(c_data(), "memory", &value, nullptr));
}

static void in_c(benchmark::State &state) {
  set_c();
  for (auto _ : state) {
    set_c();
  }
}
BENCHMARK(in_c)->Name("buffer_in/subpy");

static void in_cpp(benchmark::State &state) {
  const subpy::HostBuffer buffer = host_buffer();
  cpp_data().set("memory", buffer);
  for (auto _ : state) {
    cpp_data().set("memory", buffer);
  }
}
BENCHMARK(in_cpp)->Name("buffer_in/subpy_cpp");

// Shared, and back.
// ---------------------------------------------------------------------------------

static void out_raw(benchmark::State &state) {
  set_raw();
  for (auto _ : state) {
    PyEval_RestoreThread(raw_data().state);
    Py_buffer buffer;
    PyObject *const memory = PyDict_GetItemWithError(raw_data().globals, raw_data().memory);
    if (PyObject_GetBuffer(memory, &buffer, PyBUF_FULL_RO) != 0) {
      std::exit(1);
    }
    PyEval_SaveThread();
    benchmark::DoNotOptimize(static_cast<char *>(buffer.buf)[buffer.len - 1]);
    PyEval_RestoreThread(raw_data().state);
    PyBuffer_Release(&buffer);
    PyEval_SaveThread();
  }
}
BENCHMARK(out_raw)->Name("buffer_out/raw");

static void out_c(benchmark::State &state) {
  set_c();
  for (auto _ : state) {
    subpy_value memory;
    check(subpy_get(c_data(), "memory", &memory, nullptr));
    const subpy_buffer_info &got = *memory.as.buffer;
    benchmark::DoNotOptimize(static_cast<char *>(got.data)[got.length - 1]);
    subpy_value_clear(&memory);
  }
}
BENCHMARK(out_c)->Name("buffer_out/subpy");

static void out_cpp(benchmark::State &state) {
  cpp_data().set("memory", host_buffer());
  for (auto _ : state) {
    const auto memory = cpp_data().get<subpy::PinnedBuffer>("memory");
    benchmark::DoNotOptimize(memory.bytes()[memory.size() - 1]);
  }
}
BENCHMARK(out_cpp)->Name("buffer_out/subpy_cpp");

// As bytes, there and back.
// -------------------------------------------------------------------------

static void bytes_raw(benchmark::State &state) {
  const std::vector<char> &large = data::large();
  for (auto _ : state) {
    PyEval_RestoreThread(raw_data().state);
    give_raw(PyBytes_FromStringAndSize(large.data(), static_cast<Py_ssize_t>(large.size())));
    PyObject *const memory = PyDict_GetItemWithError(raw_data().globals, raw_data().memory);
    const std::vector<char> back(PyBytes_AS_STRING(memory),
                                 PyBytes_AS_STRING(memory) + PyBytes_GET_SIZE(memory));
    PyEval_SaveThread();
    benchmark::DoNotOptimize(back.back());
  }
}
BENCHMARK(bytes_raw)->Name("bytes_round/raw")->Iterations(1);

static void bytes_c(benchmark::State &state) {
  const std::vector<char> &large = data::large();
  for (auto _ : state) {
    const subpy_value value = subpy_bytes(large.data(), large.size());
    check(subpy_set(c_data(), "memory", &value, nullptr));
    subpy_value back;
    check(subpy_get(c_data(), "memory", &back, nullptr));
    benchmark::DoNotOptimize(subpy_value_text(&back)[large.size() - 1]);
    subpy_value_clear(&back);
  }
}
BENCHMARK(bytes_c)->Name("bytes_round/subpy")->Iterations(1);

static void bytes_cpp(benchmark::State &state) {
  for (auto _ : state) {
    cpp_data().set("memory", subpy::as_bytes(data::large()));
    const subpy::Value back = cpp_data().get("memory");
    benchmark::DoNotOptimize(back.as<subpy::Bytes>()[1]);
  }
}
BENCHMARK(bytes_cpp)->Name("bytes_round/subpy_cpp")->Iterations(1);
