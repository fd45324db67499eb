// For tests of the derivers: a fixture's text read as a scrape loop would, and what comes out of
// it, by the series' text. One thread.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "collect/engines/engine_deriver.h"
#include "collect/exposition/exposition.h"

namespace binnacle::collect::engines {

inline std::string fixture_folder() { return BINNACLE_SOURCE_DIR "/tests/engines/fixtures"; }

inline std::string fixture_text(const std::string& file) {
  auto text = real_file_system().read_file(fixture_folder() + "/" + file);
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

// Names without extension, sorted.
inline std::vector<std::string> fixtures(const std::string& extension) {
  std::vector<std::string> names;
  const auto entries = real_file_system().list(fixture_folder());
  for (const DirEntry& entry : entries.value()) {
    if (entry.name.ends_with(extension)) {
      names.push_back(entry.name.substr(0, entry.name.size() - extension.size()));
    }
  }
  return names;
}

// By Labels::to_string().
using SeriesValues = std::map<std::string, double>;

inline void read_series(
    const std::string& body,
    const std::function<void(const model::Labels&, model::MetricType, double)>& each) {
  exposition::Reader reader;
  reader.begin(body, exposition::Format::kText);
  std::map<std::string, model::MetricType, std::less<>> types;
  exposition::Entry entry;
  model::LabelsBuilder labels;
  while (true) {
    const Status status = reader.next(entry);
    ASSERT_TRUE(status) << status.error().message;
    if (entry.kind == exposition::Entry::Kind::kEnd) return;
    if (entry.kind == exposition::Entry::Kind::kType) types[std::string(entry.family)] = entry.type;
    if (entry.kind != exposition::Entry::Kind::kSample) continue;
    ASSERT_TRUE(reader.read_labels(labels));
    const model::Labels made = labels.build();
    const auto type = types.find(made.metric_name());
    each(made, type == types.end() ? model::MetricType::kUnknown : type->second, entry.value);
  }
}

class CollectingSink final : public scrape::DerivedSink {
 public:
  void append(model::LabelsView labels, double value) override {
    EXPECT_TRUE(values.emplace(labels.to_string(), value).second)
        << "twice: " << labels.to_string();
  }
  SeriesValues values;
};

// One target, scraped as often as wanted.
class FixtureTarget {
 public:
  explicit FixtureTarget(const model::Labels& target = {}, DeriverLimits limits = {})
      : derivers_(registry_, limits), deriver_(derivers_.for_target(target, {})) {}

  SeriesValues scrape(const std::string& body) {
    show(body);
    CollectingSink sink;
    deriver_->finish(1'000, sink);
    return sink.values;
  }
  void scrape_that_fails(const std::string& body) {
    show(body);
    deriver_->failed(1'000);
  }
  size_t interesting() const { return interesting_; }
  double refused() {
    return registry_
        .counter("binnacle_engine_series_refused_total",
                 "Series of engines that no canonical series was made of: their target "
                 "has too many.")
        .value();
  }

 private:
  void show(const std::string& body) {
    interesting_ = 0;
    read_series(body, [this](const model::Labels& labels, model::MetricType type, double value) {
      const uint32_t token = deriver_->series(labels, type);
      if (token == 0) return;
      ++interesting_;
      deriver_->sample(token, value);
    });
  }

  Registry registry_;
  EngineDerivers derivers_;
  std::unique_ptr<scrape::TargetDeriver> deriver_;
  size_t interesting_ = 0;
};

inline SeriesValues expected_series(const std::string& fixture) {
  SeriesValues expected;
  read_series(fixture_text(fixture + ".expected"),
              [&](const model::Labels& labels, model::MetricType, double value) {
                expected[labels.to_string()] = value;
              });
  return expected;
}

}  // namespace binnacle::collect::engines
