#include "app/engine_watch.h"

#include <gtest/gtest.h>

namespace binnacle::app {
namespace {

TEST(EngineWatch, EnginesAreReadWhateverTypeTheyGiveTheirPage) {
  EngineWatchOptions options;
  options.scrape_interval_ms = 3000;
  const auto job = engine_job(options);
  EXPECT_EQ(job.job_name, "engines");
  EXPECT_EQ(job.interval_ms, 3000);
  EXPECT_EQ(job.timeout_ms, 3000);
  for (const char* type : {"", "text", "application/octet-stream"}) {
    EXPECT_EQ(collect::scrape::answer_format(type, job.fallback_protocol),
              collect::exposition::Format::kText)
        << type;
  }
}

}  // namespace
}  // namespace binnacle::app
