// A chunk of the queue made ready to send: relabelled, split over shards by series, each shard's
// samples cut into request bodies. Keeps what a segment's series became, so that each is relabelled
// once a segment. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collect/ship/sample_queue.h"
#include "collect/ship/shipper_options.h"
#include "collect/ship/write_encoder.h"

namespace binnacle::collect::ship {

struct ShipRequest {
  std::string body;
  uint64_t samples = 0;  // of metadata: metrics
};

struct SendRound {
  std::vector<std::vector<ShipRequest>> shards;  // none is empty; requests of one go in order
  uint64_t samples = 0;
  uint64_t relabelled = 0;
  uint64_t too_old = 0;
};

class RoundMaker {
 public:
  explicit RoundMaker(const ShipperOptions& options) : options_(options) {}

  // Every chunk of the queue, in order.
  SendRound make(const QueueChunk& chunk, int64_t now_ms);
  std::vector<ShipRequest> metadata(
      const std::vector<std::pair<std::string, model::MetricMetadata>>& metadata);

 private:
  void note_series(const std::string& packed);

  const ShipperOptions& options_;
  WriteEncoder encoder_;
  // Of the segment, by series. Empty fields: not for this receiver.
  std::vector<std::string> fields_;
  std::vector<uint32_t> hashes_;
  std::vector<std::vector<QueuedSample>> by_shard_;
};

}  // namespace binnacle::collect::ship
