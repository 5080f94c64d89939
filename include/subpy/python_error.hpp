/// @file
/// Exceptions of the host's, in Python.

#ifndef SUBPY_PYTHON_ERROR_HPP
#define SUBPY_PYTHON_ERROR_HPP

#include <subpy/error.hpp>

#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace subpy {

/// Thrown by a host function: the script gets an exception of a Python type.
///
/// @code
/// throw subpy::PythonError("builtins.KeyError", "no such level");
/// throw subpy::PythonError("game.errors.Cheating", "no");
/// @endcode
class PythonError : public std::runtime_error {
public:
  /// @param type    "package.module.Name", or the name alone of a built-in one. Its module is
  ///                imported. One that there is not is a RuntimeError that says so.
  /// @param message The exception's argument: UTF-8.
  PythonError(std::string type, const std::string &message)
      : std::runtime_error(message), type_(std::move(type)) {}

  /// The Python type.
  const std::string &type() const noexcept { return type_; }

private:
  std::string type_;
};

namespace detail {

/// Answers a call with the exception that is being handled.
inline void raise_current(subpy_host_call *call) noexcept {
  const auto raise = [call](const char *type, const char *message) {
    subpy_host_raise(call, type, message);
  };
  try {
    throw;
  } catch (const PythonError &error) {
    raise(error.type().c_str(), error.what());
  } catch (const Error &error) {
    switch (error.status()) {
    case SUBPY_ERR_EXCEPTION:
      raise(error.type().data(), error.message().data());
      break;
    case SUBPY_ERR_TIMEOUT:
      raise("TimeoutError", error.message().data());
      break;
    case SUBPY_ERR_NO_MEMORY:
      raise("MemoryError", error.message().data());
      break;
    default: // also an exit or an interrupt of another interpreter, which are not for this one
      raise("RuntimeError", error.what());
    }
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
}

} // namespace detail

} // namespace subpy

#endif
