// A host of plugins.
#pragma once

#include "plugin.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

class Host {
public:
  /// Takes what a plugin says, one at a time.
  using Log = std::function<void(const std::string &plugin, std::string_view text)>;

  /// Loads every `*.py` of a folder.
  Host(const std::filesystem::path &folder, std::vector<double> table, Log log,
       const Limits &limits = {});

  /// Hands an event to all plugins, in the calling thread. Any thread may do so.
  void send(const subpy::Value &event);

  /// Hands what plugins have published to all others, until there is nothing left. One thread does so at a time.
  void deliver_published();

  const std::vector<std::unique_ptr<Plugin>> &plugins() const { return plugins_; }
  const Plugin &plugin(const std::string &name) const;

private:
  std::mutex log_mutex_;
  Services services_;
  std::vector<std::unique_ptr<Plugin>> plugins_; // goes first: plugins use the others
};
