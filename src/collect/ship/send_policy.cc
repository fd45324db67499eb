#include "collect/ship/send_policy.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

#include <fmt/format.h>

namespace binnacle::collect::ship {
namespace {

constexpr size_t kMostWords = 300;

// RFC 9110, 10.2.3: seconds, or a date as in "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<int64_t> retry_after_ms(std::string_view text, int64_t now_ms) {
  if (text.empty()) return std::nullopt;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0)
    return std::min<int64_t>(seconds, INT32_MAX) * 1000;
  std::tm parts{};
  const std::string copy(text);
  const char* rest = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return std::max<int64_t>(0, static_cast<int64_t>(::timegm(&parts)) * 1000 - now_ms);
}

std::string first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  return std::string(text.substr(0, kMostWords));
}

bool speaks_of_us(int status) {
  return status < 400 || status == 401 || status == 403 || status == 404 || status == 407 ||
         status == 408;
}

}  // namespace

SendVerdict judge(const Result<net::Response>& answer, const ShipperOptions& options,
                  int64_t now_ms) {
  if (!answer) return {SendOutcome::kFailed, 0, answer.error().message};
  const int status = answer->status;
  if (status >= 200 && status < 300) return {};
  SendVerdict verdict{SendOutcome::kRefused, 0,
                      fmt::format("status {}: {}", status, first_line(answer->body))};
  if (status == 429 || status >= 500) {
    const auto wait = retry_after_ms(answer->headers.get("Retry-After"), now_ms);
    const bool slowed = status == 429 || (status == 503 && wait);
    verdict.outcome = slowed ? SendOutcome::kSlowed : SendOutcome::kFailed;
    verdict.wait_ms = std::min(wait.value_or(0), options.max_retry_after_ms);
  } else if (speaks_of_us(status)) {
    verdict.outcome = SendOutcome::kFailed;
  }
  return verdict;
}

Backoff::Backoff(const ShipperOptions& options, Random& random)
    : max_ms_(options.max_backoff_ms), ms_(options.min_backoff_ms), random_(random) {}

int64_t Backoff::next_ms() {
  const int64_t half = ms_ / 2;
  const int64_t wait =
      ms_ - half + static_cast<int64_t>(random_.below(static_cast<uint64_t>(half) + 1));
  ms_ = std::min(max_ms_, ms_ * 2);
  return wait;
}

}  // namespace binnacle::collect::ship
