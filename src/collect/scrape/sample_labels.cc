#include "collect/scrape/sample_labels.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"

namespace binnacle::collect::scrape {
namespace {

using model::Label;
using model::Labels;
using model::LabelsBuilder;
using model::LabelsView;

std::string shown(std::string_view text) { return to_valid_utf8(text.substr(0, 50)); }

Status check_limits(const JobConfig& job, LabelsView labels) {
  const auto metric = labels.metric_name();
  if (const size_t count = labels.size(); job.label_limit != 0 && count > job.label_limit) {
    return fail(Code::kResourceExhausted,
                fmt::format("label_limit exceeded (metric: {}, number of labels: {}, limit: {})",
                            shown(metric), count, job.label_limit));
  }
  for (const Label& label : labels) {
    if (job.label_name_length_limit != 0 && label.name.size() > job.label_name_length_limit) {
      return fail(Code::kResourceExhausted,
                  fmt::format("label_name_length_limit exceeded (metric: {}, label name: {}, "
                              "length: {}, limit: {})",
                              shown(metric), shown(label.name), label.name.size(),
                              job.label_name_length_limit));
    }
    if (job.label_value_length_limit != 0 && label.value.size() > job.label_value_length_limit) {
      return fail(Code::kResourceExhausted,
                  fmt::format("label_value_length_limit exceeded (metric: {}, label name: {}, "
                              "value: \"{}\", length: {}, limit: {})",
                              shown(metric), shown(label.name), shown(label.value),
                              label.value.size(), job.label_value_length_limit));
    }
  }
  return {};
}

}  // namespace

LabelsBuilder join_labels(LabelsView exposed, LabelsView target, bool honor) {
  LabelsBuilder joined(exposed);
  std::vector<std::pair<std::string, std::string>> displaced;
  for (const Label& label : target) {
    const auto there = exposed.get(label.name);
    if (!there.empty() && honor) continue;
    if (!there.empty()) displaced.emplace_back(label.name, there);
    joined.set(label.name, label.value);
  }
  // The shortest first, so that of a and exported_a both find the name that they would alone.
  std::ranges::stable_sort(displaced, {}, [](const auto& label) { return label.first.size(); });
  for (auto& [name, value] : displaced) {
    do {
      name.insert(0, "exported_");
    } while (!joined.get(name).empty());
    joined.set(name, value);
  }
  return joined;
}

Result<std::optional<Labels>> sample_labels(const JobConfig& job, LabelsView exposed,
                                            LabelsView target) {
  LabelsBuilder joined = join_labels(exposed, target, job.honor_labels);
  for (const model::RelabelRule& rule : job.metric_relabel) {
    if (!rule.apply(joined)) return std::nullopt;
  }
  Labels labels = joined.build();
  if (labels.empty()) return std::nullopt;
  if (labels.metric_name().empty()) {
    return fail(Code::kInvalidArgument, "metric name label missing after metric_relabel_configs");
  }
  TRY(check_limits(job, labels));
  return labels;
}

}  // namespace binnacle::collect::scrape
