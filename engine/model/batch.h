// The rows of one step as the layers see them, and how work over rows is shared by a team. Made
// anew for each step; one thread, which leads the team.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/forward.h"
#include "engine/model/kv_pages.h"
#include "engine/model/thread_team.h"

namespace binnacle::engine {

struct Row {
  SequenceId sequence = 0;
  int32_t position = 0;
  const KvPages::Sequence* held = nullptr;
};

using Rows = std::vector<Row>;

// Calls work(row) for each; by the team where there is enough to do.
template <typename Work>
void for_each_row(ThreadTeam& team, int64_t rows, int64_t numbers_a_row, const Work& work) {
  constexpr int64_t kWorthSharing = 32 * 1024;
  constexpr int64_t kRowsOfPart = 4;
  if (rows * numbers_a_row < kWorthSharing) {
    for (int64_t row = 0; row < rows; ++row) work(row);
    return;
  }
  team.run((rows + kRowsOfPart - 1) / kRowsOfPart, [&](int64_t part, int) {
    for (int64_t row = part * kRowsOfPart; row < rows && row < (part + 1) * kRowsOfPart; ++row) {
      work(row);
    }
  });
}

}  // namespace binnacle::engine
