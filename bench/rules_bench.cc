// What it costs to evaluate many rules: rules of several kinds over a store of many series, each
// group once a round of 15 simulated seconds, with new samples between the rounds. Prints the
// processor time of a round, and how much of one core that is.
//
// usage: rules_bench [--rules N] [--series N] [--rounds N]
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "store/metrics/metric_store.h"
#include "watch/rules/group_evaluator.h"

namespace {

using namespace binnacle;
using namespace binnacle::watch::rules;

constexpr int64_t kIntervalMs = 15'000;
constexpr int64_t kHistoryMs = 600'000;
constexpr size_t kRulesOfGroup = 50;
constexpr size_t kMetrics = 100;
constexpr size_t kJobs = 10;

struct Series {
  model::Labels labels;
  model::SeriesRef ref = model::kNoSeries;
};

std::vector<Series> make_series(size_t count) {
  std::vector<Series> out;
  for (size_t i = 0; i < count; ++i) {
    const size_t instance = i / kMetrics;
    out.push_back({model::Labels{{"__name__", fmt::format("metric_{}", i % kMetrics)},
                                 {"instance", fmt::format("host-{}:9100", instance)},
                                 {"job", fmt::format("job-{}", instance % kJobs)}}});
  }
  return out;
}

void append(model::Appendable& store, std::vector<Series>& series, int64_t at_ms) {
  const auto appender = store.appender();
  for (size_t i = 0; i < series.size(); ++i) {
    const auto ref = appender->append(series[i].ref, series[i].labels,
                                      {at_ms, static_cast<double>(at_ms / 1000 + int64_t(i))});
    CHECK(ref);
    series[i].ref = *ref;
  }
  CHECK(appender->commit());
}

// Of ten rules four look at one series now, three at the rate of one, two record the sum of the
// rates of a job's, and one alerts on what it recorded.
std::string rule_yaml(size_t i, size_t instances) {
  const size_t metric = i % kMetrics;
  const size_t instance = (i * 7919) % instances;
  const size_t job = (i / kMetrics) % kJobs;
  switch (i % 10) {
    case 0:
    case 1:
    case 2:
    case 3:
      return fmt::format("  - {{alert: A{}, expr: 'metric_{}{{instance=\"host-{}:9100\"}} < 0'}}\n",
                         i, metric, instance);
    case 4:
    case 5:
    case 6:
      return fmt::format(
          "  - {{alert: A{}, for: 5m, expr: 'rate(metric_{}{{instance=\"host-{}:9100\"}}[5m]) > "
          "1e6'}}\n",
          i, metric, instance);
    case 7:
    case 8:
      return fmt::format(
          "  - {{record: 'r:{}', expr: 'sum by (job) (rate(metric_{}{{job=\"job-{}\"}}[5m]))'}}\n",
          i, metric, job);
    default:
      return fmt::format("  - {{alert: A{}, expr: 'r:{} > 0', for: 1h}}\n", i, i - 1);
  }
}

std::vector<RuleGroup> make_groups(size_t rules, size_t instances) {
  std::vector<RuleGroup> out;
  for (size_t i = 0; i < rules; i += kRulesOfGroup) {
    std::string yaml = fmt::format("groups:\n- name: g{}\n  interval: 15s\n  rules:\n", i);
    for (size_t k = i; k < std::min(rules, i + kRulesOfGroup); ++k) yaml += rule_yaml(k, instances);
    auto read = read_rule_file(yaml, "bench.yml");
    CHECK(read);
    out.push_back(std::move((*read)[0]));
  }
  return out;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void run(size_t rules, size_t series_count, size_t rounds) {
  SimulatedClock clock;
  SystemRandom random;
  Registry registry;
  std::string folder = "/tmp/binnacle-rules-bench-XXXXXX";
  CHECK(mkdtemp(folder.data()) != nullptr);
  auto store =
      store::metrics::MetricStore::open(folder, {}, real_file_system(), clock, random, registry);
  CHECK(store);
  std::vector<Series> series = make_series(series_count);
  for (int64_t ms = 0; ms < kHistoryMs; ms += kIntervalMs) {
    append(**store, series, clock.wall_ms());
    clock.advance_ms(kIntervalMs);
  }
  RuleInstruments instruments(registry);
  const SystemClock real;
  std::vector<std::unique_ptr<GroupEvaluator>> groups;
  for (RuleGroup& group : make_groups(rules, series_count / kMetrics)) {
    groups.push_back(std::make_unique<GroupEvaluator>(std::move(group), GroupSettings{},
                                                      GroupTools{.reads = **store,
                                                                 .writes = **store,
                                                                 .clock = real,
                                                                 .instruments = instruments,
                                                                 .limits = {},
                                                                 .expand = nullptr,
                                                                 .notify = nullptr}));
  }
  std::printf("%zu rules in %zu groups, %zu series\n", rules, groups.size(), series_count);
  for (size_t round = 0; round < rounds; ++round) {
    append(**store, series, clock.wall_ms());
    const double before = processor_seconds();
    for (const auto& group : groups) group->evaluate(clock.wall_ms());
    const double seconds = processor_seconds() - before;
    std::printf("round %zu: %.3f s of processor, %.1f us a rule, %.1f %% of a core\n", round,
                seconds, seconds * 1e6 / static_cast<double>(rules),
                seconds * 1e5 / static_cast<double>(kIntervalMs));
    clock.advance_ms(kIntervalMs);
  }
  size_t bad = 0;
  for (const auto& group : groups)
    for (const RuleStatus& rule : group->status().rules) bad += rule.health == RuleHealth::kBad;
  std::printf("rules that failed: %zu\n", bad);
  groups.clear();
  store->reset();
  CHECK(real_file_system().remove_all(folder));
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, size_t> flags = {
      {"--rules", 10'000}, {"--series", 100'000}, {"--rounds", 4}};
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) {
      std::fprintf(stderr, "rules_bench: unknown flag: %s\n", argv[i]);
      return 1;
    }
    flag->second = std::strtoul(argv[i + 1], nullptr, 10);
  }
  run(flags["--rules"], std::max<size_t>(flags["--series"], kMetrics), flags["--rounds"]);
  return 0;
}
