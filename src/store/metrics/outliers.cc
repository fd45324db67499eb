#include "store/metrics/outliers.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "store/metrics/bit_packing.h"

namespace binnacle::store::metrics {
namespace {

constexpr unsigned kOrders = 3;
constexpr size_t kSample = 31;  // residuals whose median is the center
constexpr size_t kRarity = 24;  // at most one residual in so many is an outlier

uint64_t zigzag(uint64_t v) { return (v << 1) ^ (0 - (v >> 63)); }

uint64_t residual(std::span<const uint64_t> x, unsigned order, size_t i) {
  if (order == 0) return x[i];
  if (order == 1) return x[i] - x[i - 1];
  return x[i] - 2 * x[i - 1] + x[i - 2];
}

uint64_t median(std::span<const uint64_t> x, unsigned order) {
  std::array<int64_t, kSample + 1> sample{};
  const size_t stride = std::max<size_t>(1, (x.size() - order) / kSample);
  size_t size = 0;
  for (size_t i = order; i < x.size() && size < sample.size(); i += stride)
    sample[size++] = static_cast<int64_t>(residual(x, order, i));
  const auto middle = sample.begin() + static_cast<ptrdiff_t>(size / 2);
  std::nth_element(sample.begin(), middle, sample.begin() + static_cast<ptrdiff_t>(size));
  return static_cast<uint64_t>(*middle);
}

OutlierPlan plan_order(std::span<const uint64_t> x, unsigned order) {
  OutlierPlan plan;
  plan.order = order;
  plan.center = median(x, order);
  std::array<uint32_t, 65> widths{};
  for (size_t i = order; i < x.size(); ++i)
    ++widths[bit_width(zigzag(residual(x, order, i) - plan.center))];
  const size_t count = x.size() - order;
  size_t outside = 0;
  size_t outside_bytes = 0;
  plan.bytes = ~size_t{0};
  plan.widest = 64;
  while (plan.widest > 0 && widths[plan.widest] == 0) --plan.widest;
  for (unsigned width = plan.widest;; --width) {
    const size_t bytes = packed_bytes(count, width) + outside_bytes;
    if (bytes <= plan.bytes) {
      plan.bytes = bytes;
      plan.width = width;
      plan.outliers = outside;
    }
    outside += widths[width];
    // A gap of one or two bytes and the excess.
    outside_bytes += widths[width] * (2 + (width + 6) / 7);
    if (width == 0 || outside > count / kRarity) break;
  }
  return plan;
}

}  // namespace

OutlierPlan plan_outliers(std::span<const uint64_t> integers) {
  CHECK(integers.size() >= kFewestForOutliers);
  OutlierPlan best = plan_order(integers, 0);
  for (unsigned order = 1; order < kOrders; ++order) {
    const OutlierPlan plan = plan_order(integers, order);
    if (plan.bytes < best.bytes) best = plan;
  }
  return best;
}

std::vector<Outlier> take_outliers(std::span<uint64_t> column, const OutlierPlan& plan) {
  std::vector<Outlier> outliers;
  outliers.reserve(plan.outliers);
  for (size_t i = plan.order; i < column.size(); ++i) {
    const uint64_t excess = column[i] - plan.center;
    if (bit_width(zigzag(excess)) <= plan.width) continue;
    outliers.push_back({static_cast<uint32_t>(i), excess});
    column[i] = plan.center;
  }
  return outliers;
}

void encode_outliers(std::span<const Outlier> outliers, std::string& out) {
  ByteWriter writer(out);
  writer.varint(outliers.size());
  uint32_t next = 0;
  for (const Outlier& outlier : outliers) {
    writer.varint(outlier.at - next);
    writer.zigzag(static_cast<int64_t>(outlier.excess));
    next = outlier.at + 1;
  }
}

bool skip_outliers(ByteReader& reader, size_t count) {
  const uint64_t size = reader.varint();
  if (!reader.ok() || size == 0 || size > count) return false;
  uint64_t next = 0;
  for (uint64_t n = 0; n < size; ++n) {
    const uint64_t gap = reader.varint();
    reader.zigzag();
    if (!reader.ok() || next >= count || gap >= count - next) return false;
    next += gap + 1;
  }
  return true;
}

void add_outliers(ByteReader reader, std::span<uint64_t> column) {
  uint64_t next = 0;
  for (uint64_t size = reader.varint(); size > 0; --size) {
    next += reader.varint();
    CHECK(next < column.size());
    column[next++] += static_cast<uint64_t>(reader.zigzag());
  }
}

}  // namespace binnacle::store::metrics
