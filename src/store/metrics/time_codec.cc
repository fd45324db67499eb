// The time columns of column_codec.h: an integer column whose values ascend.
#include <algorithm>

#include "base/check.h"
#include "store/metrics/column_codec.h"
#include "store/metrics/integer_codec.h"
#include "store/metrics/integer_scratch.h"

namespace binnacle::store::metrics {

void encode_times(std::span<const int64_t> times_ms, Effort effort, std::string& out) {
  CHECK(!times_ms.empty());
  IntegerScratch scratch(times_ms.size());
  std::transform(times_ms.begin(), times_ms.end(), scratch.words().begin(),
                 [](int64_t time) { return static_cast<uint64_t>(time); });
  encode_integers(scratch.words(), effort, out);
}

Status decode_times(std::string_view bytes, std::span<int64_t> out) {
  if (out.empty()) return fail(Code::kDataLoss, "time column: no samples");
  IntegerScratch scratch(out.size());
  const std::span<uint64_t> words = scratch.words();
  if (!decode_integers(bytes, words)) return fail(Code::kDataLoss, "time column: broken bytes");
  bool ascending = true;
  out[0] = static_cast<int64_t>(words[0]);
  for (size_t i = 1; i < out.size(); ++i) {
    out[i] = static_cast<int64_t>(words[i]);
    ascending &= out[i - 1] < out[i];
  }
  if (!ascending) return fail(Code::kDataLoss, "time column: times do not ascend");
  return {};
}

}  // namespace binnacle::store::metrics
