// Writes the answer of a query as Prometheus' API shows it, a piece at a time, and gives back each
// series' memory as it goes: the text of a large answer is some times as large as its numbers. One
// thread at a time.
#pragma once

#include <string>

#include "query/promql/engine.h"

namespace binnacle::show {

class QueryAnswerJson {
 public:
  // `limit`: most series that are shown, 0: all. `stats`: how it went, too.
  QueryAnswerJson(query::promql::QueryAnswer answer, size_t limit, bool stats);

  // Replaces `piece` by what comes next, at least kPieceBytes of it but at the end; false when all
  // has been written.
  bool next(std::string& piece);
  bool done() const { return done_; }

  static constexpr size_t kPieceBytes = 256 * 1024;

 private:
  void write_head(std::string& out);
  void write_one(std::string& out);
  void write_row(std::string& out, query::promql::OwnedRow& row);
  void write_samples(std::string& out, query::promql::SampleSeries& series);
  void write_tail(std::string& out);
  void write_stats(std::string& out) const;
  void write_sample_counts(std::string& out) const;
  void prepare_times();
  size_t series_count() const;

  query::promql::QueryAnswer answer_;
  const bool stats_;
  size_t count_;  // of series that are shown
  size_t at_ = 0;
  bool begun_ = false;
  bool done_ = false;
  // `[1700000000.5,"` of each step, one after another; step i's text ends at time_ends_[i].
  std::string times_;
  std::vector<uint32_t> time_ends_;
};

}  // namespace binnacle::show
