// What a PromQL expression says now, series by series: for checks that look into the store. The
// evaluation runs on the pool, within the check's time and the limits below; the I/O thread waits.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "watch/health/check.h"

namespace binnacle::watch::health {

// Of one check's query, whatever the queries of people may use.
inline constexpr size_t kMaxCheckSeries = 100'000;
inline constexpr size_t kMaxCheckSamples = 10'000'000;
inline constexpr size_t kMaxCheckBytes = size_t{128} << 20;

struct SeriesValue {
  std::string labels;  // `{node="a", mountpoint="/"}`; empty: of a scalar
  double value = 0;
};

class SeriesQuestion {
 public:
  // kInvalidArgument: no PromQL, or text or a range instead of values.
  static Result<SeriesQuestion> parse(std::string expression);

  const std::string& text() const { return parsed_->text; }
  // Without what is not a number. kDeadlineExceeded, and what an evaluation may end with. `tools`
  // has a store.
  boost::asio::awaitable<Result<std::vector<SeriesValue>>> ask(
      const CheckTools& tools, std::chrono::milliseconds timeout) const;

 private:
  struct Parsed {
    std::string text;
    query::promql::ExprPtr expr;
  };
  std::shared_ptr<const Parsed>
      parsed_;  // shared with an evaluation that nobody waits for any more
};

}  // namespace binnacle::watch::health
