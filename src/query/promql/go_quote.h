// Text in quotes as Go's strconv.Quote writes it, and label sets as Prometheus' messages show them:
// errors and annotations have them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/labels.h"

namespace binnacle::query::promql {

std::string go_quote(std::string_view text);
// {__name__="up", job="a"}: the name inside.
std::string labels_text(model::LabelsView labels);

}  // namespace binnacle::query::promql
