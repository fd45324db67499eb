#include "query/promql/query_log.h"

#include <string>

namespace binnacle::query::promql {
namespace {

constexpr double kDurationBounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                      0.5,   1,      2.5,   5,    10,    30,   60,  120};
constexpr size_t kLoggedTextBytes = 4096;
constexpr std::string_view kSettingMark = "(query.";

// "max_samples" of an error that names the setting of the limit it met.
std::string limit_of(const Error& error) {
  if (error.code == Code::kDeadlineExceeded) return "timeout";
  const size_t begin = error.message.find(kSettingMark);
  if (error.code != Code::kResourceExhausted || begin == std::string::npos) return "";
  const size_t name = begin + kSettingMark.size();
  return error.message.substr(name, error.message.find(')', name) - name);
}

}  // namespace

QueryLog::QueryLog(Registry& registry)
    : registry_(registry),
      samples_(registry.counter("binnacle_query_samples_total", "Samples that queries have read.")),
      slow_(registry.counter("binnacle_query_slow_total",
                             "Queries that took longer than query.slow_log.")) {}

void QueryLog::finished(const FinishedQuery& query) {
  registry_
      .histogram("binnacle_query_duration_seconds",
                 "How long queries took, without their wait for a turn.", kDurationBounds,
                 {{"kind", std::string(query.kind)}})
      .observe(query.seconds);
  samples_.add(static_cast<double>(query.samples));
  if (query.error != nullptr) {
    registry_
        .counter("binnacle_query_failed_total", "Queries that ended with an error, by its code.",
                 {{"code", std::string(code_name(query.error->code))}})
        .add();
    if (const std::string limit = limit_of(*query.error); !limit.empty()) {
      registry_
          .counter("binnacle_query_limited_total", "Queries that a limit ended, by its setting.",
                   {{"limit", limit}})
          .add();
    }
  }
  const int64_t slow_ms = slow_ms_.load(std::memory_order_relaxed);
  if (slow_ms == 0 || query.seconds * 1000 < static_cast<double>(slow_ms)) return;
  slow_.add();
  log_.warn("slow query", {{"query", query.text.substr(0, kLoggedTextBytes)},
                           {"kind", query.kind},
                           {"seconds", query.seconds},
                           {"samples", query.samples},
                           {"caller", query.caller},
                           {"error", query.error != nullptr ? std::string_view(query.error->message)
                                                            : std::string_view()}});
}

}  // namespace binnacle::query::promql
