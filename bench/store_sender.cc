// Sends the data of a GPU cluster (bench/cluster_data.h) by remote write 1.0 over one kept
// connection: 2,000 series a request, one sample each, all series of one time step before the next.
// Bodies are made before the clock starts. Prints one `key value` line a figure, for
// bench/store.sh.
#include <snappy.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <protozero/pbf_writer.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cluster_data.h"
#include "entropy.h"
#include "post_connection.h"

namespace binnacle::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kSeriesPerRequest = 2000;
constexpr int64_t kStepMs = 15'000;
constexpr size_t kChurnEverySteps = 20;  // 5 minutes
constexpr double kChurnShare = 0.1;
// What bench.md's data weighs; a run with other data measures something else.
constexpr double kRawBytes = 274, kSnappyBytes = 25, kTolerance = 0.05;
// Of all series of so many GPUs the entropy is taken: the values of all would take more memory than
// the bodies.
constexpr size_t kWeighedGpus = 100;
constexpr int kMaxTries = 600;
constexpr auto kRetryAfter = std::chrono::milliseconds(100);

struct Options {
  char shape = 'a';
  size_t gpus = 0;     // 0: the shape's
  size_t samples = 0;  // of each series; 0: the shape's
  int64_t start_ms = 0;
  PostAddress address;
  double rate = 0;                // samples a second; 0: as fast as it goes
  int pid = 0;                    // whose CPU time is told; 0: nobody's
  double settle_seconds = 0;      // after each phase, still counted to that process
  bool first_step_apart = false;  // a phase of its own: every series is new
};

void set_url(Options& options, std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (url.starts_with(kScheme)) url.remove_prefix(kScheme.size());
  const size_t colon = url.find(':');
  if (colon == std::string_view::npos) die("--url http://ADDRESS:PORT/PATH");
  const size_t slash = std::min(url.find('/', colon), url.size());
  options.address.host = url.substr(0, colon);
  options.address.port = std::atoi(std::string(url.substr(colon + 1, slash - colon - 1)).c_str());
  if (slash < url.size()) options.address.path = url.substr(slash);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--first-step-apart") {
      options.first_step_apart = true;
      continue;
    }
    if (++i == argc) die("no value for " + std::string(name));
    const char* value = argv[i];
    if (name == "--shape") {
      options.shape = value[0];
    } else if (name == "--gpus") {
      options.gpus = std::strtoul(value, nullptr, 10);
    } else if (name == "--samples") {
      options.samples = std::strtoul(value, nullptr, 10);
    } else if (name == "--start-ms") {
      options.start_ms = std::strtoll(value, nullptr, 10);
    } else if (name == "--url") {
      set_url(options, value);
    } else if (name == "--rate") {
      options.rate = std::strtod(value, nullptr);
    } else if (name == "--pid") {
      options.pid = std::atoi(value);
    } else if (name == "--settle") {
      options.settle_seconds = std::strtod(value, nullptr);
    } else {
      die("unknown option " + std::string(name));
    }
  }
  const bool b = options.shape == 'b';
  if (options.gpus == 0) options.gpus = b ? 50 : 1000;
  if (options.samples == 0) options.samples = b ? 2880 : options.shape == 'c' ? 240 : 100;
  if (options.start_ms == 0) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    options.start_ms = now_ms - static_cast<int64_t>(options.samples) * kStepMs;
  }
  return options;
}

struct Body {
  std::string snappy;
  size_t samples = 0;
  size_t step = 0;
};

class Bodies {
 public:
  explicit Bodies(const Options& options)
      : options_(options),
        data_(options.gpus, 1),
        weigh_every_(std::max<size_t>(options.gpus / kWeighedGpus, 1)),
        values_(data_.series_count()) {
    for (size_t step = 0; step < options.samples; ++step) {
      if (step > 0) data_.step();
      const bool churn = options.shape == 'c' && step > 0 && step % kChurnEverySteps == 0;
      if (churn) data_.churn(kChurnShare);
      if (churn || step == 0) write_labels();
      for (size_t at = 0; at < data_.series_count(); at += kSeriesPerRequest) add(step, at);
      for (size_t i = 0; i < data_.series_count(); ++i)
        if (is_weighed(i)) values_[i].push_back(data_.value(i));
    }
    for (std::vector<double>& values : values_) weigh(values);
  }

  const std::vector<Body>& all() const { return bodies_; }
  double raw_per_sample() const { return static_cast<double>(raw_bytes_) / samples(); }
  double snappy_per_sample() const { return static_cast<double>(snappy_bytes_) / samples(); }
  double samples() const { return static_cast<double>(samples_); }
  double entropy_per_sample() const {
    return entropy_bytes_ / static_cast<double>(std::max<size_t>(weighed_samples_, 1));
  }
  size_t series_count() const { return data_.series_count(); }
  size_t series_ever() const { return series_ever_; }  // with those that churn replaced

 private:
  bool is_weighed(size_t i) const { return i / ClusterData::kSeriesPerGpu % weigh_every_ == 0; }

  // The values of a series that has ended.
  void weigh(std::vector<double>& values) {
    entropy_bytes_ += entropy_bytes(values) * static_cast<double>(values.size());
    weighed_samples_ += values.size();
    values.clear();
  }

