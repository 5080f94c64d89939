/// @file
/// Interpreters by their id.

#ifndef SUBPY_IDS_HPP
#define SUBPY_IDS_HPP

#include <subpy/result.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// The id of the main interpreter: 0.
///
/// @throws Error as subpy_get_main().
inline Returns<subpy_id> main_id() {
  subpy_id id = 0;
  SUBPY_TRY(detail::call(subpy_get_main, &id));
  return id;
}

/// The id of the interpreter whose code runs in the calling thread now, or that the thread stays in. A host function may
/// ask for it. `nullopt` outside of any interpreter that subpy knows.
///
/// @throws Error as subpy_get_current(), save #SUBPY_ERR_NOT_FOUND.
inline Returns<std::optional<subpy_id>> current() {
  subpy_id id = 0;
  subpy_error *error = nullptr;
  const subpy_status status = subpy_get_current(&id, &error);
  if (status == SUBPY_ERR_NOT_FOUND) {
    subpy_error_free(error);
    return std::nullopt;
  }
  SUBPY_TRY(detail::check(status, error));
  return id;
}

/// The ids of the interpreters that subpy knows, in ascending order: the main one, and those that
/// it created.
///
/// @throws Error as subpy_list_all().
inline Returns<std::vector<subpy_id>> list_all() {
  std::vector<subpy_id> ids(16);
  for (;;) {
    std::size_t count = 0;
    SUBPY_TRY(detail::call(subpy_list_all, ids.data(), ids.size(), &count));
    const bool all = count <= ids.size();
    ids.resize(count);
    if (all) {
      return ids;
    }
  }
}

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
