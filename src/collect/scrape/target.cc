#include "collect/scrape/target.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/config_units.h"
#include "net/http.h"

namespace binnacle::collect::scrape {
namespace {

using model::Label;
using model::Labels;
using model::LabelsBuilder;
using model::LabelsView;

constexpr std::string_view kAddress = "__address__";
constexpr std::string_view kScheme = "__scheme__";
constexpr std::string_view kMetricsPath = "__metrics_path__";
constexpr std::string_view kInterval = "__scrape_interval__";
constexpr std::string_view kTimeout = "__scrape_timeout__";
constexpr std::string_view kParam = "__param_";
constexpr std::string_view kMeta = "__meta_";
constexpr std::string_view kReserved = "__";

// As much of a path as may stand in a URL stays as it is.
std::string escape_path(std::string_view path) {
  constexpr std::string_view kKept = "-_.~$&+,/:;=@!'()*";
  std::string out = path.starts_with('/') ? "" : "/";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kKept.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string url_of(const JobConfig& job, LabelsView labels) {
  std::map<std::string, std::vector<std::string>> params;
  for (const auto& [name, value] : job.params) params[name].push_back(value);
  for (const Label& label : labels) {
    if (!label.name.starts_with(kParam)) continue;
    auto& values = params[std::string(label.name.substr(kParam.size()))];
    if (values.empty()) values.emplace_back();
    values.front() = label.value;
  }
  std::string url = fmt::format("{}://{}{}", labels.get(kScheme), labels.get(kAddress),
                                escape_path(labels.get(kMetricsPath)));
  char separator = '?';
  for (const auto& [name, values] : params) {
    for (const std::string& value : values) {
      url +=
          fmt::format("{}{}={}", separator, net::percent_encode(name), net::percent_encode(value));
      separator = '&';
    }
  }
  return url;
}

Result<int64_t> positive_duration(std::string_view text, std::string_view what) {
  auto ms = parse_duration_ms(text);
  if (!ms) return fail(std::move(ms).error().with_context(what));
  if (*ms > 0) return ms;
  return fail(Code::kInvalidArgument, fmt::format("{} cannot be 0", what));
}

Status read_times(LabelsView labels, Target& target) {
  TRY_ASSIGN(target.interval_ms, positive_duration(labels.get(kInterval), "scrape interval"));
  TRY_ASSIGN(target.timeout_ms, positive_duration(labels.get(kTimeout), "scrape timeout"));
  if (target.timeout_ms <= target.interval_ms) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("scrape timeout cannot be greater than scrape interval ({} > {})",
                          labels.get(kTimeout), labels.get(kInterval)));
}

}  // namespace

Labels discovered_labels(const JobConfig& job, LabelsView target, LabelsView group) {
  LabelsBuilder labels(target);
  const auto set_absent = [&labels](std::string_view name, std::string_view value) {
    if (labels.get(name).empty()) labels.set(name, value);
  };
  for (const Label& label : group) set_absent(label.name, label.value);
  set_absent("job", job.job_name);
  set_absent(kInterval, format_duration_ms(job.interval_ms));
  set_absent(kTimeout, format_duration_ms(job.timeout_ms));
  set_absent(kMetricsPath, job.metrics_path);
  set_absent(kScheme, job.scheme);
  for (const auto& [name, value] : job.params) set_absent(std::string(kParam) + name, value);
  return labels.build();
}

Result<std::optional<Target>> make_target(const JobConfig& job, Labels discovered) {
  LabelsBuilder builder(discovered);
  for (const model::RelabelRule& rule : job.relabel) {
    if (!rule.apply(builder)) return std::nullopt;
  }
  const std::string address(builder.get(kAddress));
  if (address.empty()) return fail(Code::kInvalidArgument, "no address");
  if (address.find('/') != std::string::npos) {
    return fail(Code::kInvalidArgument, fmt::format("\"{}\" is not a valid hostname", address));
  }
  if (builder.get("instance").empty()) builder.set("instance", address);
  Target target;
  LabelsBuilder of_series;
  LabelsBuilder all;
  const Labels relabelled = builder.build();
  for (const Label& label : relabelled) {
    if (!label.name.starts_with(kMeta)) all.set(label.name, label.value);
    if (!label.name.starts_with(kReserved)) of_series.set(label.name, label.value);
  }
  TRY(read_times(relabelled, target));
  target.discovered = std::move(discovered);
  target.labels = of_series.build();
  target.url = url_of(job, relabelled);
  const std::string identity = all.build().packed() + target.url;
  target.identity = XXH3_64bits(identity.data(), identity.size());
  return target;
}

TargetSet make_targets(const JobConfig& job, const std::vector<model::TargetGroup>& groups) {
  TargetSet out;
  std::unordered_set<uint64_t> seen;
  for (const model::TargetGroup& group : groups) {
    for (size_t i = 0; i < group.targets.size(); ++i) {
      Labels discovered = discovered_labels(job, group.targets[i], group.labels);
      auto target = make_target(job, discovered);
      if (!target) {
        out.problems.push_back(
            fmt::format("target {} of {}: {}", i, group.source, target.error().message));
      } else if (!*target) {
        ++out.dropped_count;
        if (job.keep_dropped_targets == 0 || out.dropped.size() < job.keep_dropped_targets)
          out.dropped.push_back(std::move(discovered));
      } else if (seen.insert((*target)->identity).second) {
        out.active.push_back(std::move(**target));
      }
    }
  }
  return out;
}

}  // namespace binnacle::collect::scrape
