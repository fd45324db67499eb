// What comes from outside this process: a queue's bytes after a dying disk, a remote store's
// answer. Whatever they are, nothing is read beyond them, and what is taken keeps its promises:
// samples belong to series that were named, times ascend, labels are in order.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "collect/ship/queue_format.h"
#include "collect/ship/remote_read_client.h"

namespace {

using namespace binnacle;
using namespace binnacle::collect::ship;

void as_queue(std::string_view bytes) {
  (void)check_queue_header(bytes, 1);
  (void)parse_queue_frame(bytes);
  if (const auto cursor = last_cursor_record(bytes)) CHECK(cursor->kept <= cursor->acknowledged);
  constexpr uint32_t kKnown = 3;
  QueueChunk chunk;
  if (!read_queue_payload(bytes, kKnown, true, chunk)) return;
  for (const QueuedSample& one : chunk.samples)
    CHECK(one.series < kKnown + chunk.new_series.size());
}

void as_answer(std::string_view bytes) {
  const auto all = parse_read_response(bytes);
  if (!all) return;
  for (size_t i = 0; i < all->size(); ++i) {
    const RemoteSeries& series = (*all)[i];
    CHECK(!series.values.empty() && series.values.size() == series.timestamps_ms.size());
    for (size_t k = 1; k < series.timestamps_ms.size(); ++k)
      CHECK(series.timestamps_ms[k - 1] < series.timestamps_ms[k]);
    if (i > 0) CHECK(model::compare((*all)[i - 1].labels, series.labels) <= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  as_queue(bytes);
  as_answer(bytes);
  return 0;
}
