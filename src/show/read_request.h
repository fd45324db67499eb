// A request of Prometheus' remote read, decoded. Pure; any thread. Source: prompb/remote.proto and
// types.proto as the "Remote Read API" documentation shows them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/matcher.h"

namespace binnacle::show {

struct ReadQuery {
  int64_t start_ms = 0;  // both included
  int64_t end_ms = 0;
  model::Matchers matchers;
};

struct ReadRequest {
  std::vector<ReadQuery> queries;
  bool streamed = false;  // XOR chunks in frames are wanted; else all samples in one message

  // prometheus.ReadRequest. kInvalidArgument when it is malformed, or wants an answer of a kind
  // that is not known here.
  static Result<ReadRequest> decode(std::string_view body);
};

}  // namespace binnacle::show
