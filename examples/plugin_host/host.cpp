#include "host.hpp"

#include <algorithm>
#include <stdexcept>

Host::Host(const std::filesystem::path &folder, std::vector<double> table, Log log,
           const Limits &limits)
    : services_{[this, log = std::move(log)](const std::string &plugin, std::string_view text) {
                  const std::lock_guard<std::mutex> lock(log_mutex_);
                  log(plugin, text);
                },
                subpy::Queue(), subpy::HostBuffer(std::move(table)).read_only()} {
  std::vector<std::filesystem::path> files;
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".py") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path &file : files) {
    plugins_.push_back(std::make_unique<Plugin>(file, services_, limits));
  }
}

void Host::send(const subpy::Value &event) {
  for (const std::unique_ptr<Plugin> &plugin : plugins_) {
    plugin->on_event(event);
  }
}

void Host::deliver_published() {
  while (services_.published.size() > 0) {
    const subpy::Value event = services_.published.get();
    const auto from = event["from"].as<std::string>();
    for (const std::unique_ptr<Plugin> &plugin : plugins_) {
      if (plugin->name() != from) {
        plugin->on_event(event);
      }
    }
  }
}

const Plugin &Host::plugin(const std::string &name) const {
  for (const std::unique_ptr<Plugin> &plugin : plugins_) {
    if (plugin->name() == name) {
      return *plugin;
    }
  }
  throw std::out_of_range("there is no plugin " + name);
}
