// A pushed body as families of series.
#include <fmt/format.h>

#include <array>
#include <set>

#include "base/utf8.h"
#include "collect/receive/push_group.h"

namespace binnacle::collect::receive {
namespace {

using exposition::Entry;

// That the samples of one family may have behind its name.
constexpr std::array<std::string_view, 8> kSuffixes = {"_bucket",  "_sum",  "_count",  "_total",
                                                       "_created", "_gsum", "_gcount", "_info"};

// Those that the gateway writes itself; pushed ones are not kept.
bool is_of_the_gateway(std::string_view family) {
  return family == kPushTimeSeconds || family == kPushFailureSeconds || family == kPushExpired;
}

class BodyReader {
 public:
  BodyReader(const model::Labels& key, const LabelLimits& limits) : key_(key), limits_(limits) {}

  Result<PushedFamilies> read(std::string_view body, exposition::Format format) {
    reader_.begin(body, format);
    for (;;) {
      Entry entry;
      TRY(reader_.next(entry));
      switch (entry.kind) {
        case Entry::Kind::kEnd:
          return finish();
        case Entry::Kind::kType:
          TRY(take_type(entry));
          break;
        case Entry::Kind::kHelp:
          families_[std::string(entry.family)].metadata.help = to_valid_utf8(entry.text);
          break;
        case Entry::Kind::kUnit:
          families_[std::string(entry.family)].metadata.unit = to_valid_utf8(entry.text);
          break;
        case Entry::Kind::kSample:
          TRY(take_sample(entry));
      }
    }
  }

 private:
  Unexpected wrong(std::string_view what) const {
    return fail(Code::kInvalidArgument, fmt::format("push: line {}: {}", reader_.line(), what));
  }

  Status take_type(const Entry& entry) {
    const std::string name(entry.family);
    if (!typed_.insert(name).second) return wrong(fmt::format("a second TYPE of {}", name));
    families_[name].metadata.type = entry.type;
    return {};
  }

  PushedFamily& family_of(std::string_view metric) {
    if (const auto found = families_.find(metric); found != families_.end()) return found->second;
    for (const std::string_view suffix : kSuffixes) {
      if (!metric.ends_with(suffix)) continue;
      const auto found = families_.find(metric.substr(0, metric.size() - suffix.size()));
      if (found != families_.end()) return found->second;
    }
    return families_[std::string(metric)];
  }

  Status take_sample(const Entry& entry) {
    if (entry.timestamp_ms) {
      return wrong(
          "a time stamp: pushed metrics carry none, as they are repeated at each interval");
    }
    TRY(reader_.read_labels(labels_));
    PushedSeries series;
    series.own = labels_.build();
    series.value = entry.value;
    const std::string metric(series.own.metric_name());
    // What is pushed for a group is of the group, and of no instance but the group's.
    labels_.remove("instance");
    for (const auto& [name, value] : key_) labels_.set(name, value);
    series.labels = labels_.build();
    TRY(check(series.labels));
    if (!seen_.insert(series.labels.packed()).second)
      return wrong(fmt::format("{} stands there twice", series.labels.to_string()));
    family_of(metric).series.push_back(std::move(series));
    return {};
  }

  Status check(const model::Labels& labels) const {
    if (labels.view().size() > limits_.max_count)
      return wrong("too many labels (collect.receive.max_labels)");
    for (const auto& [name, value] : labels) {
      if (name.size() > limits_.max_name_bytes)
        return wrong("a label's name is too long (collect.receive.max_label_name_bytes)");
      if (value.size() > limits_.max_value_bytes)
        return wrong("a label's value is too long (collect.receive.max_label_value_bytes)");
    }
    return {};
  }

  PushedFamilies finish() {
    std::erase_if(families_, [](const auto& family) {
      return family.second.series.empty() || is_of_the_gateway(family.first);
    });
    return std::move(families_);
  }

  const model::Labels& key_;
  const LabelLimits& limits_;
  exposition::Reader reader_;
  model::LabelsBuilder labels_;
  PushedFamilies families_;
  std::set<std::string> typed_;
  std::set<std::string> seen_;
};

}  // namespace

model::Labels push_series(const model::Labels& key, std::string_view metric) {
  return model::LabelsBuilder(key).set(model::kMetricName, metric).build();
}

size_t PushGroup::series() const {
  size_t sum = 0;
  for (const auto& [name, family] : families) sum += family.series.size();
  return sum;
}

Result<PushedFamilies> read_push(std::string_view body, exposition::Format format,
                                 const model::Labels& key, const LabelLimits& limits) {
  return BodyReader(key, limits).read(body, format);
}

}  // namespace binnacle::collect::receive
