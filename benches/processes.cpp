// Interpreters in processes of their own, and some of the same in this process.
#include "processes_main.hpp"
#include "processes.hpp"
#include "ways.hpp"

namespace {

class Subpy {
public:
  using Worker = subpy_id;

  Subpy(std::uint32_t backend, std::vector<const char *> modules) {
    const std::vector<std::string> kept = processes::search_paths();
    std::vector<const char *> paths;
    for (const std::string &path : kept) {
      paths.push_back(path.c_str());
    }
    subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
    config.module_search_paths = paths.data();
    config.module_search_paths_count = paths.size();
    config_.backend = backend;
    if (backend == SUBPY_BACKEND_PROCESS) {
      config.preload = modules.data();
      config.preload_count = modules.size();
    } else {
      for (const char *const module : modules) {
        imports_ += std::string("import ") + module + "\n";
      }
    }
    check(subpy_initialize(&config, nullptr));
    // It starts Python for all.
    const Worker first = create();
    subpy_value parent;
    run(first, "import os");
    check(subpy_eval(first, "os.getppid()", &parent, nullptr));
    std::int64_t zygote = 0;
    subpy_value_as_int(&parent, &zygote);
    zygote_ = static_cast<pid_t>(zygote);
    destroy(first);
    processes::long_pause();
  }

  Worker create() const {
    subpy_id id = 0;
    check(subpy_create(&config_, &id, nullptr));
    if (!imports_.empty()) {
      run(id, imports_.c_str());
    }
    return id;
  }

  static void run(Worker worker, const char *code) { ::run(worker, code); }

  static void prepare(Worker worker) {
    run(worker, (std::string(data::FUNCTIONS) + processes::ECHO).c_str());
    check(subpy_define_function(worker, "host", "answer", answer, nullptr, nullptr, nullptr));
    run(worker, "from host import answer");
  }

  static std::int64_t add(Worker worker, std::int64_t a, std::int64_t b) {
    const subpy_value arguments[] = {subpy_int(a), subpy_int(b)};
    subpy_value result;
    check(subpy_call(worker, "add", arguments, 2, &result, nullptr));
    std::int64_t sum = 0;
    subpy_value_as_int(&result, &sum);
    subpy_value_clear(&result);
    return sum;
  }

  static std::size_t echo(Worker worker, const std::string &text) {
    const subpy_value argument = subpy_str_n(text.data(), text.size());
    subpy_value result;
    check(subpy_call(worker, "echo", &argument, 1, &result, nullptr));
    const std::size_t length = result.as.text.length;
    subpy_value_clear(&result);
    return length;
  }

  static void destroy(Worker worker) { check(subpy_destroy(worker, nullptr)); }

  static double kill(Worker worker) {
    double lost = 0;
    std::thread caller([&] {
      is_lost(subpy_run_string(worker, processes::ENDLESS, nullptr));
      lost = now();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const double start = now();
    check(subpy_kill(worker, nullptr));
    caller.join();
    destroy(worker);
    return (lost - start) * 1e9;
  }

  static double crash(Worker worker) {
    const double time =
        time_of([&] { is_lost(subpy_run_string(worker, processes::CRASH, nullptr)); });
    destroy(worker);
    return time;
  }

  /// It learns by itself whether that is of use.
  static void look(Worker, bool) {}

  pid_t zygote() const { return zygote_; }

private:
  static void is_lost(subpy_status status) {
    check(status == SUBPY_ERR_LOST ? SUBPY_OK : SUBPY_ERR_INTERNAL);
  }

  static void answer(void *, subpy_host_call *call, const subpy_value *arguments,
                     std::size_t count) {
    std::int64_t number = 0;
    if (count != 2 || !subpy_value_as_int(&arguments[0], &number)) {
      subpy_host_raise(call, "TypeError", "it takes an int and a str");
      return;
    }
    const auto length = static_cast<std::int64_t>(arguments[1].as.text.length);
    const subpy_value answer = subpy_int(number + length);
    subpy_host_return(call, &answer);
  }

  subpy_interpreter_config config_ = SUBPY_INTERPRETER_CONFIG_INIT;
  std::string imports_;
  pid_t zygote_ = 0;
};

} // namespace

int measure_processes(int count, char **arguments) {
  if (count < 3) {
    std::fputs("processes subpy|local WHAT COUNT [MODULE...]\n", stderr);
    return 2;
  }
  processes::open_as_many_as_can_be();
  const bool local = !std::strcmp(arguments[0], "local");
  Subpy way(local ? SUBPY_BACKEND_LOCAL : SUBPY_BACKEND_PROCESS,
            {arguments + 3, arguments + count});
  processes::Measuring<Subpy> measuring(way, arguments[0]);
  return measuring.measure(arguments[1], std::strtoul(arguments[2], nullptr, 10)) ? 0 : 2;
}
