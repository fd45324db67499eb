#include "query/promql/counter_name.h"

#include <algorithm>

#include <fmt/format.h>

#include "query/promql/literal_text.h"
#include "query/promql/range_makers.h"

namespace binnacle::query::promql {
namespace {

constexpr std::string_view kSuffixes[] = {"_total", "_sum", "_count", "_bucket"};

}  // namespace

CounterName::CounterName(const RangeCall& call)
    : annotations_(call.annotations), position_(argument_position(call.call, 0)) {}

void CounterName::look_at(model::LabelsView labels) {
  const std::string_view name = labels.metric_name();
  if (name.empty() || name == told_) return;
  if (std::ranges::any_of(kSuffixes, [&](std::string_view s) { return name.ends_with(s); })) return;
  told_ = name;
  annotations_.info(
      fmt::format("metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                  "{}",
                  in_quotes(name)),
      position_);
}

}  // namespace binnacle::query::promql
