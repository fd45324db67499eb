// A pushed group as GET /api/v1/metrics of a Pushgateway shows it. Pure functions.
#pragma once

#include <string>

#include "collect/receive/push_group.h"

namespace binnacle::collect::receive {

void append_push_json(std::string& out, const PushGroup& group);
std::string_view push_type_name(model::MetricType type);  // "counter", "untyped"

}  // namespace binnacle::collect::receive
