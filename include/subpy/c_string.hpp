/// @file
/// Strings in the form that C takes.

#ifndef SUBPY_C_STRING_HPP
#define SUBPY_C_STRING_HPP

#include <subpy/result.hpp>

#include <string>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A parameter that takes a literal or a `std::string`, without a copy. The string has to live
/// until the call returns.
class CString {
public:
  /// Takes a C string. A call that gets NULL refuses it.
  CString(const char *text) noexcept : text_(text) {}

  /// Takes a string.
  ///
  /// @throws Error #SUBPY_ERR_INVALID_ARGUMENT if it has a NUL character, where C would stop.
  ///         Without exceptions, the call that gets the CString returns this Error.
  CString(const std::string &text) : text_(text.c_str()) {
    if (text.find('\0') != std::string::npos) {
      has_nul_ = true;
#if SUBPY_EXCEPTIONS
      throw error();
#endif
    }
  }

  /// The string, or NULL.
  const char *get() const noexcept { return text_; }

  /// Without exceptions, each function that takes a CString calls it first.
  ///
  /// @throws Error #SUBPY_ERR_INVALID_ARGUMENT if the string has a NUL character.
  Returns<void> check() const {
    if (!SUBPY_EXCEPTIONS && has_nul_) { // else the constructor has thrown
      SUBPY_FAIL(error());
    }
    return Returns<void>();
  }

private:
  Error error() const {
    return {SUBPY_ERR_INVALID_ARGUMENT, '"' + std::string(text_) + "...\" has a NUL character"};
  }

  const char *text_;
  bool has_nul_ = false;
};

namespace detail {

/// Sets a string of a C struct. An empty string becomes NULL.
inline Returns<void> set(const char *&field, const std::string &text, const char *name) {
  if (text.find('\0') != std::string::npos) {
    SUBPY_FAIL(Error(SUBPY_ERR_INVALID_ARGUMENT, std::string(name) + " has a NUL character"));
  }
  field = text.empty() ? nullptr : text.c_str();
  return Returns<void>();
}

/// Sets what an array of a C struct points to.
inline Returns<void> set(std::vector<const char *> &fields, const std::vector<std::string> &texts,
                         const char *name) {
  fields.reserve(texts.size());
  for (const std::string &text : texts) {
    SUBPY_TRY(set(fields.emplace_back(), text, name));
    if (text.empty()) {
      fields.back() = "";
    }
  }
  return Returns<void>();
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
