#include "plugin.hpp"

#include <system_error>
#include <utility>

Plugin::Plugin(std::filesystem::path file, const Services &services, const Limits &limits)
    : file_(std::move(file)), name_(file_.stem().string()), services_(services), limits_(limits) {
  loaded_ = stamp();
  try_to_load();
}

Plugin::~Plugin() { replace(subpy::Interpreter::adopt(-1)); }

void Plugin::on_event(const subpy::Value &event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  reload_if_changed();
  if (!python_) {
    return;
  }
  subpy::CallOptions options;
  options.timeout = limits_.time;
  try {
    python_.call<void>(options, "on_event", event);
    counts_.events++;
  } catch (const subpy::Error &error) {
    counts_.failures++;
    log(error);
    // An interpreter that is out of time was stopped somewhere, one that is out of memory stays so.
    if (error.status() == SUBPY_ERR_TIMEOUT || error.type() == "MemoryError") {
      counts_.restarts += try_to_load();
    }
  }
}

Plugin::Counts Plugin::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

/// A new interpreter with what the plugin's file defines.
subpy::Interpreter Plugin::load() const {
  subpy::InterpreterConfig config;
  config.on_stdout =
      config.on_stderr = [this](std::string_view text) { services_.log(name_, text); };
  if (subpy::supports(SUBPY_FEATURE_MEMORY_ACCOUNTS)) {
    config.memory_limit = limits_.memory;
  }
  subpy::Interpreter python(std::move(config));
  python.define("host", "log", [this](std::string_view text) { services_.log(name_, text); });
  python.define("host", "publish", [this](std::string_view topic, subpy::Value data) {
    services_.published.put(
        subpy::Value::dict({{"kind", topic}, {"from", name_}, {"data", std::move(data)}}));
  });
  python.define("host", "table", [this] { return services_.table; });

  subpy::FileOptions options;
  options.timeout = limits_.load_time;
  python.run_file(file_.string(), options);
  return python;
}

/// Loads it in the place of the interpreter that there is. If it can't be loaded, that one stays.
bool Plugin::try_to_load() {
  try {
    replace(load());
    return true;
  } catch (const subpy::Error &error) {
    log(error);
    return false;
  }
}

void Plugin::reload_if_changed() {
  const Stamp now = stamp();
  if (!(now == loaded_)) {
    loaded_ = now;
    counts_.reloads += try_to_load();
  }
}

void Plugin::replace(subpy::Interpreter python) {
  std::swap(python_, python);
  if (python) {
    try {
      python.destroy(std::chrono::seconds(1)); // threads of the plugin's may have to end
    } catch (const subpy::Error &error) {
      log(error); // it is left to the end of the runtime
    }
  }
}

Plugin::Stamp Plugin::stamp() const {
  std::error_code none; // a file that is gone has another stamp, too
  Stamp stamp;
  stamp.time = std::filesystem::last_write_time(file_, none);
  stamp.size = std::filesystem::file_size(file_, none);
  return stamp;
}

void Plugin::log(const subpy::Error &error) const {
  services_.log(name_, error.traceback().empty() ? error.what() : error.traceback());
}
