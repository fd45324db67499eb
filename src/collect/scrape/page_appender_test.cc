#include "collect/scrape/page_appender.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/stored_fixture.h"

namespace binnacle::collect::scrape {
namespace {

using model::Labels;
using model::RelabelAction;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Counts the bytes of what it sees and makes one series of them.
class SumDeriver final : public TargetDeriver {
 public:
  uint32_t series(model::LabelsView labels, model::MetricType type) override {
    seen.push_back(labels.to_string());
    types.push_back(type);
    return labels.metric_name() == "boring" ? 0 : 1;
  }
  void sample(uint32_t, double value) override { sum_ += value; }
  void finish(int64_t, DerivedSink& sink) override {
    if (sum_ != 0) sink.append(Labels{{"__name__", "llm_sum"}, {"job", "x"}}, sum_);
    sum_ = 0;
  }
  void failed(int64_t) override { sum_ = 0; }

  std::vector<std::string> seen;
  std::vector<model::MetricType> types;

 private:
  double sum_ = 0;
};

// Remembers the names of all series that it was ever told of, stored or not.
class NamingStore final : public model::Appendable {
 public:
  explicit NamingStore(model::Appendable& store) : store_(store) {}
  std::set<std::string> named() const { return named_; }
  std::unique_ptr<model::Appender> appender() override {
    return std::make_unique<Batch>(store_.appender(), named_);
  }

 private:
  class Batch final : public model::Appender {
   public:
    Batch(std::unique_ptr<model::Appender> to, std::set<std::string>& named)
        : to_(std::move(to)), named_(named) {}
    Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                    model::Sample sample) override {
      if (!labels.empty()) named_.emplace(labels.metric_name());
      return to_->append(ref, labels, sample);
    }
    Result<model::CommitReport> commit() override { return to_->commit(); }
    void append_metadata(std::string_view metric, const model::MetricMetadata& words) override {
      to_->append_metadata(metric, words);
    }
    void rollback() override { to_->rollback(); }

   private:
    std::unique_ptr<model::Appender> to_;
    std::set<std::string>& named_;
  };
  model::Appendable& store_;
  std::set<std::string> named_;
};

class PageAppenderTest : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  PageAppenderTest() {
    target_.labels = Labels{{"instance", "i"}, {"job", "j"}};
    target_.timeout_ms = 5'000;
    config_.job_name = "j";
  }

  PageAppender& pages() {
    if (pages_ == nullptr) {
      pages_ = std::make_unique<PageAppender>(target_, limits_, naming_, clock_, instruments_,
                                              std::move(deriver_));
    }
    return *pages_;
  }

