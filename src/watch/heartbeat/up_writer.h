// Says in series who is up, as a scrape would have: `up{job="node",instance,node,cluster}` of every
// node, expected ones too, 1 while it is up, suspect or draining, 0 while it is down or was never
// seen. When a node goes down its series end: each gets a stale marker, and `up` of the engines
// that its agent scrapes, which nobody else could write now, is 0. A node that left ends wholly.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/log.h"
#include "model/appender.h"
#include "model/node.h"
#include "model/querier.h"

namespace binnacle::watch::heartbeat {

struct UpWriterOptions {
  int64_t interval_ms = 10'000;   // as agents collect by default
  int64_t lookback_ms = 300'000;  // series without a sample for so long have ended already
  size_t max_series = 200'000;    // of one node, that get a marker
  size_t max_engines = 256;       // of one node
  std::string cluster;            // of expected nodes that were never seen
};

class UpWriter {
 public:
  // Series with the node's label that are not the agent's: this server writes or scrapes them.
  using KeepsOn = std::function<bool(model::LabelsView)>;

  // All outlive it.
  UpWriter(UpWriterOptions options, const model::NodeView& nodes, model::Appendable& store,
           model::Queryable& reads, KeepsOn keeps_on, const Clock& clock, Registry& registry);

  // Once a second or so: writes changes at once and the rest when it is due. An error names the
  // first thing that was not stored; the rest is.
  Status tick();

 private:
  struct Told {
    model::NodeState state = model::NodeState::kUnknown;
    std::string cluster;
    int64_t written_ms = 0;              // monotonic; 0: never
    int64_t end_again_ms = 0;            // when samples under way have come, too; 0: not
    std::vector<model::Labels> engines;  // `up` series of a node that is down
  };

  Status tell(const model::Node& node, Told& told, model::Appender& appender);
  void write(const model::Node& node, Told& told, model::Appender& appender);
  // Ends the node's series. With `wholly` also those that are written here.
  Status end_series(const std::string& node, Told& told, bool wholly, model::Appender& appender);
  void append(model::Appender& appender, model::LabelsView labels, model::Sample sample);

  // Fixed after construction.
  const UpWriterOptions options_;
  const model::NodeView& nodes_;
  model::Appendable& store_;
  model::Queryable& reads_;
  const KeepsOn keeps_on_;
  const Clock& clock_;
  Counter& markers_;
  const Log log_{"heartbeat"};

  std::map<std::string, Told> told_;  // by the node's name
  size_t refused_ = 0;                // of the tick under way
};

}  // namespace binnacle::watch::heartbeat
