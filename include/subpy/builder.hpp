/// @file
/// The memory that values for Python point to. Internal to subpy.hpp.

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

/// Owns what the values of one call point to, until the call is over. That is room for items, and
/// things that nobody else owns. Small values need no allocation.
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

  /// Returns room for items. The caller has to write all of them.
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

  /// Keeps something as long as this object lives.
  template <typename T> const T &keep(T thing) {
    auto kept = std::make_shared<const T>(std::move(thing));
    kept_.push_back(kept);
    return *kept;
  }

  /// Makes the value of a buffer. The destructor calls its `release`, unless a C call takes it.
  subpy_value buffer(const subpy_buffer_info &info) {
    buffers_.push_front(info);
    return subpy_buffer(&buffers_.front());
  }

  /// Leaves the buffers to the next C call, which releases them, also if it fails.
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
