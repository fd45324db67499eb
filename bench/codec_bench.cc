// What the columns of the metrics store take, in bytes for each sample and in time, on the series
// of a GPU cluster; beside it the entropy of each series on its own (entropy.h).
// usage: codec_bench [GPUS]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "cluster_data.h"
#include "entropy.h"
#include "store/metrics/column_codec.h"

namespace binnacle::bench {
namespace {

using namespace store::metrics;
using Column = std::vector<double>;

constexpr size_t kSteps = 2880;
constexpr const char* kKinds[] = {"gauge", "constant", "counter", "bucket", "sum", "count"};
static_assert(std::size(kKinds) == kSeriesKinds);

struct Series {
  int kind = 0;
  size_t reference = 0;  // its number; 0: none
  Column values;
};

std::vector<Series> generate(size_t gpus) {
  ClusterData data(gpus, 20261);
  std::vector<Series> all(data.series_count());
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].kind = data.series(i).kind;
    // The next lower bucket; for _count, which stands behind _sum, the bucket +Inf.
    if (all[i].kind == kBucket && all[i - 1].kind == kBucket) all[i].reference = i - 1;
    if (all[i].kind == kCount) all[i].reference = i - 2;
  }
  for (size_t step = 0; step < kSteps; ++step) {
    for (size_t i = 0; i < all.size(); ++i) all[i].values.push_back(data.value(i));
    data.step();
  }
  return all;
}

struct Cost {
  double bytes = 0;
  double values = 0;
  double encode_ns = 0;
  double decode_ns = 0;
};

// Time of this thread, as others may be at work on the machine.
double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Setting {
  const char* name;
  Effort effort;
  size_t length;
  size_t columns;  // of each series
  bool against;
};

constexpr Setting kSettings[] = {
    {"quick/32", Effort::kQuick, 32, 10, false},
    {"small/100", Effort::kSmall, 100, 4, false},
    {"small/100 ref", Effort::kSmall, 100, 4, true},
    {"small/2880", Effort::kSmall, 2880, 1, false},
    {"small/2880 ref", Effort::kSmall, 2880, 1, true},
};

// One column to code; the reference is empty where there is none.
struct Job {
  std::span<const double> values;
  std::span<const double> reference;
  std::string bytes;
  bool referred = false;
};

std::vector<Job> jobs_of(const Setting& setting, const std::vector<Series>& all, int kind) {
  std::vector<Job> jobs;
  for (const Series& series : all) {
    for (size_t n = 0; series.kind == kind && n < setting.columns; ++n) {
      Job job{std::span(series.values).subspan(n * setting.length, setting.length), {}, {}, false};
      if (setting.against && series.reference != 0)
        job.reference =
            std::span(all[series.reference].values).subspan(n * setting.length, setting.length);
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

void encode(const Setting& setting, Job& job) {
  encode_values(job.values, setting.effort, job.bytes);
  if (job.reference.empty()) return;
  std::string beside;
  job.referred = encode_values_against(job.values, job.reference, job.bytes.size(), beside);
  if (job.referred) job.bytes = std::move(beside);
}

bool decode(const Job& job, std::span<double> out) {
  return (job.referred ? decode_values_against(job.bytes, job.reference, out)
                       : decode_values(job.bytes, out))
      .has_value();
}

Cost run(const Setting& setting, std::vector<Job> jobs) {
  Cost cost;
  Column back(setting.length);
  double start = cpu_ns();
  for (Job& job : jobs) encode(setting, job);
  cost.encode_ns = cpu_ns() - start;
  start = cpu_ns();
  bool ok = true;
  for (const Job& job : jobs) ok &= decode(job, back);
  cost.decode_ns = cpu_ns() - start;
  for (const Job& job : jobs) {
    ok &= decode(job, back) && std::equal(back.begin(), back.end(), job.values.begin());
    cost.bytes += static_cast<double>(job.bytes.size());
    cost.values += static_cast<double>(job.values.size());
  }
  if (ok) return cost;
  std::printf("codec_bench: a column did not come back\n");
  std::exit(1);
}

void measure(const Setting& setting, const std::vector<Series>& all) {
  Cost costs[kSeriesKinds + 1];
  Cost& total = costs[kSeriesKinds];
  for (int kind = 0; kind < kSeriesKinds; ++kind) {
    costs[kind] = run(setting, jobs_of(setting, all, kind));
    total.bytes += costs[kind].bytes;
    total.values += costs[kind].values;
    total.encode_ns += costs[kind].encode_ns;
    total.decode_ns += costs[kind].decode_ns;
  }
  std::printf("%-15s", setting.name);
  for (const Cost& cost : costs)
    std::printf(" %6.3f %5.1f %4.1f", cost.bytes / cost.values, cost.encode_ns / cost.values,
                cost.decode_ns / cost.values);
  std::printf("\n");
}

void print_entropy(const std::vector<Series>& all) {
  double bytes[kSeriesKinds] = {};
  double count[kSeriesKinds] = {};
  for (const Series& series : all) {
    bytes[series.kind] += entropy_bytes(series.values);
    ++count[series.kind];
  }
  double total = 0;
  std::printf("%-15s", "entropy");
  for (int kind = 0; kind < kSeriesKinds; ++kind) {
    std::printf(" %6.3f %10s", bytes[kind] / count[kind], "");
    total += bytes[kind];
  }
  std::printf(" %6.3f\n", total / static_cast<double>(all.size()));
}

void measure_times(uint64_t jitter_ms, Effort effort, size_t length) {
  DataRandom random(1);
  std::vector<int64_t> times;
  for (size_t i = 0; i < length; ++i)
    times.push_back(1'700'000'000'000 + 15'000 * static_cast<int64_t>(i) +
                    static_cast<int64_t>(random.next() % (jitter_ms + 1)));
  std::string bytes;
  encode_times(times, effort, bytes);
  std::vector<int64_t> back(length);
  constexpr int kRounds = 1000;
  double start = cpu_ns();
  for (int i = 0; i < kRounds; ++i) encode_times(times, effort, bytes = {});
  const double encode_ns = (cpu_ns() - start) / kRounds / static_cast<double>(length);
  start = cpu_ns();
  for (int i = 0; i < kRounds; ++i)
    if (!decode_times(bytes, back)) std::abort();
  const double decode_ns = (cpu_ns() - start) / kRounds / static_cast<double>(length);
  std::printf("times %s/%zu, jitter %llu ms: %.3f B, encode %.1f ns, decode %.1f ns\n",
              effort == Effort::kQuick ? "quick" : "small", length,
              static_cast<unsigned long long>(jitter_ms),
              static_cast<double>(bytes.size()) / static_cast<double>(length), encode_ns,
              decode_ns);
}

}  // namespace
}  // namespace binnacle::bench

int main(int argc, char** argv) {
  using namespace binnacle::bench;
  const size_t gpus = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10;
  const std::vector<Series> all = generate(gpus);
  std::printf("%zu series; per value: bytes, ns to encode, ns to decode\n%-15s", all.size(), "");
  for (const char* kind : kKinds) std::printf(" %-17s", kind);
  std::printf(" all\n");
  for (const Setting& setting : kSettings) measure(setting, all);
  print_entropy(all);
  for (const uint64_t jitter : {0, 4, 200}) {
    measure_times(jitter, Effort::kQuick, 32);
    measure_times(jitter, Effort::kSmall, 100);
    measure_times(jitter, Effort::kSmall, 2880);
  }
  return 0;
}
