// A source that is asked anew from time to time: files, HTTP servers, name servers. It hands on
// what changed since the last time; while it fails, the last good targets stay.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "collect/discovery/source_health.h"
#include "model/target.h"
#include "net/background_loop.h"

namespace binnacle::collect::discovery {

// What one asking gives: all groups there are now, those included that could not be read this time
// and stay as they were.
struct Refreshed {
  std::vector<model::TargetGroup> groups;
  std::optional<Error> problem = std::nullopt;  // of a part
};

class Refresher {
 public:
  virtual ~Refresher() = default;
  // An error: nothing was learnt, everything stays.
  virtual boost::asio::awaitable<Result<Refreshed>> refresh() = 0;
};

// The groups of `now` that are new or differ from those of the last call, and an empty one for each
// source that is gone.
class GroupChanges {
 public:
  std::vector<model::TargetGroup> since_last(std::vector<model::TargetGroup> now);

 private:
  std::map<std::string, model::TargetGroup> last_;  // by source
};

bool same_group(const model::TargetGroup& a, const model::TargetGroup& b);

class RefreshSource final : public model::TargetSource {
 public:
  // `health` outlives it.
  RefreshSource(std::unique_ptr<Refresher> refresher, std::chrono::milliseconds interval,
                net::IoThreads& io, SourceHealth& health);

  void start(Update update) override;
  void stop() override { loop_.stop(); }

 private:
  boost::asio::awaitable<void> run();

  const std::unique_ptr<Refresher> refresher_;
  const std::chrono::milliseconds interval_;
  SourceHealth& health_;
  Update update_;
  // I/O thread only
  GroupChanges changes_;
  net::BackgroundLoop loop_;
};

}  // namespace binnacle::collect::discovery
