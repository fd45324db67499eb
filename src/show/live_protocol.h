// The messages of /ws as JSON text; docs/api.md describes them. Pure: what a client asks is parsed
// here and what it is sent is rendered here, the driver (live.h) moves the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/rows.h"

namespace binnacle::show {

struct LiveRequest {
  enum class Op : uint8_t { kSubscribe, kUnsubscribe };
  Op op = Op::kSubscribe;
  std::string id;
  std::string query;
  query::promql::ExprPtr expr;  // of it: a scalar or an instant vector
  int64_t range_ms = 0;
  int64_t step_ms = 1000;
  int64_t lookback_ms = 0;  // 0: the server's
};

struct LiveBounds {
  size_t max_points = 11'000;  // range / step
  int64_t min_step_ms = 100;
  bool experimental = false;  // query.experimental
};

// On an error `id` still holds what the message named, so that the answer reaches the right chart.
Result<LiveRequest> parse_live_request(std::string_view text, const LiveBounds& bounds,
                                       std::string& id);

std::string live_hello(std::string_view version, std::string_view boot_id, int64_t now_ms);
std::string live_error(std::string_view id, std::string_view message);

// One subscription's side of the wire: it gives each series a small number (its ref) the first time
// it is sent, and afterwards sends values alone.
class LiveSeries {
 public:
  explicit LiveSeries(std::string id) : id_(std::move(id)) {}

  std::string snapshot(const std::vector<query::promql::OwnedRow>& series,
                       const query::promql::Steps& steps);
  // `series` hold one value each.
  std::string delta(const std::vector<query::promql::OwnedRow>& series, int64_t time_ms);

 private:
  // The ref of that set, and whether it is new.
  std::pair<size_t, bool> ref_of(const model::Labels& labels);

  const std::string id_;
  std::unordered_map<std::string, size_t> refs_;  // packed label bytes
};

}  // namespace binnacle::show