  // Ten seconds pass first.
  PageResult scrape(std::string_view body, exposition::Format format = exposition::Format::kText) {
    clock_.advance_ms(10'000);
    if (job_ == nullptr) job_ = std::make_shared<const JobConfig>(config_);
    return pages().store(job_, {.time_ms = clock_.wall_ms(),
                                .started_ns = clock_.monotonic_ns(),
                                .body = body,
                                .format = format});
  }
  PageResult fail_scrape() {
    clock_.advance_ms(10'000);
    if (job_ == nullptr) job_ = std::make_shared<const JobConfig>(config_);
    return pages().store(job_, {.time_ms = clock_.wall_ms(),
                                .started_ns = clock_.monotonic_ns(),
                                .status = fail(Code::kUnavailable, "refused"),
                                .outcome = ScrapeOutcome::kUnreachable});
  }
  Lines lines(const std::string& names) { return stored(store_, names, kStartMs); }

  static constexpr int64_t kStartMs = 1'700'000'000'000;
  SimulatedClock clock_{kStartMs * 1'000'000};
  Registry registry_;
  ScrapeInstruments instruments_{registry_};
  store::metrics::LinearStore store_{clock_, {.max_series = 1000}};
  NamingStore naming_{store_};
  Target target_;
  JobConfig config_;
  std::shared_ptr<const JobConfig> job_;
  PageLimits limits_;
  std::unique_ptr<TargetDeriver> deriver_;
  std::unique_ptr<PageAppender> pages_;
};

TEST_F(PageAppenderTest, StoresSamplesAndTheReport) {
  EXPECT_TRUE(scrape("# TYPE a counter\na 1\nb{x=\"y\"} 2\n").status);
  EXPECT_TRUE(scrape("a 3\nb{x=\"y\"} 4\n").status);
  EXPECT_EQ(lines("a|b"), (Lines{R"(a{instance="i", job="j"} 1@10 3@20)",
                                 R"(b{instance="i", job="j", x="y"} 2@10 4@20)"}));
  EXPECT_EQ(lines("up"), (Lines{R"(up{instance="i", job="j"} 1@10 1@20)"}));
  EXPECT_EQ(lines("scrape_.*"),
            (Lines{R"(scrape_duration_seconds{instance="i", job="j"} 0@10 0@20)",
                   R"(scrape_samples_post_metric_relabeling{instance="i", job="j"} 2@10 2@20)",
                   R"(scrape_samples_scraped{instance="i", job="j"} 2@10 2@20)",
                   R"(scrape_series_added{instance="i", job="j"} 2@10 0@20)"}));
}

TEST_F(PageAppenderTest, ExtraMetricsWhenAsked) {
  limits_.extra_metrics = true;
  config_.sample_limit = 7;
  scrape("a 1\n");
  EXPECT_EQ(lines("scrape_timeout_seconds|scrape_sample_limit|scrape_body_size_bytes"),
            (Lines{R"(scrape_body_size_bytes{instance="i", job="j"} 4@10)",
                   R"(scrape_sample_limit{instance="i", job="j"} 7@10)",
                   R"(scrape_timeout_seconds{instance="i", job="j"} 5@10)"}));
}

TEST_F(PageAppenderTest, AVanishedSeriesGetsOneMarker) {
  scrape("a 1\nb 1\n");
  scrape("a 2\n");
  scrape("a 3\n");
  scrape("a 4\nb 4\n");
  EXPECT_EQ(lines("b"), (Lines{R"(b{instance="i", job="j"} 1@10 stale@20 4@40)"}));
  EXPECT_EQ(lines("scrape_series_added"),
            (Lines{R"(scrape_series_added{instance="i", job="j"} 2@10 0@20 0@30 1@40)"}));
  EXPECT_EQ(instruments_.stale_markers.value(), 1);
}

TEST_F(PageAppenderTest, AFailedScrapeEndsAllSeries) {
  scrape("a 1\n");
  const PageResult failed = fail_scrape();
  EXPECT_EQ(failed.status.error().message, "refused");
  fail_scrape();
  scrape("a 4\n");
  EXPECT_EQ(lines("a|up"), (Lines{R"(a{instance="i", job="j"} 1@10 stale@20 4@40)",
                                  R"(up{instance="i", job="j"} 1@10 0@20 0@30 1@40)"}));
  EXPECT_EQ(lines("scrape_series_added"),
            (Lines{R"(scrape_series_added{instance="i", job="j"} 1@10 0@20 0@30 0@40)"}));
  EXPECT_EQ(instruments_.scrapes(ScrapeOutcome::kUnreachable).value(), 2);
}

TEST_F(PageAppenderTest, ABrokenBodyStoresNothingOfItself) {
  scrape("a 1\nb 1\n");
  const PageResult result = scrape("a 2\nc 2\nb{x= 2\n");
  EXPECT_EQ(result.outcome, ScrapeOutcome::kBody);
  EXPECT_THAT(result.status.error().message, HasSubstr("line 3"));
  EXPECT_EQ(lines("a|b|c|up"), (Lines{R"(a{instance="i", job="j"} 1@10 stale@20)",
                                      R"(b{instance="i", job="j"} 1@10 stale@20)",
                                      R"(up{instance="i", job="j"} 1@10 0@20)"}));
}

TEST_F(PageAppenderTest, BadLabelsBreakTheBody) {
  for (const std::string_view body : {"a{x=\"1\",x=\"2\"} 1\n", "a{x=\"\xff\"} 1\n", "a{b} 1\n"})
    EXPECT_EQ(scrape(body).outcome, ScrapeOutcome::kBody) << body;
  EXPECT_THAT(lines("a"), IsEmpty());
}

TEST_F(PageAppenderTest, AnEmptyPageIsGood) {
  scrape("a 1\n");
  EXPECT_TRUE(scrape("").status);
  scrape("a 3\n");
  EXPECT_EQ(lines("a|up"), (Lines{R"(a{instance="i", job="j"} 1@10 stale@20 3@30)",
                                  R"(up{instance="i", job="j"} 1@10 1@20 1@30)"}));
}

TEST_F(PageAppenderTest, OfASeriesThatIsThereTwiceTheFirstCounts) {
  EXPECT_TRUE(scrape("a 1\na 2\nb 1\n").status);
  EXPECT_TRUE(scrape("a 3\na 4\nb 1\n").status);
  EXPECT_EQ(lines("a"), (Lines{R"(a{instance="i", job="j"} 1@10 3@20)"}));
  EXPECT_EQ(lines("scrape_samples_post_metric_relabeling"),
            (Lines{R"(scrape_samples_post_metric_relabeling{instance="i", job="j"} 3@10 3@20)"}));
  EXPECT_EQ(instruments_.duplicates.value(), 2);
}

TEST_F(PageAppenderTest, TimesOfThePageAreHonouredAndNeedNoMarker) {
  const int64_t early = kStartMs + 5'000;
  scrape(fmt::format("a 1 {}\n", early));
  scrape("b 2\n");
  EXPECT_EQ(lines("a"), (Lines{R"(a{instance="i", job="j"} 1@5)"}));
  config_.track_timestamps_staleness = true;
  job_ = nullptr;
  scrape(fmt::format("a 3 {}\n", early + 20'000));
  scrape("b 4\n");
  EXPECT_EQ(lines("a"), (Lines{R"(a{instance="i", job="j"} 1@5 3@25 stale@40)"}));
}

TEST_F(PageAppenderTest, TimesOfThePageAreIgnoredWhenTheJobSaysSo) {
  config_.honor_timestamps = false;
  scrape("a 1 5\n");
  EXPECT_EQ(lines("a"), (Lines{R"(a{instance="i", job="j"} 1@10)"}));
}

TEST_F(PageAppenderTest, ATimeOutOfRangeIsCountedAndTheRestStored) {
  EXPECT_TRUE(scrape("a 1 5\nb 2\n").status);
  EXPECT_EQ(lines("a|b|up"),
            (Lines{R"(b{instance="i", job="j"} 2@10)", R"(up{instance="i", job="j"} 1@10)"}));
  EXPECT_EQ(instruments_.refused(Code::kOutOfRange).value(), 1);
}

TEST_F(PageAppenderTest, RelabellingDropsOnce) {
  config_.metric_relabel = {
      model::RelabelRule::create(
          {.source_labels = {"__name__"}, .regex = "go_.*", .action = RelabelAction::kDrop})
          .value()};
  scrape("go_x 1\na 1\n");
  scrape("go_x 1\na 2\n");
  scrape("a 3\n");
  EXPECT_THAT(lines("go_x"), IsEmpty());
  EXPECT_EQ(lines("scrape_samples.*"),
            (Lines{R"(scrape_samples_post_metric_relabeling{instance="i", job="j"} 1@10 1@20 1@30)",
                   R"(scrape_samples_scraped{instance="i", job="j"} 2@10 2@20 1@30)"}));
}

TEST_F(PageAppenderTest, TheSampleLimitRefusesTheWholePageAndCountsIt) {
  config_.sample_limit = 2;
  scrape("a 1\nb 1\n");
  const PageResult result = scrape("a 2\nb 2\nc 2\nd 2\n");
  EXPECT_EQ(result.outcome, ScrapeOutcome::kLimit);
  EXPECT_THAT(result.status.error().message, HasSubstr("sample limit exceeded"));
  EXPECT_TRUE(scrape("a 3\nc 3\n").status);
  EXPECT_EQ(lines("a|b|c|up"),
            (Lines{R"(a{instance="i", job="j"} 1@10 stale@20 3@30)",
                   R"(b{instance="i", job="j"} 1@10 stale@20)", R"(c{instance="i", job="j"} 3@30)",
                   R"(up{instance="i", job="j"} 1@10 0@20 1@30)"}));
  EXPECT_EQ(lines("scrape_samples_scraped"),
            (Lines{R"(scrape_samples_scraped{instance="i", job="j"} 2@10 4@20 2@30)"}));
  EXPECT_EQ(instruments_.sample_limit.value(), 1);
}

TEST_F(PageAppenderTest, NoPageIsEndless) {
  limits_.max_samples = 2;
  EXPECT_TRUE(scrape("a 1\nb 1\n").status);
  const PageResult result = scrape("a 2\nb 2\nc 2\n");
  EXPECT_EQ(result.outcome, ScrapeOutcome::kLimit);
  EXPECT_EQ(
      result.status.error().message,
      "the page has more than 2 samples (collect.scrape.max_samples): 0 MiB of text; have the "
      "target expose less, or raise the limit");
  EXPECT_EQ(instruments_.max_samples.value(), 1);
  EXPECT_EQ(lines("a|up"), (Lines{R"(a{instance="i", job="j"} 1@10 stale@20)",
                                  R"(up{instance="i", job="j"} 1@10 0@20)"}));
  // As many lines, but not as many samples.
  EXPECT_TRUE(scrape("# HELP a A\n# TYPE a gauge\na 3\n\n\nb 3\n").status);
  EXPECT_EQ(lines("scrape_samples_scraped"),
            (Lines{R"(scrape_samples_scraped{instance="i", job="j"} 2@10 3@20 2@30)"}));
}

// A series that a batch names takes room in a store even when the batch is rolled back.
TEST_F(PageAppenderTest, APageOverTheLimitNamesNoSeriesToTheStore) {
  limits_.max_samples = 5'000;
  std::string body;
  for (int i = 0; i <= 5'000; ++i) body += fmt::format("a{{i=\"{}\"}} 1\n", i);
  EXPECT_FALSE(scrape(body).status);
  EXPECT_THAT(naming_.named(), testing::Each(testing::AnyOf("up", testing::StartsWith("scrape_"))));
  EXPECT_TRUE(scrape("neighbour 1\n").status);
  EXPECT_THAT(naming_.named(), Contains("neighbour"));
}

TEST_F(PageAppenderTest, AMegabyteOfAValueIsRefusedAlone) {
  EXPECT_TRUE(scrape("a{x=\"" + std::string(1 << 20, 'y') + "\"} 1\nb 2\n").status);
  EXPECT_EQ(lines("a").size(), 0u);
  EXPECT_EQ(lines("b"), (Lines{R"(b{instance="i", job="j"} 2@10)"}));
  EXPECT_EQ(instruments_.refused(Code::kInvalidArgument).value(), 1);
}

TEST_F(PageAppenderTest, ALabelLimitRefusesTheWholePage) {
  config_.label_value_length_limit = 3;
  EXPECT_TRUE(scrape("a{x=\"abc\"} 1\n").status);
  const PageResult result = scrape("a{x=\"abc\"} 1\na{x=\"abcd\"} 1\n");
  EXPECT_EQ(result.outcome, ScrapeOutcome::kLimit);
  EXPECT_THAT(result.status.error().message, HasSubstr("label_value_length_limit exceeded"));
  EXPECT_EQ(instruments_.label_limits.value(), 1);
}

TEST_F(PageAppenderTest, ANewSeriesBeyondTheStoresLimitLeavesTheOthers) {
  std::string body;
  for (int i = 0; i < 1100; ++i) body += fmt::format("a{{i=\"{}\"}} 1\n", i);
  const PageResult result = scrape(body);
  EXPECT_TRUE(result.status);
  EXPECT_EQ(result.left_out,
            "100 samples not stored, the first: append: too many series (storage.max_series)");
  EXPECT_EQ(lines("a").size(), 1000u);
  EXPECT_EQ(instruments_.refused(Code::kResourceExhausted).value(), 100);
}

TEST_F(PageAppenderTest, AnotherJobLooksAtAllSeriesAnew) {
  scrape("a{x=\"y\"} 1\nb 1\n");
  config_.metric_relabel = {
      model::RelabelRule::create({.regex = "x", .action = RelabelAction::kLabelDrop}).value()};
  job_ = nullptr;
  scrape("a{x=\"y\"} 2\nb 2\n");
  EXPECT_EQ(lines("a|b"), (Lines{R"(a{instance="i", job="j"} 2@20)",
                                 R"(a{instance="i", job="j", x="y"} 1@10 stale@20)",
                                 R"(b{instance="i", job="j"} 1@10 2@20)"}));
  EXPECT_EQ(lines("scrape_series_added"),
            (Lines{R"(scrape_series_added{instance="i", job="j"} 2@10 1@20)"}));
}

TEST_F(PageAppenderTest, AnEndedTargetEndsItsReportToo) {
  scrape("a 1\n");
  pages().end(kStartMs + 20'000);
  EXPECT_EQ(lines("a|up"), (Lines{R"(a{instance="i", job="j"} 1@10 stale@20)",
                                  R"(up{instance="i", job="j"} 1@10 stale@20)"}));
}

TEST_F(PageAppenderTest, SeriesAreTakenOverFromAnEndedTarget) {
  scrape("a 1\nb 1\n");
  const auto before = std::move(pages_);
  pages().adopt(*before);
  scrape("a 2\n");
  EXPECT_EQ(lines("a|b"), (Lines{R"(a{instance="i", job="j"} 1@10 2@20)",
                                 R"(b{instance="i", job="j"} 1@10 stale@20)"}));
}

TEST_F(PageAppenderTest, KeepsMetadata) {
  scrape("# TYPE a counter\n# HELP a Help.\na 1\n");
  EXPECT_THAT(pages().families().all(),
              ElementsAre(testing::Pair(
                  "a", model::MetricMetadata{model::MetricType::kCounter, "Help.", ""})));
}

TEST_F(PageAppenderTest, OrderMayChangeFromPageToPage) {
  scrape("a 1\nb 1\nc 1\n");
  scrape("c 2\na 2\nb 2\n");
  scrape("b 3\nd 3\na 3\nc 3\n");
  EXPECT_EQ(lines("[abcd]"), (Lines{R"(a{instance="i", job="j"} 1@10 2@20 3@30)",
                                    R"(b{instance="i", job="j"} 1@10 2@20 3@30)",
                                    R"(c{instance="i", job="j"} 1@10 2@20 3@30)",
                                    R"(d{instance="i", job="j"} 3@30)"}));
}

TEST_F(PageAppenderTest, ADeriverSeesTheExposedAndItsSeriesEndToo) {
  auto owned = std::make_unique<SumDeriver>();
  SumDeriver& deriver = *owned;
  deriver_ = std::move(owned);
  scrape("# TYPE a gauge\na{job=\"own\"} 1\nb 2\nboring 9\n");
  scrape("a{job=\"own\"} 3\nb 4\nboring 9\n");
  fail_scrape();
  scrape("a{job=\"own\"} 5\n");
  scrape("boring 9\n");
  EXPECT_EQ(
      lines("llm_sum"),
      (Lines{
          R"(llm_sum{exported_job="x", instance="i", job="j"} 3@10 7@20 stale@30 5@40 stale@50)"}));
  EXPECT_THAT(deriver.seen, ElementsAre(R"(a{job="own"})", "b", "boring"));
  EXPECT_EQ(deriver.types[0], model::MetricType::kGauge);
}

}  // namespace
}  // namespace binnacle::collect::scrape
