// Any bytes as a page of either format: read to an error or the end. What has good labels and is
// read again by the length of its series gives the same sample.
#include "base/check.h"
#include "collect/exposition/exposition.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace binnacle;                       // NOLINT(google-build-using-namespace)
using namespace binnacle::collect::exposition;  // NOLINT(google-build-using-namespace)

void read(std::string_view body, Format format) {
  Reader reader;
  reader.begin(body, format);
  model::LabelsBuilder labels;
  for (;;) {
    Entry entry;
    if (!reader.next(entry)) return;
    if (entry.kind == Entry::Kind::kEnd) return;
    if (entry.kind != Entry::Kind::kSample) continue;
    CHECK(entry.series.data() >= body.data());
    CHECK(entry.series.data() + entry.series.size() <= body.data() + body.size());
    if (reader.read_labels(labels)) CHECK(labels.build().view().size() <= kMaxLabelsOfSeries + 1);
    Reader again;
    again.begin(body.substr(static_cast<size_t>(entry.series.data() - body.data())), format);
    Entry same;
    CHECK(again.next_known(entry.series.size(), same));
    CHECK(same.series == entry.series);
    CHECK(std::bit_cast<uint64_t>(same.value) == std::bit_cast<uint64_t>(entry.value));
    CHECK(same.timestamp_ms == entry.timestamp_ms);
    CHECK(again.rest() == reader.rest());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  read(body, Format::kText);
  read(body, Format::kOpenMetrics);
  return 0;
}
