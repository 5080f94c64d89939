/// @file
/// How exceptions of the host's become Python exceptions.

#ifndef SUBPY_PYTHON_ERROR_HPP
#define SUBPY_PYTHON_ERROR_HPP

#include <subpy/error.hpp>

#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A host function throws it, or returns it as a Result, to raise an exception in the script.
///
/// @code
/// throw subpy::PythonError("builtins.KeyError", "no such level");
/// throw subpy::PythonError("game.errors.Cheating", "no");
/// @endcode
class PythonError : public std::runtime_error {
public:
  /// Makes an error.
  ///
  /// @param type    The type: "package.module.Oops", or in short "ValueError". The module is
  ///                imported. For a type that does not exist, the script gets a RuntimeError.
  /// @param message The argument of the exception: UTF-8.
  PythonError(std::string type, const std::string &message)
      : std::runtime_error(message), type_(std::move(type)) {}

  /// The type of the Python exception.
  const std::string &type() const noexcept { return type_; }

  /// Converts it to an Error of #SUBPY_ERR_EXCEPTION, for a Result.
  operator Error() const { return {SUBPY_ERR_EXCEPTION, what(), type_}; }

private:
  std::string type_;
};

namespace detail {

/// Answers a call with the exception that an error stands for.
inline void raise(subpy_host_call *call, const Error &error) noexcept {
  switch (error.status()) {
  case SUBPY_ERR_EXCEPTION:
    return subpy_host_raise(call, error.type().data(), error.message().data());
  case SUBPY_ERR_TIMEOUT:
    return subpy_host_raise(call, "TimeoutError", error.message().data());
  case SUBPY_ERR_NO_MEMORY:
    return subpy_host_raise(call, "MemoryError", error.message().data());
  default: // also an exit or an interrupt, which was for another interpreter
    return subpy_host_raise(call, "RuntimeError", error.what());
  }
}

/// Answers a call with the exception that is being handled.
inline void raise_current([[maybe_unused]] subpy_host_call *call) noexcept {
#if SUBPY_EXCEPTIONS
  const auto raise = [call](const char *type, const char *message) {
    subpy_host_raise(call, type, message);
  };
  try {
    throw;
  } catch (const PythonError &error) {
    raise(error.type().c_str(), error.what());
  } catch (const Error &error) {
    detail::raise(call, error);
  } catch (const std::bad_alloc &error) {
    raise("MemoryError", error.what());
  } catch (const std::out_of_range &error) {
    raise("IndexError", error.what());
  } catch (const std::invalid_argument &error) {
    raise("ValueError", error.what());
  } catch (const std::domain_error &error) {
    raise("ValueError", error.what());
  } catch (const std::length_error &error) {
    raise("ValueError", error.what());
  } catch (const std::range_error &error) {
    raise("ValueError", error.what());
  } catch (const std::overflow_error &error) {
    raise("OverflowError", error.what());
  } catch (const std::system_error &error) {
    raise("OSError", error.what());
  } catch (const std::exception &error) {
    raise("RuntimeError", error.what());
  } catch (...) {
    raise("RuntimeError", "the host function threw what is no std::exception");
  }
#endif
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
