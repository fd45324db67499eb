// Queries that would take the server with them: each ends within a bounded time and within
// query.max_bytes of real memory, with an answer or with an error that names the limit it met.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "query/promql/engine.h"
#include "store/metrics/linear_store.h"

namespace binnacle::query::promql {
namespace {

using ::testing::HasSubstr;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int64_t kSlowness = 20;
#else
constexpr int64_t kSlowness = 1;
#endif
constexpr int64_t kHourMs = 3'600'000;

std::string repeated(std::string_view part, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += part;
  return out;
}

size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Of the calling thread: others may have the machine.
int64_t cpu_ms() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  return (int64_t{used.ru_utime.tv_sec} + used.ru_stime.tv_sec) * 1000 +
         (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

// The most that malloc holds while it lives, seen every millisecond.
class PeakMemory {
 public:
  PeakMemory() : start_(bytes_in_use()), looker_([this] { look(); }) {}
  ~PeakMemory() { end(); }
  size_t end() {
    {
      const std::lock_guard lock(mu_);
      done_ = true;
    }
    ended_.notify_one();
    if (looker_.joinable()) looker_.join();
    return peak_ - std::min(start_, peak_.load());
  }

 private:
  void look() {
    std::unique_lock lock(mu_);
    do {
      peak_ = std::max(peak_.load(), bytes_in_use());
    } while (!ended_.wait_for(lock, std::chrono::milliseconds(1), [this] { return done_; }));
  }
  const size_t start_;
  std::atomic<size_t> peak_ = 0;
  std::mutex mu_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread looker_;
};

class HostileQueries : public ::testing::Test {
 protected:
  static constexpr int kSeries = 5000;

  // One store for all: m has 5000 series of 10 samples, its values all different; long_one has
  // one series of a sample each second.
  static store::metrics::LinearStore& store() {
    static const SimulatedClock clock{0};
    static store::metrics::LinearStore made(
        clock, {.late_limit_ms = int64_t{1} << 60, .max_ahead_ms = int64_t{1} << 60});
    static const bool filled = [] {
      const auto appender = made.appender();
      for (int i = 0; i < kSeries; ++i) {
        const auto labels = model::LabelsBuilder()
                                .set("__name__", "m")
                                .set("i", std::to_string(i))
                                .set("a", std::to_string(i % 50))
                                .set("le", std::to_string(i))
                                .build();
        for (int k = 0; k < 10; ++k) {
          const double value = i * 10 + k + 0.5;
          EXPECT_TRUE(appender->append(model::kNoSeries, labels, {k * 60'000, value}));
        }
      }
      const auto long_one = model::LabelsBuilder().set("__name__", "long_one").build();
      for (int k = 0; k < 3600; ++k)
        EXPECT_TRUE(appender->append(model::kNoSeries, long_one, {k * 1000, k * 37 % 1000 + 0.1}));
      return appender->commit().has_value();
    }();
    EXPECT_TRUE(filled);
    return made;
  }

  Result<QueryAnswer> run(const std::string& text, Steps steps) {
    store();
    const int64_t start_ms = cpu_ms();
    PeakMemory memory;
    auto answer = evaluate(store(), {text, steps, steps.step_ms == 0}, limits_, real_);
    const size_t peak = memory.end();
    took_ms_ = cpu_ms() - start_ms;
    // Half as much again for what containers grow by, and what reading and parsing takes.
    EXPECT_LT(peak, limits_.max_bytes * 3 / 2 + text.size() * 200 + (size_t{16} << 20))
        << text.substr(0, 200);
    EXPECT_LT(took_ms_, limits_.timeout_ms + kGraceMs) << text.substr(0, 200);
    return answer;
  }
  // "": it has an answer.
  std::string error_of(const std::string& text, Steps steps = kInstant) {
    const auto answer = run(text, steps);
    if (answer) return "";
    const Error& error = answer.error();
    if (error.code == Code::kResourceExhausted || error.code == Code::kDeadlineExceeded)
      EXPECT_THAT(error.message, HasSubstr("query.")) << text.substr(0, 200);
    return error.message;
  }

  static constexpr Steps kInstant{540'000, 540'000, 0};
  static constexpr Steps kRange{0, 540'000, 1000};
  // Under sanitizers, beside other tests on one core, even CPU time is no measure.
  static constexpr int64_t kGraceMs = kSlowness == 1 ? 500 : 10'000;
  int64_t took_ms_ = 0;
  const SystemClock real_;
  QueryLimits limits_{.max_series = 20'000,
                      .max_samples = 5'000'000,
                      .max_bytes = size_t{32} << 20,
                      .timeout_ms = 1500,
                      .experimental = true};
};

TEST_F(HostileQueries, DeepNestingIsRefused) {
  const std::string deep = "nested more than 256 deep";
  EXPECT_THAT(error_of(repeated("(", 10'000) + "m" + repeated(")", 10'000)), HasSubstr(deep));
  EXPECT_THAT(error_of("m" + repeated(" + m", 10'000)), HasSubstr(deep));
  EXPECT_THAT(error_of(repeated("-", 100'000) + "m"), HasSubstr(deep));
  EXPECT_THAT(error_of(repeated("abs(", 10'000) + "m" + repeated(")", 10'000)), HasSubstr(deep));
  EXPECT_THAT(error_of("m" + repeated("[1h:1s]", 10'000)), HasSubstr("parse error"));
  EXPECT_THAT(error_of("1" + repeated("^2", 10'000)), HasSubstr(deep));
  EXPECT_THAT(error_of("m[" + repeated("(", 10'000) + "1" + repeated(")", 10'000) + "]"),
              HasSubstr(deep));
}

TEST_F(HostileQueries, LongQueriesEnd) {
  EXPECT_THAT(error_of(std::string((1 << 20) + 1, ' ')), HasSubstr("1048576"));
  EXPECT_THAT(error_of("m{a=\"" + std::string(1'000'000, 'x') + "\"}"), "");
  EXPECT_THAT(error_of("label_join(m, \"a\", \"\"" + repeated(", \"i\"", 100'000) + ")"),
              HasSubstr("query."));
  error_of("sum by (" + repeated("i,", 400'000) + "a) (m)", kRange);
  error_of("m * on (" + repeated("i,", 400'000) + "a) m", kRange);
}

TEST_F(HostileQueries, ManyPartsShareWhatAQueryMayHold) {
  // A balanced tree of 512 sides, each with columns of its own.
  std::string text = "vector(time())";
  for (int i = 0; i < 9; ++i) text = fmt::format("({} + {} * 2)", text, text);
  const std::string error =
      error_of(fmt::format("max_over_time(({})[100y:1m])", text), {0, 600'000, 60'000});
  EXPECT_THAT(error, HasSubstr("query.max_bytes"));
}

TEST_F(HostileQueries, HugeRangesAndTinySteps) {
  const std::string bytes = "query.max_bytes";
  EXPECT_THAT(error_of("max_over_time(m[100y:1ms])"), HasSubstr(bytes));
  EXPECT_THAT(error_of("avg_over_time(vector(1)[290y:1ms])"), HasSubstr(bytes));
  EXPECT_THAT(error_of("avg_over_time(vector(time())[290y:1ms] offset -290y)",
                       {-kFarthestMs, kFarthestMs, kFarthestMs}),
              HasSubstr(bytes));
  EXPECT_THAT(error_of("sum_over_time(sum_over_time(m[1h:1s])[1h:1s])"),
              testing::AnyOf("", HasSubstr("query.")));
  EXPECT_THAT(error_of("m", {0, 1000 * kHourMs, 1}), HasSubstr("query.max_points"));
  EXPECT_THAT(error_of("max_over_time(m[1h:0.0000001])"), "");  // no step: the default
  EXPECT_EQ(error_of("rate(m[290y])"), "");
}

TEST_F(HostileQueries, TimesFarAway) {
  EXPECT_THAT(error_of("m @ 1e300"), HasSubstr("out of bounds"));
  EXPECT_THAT(error_of("m offset 1e300"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("m[1e300]"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("m[99999999999999999999y]"), HasSubstr("parse error"));
  for (const std::string at : {"9.2e15", "-9.2e15", "start()", "end()"}) {
    for (const std::string offset : {"290y", "-290y"}) {
      const std::string times = fmt::format("@ {} offset {}", at, offset);
      for (const int64_t now_ms : {-kFarthestMs, int64_t{0}, kFarthestMs}) {
        const Steps steps{now_ms, now_ms, 0};
        EXPECT_EQ(error_of("m " + times, steps), "");
        EXPECT_EQ(error_of(fmt::format("rate(m[290y] {})", times), steps), "");
        EXPECT_EQ(error_of(fmt::format("delta(m[290y] smoothed {})", times), steps), "");
        EXPECT_EQ(error_of(fmt::format("sum_over_time(m[290y:290y] {})", times), steps), "");
        EXPECT_EQ(error_of(fmt::format("m[290y] {}", times), steps), "");
      }
    }
  }
  EXPECT_THAT(error_of("m", {INT64_MAX, INT64_MAX, 0}), HasSubstr("too far away"));
  EXPECT_THAT(error_of("m", {INT64_MIN, INT64_MAX, INT64_MAX}), HasSubstr("too far away"));
}

TEST_F(HostileQueries, JoinsThatBlowUp) {
  EXPECT_THAT(error_of("m * on () m"), HasSubstr("found duplicate series"));
  EXPECT_THAT(error_of("m * on (a) group_left () m"), HasSubstr("found duplicate series"));
  EXPECT_EQ(error_of("m * on (i) group_left (a, le) m"), "");
  EXPECT_THAT(error_of("m * on (i) group_left (a, le) m", kRange), HasSubstr("query.max_bytes"));
  EXPECT_THAT(error_of("m + on (i, a) fill (0) (m * 2)", kRange), HasSubstr("query.max_bytes"));
  EXPECT_THAT(error_of("m or (m * 2)", kRange), HasSubstr("query.max_bytes"));
  error_of("info(m, {__name__=~\".+\"})", kRange);
}

TEST_F(HostileQueries, Everything) {
  EXPECT_THAT(error_of("{__name__=~\".*\"}"), HasSubstr("at least one non-empty matcher"));
  limits_.max_series = 1000;
  EXPECT_THAT(error_of("{__name__=~\".+\"}"), HasSubstr("query.max_series"));
  EXPECT_THAT(error_of("count({__name__=~\".+\"})"), HasSubstr("query.max_series"));
  limits_.max_series = 20'000;
  limits_.max_samples = 1000;
  EXPECT_THAT(error_of("rate({__name__=~\".+\"}[1h])"), HasSubstr("query.max_samples"));
}

TEST_F(HostileQueries, AggregationsThatHoldMuch) {
  EXPECT_THAT(error_of("count_values(\"v\", m * time())", kRange), HasSubstr("query.max_bytes"));
  EXPECT_EQ(error_of("count_values(\"v\", m)"), "");
  EXPECT_THAT(error_of("count_values(\"" + std::string(500'000, 'x') + "\", m)"),
              HasSubstr("query.max_bytes"));
  EXPECT_THAT(error_of("quantile(0.5, m)", kRange), testing::AnyOf("", HasSubstr("query.")));
  EXPECT_THAT(error_of("topk(1e9, m)", kRange), HasSubstr("query.max_bytes"));
  EXPECT_EQ(error_of("topk(1e9, m)"), "");
  EXPECT_EQ(error_of("limitk(-1, m)"), "");
  EXPECT_THAT(error_of("topk(1e300, m)"), HasSubstr("overflows int64"));
  EXPECT_THAT(error_of("sum by (i) (m)", kRange), HasSubstr("query.max_bytes"));
  EXPECT_THAT(error_of("sort(m)"), "");
  EXPECT_THAT(error_of("histogram_quantile(0.5, m)", kRange), HasSubstr("query.max_bytes"));
  EXPECT_THAT(error_of("m", {0, 540'000, 500}), HasSubstr("query.max_bytes"));
  EXPECT_THAT(error_of("m - m", kRange), HasSubstr("query.max_bytes"));
}

TEST_F(HostileQueries, LabelsThatGrow) {
  limits_.timeout_ms *= kSlowness;
  const std::string mega(1 << 19, 'x');
  EXPECT_THAT(error_of("label_replace(m, \"b\", \"" + mega + "\", \"\", \"\")"),
              HasSubstr("query.max_bytes"));
  std::string text = "m";  // each time 100 times as long
  for (int i = 0; i < 10; ++i)
    text = fmt::format(R"q(label_replace({}, "i", "{}", "i", "(.*)"))q", text, repeated("$1", 100));
  EXPECT_THAT(error_of(text), HasSubstr("query.max_bytes"));
  text = "m";
  for (int i = 0; i < 30; ++i) text = fmt::format(R"q(label_join({}, "i", "", "i", "i"))q", text);
  EXPECT_THAT(error_of(text), HasSubstr("query.max_bytes"));
}

TEST_F(HostileQueries, Regexes) {
  EXPECT_THAT(error_of("m{" + repeated("a=~\".{1000}\",", 10'000) + "}"),
              HasSubstr("more than 200 regular expressions"));
  EXPECT_THAT(error_of(R"q(m{a=~"(x{1000}){1000}"})q"), HasSubstr("parse error"));
  EXPECT_THAT(error_of(R"q(label_replace(m, "a", "$1", "i", "((x{1000}){1000})"))q"),
              HasSubstr("invalid regular expression"));
  EXPECT_EQ(error_of(R"q(m{i=~"(a*)*(b*)*(c|d|e|f|g)*.*.*.*.*.*.*.*z"})q"), "");
  error_of("label_replace(m, \"a\", \"$999\", \"i\", \"" + repeated("(.?)", 1000) + "\")");
}

// Of each kind of query that computes for long, while its limits would let it go on.
TEST_F(HostileQueries, EndSoonAfterTheirTimeIsUp) {
  limits_.timeout_ms = 50;
  limits_.max_bytes = size_t{1} << 30;
  limits_.max_samples = size_t{1} << 40;
  const std::vector<std::string> slow = {
      "quantile_over_time(0.5, long_one[1h:2ms])",
      "mad_over_time(long_one[1h:2ms])",
      "double_exponential_smoothing(long_one[1h:2ms], 0.5, 0.5)",
      "sum_over_time((long_one * Inf)[1h:2ms])",
      "stddev_over_time((long_one * 1e200)[1h:2ms])",
      "deriv((long_one * Inf)[1h:2ms])",
      "max_over_time(quantile(0.5, m)[10m:50ms])",
      "max_over_time(count(topk(100, m))[10m:50ms])",
      "max_over_time(count(m * on (i) group_left () m)[10m:50ms])",
      "max_over_time(count(m or (m * 2))[10m:50ms])",
      "max_over_time(count(m @ 60 or m)[10m:50ms])",
      "max_over_time(count(sort(m) + m)[10m:50ms])",
      "max_over_time(count(count_values(\"v\", m))[10m:50ms])",
      "max_over_time(count(limitk(10, m))[10m:50ms])",
      "max_over_time(count(info(m, {__name__=~\".+\"}))[10m:50ms])",
      "max_over_time(histogram_quantile(0.5, m)[10m:50ms])",
      "max_over_time(absent(-abs(m))[10m:50ms])",
  };
  for (const std::string& text : slow) {
    const auto answer = run(text, {0, kHourMs / 2, 200});
    RecordProperty("took_ms", static_cast<int>(took_ms_));
    EXPECT_FALSE(answer) << text;  // else it says little
    EXPECT_LT(took_ms_, 400 * kSlowness) << text;
    if (!answer) EXPECT_THAT(answer.error().message, HasSubstr("query.")) << text;
  }
}

// Whose caller leaves while the query runs: at the tenth look at the time.
class ClockOfALeaver final : public Clock {
 public:
  int64_t wall_ns() const override { return 0; }
  int64_t monotonic_ns() const override {
    gone = ++looks_ >= 10;
    return 0;
  }
  mutable std::atomic<bool> gone = false;

 private:
  mutable std::atomic<int> looks_ = 0;
};

TEST_F(HostileQueries, EndWhenTheirCallerLeaves) {
  limits_.max_bytes = size_t{1} << 30;
  const ClockOfALeaver clock;
  const auto answer =
      evaluate(store(), {"mad_over_time(long_one[1h:2ms])", {kHourMs / 2, kHourMs, 200}, false},
               limits_, clock, &clock.gone);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCancelled);
}

}  // namespace
}  // namespace binnacle::query::promql
