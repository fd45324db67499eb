// One consistent view of head and blocks. What the head holds wins over blocks, newer blocks over
// older ones, where two have a sample of one time. Used by one thread.
#pragma once

#include <memory>

#include "model/querier.h"
#include "store/metrics/block_set.h"
#include "store/metrics/column_cache.h"
#include "store/metrics/commit_order.h"
#include "store/metrics/head.h"

namespace binnacle::store::metrics {

// `head`, `order` and `columns`, which may be null, outlive the querier; the blocks live as long as
// it needs them.
std::unique_ptr<model::Querier> make_store_querier(const Head& head, CommitOrder& order,
                                                   const BlockSet& blocks, ColumnCache* columns,
                                                   int64_t min_ms, int64_t max_ms);

}  // namespace binnacle::store::metrics
