/// @file
/// Host functions: functions of the host's that scripts call.

#ifndef SUBPY_HOST_FUNCTION_HPP
#define SUBPY_HOST_FUNCTION_HPP

#include <subpy/c_string.hpp>
#include <subpy/host_buffer.hpp>
#include <subpy/pinned_buffer.hpp>
#include <subpy/python_error.hpp>
#include <subpy/result.hpp>
#include <subpy/value.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// How a function is defined. Each field means what the one of ::subpy_function_options means. The
/// library copies the strings.
struct FunctionOptions {
  /// The function's `__doc__`. NULL: none.
  const char *doc = nullptr;
  /// The function's parameters, as `help()` shows them: "(level, text)". NULL: "(*args, **kwargs)".
  const char *signature = nullptr;
  /// true: the GIL is released while the function works. It may be called in several threads then.
  bool release_gil = false;
  /// How arguments become a subpy::View, subpy::Value or subpy::Args: #SUBPY_LOSSLESS_TEXT,
  /// #SUBPY_PIN_BYTES, #SUBPY_STRIDED, or several of them. Other parameters set the flags that they
  /// need.
  std::uint32_t flags = 0;
};

/// The first parameter of a host function that wants to know who calls it. It is valid until the function returns.
///
/// @code
/// python.define("host", "log", [&](subpy::Caller caller, std::string_view text) {
///   log(caller.name_space().value_or("__main__"), text);
/// });
/// @endcode
class Caller {
public:
  /// Makes one of a call of C's.
  explicit Caller(subpy_host_call *call) noexcept : call_(call) {}

  /// The interpreter that calls: see subpy_host_interpreter().
  subpy_id interpreter() const noexcept { return subpy_host_interpreter(call_); }

  /// The namespace that calls: see subpy_host_namespace(). `nullopt` for `__main__`.
  std::optional<std::string_view> name_space() const noexcept {
    const char *const name = subpy_host_namespace(call_);
    return name ? std::optional<std::string_view>(name) : std::nullopt;
  }

private:
  subpy_host_call *call_;
};

/// A parameter of a host function that takes all positional arguments that are left. It follows
/// the parameters that take one argument each. It is valid until the function returns.
class Args : public Items {
public:
  using Items::Items;
};

/// The last parameter of a host function, which takes the keyword arguments: a dict. It is valid
/// until the function returns. A function without it takes no keyword arguments.
class Kwargs : public View {
public:
  using View::View;
};

