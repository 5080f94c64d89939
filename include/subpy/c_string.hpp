/// @file
/// Names, as C takes them.

#ifndef SUBPY_C_STRING_HPP
#define SUBPY_C_STRING_HPP

#include <subpy/error.hpp>

#include <string>

namespace subpy {

/// A string that ends in a NUL, for a parameter: made of a literal or of a `std::string`, without a
/// copy. It has to live as long as the call.
class CString {
public:
  /// Of a C string. NULL is refused by the call that gets it.
  CString(const char *text) noexcept : text_(text) {}

  /// Of a string.
  ///
  /// @throws Error #SUBPY_ERR_INVALID_ARGUMENT if it has a NUL character: C would stop there.
  CString(const std::string &text) : text_(text.c_str()) {
    if (text.find('\0') != std::string::npos) {
      throw Error(SUBPY_ERR_INVALID_ARGUMENT,
                  '"' + std::string(text_) + "...\" has a NUL character");
    }
  }

  /// The string; NULL if it was made of that.
  const char *get() const noexcept { return text_; }

private:
  const char *text_;
};

} // namespace subpy

#endif
