#include "collect/discovery/http_refresher.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "collect/discovery/target_groups.h"
#include "net/run_on_pool.h"

namespace binnacle::collect::discovery {
namespace {

// "application/json", perhaps with the one character set that JSON has.
bool is_json(std::string_view type) {
  const size_t semicolon = type.find(';');
  std::string_view media = type.substr(0, semicolon);
  while (media.ends_with(' ')) media.remove_suffix(1);
  if (!net::equal_ignoring_case(media, "application/json")) return false;
  if (semicolon == std::string_view::npos) return true;
  std::string_view rest = type.substr(semicolon + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return net::equal_ignoring_case(rest, "charset=utf-8") ||
         net::equal_ignoring_case(rest, "charset=\"utf-8\"");
}

// A URL may hold a password and secrets in its query.
std::string shown(const std::string& url) {
  const auto parsed = net::Url::parse(url);
  if (!parsed) return "the URL";
  return parsed->scheme + "://" + parsed->authority() +
         parsed->target.substr(0, parsed->target.find('?'));
}

Status check(const net::Response& response) {
  if (response.status != 200) {
    return fail(Code::kFailedPrecondition,
                fmt::format("answered HTTP status {} {}", response.status,
                            net::status_reason(response.status)));
  }
  const std::string_view type = response.headers.get("Content-Type");
  if (!is_json(type)) {
    return fail(Code::kFailedPrecondition,
                fmt::format("content type is not application/json ({})", type.substr(0, 100)));
  }
  return {};
}

}  // namespace

HttpRefresher::HttpRefresher(const HttpSdConfig& config, FileSystem& files, const Clock& clock,
                             ThreadPool& pool)
    : url_(config.url),
      source_(fmt::format("{}#{:08x}", shown(config.url), crc32c(config.url))),
      interval_ms_(config.refresh_interval_ms),
      pool_(pool),
      peer_(config.http, files, clock) {}

boost::asio::awaitable<Result<Refreshed>> HttpRefresher::refresh() {
  net::ClientRequest request{.url = url_,
                             .timeout = std::chrono::milliseconds(interval_ms_),
                             .max_body_bytes = kMaxTargetAnswerBytes};
  request.headers.add("Accept", "application/json");
  request.headers.add("X-Prometheus-Refresh-Interval-Seconds",
                      fmt::format("{}", static_cast<double>(interval_ms_) / 1000));
  const auto response = co_await peer_.send(std::move(request));
  if (!response) co_return fail(response.error());
  if (Status good = check(*response); !good) {
    co_return fail(std::move(good).error().with_context(shown(url_)));
  }
  Result<std::vector<model::TargetGroup>> groups;
  const Status ran = co_await net::run_on_pool(
      pool_, [&] { groups = parse_target_groups(response->body, source_); });
  if (!ran) co_return fail(ran.error());
  if (!groups) co_return fail(std::move(groups).error().with_context(shown(url_)));
  add_group_label(*groups, "__meta_url", url_);
  co_return Refreshed{std::move(*groups)};
}

}  // namespace binnacle::collect::discovery
