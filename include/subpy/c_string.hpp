/// @file
/// Names, as C takes them.

#ifndef SUBPY_C_STRING_HPP
#define SUBPY_C_STRING_HPP

#include <subpy/result.hpp>

#include <string>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A string that ends in a NUL, for a parameter: made of a literal or of a `std::string`, without a
/// copy. It has to live as long as the call.
class CString {
public:
  /// Of a C string. NULL is refused by the call that gets it.
  CString(const char *text) noexcept : text_(text) {}

  /// Of a string.
  ///
  /// @throws Error #SUBPY_ERR_INVALID_ARGUMENT if it has a NUL character: C would stop there.
  ///         Without exceptions, the call that gets it returns that Error.
  CString(const std::string &text) : text_(text.c_str()) {
    if (text.find('\0') != std::string::npos) {
      has_nul_ = true;
#if SUBPY_EXCEPTIONS
      throw error();
#endif
    }
  }

  /// The string; NULL if it was made of that.
  const char *get() const noexcept { return text_; }

  /// Fails if it was made of a string with a NUL character.
  Returns<void> check() const {
    if (!SUBPY_EXCEPTIONS && has_nul_) { // with exceptions, the constructor has thrown
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

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
