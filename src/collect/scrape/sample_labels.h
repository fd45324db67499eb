// What becomes of the labels that a target exposes: joined with the target's own, relabelled, held
// to the job's limits. Pure functions.
#pragma once

#include <optional>

#include "base/error.h"
#include "collect/scrape/job_config.h"
#include "model/labels.h"

namespace binnacle::collect::scrape {

// The target's labels win, and what they displace is kept as exported_NAME; with `honor` what is
// exposed wins.
model::LabelsBuilder join_labels(model::LabelsView exposed, model::LabelsView target, bool honor);

// nullopt: relabelling dropped the series. kInvalidArgument: it has no name any more.
// kResourceExhausted: over one of the job's limits on labels.
Result<std::optional<model::Labels>> sample_labels(const JobConfig& job, model::LabelsView exposed,
                                                   model::LabelsView target);

}  // namespace binnacle::collect::scrape
