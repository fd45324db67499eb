// Finds series of a block by matchers: unions and intersections of postings. A regex runs once for
// each distinct value of its label. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/matcher.h"
#include "model/read_budget.h"
#include "store/metrics/block_index.h"
#include "store/metrics/series_bitmap.h"

namespace binnacle::store::metrics {

// A matcher that matches the empty string also matches the series without the label.
// What is held meanwhile is charged to the budget, where there is one, which may end it.
Result<SeriesBitmap> select_series(const BlockIndex& index, const model::Matchers& matchers,
                                   model::ReadBudget* budget);

// Sorted, unique, of the series that match.
Result<std::vector<std::string>> select_label_names(const BlockIndex& index,
                                                    const model::Matchers& matchers,
                                                    model::ReadBudget* budget);
// At most `limit`, 0: all.
Result<std::vector<std::string>> select_label_values(const BlockIndex& index, std::string_view name,
                                                     const model::Matchers& matchers, size_t limit,
                                                     model::ReadBudget* budget);

}  // namespace binnacle::store::metrics
