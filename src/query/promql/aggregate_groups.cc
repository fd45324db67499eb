#include "query/promql/aggregate_groups.h"

namespace binnacle::query::promql {

AggregateGroups::AggregateGroups(const Grouping& grouping, HeldMemory& memory)
    : signature_(grouping.labels, !grouping.without), index_(memory) {}

Result<uint32_t> AggregateGroups::of(const Row& row) {
  TRY_ASSIGN(const auto place, index_.find_or_add(signature_.of(row.labels)));
  if (place.added) ends_.emplace_back();
  End& end = ends_[place.ordinal];
  const size_t last = last_present(row.values);
  if (last == kNoStep) return place.ordinal;
  if (end.step == kNoStep || last > end.step) {
    end = {last, row.drop_name};
  } else if (last == end.step) {
    end.drop_name |= row.drop_name;
  }
  return place.ordinal;
}

}  // namespace binnacle::query::promql