  void write_labels() {
    std::vector<std::string> before(data_.series_count());
    before.swap(labels_);
    before.resize(data_.series_count());
    for (size_t i = 0; i < labels_.size(); ++i) {
      for (const auto& [name, value] : data_.series(i).labels) {
        std::string bytes;
        protozero::pbf_writer label(bytes);
        label.add_string(1, name);
        label.add_string(2, value);
        protozero::pbf_writer(labels_[i]).add_message(1, bytes);
      }
      if (labels_[i] == before[i]) continue;
      ++series_ever_;
      weigh(values_[i]);
    }
  }

  void add(size_t step, size_t first) {
    const size_t end = std::min(first + kSeriesPerRequest, data_.series_count());
    raw_.clear();
    protozero::pbf_writer request(raw_);
    for (size_t i = first; i < end; ++i) {
      series_ = labels_[i];
      sample_.clear();
      protozero::pbf_writer sample(sample_);
      sample.add_double(1, data_.value(i));
      sample.add_int64(2, options_.start_ms + static_cast<int64_t>(step) * kStepMs);
      protozero::pbf_writer(series_).add_message(2, sample_);
      request.add_message(1, series_);
    }
    Body body{{}, end - first, step};
    snappy::Compress(raw_.data(), raw_.size(), &body.snappy);
    body.snappy.shrink_to_fit();
    raw_bytes_ += raw_.size();
    snappy_bytes_ += body.snappy.size();
    samples_ += body.samples;
    bodies_.push_back(std::move(body));
  }

  const Options& options_;
  ClusterData data_;
  const size_t weigh_every_;                 // GPUs
  std::vector<std::vector<double>> values_;  // of the series that are weighed, while they live
  std::vector<std::string> labels_;          // label fields of each series
  double entropy_bytes_ = 0;
  size_t weighed_samples_ = 0;
  size_t series_ever_ = 0;
  std::string raw_, series_, sample_;
  std::vector<Body> bodies_;
  size_t raw_bytes_ = 0, snappy_bytes_ = 0, samples_ = 0;
};

// utime and stime of /proc/PID/stat.
double cpu_seconds(int pid) {
  if (pid == 0) return 0;
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string all((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(all.substr(std::min(all.rfind(')') + 2, all.size())));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  double utime = 0, stime = 0;
  rest >> utime >> stime;
  return (utime + stime) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Sums {
  size_t requests = 0, samples = 0, failures = 0, retries = 0;
};

void send(PostConnection& connection, const Body& body, Sums& sums) {
  int status = 0;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    status = connection.post(body.snappy);
    if (status != 503 && status != 429) break;
    ++sums.retries;
    std::this_thread::sleep_for(kRetryAfter);
  }
  ++sums.requests;
  sums.samples += body.samples;
  if (status / 100 == 2) return;
  if (sums.failures++ == 0)
    std::fprintf(stderr, "first failure: %d %.500s\n", status, connection.answer().c_str());
}

// Sends the bodies of [from, to) and tells what that took, under names that begin with `phase`.
Sums run_phase(const char* phase, const Options& options, PostConnection& connection,
               const std::vector<Body>& bodies, size_t from, size_t to) {
  Sums sums;
  const double cpu_before = cpu_seconds(options.pid);
  const auto began = SteadyClock::now();
  for (size_t i = from; i < to; ++i) {
    send(connection, bodies[i], sums);
    if (options.rate > 0) {
      std::this_thread::sleep_until(
          began + std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(
                      static_cast<double>(sums.samples) / options.rate)));
    }
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
  std::this_thread::sleep_for(std::chrono::duration<double>(options.settle_seconds));
  std::printf("%s_requests %zu\n%s_samples %zu\n%s_seconds %.3f\n%s_failures %zu\n%s_retries %zu\n",
              phase, sums.requests, phase, sums.samples, phase, seconds, phase, sums.failures,
              phase, sums.retries);
  if (options.pid != 0)
    std::printf("%s_cpu_seconds %.2f\n", phase, cpu_seconds(options.pid) - cpu_before);
  return sums;
}

int run(const Options& options) {
  const Bodies bodies(options);
  const double raw = bodies.raw_per_sample(), coded = bodies.snappy_per_sample();
  std::printf("series %zu\nseries_ever %zu\nraw_bytes_per_sample %.1f\n", bodies.series_count(),
              bodies.series_ever(), raw);
  std::printf("snappy_bytes_per_sample %.2f\nentropy_bytes_per_sample %.3f\n", coded,
              bodies.entropy_per_sample());
  std::printf("last_ms %lld\n",
              static_cast<long long>(options.start_ms +
                                     static_cast<int64_t>(options.samples - 1) * kStepMs));
  if (std::abs(raw / kRawBytes - 1) > kTolerance || std::abs(coded / kSnappyBytes - 1) > kTolerance)
    die("the run is void: its bodies weigh other than 274 and 25 bytes a sample");
  std::fflush(stdout);
  const std::vector<Body>& all = bodies.all();
  PostConnection connection(options.address);
  size_t first = 0;
  size_t failures = 0;
  if (options.first_step_apart) {
    while (first < all.size() && all[first].step == 0) ++first;
    failures += run_phase("new", options, connection, all, 0, first).failures;
  }
  failures += run_phase("all", options, connection, all, first, all.size()).failures;
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace binnacle::bench

int main(int argc, char** argv) { return binnacle::bench::run(binnacle::bench::parse(argc, argv)); }
