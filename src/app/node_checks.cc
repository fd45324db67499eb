#include "app/node_checks.h"

#include <utility>

namespace binnacle::app {
namespace {

using watch::health::Health;

Health health_of(link::CheckOutcome outcome) {
  switch (outcome) {
    case link::CheckOutcome::kHealthy:
      return Health::kHealthy;
    case link::CheckOutcome::kDegraded:
      return Health::kDegraded;
    case link::CheckOutcome::kCritical:
      return Health::kCritical;
    case link::CheckOutcome::kFailed:
      return Health::kFailed;
    case link::CheckOutcome::kUnknown:
      break;
  }
  return Health::kUnknown;
}

}  // namespace

void NodeChecks::check_result(const model::Node& node, const link::CheckResult& result) {
  watch::health::PushedReading pushed;
  pushed.reading.health = health_of(result.outcome);
  pushed.reading.message = result.message;
  if (result.ttl_ms > 0) pushed.ttl_ms = result.ttl_ms;
  pushed.component = result.check;
  pushed.node = node.name;
  health_.push_soon(node.name + "/" + result.check, std::move(pushed));
}

}  // namespace binnacle::app
