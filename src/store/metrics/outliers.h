// The few residuals of an integer column that lie far from all others (a counter that was reset, a
// gauge that jumped), taken out so that the others pack narrowly. Pure functions; any thread.
// Format: docs/formats/chunk.md, "Outliers".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace binnacle::store::metrics {

struct Outlier {
  uint32_t at = 0;      // its place in the column, the seeds counted
  uint64_t excess = 0;  // what it has above the value put in its place
};

struct OutlierPlan {
  unsigned order = 0;
  uint64_t center = 0;  // a residual in the midst of the others
  unsigned width = 64;  // of the zigzag of a residual less the center: what needs more is taken out
  unsigned widest = 0;  // of all
  size_t outliers = 0;
  size_t bytes = 0;  // of all residuals, estimated
};

// The order and the bounds that make the column smallest. At least kFewestForOutliers integers.
inline constexpr size_t kFewestForOutliers = 24;
OutlierPlan plan_outliers(std::span<const uint64_t> integers);

// `column` holds seeds, then residuals. Puts the center in the place of each outlier.
std::vector<Outlier> take_outliers(std::span<uint64_t> column, const OutlierPlan& plan);
void encode_outliers(std::span<const Outlier> outliers, std::string& out);

// Reads past a list; false when it cannot belong to a column of `count`.
bool skip_outliers(ByteReader& reader, size_t count);
// Adds the list at `reader`, which skip_outliers() took before, to a column of seeds and residuals.
void add_outliers(ByteReader reader, std::span<uint64_t> column);

}  // namespace binnacle::store::metrics
