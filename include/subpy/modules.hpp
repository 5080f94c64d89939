/// @file
/// Modules from memory. Internal to subpy.hpp.

#ifndef SUBPY_MODULES_HPP
#define SUBPY_MODULES_HPP

#include <subpy/c_string.hpp>

#include <string_view>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// Adds a module to an interpreter, or to each one that is created from now on.
inline Returns<void> add_module(subpy_id id, CString name, std::string_view source,
                                const char *filename) {
  return call(subpy_add_module, id, name.get(), source.data() ? source.data() : "", source.size(),
              filename);
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