namespace detail {

/// Whether a parameter takes one positional argument.
template <typename T> inline constexpr bool is_positional = !is_one_of<T, Caller, Args, Kwargs>;

/// How many arguments the parameters of a function take, and which ones.
template <typename... Parameters> struct Signature {
  static constexpr bool any_caller = (false || ... || std::is_same_v<Parameters, Caller>);
  static constexpr bool any_args = (false || ... || std::is_same_v<Parameters, Args>);
  static constexpr bool any_kwargs = (false || ... || std::is_same_v<Parameters, Kwargs>);
  static constexpr std::size_t most = (std::size_t{0} + ... + is_positional<Parameters>);

  /// Optional parameters at the end may be left out.
  static constexpr std::size_t least() {
    constexpr bool may_be_left_out[] = {is_optional<Parameters>..., false};
    std::size_t least = most;
    while (least > 0 && may_be_left_out[any_caller + least - 1]) {
      least--;
    }
    return least;
  }

  static constexpr bool in_order() {
    constexpr int ranks[] = {rank<Parameters>()..., 3};
    for (std::size_t i = 0; i < sizeof...(Parameters); i++) {
      if (ranks[i + 1] < ranks[i] || (ranks[i] != 0 && ranks[i + 1] == ranks[i])) {
        return false;
      }
    }
    return true;
  }

  template <typename T> static constexpr std::uint32_t flags_of_one() {
    if constexpr (is_positional<T>) {
      return flags_of<T>;
    }
    return 0;
  }
  static constexpr std::uint32_t flags = (0U | ... | flags_of_one<Parameters>());

private:
  template <typename T> static constexpr int rank() {
    if constexpr (std::is_same_v<T, Caller>) {
      return -1;
    }
    return std::is_same_v<T, Kwargs> ? 2 : std::is_same_v<T, Args> ? 1 : 0;
  }
};

/// One call of a function, and its arguments.
struct Call {
  subpy_host_call *call;
  const subpy_value *args;
  std::size_t nargs;
};

/// Makes what a parameter gets. Notes why it can't, if the argument is wrong.
template <typename T, std::size_t Index>
std::optional<T> argument(const Call &call, std::size_t positional, Mismatch &mismatch) {
  if constexpr (std::is_same_v<T, Caller>) {
    return Caller(call.call);
  } else if constexpr (std::is_same_v<T, Args>) {
    const std::size_t taken = std::min(positional, call.nargs); // optional ones may be left out
    return Args(call.args + taken, call.nargs - taken);
  } else if constexpr (std::is_same_v<T, Kwargs>) {
    return Kwargs(*subpy_host_keywords(call.call));
  } else if constexpr (is_optional<T>) {
    return Index < call.nargs ? from_python<T>(call.args[Index], mismatch)
                              : std::optional<T>(std::in_place);
  } else {
    static_cast<void>(positional);
    return from_python<T>(call.args[Index], mismatch);
  }
}

/// A C++ function in the form that the library calls, and its name for messages.
template <typename Function, typename Return, typename... Parameters> class HostFunction {
  using Takes = Signature<std::decay_t<Parameters>...>;

public:
  static constexpr bool in_order = Takes::in_order();
  static constexpr bool takes_references =
      (false || ... ||
       (std::is_lvalue_reference_v<Parameters> &&
        !std::is_const_v<std::remove_reference_t<Parameters>>));
  static constexpr std::uint32_t flags = Takes::flags;

  template <typename F>
  HostFunction(const char *name, F &&function)
      : name_(name ? name : ""), function_(std::forward<F>(function)) {}

  static void invoke(void *user, subpy_host_call *call, const subpy_value *args,
                     std::size_t nargs) noexcept {
    const auto work = [&] {
      static_cast<HostFunction *>(user)->answer({call, args, nargs},
                                                std::index_sequence_for<Parameters...>());
    };
    guard(work, [call] { raise_current(call); });
  }

  static void drop(void *user) noexcept { delete static_cast<HostFunction *>(user); }

private:
  template <std::size_t... Indices> void answer(const Call &call, std::index_sequence<Indices...>) {
    Mismatch mismatch;
    if (!takes_as_many(call.nargs) ||
        (!Takes::any_kwargs && subpy_host_keywords(call.call)->as.items.length > 0)) {
      return refuse(call, mismatch);
    }
    std::tuple<std::optional<std::decay_t<Parameters>>...> parameters{
        argument<std::decay_t<Parameters>, Indices - Takes::any_caller>(call, Takes::most,
                                                                        mismatch)...};
    if (mismatch) {
      return refuse(call, mismatch);
    }
    if constexpr (std::is_void_v<Return>) {
      function_(static_cast<Parameters &&>(*std::get<Indices>(parameters))...);
    } else {
      give<std::decay_t<Return>>(
          call, function_(static_cast<Parameters &&>(*std::get<Indices>(parameters))...));
    }
  }

  /// Answers a call with what the function has returned.
  template <typename T> static void give(const Call &call, const T &result) {
    if constexpr (!is_result<T>) {
      Builder builder;
      const subpy_value value = to_python<T>(result, builder);
      builder.hand_over();
      subpy_host_return(call.call, &value);
    } else if (!result) {
      raise(call.call, result.error());
    } else if constexpr (!std::is_same_v<T, Result<void>>) {
      give(call, *result);
    }
  }

  static bool takes_as_many(std::size_t nargs) noexcept {
    return nargs >= Takes::least() && (nargs <= Takes::most || Takes::any_args);
  }

  // Cold: the texts stay out of the way of a call that is answered.
  [[gnu::cold]] void refuse(const Call &call, const Mismatch &mismatch) const {
    const std::string why = mismatch                    ? where(call, mismatch)
                            : takes_as_many(call.nargs) ? "takes no keyword arguments"
                                                        : takes();
    subpy_host_raise(call.call, "TypeError", (name_ + "() " + why).c_str());
  }

  static std::string where(const Call &call, const Mismatch &mismatch) {
    std::string name;
    std::size_t i = 0;
    do {
      name = "args[" + std::to_string(i) + "]";
    } while (mismatch.path_to(call.args[i], name).empty() && ++i < call.nargs);
    return "got wrong arguments: " + mismatch.text(call.args[i], name);
  }

  static std::string takes() {
    const std::size_t least = Takes::least(), most = Takes::most;
    std::string text = "takes ";
    if (Takes::any_args) {
      text += "at least " + std::to_string(least);
    } else if (least < most) {
      text += std::to_string(least) + " to " + std::to_string(most);
    } else {
      text += std::to_string(most);
    }
    return text + (text == "takes 1" ? " positional argument" : " positional arguments");
  }

  std::string name_;
  Function function_;
};

/// The HostFunction for the type of a function pointer or a call operator.
template <typename Address> struct HostFunctionOf;
template <typename R, typename... P> struct HostFunctionOf<R (*)(P...)> {
  template <typename Function> using type = HostFunction<Function, R, P...>;
};
template <typename R, typename... P>
struct HostFunctionOf<R (*)(P...) noexcept> : HostFunctionOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct HostFunctionOf<R (C::*)(P...)> : HostFunctionOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct HostFunctionOf<R (C::*)(P...) const> : HostFunctionOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct HostFunctionOf<R (C::*)(P...) noexcept> : HostFunctionOf<R (*)(P...)> {};
template <typename C, typename R, typename... P>
struct HostFunctionOf<R (C::*)(P...) const noexcept> : HostFunctionOf<R (*)(P...)> {};

/// The type of the function pointer or the call operator. void: there is none, or several.
template <typename Function, typename = void> struct AddressOf {
  using type =
      std::conditional_t<std::is_function_v<std::remove_pointer_t<Function>>, Function, void>;
};
template <typename Function>
struct AddressOf<Function, std::void_t<decltype(&Function::operator())>> {
  using type = decltype(&Function::operator());
};

template <typename Host, typename Function>
Returns<void> define_as(subpy_id id, CString module, CString name, Function &&function,
                        const FunctionOptions &options) {
  static_assert(!Host::takes_references,
                "subpy: a host function can't take an argument by a reference that is not const: "
                "what it gets is a copy of Python's value");
  static_assert(
      Host::in_order,
      "subpy: a host function's parameters are perhaps a subpy::Caller, then those of one "
      "argument each, then perhaps a subpy::Args, then perhaps a subpy::Kwargs");
  if constexpr (!Host::takes_references && Host::in_order) {
    SUBPY_TRY(module.check());
    SUBPY_TRY(name.check());
    if constexpr (std::is_pointer_v<std::decay_t<Function>>) {
      if (std::decay_t<Function> pointer = function; !pointer) {
        SUBPY_FAIL(Error(SUBPY_ERR_INVALID_ARGUMENT, "function is NULL; pass a function"));
      }
    }
    subpy_function_options c = SUBPY_FUNCTION_OPTIONS_INIT;
    c.doc = options.doc;
    c.signature = options.signature;
    c.release_gil = options.release_gil;
    c.flags = options.flags | Host::flags;
    auto host = std::make_unique<Host>(name.get(), std::forward<Function>(function));
    return call(subpy_define_function_with, id, &c, module.get(), name.get(), &Host::invoke,
                host.release(), &Host::drop);
  }
  return Returns<void>();
}

/// Defines a function. The library owns it from now on.
template <typename Function>
Returns<void> define(subpy_id id, CString module, CString name, Function &&function,
                     const FunctionOptions &options) {
  using Address = typename AddressOf<std::decay_t<Function>>::type;
  static_assert(!std::is_void_v<Address>,
                "subpy: it can't be said what this function takes: define a function, or an object "
                "with one call operator that is no template");
  if constexpr (!std::is_void_v<Address>) {
    using Host = typename HostFunctionOf<Address>::template type<std::decay_t<Function>>;
    return define_as<Host>(id, module, name, std::forward<Function>(function), options);
  }
  return Returns<void>();
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
