#include "collect/scrape/sample_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::collect::scrape {
namespace {

using model::Labels;
using testing::HasSubstr;

std::string joined(const Labels& exposed, const Labels& target, bool honor) {
  return join_labels(exposed, target, honor).build().to_string();
}

TEST(JoinLabels, TheTargetsWinAndWhatTheyDisplaceIsKept) {
  const Labels target{{"instance", "i"}, {"job", "j"}};
  EXPECT_EQ(joined({{"__name__", "up"}, {"job", "x"}}, target, false),
            R"(up{exported_job="x", instance="i", job="j"})");
  EXPECT_EQ(joined({{"__name__", "up"}, {"job", "x"}, {"exported_job", "y"}}, target, false),
            R"(up{exported_exported_job="x", exported_job="y", instance="i", job="j"})");
  EXPECT_EQ(
      joined({{"__name__", "up"}, {"foo", "1"}, {"exported_foo", "2"}},
             {{"foo", "a"}, {"exported_foo", "b"}}, false),
      R"(up{exported_exported_exported_foo="2", exported_exported_foo="1", exported_foo="b", foo="a"})");
}

TEST(JoinLabels, HonourLetsTheExposedWin) {
  EXPECT_EQ(joined({{"__name__", "up"}, {"job", "x"}}, {{"instance", "i"}, {"job", "j"}}, true),
            R"(up{instance="i", job="x"})");
}

TEST(SampleLabels, RelabellingMayDropAndTheNameMustStay) {
  JobConfig job;
  job.metric_relabel = {
      model::RelabelRule::create(
          {.source_labels = {"__name__"}, .regex = "go_.*", .action = model::RelabelAction::kDrop})
          .value(),
      model::RelabelRule::create({.regex = "x", .action = model::RelabelAction::kLabelDrop})
          .value(),
      model::RelabelRule::create({.source_labels = {"__name__"},
                                  .regex = "bare",
                                  .target_label = "__name__",
                                  .replacement = ""})
          .value()};
  const Labels target{{"job", "j"}};
  EXPECT_FALSE(sample_labels(job, Labels{{"__name__", "go_x"}}, target).value());
  EXPECT_EQ(sample_labels(job, Labels{{"__name__", "up"}, {"x", "y"}}, target).value()->to_string(),
            R"(up{job="j"})");
  EXPECT_THAT(sample_labels(job, Labels{{"__name__", "bare"}}, target).error().message,
              HasSubstr("metric name label missing"));
}

TEST(SampleLabels, LimitsAreNamed) {
  const Labels target{{"job", "j"}};
  const Labels exposed{{"__name__", "up"}, {"name", "value"}};
  const auto error = [&](const JobConfig& job) {
    const auto labels = sample_labels(job, exposed, target);
    return labels ? "none" : labels.error().message;
  };
  JobConfig job;
  job.label_limit = 3;
  job.label_name_length_limit = 8;
  job.label_value_length_limit = 5;
  EXPECT_EQ(error(job), "none");
  job.label_limit = 2;
  EXPECT_EQ(error(job), "label_limit exceeded (metric: up, number of labels: 3, limit: 2)");
  job.label_limit = 0;
  job.label_name_length_limit = 7;
  EXPECT_EQ(
      error(job),
      "label_name_length_limit exceeded (metric: up, label name: __name__, length: 8, limit: 7)");
  job.label_name_length_limit = 0;
  job.label_value_length_limit = 4;
  EXPECT_EQ(error(job),
            "label_value_length_limit exceeded (metric: up, label name: name, value: \"value\", "
            "length: 5, limit: 4)");
}

}  // namespace
}  // namespace binnacle::collect::scrape
