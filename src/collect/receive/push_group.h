// One group of the Pushgateway's API: what was pushed under one set of grouping labels, and how it
// is named in a path, read from a body and kept in a file. Values; no locks here. Formats:
// docs/formats/push.md; Pushgateway's README, "API".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "collect/exposition/exposition.h"
#include "collect/receive/label_fields.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::collect::receive {

// The series that tell of a group itself.
inline constexpr std::string_view kPushTimeSeconds = "push_time_seconds";
inline constexpr std::string_view kPushFailureSeconds = "push_failure_time_seconds";
inline constexpr std::string_view kPushExpired = "binnacle_push_expired";
model::Labels push_series(const model::Labels& key, std::string_view metric);

struct PushedSeries {
  model::Labels own;     // as pushed, without the group's labels
  model::Labels labels;  // as stored
  double value = 0;
};

struct PushedFamily {
  model::MetricMetadata metadata;
  std::vector<PushedSeries> series;
};

using PushedFamilies = std::map<std::string, PushedFamily, std::less<>>;

struct PushGroup {
  model::Labels key;
  PushedFamilies families;
  int64_t pushed_ms = 0;  // 0: never
  int64_t failed_ms = 0;
  int64_t ttl_ms = 0;  // 0: until it is deleted

  size_t series() const;
  bool expired(int64_t now_ms) const { return ttl_ms != 0 && now_ms - pushed_ms >= ttl_ms; }
};

// Of what stands behind "/metrics/job" in a path as sent: "/a/instance/b", "@base64/YQ/x/y".
// kInvalidArgument says how to write it.
Result<model::Labels> push_key_of(std::string_view path);

// kInvalidArgument: broken text, a time stamp, a series or a TYPE twice, labels over the limits.
Result<PushedFamilies> read_push(std::string_view body, exposition::Format format,
                                 const model::Labels& key, const LabelLimits& limits);

std::string push_file_name(const model::Labels& key);
std::string write_push_file(const PushGroup& group);
// kDataLoss: not as it was written; kInvalidArgument: of another format.
Result<PushGroup> read_push_file(std::string_view bytes);

}  // namespace binnacle::collect::receive
