// The one way to report failure. A failed peer, a torn record or a bad query is ordinary data and
// comes back as an Error; exceptions stay inside third-party edges and are caught there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace binnacle {

// Maps one to one to gRPC's codes of the same name and, by http_status(), to HTTP statuses.
enum class Code : uint8_t {
  kInvalidArgument,     // 400: the caller's input is wrong, whatever the state
  kUnauthenticated,     // 401
  kPermissionDenied,    // 403
  kNotFound,            // 404
  kAlreadyExists,       // 409
  kFailedPrecondition,  // 412: right input, wrong state
  kOutOfRange,          // 422: a value outside its bounds
  kResourceExhausted,   // 429: a limit, a quota, a full disk
  kCancelled,           // 499: the caller went away
  kInternal,            // 500: a bug of ours
  kUnimplemented,       // 501
  kUnavailable,         // 503: try again later
  kDeadlineExceeded,    // 504
  kDataLoss,            // 500: a record failed its checksum
};

std::string_view code_name(Code code);  // "invalid_argument"
int http_status(Code code);

// A message reads `what failed: detail (value)` and says what to do where there is something to do.
struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string message;

  // The same error with `context: ` put before its message, for callers going up.
  Error with_context(std::string_view context) &&;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;
using Unexpected = tl::unexpected<Error>;

inline Unexpected fail(Code code, std::string message) {
  return Unexpected(Error{code, std::move(message)});
}
inline Unexpected fail(Error error) { return Unexpected(std::move(error)); }

// "open /x: No such file or directory", with the Code that fits errno.
Error errno_error(std::string_view what, int error_number);

}  // namespace binnacle

#define BINNACLE_CONCAT_(a, b) a##b
#define BINNACLE_CONCAT(a, b) BINNACLE_CONCAT_(a, b)

// TRY(expr): returns the Error from the calling function when expr failed.
#define TRY(expr)                                                    \
  do {                                                               \
    if (auto try_result_ = (expr); !try_result_)                     \
      return ::binnacle::Unexpected(std::move(try_result_).error()); \
  } while (0)

// TRY_ASSIGN(auto x, expr): x gets the value, or the calling function returns the Error.
#define TRY_ASSIGN(lhs, expr) TRY_ASSIGN_(BINNACLE_CONCAT(try_value_, __LINE__), lhs, expr)
#define TRY_ASSIGN_(tmp, lhs, expr)                                \
  auto tmp = (expr);                                               \
  if (!tmp) return ::binnacle::Unexpected(std::move(tmp).error()); \
  lhs = std::move(*tmp)
