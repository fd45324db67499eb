// Records of the log in frames, none larger than a reader takes.
#include "store/metrics/wal.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

// A record more may be 8 MiB: a frame stays well below kWalMaxPayloadBytes.
constexpr size_t kFullFrameBytes = size_t{16} << 20;
constexpr size_t kMostFixedBytes = 32;  // of any item, texts apart

size_t bytes_of(const WalSeries& one) { return one.labels.size(); }
size_t bytes_of(const WalSample&) { return 0; }
size_t bytes_of(const WalMetadata& one) {
  return one.metric.size() + one.help.size() + one.unit.size();
}
size_t bytes_of(const WalTombstone&) { return 0; }

template <typename T>
void frame_all(WalRecordType type, std::span<const T> items,
               void (*encode)(std::span<const T>, std::string&), std::string& frames) {
  while (!items.empty()) {
    size_t count = 0;
    for (size_t bytes = 0; count < items.size() && bytes < kFullFrameBytes; ++count)
      bytes += kMostFixedBytes + bytes_of(items[count]);
    const size_t begun = begin_wal_frame(type, frames);
    encode(items.first(count), frames);
    end_wal_frame(begun, frames);
    items = items.subspan(count);
  }
}

}  // namespace

void frame_series(std::span<const WalSeries> series, std::string& frames) {
  frame_all(kWalSeries, series, encode_series, frames);
}

void frame_samples(std::span<const WalSample> samples, std::string& frames) {
  frame_all(kWalSamples, samples, encode_samples, frames);
}

void frame_metadata(std::span<const WalMetadata> metadata, std::string& frames) {
  frame_all(kWalMetadata, metadata, encode_metadata, frames);
}

void frame_tombstones(std::span<const WalTombstone> tombstones, std::string& frames) {
  frame_all(kWalTombstones, tombstones, encode_tombstones, frames);
}

}  // namespace binnacle::store::metrics
