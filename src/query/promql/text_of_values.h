// Values as errors and annotations show them: as Go's verb %g and RFC 3339 write them. Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/labels.h"

namespace binnacle::query::promql {

std::string number_text(double v);                   // 0.5, 1e+06, +Inf, NaN
std::string odd_quantile_text(double q);             // of one that is not between 0 and 1
std::string time_text(int64_t ms);                   // 2026-01-02T03:04:05Z, in whole seconds
std::string labels_text(model::LabelsView labels);   // {__name__="up", job="a"}: the name inside
std::string for_metric_name(std::string_view name);  // ` for metric name "up"`; "" of none

}  // namespace binnacle::query::promql
