// The local store and remote ones as one: a remote store is asked for what is older than the local
// one holds (read_recent: for everything), and where both have a sample at one time the local one
// counts. A remote store that fails leaves a warning beside the local answer, unless it is
// `required`. A query that needs no remote store goes straight to the local one. Label names and
// values are the local store's: remote read has no question for them. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "collect/ship/remote_read_client.h"
#include "model/querier.h"

namespace binnacle::collect::ship {

class MergedQueryable final : public model::Queryable {
 public:
  // `local` outlives it. `local_from_ms`: from when on the local store has all there is.
  MergedQueryable(model::Queryable& local, std::function<int64_t()> local_from_ms);

  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override;

  // From the next querier on. Shared with those in use.
  void set_remotes(std::vector<std::shared_ptr<RemoteReadClient>> remotes) EXCLUDES(mu_);

 private:
  class View;

  // Fixed after construction.
  model::Queryable& local_;
  const std::function<int64_t()> local_from_ms_;

  mutable Mutex mu_;
  std::vector<std::shared_ptr<RemoteReadClient>> remotes_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::ship
