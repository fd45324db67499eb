// Puts the pages of one target into the store: known series by their references, new ones by their
// labels, markers for those that are gone, and the report. A page goes in whole or not at all; a
// failed scrape is a page without series. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "collect/exposition/exposition.h"
#include "collect/scrape/derived_series.h"
#include "collect/scrape/family_table.h"
#include "collect/scrape/job_config.h"
#include "collect/scrape/report_series.h"
#include "collect/scrape/scrape_instruments.h"
#include "collect/scrape/series_slots.h"
#include "collect/scrape/target.h"
#include "collect/scrape/target_deriver.h"
#include "model/appender.h"

namespace binnacle::collect::scrape {

// What came of one request to a target.
struct FetchedPage {
  int64_t time_ms = 0;     // of samples without a time of their own
  int64_t started_ns = 0;  // monotonic
  Status status;           // an error: there is no page
  ScrapeOutcome outcome = ScrapeOutcome::kGood;
  std::string_view body;
  exposition::Format format = exposition::Format::kText;
  bool over_size_limit = false;
};

// What holds whatever a job says.
struct PageLimits {
  // Of a page: what is known of each series takes memory. Well below what a store holds as a rule,
  // so that one target's page cannot take all its room.
  uint64_t max_samples = 1'000'000;
  // Of a series, which is refused alone beyond them.
  size_t max_labels = 64;
  size_t max_label_name_bytes = 512;
  size_t max_label_value_bytes = 4096;
  bool extra_metrics = false;  // scrape_timeout_seconds, _sample_limit, _body_size_bytes
};

struct PageResult {
  Status status;         // why nothing of the page is stored
  std::string left_out;  // what of a good page is not, "" for nothing
  ScrapeOutcome outcome = ScrapeOutcome::kGood;
  double duration_seconds = 0;
};

class PageAppender {
 public:
  // The references outlive it. `deriver` may be null.
  PageAppender(const Target& target, PageLimits limits, model::Appendable& store,
               const Clock& clock, ScrapeInstruments& instruments,
               std::unique_ptr<TargetDeriver> deriver);

  // `job` may be another one than before: then every series is looked at anew.
  PageResult store(const std::shared_ptr<const JobConfig>& job, const FetchedPage& page);
  // The target is gone: markers for all of its series.
  void end(int64_t time_ms);
  // Takes over the series of one that had the same labels and is done: what of them is not in the
  // next page gets its marker then.
  void adopt(PageAppender& other);

  const FamilyTable& families() const { return families_; }  // any thread

 private:
  struct Pending {
    uint32_t slot;
    const char* series;
  };

  Status check_size(const FetchedPage& page);
  Status read_page(const FetchedPage& page, model::Appender& to);
  Status take_sample(const exposition::Entry& entry, uint32_t at, model::Appender& to);
  Result<uint32_t> add_series(const exposition::Entry& entry);
  Status read_labels(std::string_view series, SeriesSlot& slot);
  Status append_new(uint32_t at, model::Sample sample, model::Appender& to);
  Status append_known(model::Appender& to);
  Status append_forgotten(const Pending& pending, model::Sample sample, model::Appender& to);
  bool refuse(const Error& error);
  void note_refused(const Error& error);
  Status check_labels() const;
  void finish_good(int64_t time_ms, model::Appender& to);
  void end_series(int64_t time_ms, model::Appender& to);
  void mark_stale(model::SeriesRef ref, int64_t time_ms, model::Appender& to);
  void use_job(const std::shared_ptr<const JobConfig>& job);
  void report(const FetchedPage& page, PageResult& result, model::Appender& to);
  Status commit(model::Appender& to);

  // Fixed after construction
  const Target target_;
  const PageLimits limits_;
  model::Appendable& store_;
  const Clock& clock_;
  ScrapeInstruments& instruments_;
  const std::unique_ptr<TargetDeriver> deriver_;
  const Log log_{"scrape"};

  FamilyTable families_;  // locks itself

  // One thread at a time
  std::shared_ptr<const JobConfig> job_;
  exposition::Reader reader_;
  exposition::Format format_ = exposition::Format::kText;
  SeriesSlots slots_;
  ReportSeries report_series_;
  DerivedSeries derived_;
  std::unordered_set<model::SeriesRef> former_;  // live before the job changed
  uint32_t pass_ = 0;
  uint32_t good_pass_ = 0;  // the last good one
  model::LabelsBuilder exposed_;
  model::Labels labels_;  // as stored, of the series whose labels were read last
  std::vector<model::KnownSample> known_;
  std::vector<Pending> pending_;  // beside known_

  // Of the page at hand
  int64_t time_ms_ = 0;
  uint64_t scraped_ = 0;
  uint64_t kept_ = 0;
  uint64_t added_ = 0;
  uint64_t appended_ = 0;
  uint64_t refused_ = 0;  // series and samples that the store or a limit left out
  std::string first_refusal_;
  bool over_sample_limit_ = false;
};

}  // namespace binnacle::collect::scrape
