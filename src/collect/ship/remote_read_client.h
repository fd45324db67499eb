// Reads samples from a Prometheus remote-read endpoint: one request a select(), answered with all
// samples, as whole columns in label order. Blocks the calling thread up to remote_timeout_ms: for
// the threads of queries. Any thread. Source: prompb/remote.proto as the "Remote Read API"
// documentation shows it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "collect/ship/remote_read_options.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "net/io_threads.h"

namespace binnacle::collect::ship {

// One series of an answer; times strictly ascend.
struct RemoteSeries {
  model::Labels labels;
  std::vector<int64_t> timestamps_ms;
  std::vector<double> values;
};

// All outlive the client.
struct RemoteReadDeps {
  net::IoThreads& io;  // started
  FileSystem& files;   // of credentials and certificates
  const Clock& clock;
  Registry& registry;
};

class RemoteReadClient {
 public:
  // Registers binnacle_remote_read_*{destination}. kInvalidArgument: the URL.
  static Result<std::unique_ptr<RemoteReadClient>> create(RemoteReadOptions options,
                                                          RemoteReadDeps deps);
  ~RemoteReadClient();
  RemoteReadClient(const RemoteReadClient&) = delete;
  RemoteReadClient& operator=(const RemoteReadClient&) = delete;

  const RemoteReadOptions& options() const;
  // Whether a query with these matchers asks this endpoint at all.
  bool wants(const model::Matchers& matchers) const;
  // Series in label order, without those that have no sample in [min_ms, max_ms]. Errors name the
  // destination.
  Result<std::vector<RemoteSeries>> read(const model::Matchers& matchers, int64_t min_ms,
                                         int64_t max_ms);

 private:
  struct Impl;
  explicit RemoteReadClient(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// The bodies, without snappy; pure.
std::string read_request_message(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms);
// Sorted by labels; kDataLoss for a malformed answer, kInvalidArgument for samples out of order.
Result<std::vector<RemoteSeries>> parse_read_response(std::string_view message);

}  // namespace binnacle::collect::ship
