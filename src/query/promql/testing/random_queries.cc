#include "query/promql/testing/random_queries.h"

#include <fmt/format.h>

#include <limits>

#include "model/sample.h"

namespace binnacle::query::promql::testing {
namespace {

std::map<int64_t, double> random_samples(Random& random, bool counter, bool odd_values) {
  std::map<int64_t, double> out;
  double value = static_cast<double>(random.below(40));
  for (int64_t at_ms = 0; at_ms <= 3'600'000;
       at_ms +=
       random.below(12) == 0 ? 420'000 : 25'000 + static_cast<int64_t>(random.below(11)) * 1000) {
    if (counter) {
      value = random.below(15) == 0 ? 0 : value + static_cast<double>(random.below(9));
    } else {
      value = static_cast<double>(random.below(400)) / 4 - 50;
    }
    const uint64_t odd = random.below(100);
    out[at_ms] = odd < 3                 ? model::stale_nan()
                 : odd_values && odd < 7 ? std::numeric_limits<double>::quiet_NaN()
                 : odd_values && odd < 9 ? std::numeric_limits<double>::infinity()
                                         : value;
  }
  return out;
}

}  // namespace

std::vector<NaiveSeries> random_data(Random& random) {
  std::vector<NaiveSeries> out;
  for (const char* name : {"c0", "m0", "m1"}) {
    for (const char* a : {"x", "y", "z"}) {
      for (const char* b : {"1", "2"}) {
        if (random.below(4) == 0) continue;
        const std::string metric = name;
        out.push_back({{{"__name__", metric}, {"a", a}, {"b", b}},
                       random_samples(random, metric == "c0", metric == "m1"),
                       false});
      }
    }
  }
  for (const char* job : {"p", "q"}) {
    for (const char* instance : {"1", "2"}) {
      LabelMap labels{{"__name__", "r0"}, {"job", job}, {"instance", instance}, {"a", "x"}};
      out.push_back({labels, random_samples(random, true, false), false});
      labels.erase("a");
      labels["__name__"] = "build_info";
      labels["version"] = instance;
      if (random.below(3) > 0) out.push_back({labels, random_samples(random, false, false), false});
      labels["__name__"] = "target_info";
      // Versions that follow each other, and may be there at a time.
      for (const char* version : {"1", "2"}) {
        labels["version"] = version;
        labels["zone"] = std::string("z") + job;
        if (random.below(3) == 0) continue;
        out.push_back({labels, {}, false});
        // No two of them at a time: whether that is an error where no series wants them is not
        // documented.
        for (const auto& [at_ms, value] : random_samples(random, false, false))
          out.back().samples[at_ms + (version[0] == '2' ? 500 : 0)] = value;
      }
    }
  }
  return out;
}

std::string RandomQueries::pick(const std::vector<std::string>& from) {
  return from[random_.below(from.size())];
}

std::string RandomQueries::next() {
  if (chance(5)) return scalar(2).text;
  return vector(static_cast<int>(random_.below(4))).text;
}

std::string RandomQueries::selector() {
  return pick({"m0", "m0", "m1", "c0", "c0", "m0{a=\"x\"}", "m0{b!=\"1\"}", "c0{a=~\"x|y\"}",
               "m1{a!~\"z.*\", b=\"2\"}", "{__name__=~\"m.*\"}", "{a=\"y\"}", "missing{a=\"x\"}"});
}

std::string RandomQueries::modifiers() {
  std::string out;
  if (chance(15)) {
    out += pick({" offset 1m", " offset 7m", " offset -2m", " offset 90s", " offset (1m * 3)",
                 " offset (1m - 3m)", " offset (step() / 2)", " offset (range() % 7m)",
                 " offset (min_of(step(), 1m) + 1)"});
  }
  if (chance(10)) out += pick({" @ 1800", " @ start()", " @ end()", " @ 777.7"});
  return out;
}

RandomQueries::Text RandomQueries::vector(int depth) {
  if (depth <= 0 || chance(10)) {
    if (chance(10)) return {selector() + " smoothed" + modifiers(), false};
    return {selector() + modifiers(), true};
  }
  if (chance(6)) return info_call();
  switch (random_.below(12)) {
    case 0:
    case 1:
    case 2:
      return range_call(depth);
    case 3:
    case 4:
      return math_call(depth);
    case 5:
    case 6:
    case 7:
      return aggregation(depth);
    case 8:
      return with_scalar(depth);
    case 9:
    case 10:
      return with_vector(depth);
    default: {
      const Text inner = vector(depth - 1);
      return {pick({"-(", "(", "sort(", "sort_desc("}) + inner.text + ")", inner.exact};
    }
  }
}

RandomQueries::Text RandomQueries::exact_vector(int depth) {
  for (int i = 0; i < 5; ++i) {
    if (Text text = vector(depth); text.exact) return text;
  }
  return vector(0);
}

RandomQueries::Text RandomQueries::scalar(int depth) {
  if (depth > 0 && chance(30)) {
    const Text inner = vector(depth - 1);
    return {"scalar(sum(" + inner.text + "))", inner.exact};
  }
  if (depth > 0 && chance(20))
    return {fmt::format("({} {} {})", scalar(depth - 1).text, pick({"+", "-", "*", "> bool"}),
                        pick({"2", "0.5", "10"})),
            false};
  return {pick({"0", "1", "2", "-3", "0.5", "16", "time()", "NaN", "+Inf", "10"}), true};
}

std::string RandomQueries::length() {
  if (chance(75)) return pick({"1m", "3m", "5m", "10m", "90s"});
  return pick({"2m * 2", "(1 + 2) * 1m", "10m - 90", "7m % 4m", "2 ^ 7", "1h / 20",
               "max_of(step(), 1m)", "min_of(step() + 1m, 5m)", "max_of(range(), 2m)",
               "max_of(min_of(range(), 8m), 2 * step() + 45s)"});
}

std::string RandomQueries::extension() { return pick({" anchored", " smoothed"}); }

std::string RandomQueries::fill() {
  if (chance(60)) return "";
  return pick({"fill (0) ", "fill (-2.5) ", "fill_left (3) ", "fill_right (7) ",
               "fill_left (1) fill_right (NaN) ", "fill_right (2) fill_left (+Inf) "});
}

// Over series that have offset and @ nowhere: what these do to the info series is not documented.
RandomQueries::Text RandomQueries::info_call() {
  const std::string base =
      pick({"r0", "r0", "r0{job=\"p\"}", "rate(r0[5m])", "sum by (job, instance) (r0)",
            "sum by (job) (r0)", "max without (a) (r0)", "{job=\"q\"}", "m0", "r0 * 2"});
  const std::string data =
      pick({"", "", ", {zone=~\".+\"}", ", {zone=~\".*\"}", ", {version=\"1\"}",
            ", {zone=\"zp\", version=~\"1|2\"}", ", {__name__=\"build_info\"}",
            ", {__name__=~\"(target|build)_info\"}", ", {none=\"x\"}",
            ", {__name__=~\".*_info\", zone!=\"\"}"});
  return {"info(" + base + data + ")", false};
}

std::string RandomQueries::range(int depth, bool& exact) {
  const std::string length = this->length();
  exact = true;
  if (depth <= 1 || chance(60)) return selector() + "[" + length + "]" + modifiers();
  const Text inner = vector(depth - 1);
  exact = inner.exact;
  return "(" + inner.text + ")[" + length + ":" +
         pick({"", "30s", "1m", "47s", "20s * 2", "max_of(step(), 30s)"}) + "]" + modifiers();
}

RandomQueries::Text RandomQueries::range_call(int depth) {
  if (chance(15)) {
    const std::string samples = selector() + "[" + length() + "]";
    if (chance(25))
      return {pick({"changes", "resets"}) + "(" + samples + " anchored" + modifiers() + ")", true};
    return {pick({"rate", "increase", "delta"}) + "(" + samples + extension() + modifiers() + ")",
            false};
  }
  bool exact = true;
  const std::string argument = range(depth, exact);
  const std::string plain =
      pick({"sum_over_time", "count_over_time", "min_over_time", "max_over_time", "last_over_time",
            "first_over_time", "present_over_time", "idelta", "absent_over_time"});
  if (chance(45)) return {plain + "(" + argument + ")", exact};
  // A counter that falls by a rounding error has a reset.
  if (exact && chance(50))
    return {pick({"rate", "increase", "irate"}) + "(" + argument + ")", false};
  if (chance(50)) return {pick({"delta", "avg_over_time", "deriv"}) + "(" + argument + ")", false};
  // What rounding may turn over wants an exact argument.
  bool simple = true;
  const std::string samples = range(0, simple);
  const std::string name = pick({"changes", "resets", "stddev_over_time", "stdvar_over_time",
                                 "mad_over_time", "ts_of_first_over_time", "ts_of_last_over_time",
                                 "ts_of_max_over_time", "ts_of_min_over_time", "quantile_over_time",
                                 "predict_linear", "double_exponential_smoothing"});
  if (name == "quantile_over_time")
    return {name + "(" + pick({"0.5", "0.9", "0", "1", "0.25"}) + ", " + samples + ")", false};
  if (name == "predict_linear")
    return {name + "(" + samples + ", " + pick({"60", "3600", "-30"}) + ")", false};
  if (name == "double_exponential_smoothing") return {name + "(" + samples + ", 0.3, 0.6)", false};
  return {name + "(" + samples + ")", name == "changes" || name == "resets"};
}

RandomQueries::Text RandomQueries::math_call(int depth) {
  if (chance(25)) {
    const Text inner = vector(depth - 1);
    return {pick({"abs", "absent"}) + "(" + inner.text + ")", inner.exact};
  }
  if (chance(15)) {
    const Text inner = vector(depth - 1);
    return {"label_join(" + inner.text + ", \"n\", \"-\", \"a\", \"b\")", inner.exact};
  }
  const std::string inner = exact_vector(depth - 1).text;
  if (chance(40)) return {pick({"ceil", "floor", "sgn", "round"}) + "(" + inner + ")", true};
  if (chance(40))
    return {fmt::format("{}({}, {})", pick({"clamp_min", "clamp_max", "round"}), inner,
                        pick({"5", "-20", "8"})),
            false};
  if (chance(30)) return {"clamp(" + inner + ", " + pick({"-10", "30"}) + ", 20)", true};
  if (chance(50))
    return {pick({"sqrt", "ln", "log2", "log10", "sin", "cos", "asin", "acos", "atan", "tanh",
                  "asinh", "acosh", "atanh", "deg", "rad"}) +
                "(" + inner + ")",
            false};
  return {pick({"minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month",
                "month", "year"}) +
              "(vector(time() * 1000000))",
          true};
}

RandomQueries::Text RandomQueries::aggregation(int depth) {
  const std::string grouping =
      pick({"", "", " by (a)", " by (b)", " by (a, b)", " without (a)", " without (b)", " by (q)"});
  if (chance(15)) {
    return {fmt::format("sum({}{} ({}, {}))", pick({"topk", "bottomk"}), grouping,
                        pick({"1", "2", "5", "0"}), exact_vector(depth - 1).text),
            true};
  }
  if (chance(8))
    return {
        fmt::format("count(limitk{} ({}, {}))", grouping, pick({"1", "3"}), vector(depth - 1).text),
        true};
  if (chance(12))
    return {fmt::format("quantile{} ({}, {})", grouping, pick({"0.5", "0.1", "1", "2"}),
                        exact_vector(depth - 1).text),
            false};
  if (chance(15))
    return {pick({"stddev", "stdvar"}) + grouping + " (" + exact_vector(depth - 1).text + ")",
            false};
  const Text inner = vector(depth - 1);
  const std::string name = pick({"sum", "sum", "min", "max", "count", "group", "avg"});
  return {name + grouping + " (" + inner.text + ")",
          name == "count" || name == "group" || (inner.exact && name != "avg")};
}

RandomQueries::Text RandomQueries::with_scalar(int depth) {
  if (chance(50)) {
    const Text inner = vector(depth - 1);
    const std::string op = pick({"+", "-", "*"});
    return {chance(50) ? fmt::format("(({}) {} {})", inner.text, op, scalar(0).text)
                       : fmt::format("({} {} ({}))", scalar(0).text, op, inner.text),
            inner.exact};
  }
  const Text inner = exact_vector(depth - 1);
  const std::string op = pick(
      {"/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<=", "> bool", "== bool", "<= bool"});
  const bool exact = op.find_first_of("=<>") != std::string::npos;
  return {chance(70) ? fmt::format("(({}) {} {})", inner.text, op, scalar(0).text)
                     : fmt::format("({} {} ({}))", scalar(0).text, op, inner.text),
          exact};
}

RandomQueries::Text RandomQueries::with_vector(int depth) {
  const std::string matching = pick({"", "", "on (a) ", "on (a, b) ", "ignoring (b) ", "on () "});
  if (chance(35)) {
    const Text lhs = vector(depth - 1);
    const Text rhs = vector(depth - 1);
    const bool exact = lhs.exact && rhs.exact;
    // Where only one side drops the name, a range query goes on as it began, which an evaluator of
    // single steps cannot know: hence * 1.
    if (chance(35))
      return {fmt::format("(({}) * 1 or {}(({}) * 1))", lhs.text, matching, rhs.text), exact};
    return {fmt::format("(({}) {} {}({}))", lhs.text, pick({"and", "unless"}), matching, rhs.text),
            exact};
  }
  const bool compares = chance(40);
  const Text lhs = compares ? exact_vector(depth - 1) : vector(depth - 1);
  const Text rhs = compares ? exact_vector(depth - 1) : vector(depth - 1);
  const std::string op = compares ? pick({"==", "!=", ">", "<", ">=", "<=", "> bool", "== bool"})
                                  : pick({"+", "-", "*"});
  std::string group;
  if (!matching.empty() && chance(40))
    group = pick({"group_left () ", "group_right () ", "group_left (b) ", "group_right (b) "});
  if (matching.find("b") != std::string::npos && group.find("b") != std::string::npos) group = "";
  return {fmt::format("(({}) {} {}{}{}({}))", lhs.text, op, matching, group, fill(), rhs.text),
          lhs.exact && rhs.exact};
}

}  // namespace binnacle::query::promql::testing
