// The exchange between the processes of a run over gRPC. Rank 0 takes what the others bring, adds
// up in the order of ranks and answers all with the same bytes; messages carry a checksum. A rank
// that does not come in time is named with its last step. One thread at a time, but address().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "engine/pipeline/pipeline_tls.h"
#include "engine/train/collective.h"

namespace binnacle::engine {

struct GrpcCollectiveOptions {
  int32_t rank = 0;
  int32_t ranks = 1;
  // Rank 0 listens here ("127.0.0.1:0": a free port), the others call.
  std::string address;
  // Of settings and texts; a rank with another one is refused.
  uint64_t fingerprint = 0;
  PipelineTls tls = {};
  bool insecure = false;              // an address that others than this machine reach, without TLS
  int64_t max_values = 0;             // floats of a message
  int64_t join_timeout_ms = 120'000;  // for all to come the first time
  int64_t least_timeout_ms = 5'000;   // rank 0 waits for others this long and two median steps
  int64_t answer_timeout_ms = 300'000;      // others wait for rank 0, which validates and writes
  std::function<int64_t()> median_step_ms;  // empty: unknown
};

class GrpcCollective final : public Collective {
 public:
  // kFailedPrecondition: the address cannot be bound, or may not without --insecure.
  static Result<std::unique_ptr<GrpcCollective>> open(GrpcCollectiveOptions options,
                                                      FileSystem& files, const Clock& clock);
  ~GrpcCollective() override;

  Result<RankReports> average(int64_t step, std::span<float> gradients,
                              const std::vector<double>& report) override;
  Result<std::vector<double>> broadcast(std::span<float> values,
                                        const std::vector<double>& told) override;
  const std::string& address() const { return address_; }  // rank 0's

  class Side;  // one end; known to its own file

 private:
  GrpcCollective(std::unique_ptr<Side> side, std::string address);

  std::unique_ptr<Side> side_;
  const std::string address_;
  uint64_t broadcasts_ = 0;  // so far: their number within the run
};

}  // namespace binnacle::engine
