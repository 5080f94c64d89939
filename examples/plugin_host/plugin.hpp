// A plugin: a Python file, in an interpreter of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include <subpy.hpp>

/// What the host does for its plugins. All of it may be called in several threads at once.
struct Services {
  /// host.log(text), what a plugin prints, and what becomes of it.
  std::function<void(const std::string &plugin, std::string_view text)> log;
  /// Where host.publish(topic, data) puts events: the plugin is in the midst of its own event.
  subpy::Queue published;
  /// host.table(): memory that all plugins read, without a copy.
  subpy::HostBuffer table;
};

/// What a plugin may take.
struct Limits {
  std::chrono::milliseconds time{200}; // for one event
  std::chrono::milliseconds load_time{10000};
  std::uint64_t memory = 64 << 20; // from Python 3.12 on
};

class Plugin {
public:
  /// How often what has happened.
  struct Counts {
    int events = 0;   // that on_event() has handled
    int failures = 0; // that it has not
    int restarts = 0; // in a new interpreter, as the old one was out of time or memory
    int reloads = 0;  // as the file has changed
  };

  /// Loads it. One that can't be loaded is tried again when its file changes.
  Plugin(std::filesystem::path file, const Services &services, const Limits &limits);
  ~Plugin();
  Plugin(const Plugin &) = delete;
  Plugin &operator=(const Plugin &) = delete;

  /// Has its `on_event(event)` called, in the calling thread; one after another, if several threads
  /// do. Whatever the plugin does, this returns, soon.
  void on_event(const subpy::Value &event);

  const std::string &name() const { return name_; }
  Counts counts() const;

private:
  /// What tells that a file has changed.
  struct Stamp {
    std::filesystem::file_time_type time;
    std::uintmax_t size = 0;
    bool operator==(const Stamp &other) const { return time == other.time && size == other.size; }
  };

  subpy::Interpreter load() const;
  void reload_if_changed();
  void replace(subpy::Interpreter python);
  bool try_to_load();
  Stamp stamp() const;
  void log(const subpy::Error &error) const;

  const std::filesystem::path file_;
  const std::string name_;
  const Services &services_;
  const Limits limits_;
  mutable std::mutex mutex_; // for the rest
  subpy::Interpreter python_ = subpy::Interpreter::adopt(-1);
  Stamp loaded_;
  Counts counts_;
};
