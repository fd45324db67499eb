// What a room counts about itself: counters, gauges and histograms in a Registry, written as
// Prometheus text 0.0.4 or OpenMetrics 1.0. A room asks for its instruments once, keeps the
// references (they live as long as the Registry) and updates them from any thread without a lock.
#pragma once

#include "base/mutex.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle {

class Counter {
 public:
  void add(double n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void set(double v) { value_.store(v, std::memory_order_relaxed); }
  void add(double n) { value_.fetch_add(n, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Classic buckets with inclusive upper bounds, finite and rising; +Inf is implied. A snapshot taken
// while others observe may show a sum some observations off its counts; it is right again in the
// next.
class Histogram {
 public:
  explicit Histogram(std::span<const double> upper_bounds);
  void observe(double v);

  struct Snapshot {
    std::vector<uint64_t> cumulative;  // one per bound, then +Inf
    double sum = 0;
  };
  Snapshot snapshot() const;
  std::span<const double> bounds() const { return bounds_; }

 private:
  const std::vector<double> bounds_;
  std::unique_ptr<std::atomic<uint64_t>[]> buckets_;  // bounds_.size() + 1, not cumulative
  std::atomic<double> sum_{0};
};

// 1 ms .. 10 s: for requests and other things that a person waits for.
std::span<const double> latency_bounds();

enum class InstrumentKind : uint8_t { kCounter, kGauge, kHistogram };

using InstrumentLabels =
    std::vector<std::pair<std::string, std::string>>;  // sorted by name on entry

enum class TextFormat : uint8_t { kPrometheus004, kOpenMetrics1 };
std::string_view content_type(TextFormat format);
// By the Accept header, as Prometheus negotiates; 0.0.4 when nothing better is asked.
TextFormat negotiate_text_format(std::string_view accept);

class Registry {
 public:
  Registry();
  ~Registry();

  // The instrument of that name and label set, made on first use. `name` of a counter ends in
  // `_total`. One name has one kind, one help text and one set of bounds, and names follow the
  // Prometheus data model; anything else is a programmer error (CHECK).
  Counter& counter(std::string_view name, std::string_view help, InstrumentLabels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, InstrumentLabels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       std::span<const double> upper_bounds, InstrumentLabels labels = {});

  // Runs before each write or visit, one run at a time: the place to refresh gauges that are read
  // from elsewhere. `fn` must stay callable as long as the Registry lives, and must not write or
  // visit itself.
  void before_collect(std::function<void()> fn);

  // Every sample as it would be written (histograms as _bucket, _sum, _count), for storing our own
  // series. Labels are sorted by name, `le` included.
  using Visitor = std::function<void(std::string_view name,
                                     std::span<const std::pair<std::string, std::string>> labels,
                                     double value)>;
  void visit(const Visitor& visitor);

  std::string write(TextFormat format);

 private:
  struct Series;
  struct Family;
  Series& series(std::string_view name, std::string_view help, InstrumentKind kind,
                 InstrumentLabels labels, std::span<const double> bounds = {}) EXCLUDES(mu_);
  std::vector<const Series*> all_series() EXCLUDES(mu_);
  void run_callbacks() EXCLUDES(mu_, collecting_);

  Mutex collecting_;  // held while callbacks run, so that none runs twice at once; taken before mu_
  Mutex mu_;
  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_ GUARDED_BY(mu_);
  std::vector<std::function<void()>> callbacks_ GUARDED_BY(mu_);
};

// process_* of this process: CPU seconds, resident and virtual bytes, open and max descriptors,
// start time, threads; and binnacle_build_info{version,revision}.
void register_process_instruments(Registry& registry, std::string_view version,
                                  std::string_view revision);

}  // namespace binnacle
