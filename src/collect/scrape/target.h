// A scrape target as relabelling made it: where it is, how often it is asked, and the labels of its
// series. Plain values and pure functions. Source: Prometheus documentation, "<scrape_config>",
// "<relabel_config>".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "collect/scrape/job_config.h"
#include "model/labels.h"
#include "model/target.h"

namespace binnacle::collect::scrape {

struct Target {
  model::Labels discovered;  // before relabelling, with what the job adds
  model::Labels labels;      // of every series; none begins with __
  std::string url;
  int64_t interval_ms = 0;
  int64_t timeout_ms = 0;
  uint64_t identity = 0;  // of all labels after relabelling and the URL
};

struct TargetSet {
  std::vector<Target> active;          // each identity once
  std::vector<model::Labels> dropped;  // by relabelling: as discovered; JobConfig limits them
  uint64_t dropped_count = 0;
  std::vector<std::string> problems;  // targets that cannot be scraped, and why
};

// What a target's labels are before relabelling: its own, then the group's, then the job's.
model::Labels discovered_labels(const JobConfig& job, model::LabelsView target,
                                model::LabelsView group);

// nullopt: a rule dropped it. kInvalidArgument: no or a bad address, interval or timeout.
Result<std::optional<Target>> make_target(const JobConfig& job, model::Labels discovered);

TargetSet make_targets(const JobConfig& job, const std::vector<model::TargetGroup>& groups);

}  // namespace binnacle::collect::scrape
