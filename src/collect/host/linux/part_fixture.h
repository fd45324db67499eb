// For tests of parts: a recorded tree of files in a temporary folder, and one part run on it into a
// real store, on simulated time. One thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "collect/host/linux/parts.h"
#include "collect/host/part_set.h"
#include "model/matcher.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::host {

class RecordedTree {
 public:
  RecordedTree() {
    std::string name = (std::filesystem::temp_directory_path() / "binnacle-host-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    root_ = name;
    for (const char* folder : {"proc", "sys", "root"})
      std::filesystem::create_directory(root_ / folder);
  }
  ~RecordedTree() { std::filesystem::remove_all(root_); }
  RecordedTree(const RecordedTree&) = delete;
  RecordedTree& operator=(const RecordedTree&) = delete;

  // `path` begins with proc/, sys/ or root/. Writing again changes the same file, as the kernel
  // would.
  void write(const std::string& path, std::string_view text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::trunc) << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(root_ / path); }
  std::string path(const std::string& path) const { return (root_ / path).string(); }

  HostOptions options() const {
    HostOptions options;
    options.proc_path = path("proc");
    options.sys_path = path("sys");
    options.rootfs_path = path("root");
    return options;
  }
  Source source() const { return make_source(real_file_system(), options()); }

 private:
  std::filesystem::path root_;
};

// Series as `name{a="b"}` with their value at one moment.
using Samples = std::map<std::string, double>;

// Stale markers come out as NaN.
inline Samples samples_at(store::metrics::LinearStore& store, int64_t at_ms) {
  Samples samples;
  auto querier = store.querier(at_ms, at_ms);
  auto any = model::Matcher::create(model::MatchOp::kRegex, std::string(model::kMetricName), ".+");
  CHECK(querier && any);
  auto series = (*querier)->select({*any}, {});
  CHECK(series.has_value());
  for (model::SeriesColumns columns; (*series)->next(columns);) {
    if (!columns.values.empty()) samples[columns.labels.to_string()] = columns.values.back();
  }
  return samples;
}

// Several parts on one thread, as a lane runs them.
class PartsRunner {
 public:
  explicit PartsRunner(Parts parts)
      : parts_(std::move(parts), {}, 1000, clock_, store_, registry_) {}

  // One run; two minutes pass before it, so that every part is due.
  Samples run() {
    clock_.advance_ms(120'000);
    EXPECT_TRUE(parts_.collect(clock_.wall_ms()));
    return samples_at(store_, clock_.wall_ms());
  }
  // Of all parts, the last run.
  bool succeeded() {
    bool all = true;
    registry_.visit([&](std::string_view name, auto, double value) {
      if (name == "binnacle_collector_success") all = all && value == 1;
    });
    return all;
  }

 private:
  SimulatedClock clock_;
  Registry registry_;
  store::metrics::LinearStore store_{clock_};
  PartSet parts_;
};

class PartRunner : public PartsRunner {
 public:
  explicit PartRunner(std::unique_ptr<Part> part) : PartsRunner(only(std::move(part))) {}

 private:
  static Parts only(std::unique_ptr<Part> part) {
    Parts parts;
    parts.push_back(std::move(part));
    return parts;
  }
};

inline NameFilter filter(const std::string& pattern) {
  auto created = NameFilter::create(pattern);
  CHECK(created.has_value());
  return std::move(*created);
}

}  // namespace binnacle::collect::host
