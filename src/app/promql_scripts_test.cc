// The scripts of tests/promql over the stores that they can run over, and whether they cover the
// language.
#include <gtest/gtest.h>

#include <limits>

#include "app/promql_commands.h"
#include "base/clock.h"
#include "base/fault_file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "query/promql/function_table.h"
#include "store/metrics/metric_store.h"

namespace binnacle::app {
namespace {

using query::promql::ScriptStore;
using query::promql::ScriptStoreMaker;
using store::metrics::MetricStore;

const std::string kFolder = std::string(BINNACLE_SOURCE_DIR) + "/tests/promql/";

std::vector<std::string> scripts() {
  std::vector<std::string> out;
  const auto entries = real_file_system().list(kFolder);
  EXPECT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    if (entry.name.ends_with(".test")) out.push_back(entry.name);
  }
  EXPECT_GE(out.size(), 6U);
  return out;
}

// The store that servers have, at a time near the epoch: after every load it is cut into a block or
// not, closed, and opened from what its disk holds.
class DiskScriptStore final : public ScriptStore {
 public:
  explicit DiskScriptStore(bool cut) : cut_(cut) {}
  Status open() {
    store::metrics::StoreOptions options;
    constexpr int64_t kForEver = std::numeric_limits<int64_t>::max() / 4;
    options.limits.late_limit_ms = kForEver;
    options.limits.out_of_order_ms = kForEver;
    options.limits.max_ahead_ms = kForEver;
    options.limits.last_value_wins = true;
    options.retention_ms = kForEver;
    auto opened = MetricStore::open("data", options, files_, clock_, random_, registry_);
    if (!opened) return fail(opened.error());
    store_ = std::move(*opened);
    return {};
  }
  model::Appendable& appendable() override { return *store_; }
  model::Queryable& queryable() override { return *store_; }
  Status settle() override {
    if (cut_) TRY(store_->flush(4'000'000'000'000));
    store_.reset();
    return open();
  }

 private:
  const bool cut_;
  FaultFileSystem files_{1};
  const SimulatedClock clock_{0};
  SeededRandom random_{1};
  Registry registry_;
  std::unique_ptr<MetricStore> store_;
};

ScriptStoreMaker disk_stores(bool cut) {
  return [cut]() -> Result<std::unique_ptr<ScriptStore>> {
    auto store = std::make_unique<DiskScriptStore>(cut);
    TRY(store->open());
    return store;
  };
}

void expect_all_pass(const ScriptStoreMaker& make_store) {
  for (const std::string& script : scripts()) {
    const auto text = real_file_system().read_file(kFolder + script);
    ASSERT_TRUE(text);
    const auto report = query::promql::run_test_script(script, *text, make_store);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_GT(report->passed, 0U);
    for (const auto& failure : report->failures)
      ADD_FAILURE() << script << ":" << failure.line << ": " << failure.expr << "\n"
                    << failure.problem << "\nexpected:\n"
                    << failure.expected << "got:\n"
                    << failure.got;
  }
}

TEST(PromqlScripts, PassInMemory) { expect_all_pass(make_memory_script_store); }
TEST(PromqlScripts, PassOverAStoreThatStartsAnewAfterEveryLoad) {
  expect_all_pass(disk_stores(false));
}
TEST(PromqlScripts, PassOverAStoreThatIsCutIntoBlocks) { expect_all_pass(disk_stores(true)); }

TEST(PromqlScripts, UseEveryFunctionAndAggregation) {
  std::string all;
  for (const std::string& script : scripts())
    all += *real_file_system().read_file(kFolder + script);
  for (const auto& function : query::promql::all_functions()) {
    // The start of a series is not stored.
    if (function.name == "start_timestamp") continue;
    EXPECT_NE(all.find(std::string(function.name) + "("), std::string::npos) << function.name;
  }
  for (int op = 0; op <= static_cast<int>(query::promql::AggregateOp::kTopk); ++op) {
    const auto name = query::promql::aggregate_name(static_cast<query::promql::AggregateOp>(op));
    EXPECT_NE(all.find(std::string(name)), std::string::npos) << name;
  }
  for (int op = 0; op <= static_cast<int>(query::promql::BinaryOp::kUnless); ++op) {
    const auto text = query::promql::binary_op_text(static_cast<query::promql::BinaryOp>(op));
    EXPECT_NE(all.find(" " + std::string(text) + " "), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace binnacle::app
