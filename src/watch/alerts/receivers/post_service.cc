#include "watch/alerts/receivers/post_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/utf8.h"

namespace binnacle::watch::alerts {
namespace {

constexpr int kTooManyRequests = 429;
constexpr int64_t kMaxRetryAfterSeconds = 3'600;
constexpr size_t kShownBytes = 500;

std::string excerpt(std::string_view body) {
  std::string text = to_valid_utf8(body.substr(0, kShownBytes));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return body.size() > kShownBytes ? text + "..." : text;
}

}  // namespace

int64_t retry_after_ms(const net::Response& response) {
  const std::string_view text = response.headers.get("Retry-After");
  double seconds = 0;  // some services write fractions
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || !(seconds > 0)) return 0;
  return static_cast<int64_t>(std::min(seconds, double{kMaxRetryAfterSeconds}) * 1000);
}

SendOutcome judge_status(const net::Response& response, bool retry_client_errors) {
  const int status = response.status;
  SendOutcome out;
  if (status >= 200 && status < 300) return out;
  const bool again = status >= 500 || status == kTooManyRequests || retry_client_errors;
  out.kind = again ? SendOutcome::Kind::kRetry : SendOutcome::Kind::kFailed;
  out.message = fmt::format("unexpected status code {}", status);
  if (const std::string said = excerpt(response.body); !said.empty()) out.message += ": " + said;
  if (again) out.retry_after_ms = retry_after_ms(response);
  return out;
}

SendOutcome PostService::judge(const net::Response& response) const {
  return judge_status(response);
}

}  // namespace binnacle::watch::alerts
