/// @file
/// What a value for Python is built of. The inside of the library.

#ifndef SUBPY_BUILDER_HPP
#define SUBPY_BUILDER_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <cstddef>
#include <forward_list>
#include <memory>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// Holds what the values of one call point to, until the call is over: room for items, and the few
/// things that have no place of their own. Small values cost no allocation.
class Builder {
public:
  Builder() noexcept {}
  Builder(const Builder &) = delete;
  Builder &operator=(const Builder &) = delete;

  ~Builder() {
    for (const subpy_buffer_info &buffer : buffers_) {
      if (buffer.release && !handed_over_) {
        buffer.release(buffer.user);
      }
    }
  }

  /// Room for items, which are to be written.
  subpy_value *items(std::size_t count) {
    if (count <= SMALL - used_) {
      used_ += count;
      return small_ + used_ - count;
    }
    std::shared_ptr<subpy_value> large(new subpy_value[count],
                                       std::default_delete<subpy_value[]>());
    kept_.push_back(large);
    return large.get();
  }

  /// Has something live as long as this.
  template <typename T> const T &keep(T thing) {
    auto kept = std::make_shared<const T>(std::move(thing));
    kept_.push_back(kept);
    return *kept;
  }

  /// A buffer, whose `release` is to be called once: by this, unless it is handed over.
  subpy_value buffer(const subpy_buffer_info &info) {
    buffers_.push_front(info);
    return subpy_buffer(&buffers_.front());
  }

  /// The next C call takes the values, and releases their buffers, whatever becomes of it.
  void hand_over() noexcept { handed_over_ = true; }

private:
  static constexpr std::size_t SMALL = 32;

  subpy_value small_[SMALL]; // uninitialized: see items()
  std::size_t used_ = 0;
  std::vector<std::shared_ptr<const void>> kept_;
  std::forward_list<subpy_buffer_info> buffers_;
  bool handed_over_ = false;
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
