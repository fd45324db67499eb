#include "base/error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace binnacle {
namespace {

struct CodeFacts {
  std::string_view name;
  int http;
};

constexpr CodeFacts kFacts[] = {
    {"invalid_argument", 400},  {"unauthenticated", 401},    {"permission_denied", 403},
    {"not_found", 404},         {"already_exists", 409},     {"failed_precondition", 412},
    {"out_of_range", 422},      {"resource_exhausted", 429}, {"cancelled", 499},
    {"internal", 500},          {"unimplemented", 501},      {"unavailable", 503},
    {"deadline_exceeded", 504}, {"data_loss", 500},
};

Code code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
      return Code::kInvalidArgument;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Code::kResourceExhausted;
    case ETIMEDOUT:
      return Code::kDeadlineExceeded;
    case ECANCELED:
      return Code::kCancelled;
    case EADDRINUSE:
    case ENOTSUP:
      return Code::kFailedPrecondition;
    default:
      return Code::kUnavailable;
  }
}

}  // namespace

std::string_view code_name(Code code) { return kFacts[static_cast<size_t>(code)].name; }

int http_status(Code code) { return kFacts[static_cast<size_t>(code)].http; }

Error Error::with_context(std::string_view context) && {
  message = fmt::format("{}: {}", context, message);
  return std::move(*this);
}

Error errno_error(std::string_view what, int error_number) {
  return Error{code_of_errno(error_number),
               fmt::format("{}: {}", what, std::generic_category().message(error_number))};
}

}  // namespace binnacle
