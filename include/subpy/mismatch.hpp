/// @file
/// Values that are not what a C++ type asks for. Internal to subpy.hpp.

#ifndef SUBPY_MISMATCH_HPP
#define SUBPY_MISMATCH_HPP

#include <subpy/error.hpp>

#include <cstddef>
#include <string>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// The place in a value that is not what was asked for, and what was asked for. A conversion notes
/// the first such place, as plain pointers. The text is made only if it is needed.
class Mismatch {
public:
  /// Notes a place.
  ///
  /// @param wanted What was asked for, as the message says it after "not ": "a str". Static.
  /// @param items  How many items were asked for, if their number counts.
  void note(const subpy_value &where, const char *wanted, std::size_t items = NO_MATTER) noexcept {
    if (!where_) {
      where_ = &where;
      wanted_ = wanted;
      items_ = items;
    }
  }

  /// Notes a dict that has not the key of a field, which is static, as is the name of the struct.
  void note_missing(const subpy_value &where, const char *of, const char *key) noexcept {
    if (!where_) {
      note(where, of);
      missing_ = key;
    }
  }

  explicit operator bool() const noexcept { return where_ != nullptr; }

  /// `result["a"][3] is a str, not an int of 64 bits`.
  std::string text(const subpy_value &root, const std::string &name) const {
    const std::string path = path_to(root, name);
    std::string text = path.empty() ? name : path;
    text += " is " + describe(*where_);
    if (missing_) {
      return text + " without the key \"" + missing_ + "\", which " + wanted_ + " has";
    }
    text += std::string(", not ") + wanted_;
    if (items_ != NO_MATTER) {
      text += " of " + std::to_string(items_) + (items_ == 1 ? " item" : " items");
    }
    return text;
  }

  /// The path to the place from a value that is called `name`. Empty if it is not in that value.
  std::string path_to(const subpy_value &value, const std::string &name) const {
    if (&value == where_) {
      return name;
    }
    if (!has_items(value)) {
      return {};
    }
    const bool dict = value.kind == SUBPY_DICT;
    for (std::size_t i = 0; i < value.as.items.length; i++) {
      if (value.kind == SUBPY_SET || value.kind == SUBPY_FROZENSET) {
        std::string path = path_to(value.as.items.data[i], "an item of " + name);
        if (!path.empty()) {
          return path;
        }
        continue;
      }
      const subpy_value *const key = subpy_value_key(&value, i);
      const subpy_value &item = dict ? key[1] : value.as.items.data[i];
      if (dict && (key == where_ || has_items(*key))) {
        std::string path = path_to(*key, "a key of " + name);
        if (!path.empty()) {
          return path;
        }
      }
      if (&item == where_ || has_items(item)) { // makes no text for other items
        std::string path =
            path_to(item, name + "[" + (dict ? written(*key) : std::to_string(i)) + "]");
        if (!path.empty()) {
          return path;
        }
      }
    }
    return {};
  }

private:
  static constexpr std::size_t NO_MATTER = static_cast<std::size_t>(-1);

  static bool has_items(const subpy_value &value) noexcept {
    return value.kind == SUBPY_TUPLE || value.kind == SUBPY_LIST || value.kind == SUBPY_DICT ||
           value.kind == SUBPY_SET || value.kind == SUBPY_FROZENSET;
  }

  static std::string written(const subpy_value &key) {
    switch (key.kind) {
    case SUBPY_STR:
      return '"' + std::string(key.as.text.data, key.as.text.length) + '"';
    case SUBPY_INT:
      return std::to_string(key.as.integer);
    default:
      return std::string("a ") + subpy_kind_name(key.kind);
    }
  }

  static std::string describe(const subpy_value &value) {
    const auto counted = [&](const char *what) {
      const std::size_t count = value.as.items.length;
      return what + std::to_string(count) + (count == 1 ? " item" : " items");
    };
    switch (value.kind) {
    case SUBPY_NONE:
      return "None";
    case SUBPY_INT:
      return "the int " + std::to_string(value.as.integer);
    case SUBPY_BIG_INT:
      return "an int past 64 bits";
    case SUBPY_WTF8:
      return "a str with lone surrogates";
    case SUBPY_BYTES:
      return "bytes";
    case SUBPY_TUPLE:
      return counted("a tuple of ");
    case SUBPY_LIST:
      return counted("a list of ");
    case SUBPY_DATETIME:
      return (value.as.datetime.flags & 2) != 0 ? "an aware datetime" : "a naive datetime";
    case SUBPY_BUFFER: {
      const subpy_buffer_info &info = *value.as.buffer;
      const std::string format = info.format ? info.format : "B";
      return std::string(info.writable ? "a" : "a read-only") + " buffer of format \"" + format +
             '"' + (info.strides ? " with gaps" : "");
    }
    default:
      return std::string("a ") + subpy_kind_name(value.kind);
    }
  }

  const subpy_value *where_ = nullptr;
  const char *wanted_ = "";
  const char *missing_ = nullptr;
  std::size_t items_ = NO_MATTER;
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
