// What mending leaves behind, also where it is cut short itself.
#include <gmock/gmock.h>

#include "base/fault_file_system.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_format.h"
#include "store/metrics/wal_test_log.h"

namespace binnacle::store::metrics {
namespace {

using testing::ElementsAre;

using WalMendTest = WalBytesTest;

TEST_F(WalMendTest, MissingSegmentIsDamage) {
  auto files = disk(bytes_);
  ASSERT_TRUE(files->rename(wal_segment_path(kTestWal, 2), wal_segment_path(kTestWal, 4)));
  make_durable(*files);
  const auto read = read_back(*files);
  EXPECT_EQ(read.records, before(1, ~uint64_t{0}));
  ASSERT_EQ(read.report.damage.size(), 1u);
  EXPECT_EQ(read.report.damage.front().segment, 2u);
  EXPECT_EQ(read.report.damage.front().bytes_lost, bytes_[1].size());
  EXPECT_EQ(read.report.last_segment, 1u);
  expect_mended(*files, read);
  EXPECT_TRUE(files->exists("data/wal-damaged-00000002/00000004"));
}

TEST_F(WalMendTest, FolderOfEarlierDamageIsKept) {
  auto segments = bytes_;
  segments[0].back() = 'x';
  auto files = disk(segments);
  ASSERT_TRUE(files->create_directories("data/wal-damaged-00000001"));
  put_file(*files, "data/wal-damaged-00000001/00000001", "earlier");
  ASSERT_TRUE(mend_wal(*files, kTestWal, read_back(*files).report));
  EXPECT_EQ(files->read_file("data/wal-damaged-00000001/00000001").value_or(""), "earlier");
  EXPECT_EQ(files->read_file("data/wal-damaged-00000001-2/00000001").value_or(""), segments[0]);
  EXPECT_EQ(files->read_file("data/wal-damaged-00000001-2/00000002").value_or(""), segments[1]);
}

// The power goes, or a call fails, at each step of mending: a second try gives the same log.
TEST_F(WalMendTest, MendingThatIsCutShortIsDoneAgain) {
  auto segments = bytes_;
  segments[0][ends_[0].end + 3] = 'x';
  for (uint64_t changes = 0;; ++changes) {
    SCOPED_TRACE(changes);
    auto files = disk(segments);
    make_durable(*files);
    const auto read = read_back(*files);
    files->power_off_after(changes);
    const bool done = mend_wal(*files, kTestWal, read.report).has_value();
    files->crash(changes % 2 == 0 ? Crash::kPowerCut : Crash::kTornPower);
    const auto again = read_back(*files);
    EXPECT_THAT(again.records, ElementsAre("a"));
    expect_mended(*files, again);
    if (done) break;
    ASSERT_LT(changes, 100u);
  }
}

}  // namespace
}  // namespace binnacle::store::metrics
