#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/fault_file_system.h"
#include "store/metrics/wal.h"
#include "store/metrics/wal_format.h"
#include "store/metrics/wal_test_log.h"

namespace binnacle::store::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using WalReaderTest = WalBytesTest;

TEST_F(WalReaderTest, WholeLog) {
  auto files = disk(bytes_);
  const auto read = read_back(*files);
  EXPECT_EQ(read.records, all());
  EXPECT_EQ(read.report.first_segment, 1u);
  EXPECT_EQ(read.report.last_segment, 2u);
  EXPECT_EQ(read.report.bytes, bytes_[0].size() + bytes_[1].size());
  EXPECT_THAT(read.report.damage, IsEmpty());
}

TEST_F(WalReaderTest, NoLog) {
  FaultFileSystem files;
  const auto read = read_back(files);
  EXPECT_EQ(read.report.first_segment, 0u);
  EXPECT_EQ(read.report.last_segment, 0u);
  EXPECT_THAT(read.report.damage, IsEmpty());
}

TEST_F(WalReaderTest, CutAtEveryByteOfTheLastSegment) {
  for (size_t size = 0; size <= bytes_[1].size(); ++size) {
    SCOPED_TRACE(size);
    auto files = disk({bytes_[0], bytes_[1].substr(0, size)});
    make_durable(*files);
    const auto read = read_back(*files);
    EXPECT_EQ(read.records, before(2, size));
    const bool at_group = size == 0 || size == kWalHeaderBytes ||
                          std::ranges::any_of(ends_, [&](const WalGroupEnd& place) {
                            return place.segment == 2 && place.end == size;
                          });
    EXPECT_EQ(read.report.damage.empty(), at_group);
    if (!at_group) {
      const WalDamage& damage = read.report.damage.front();
      EXPECT_TRUE(damage.torn_tail);
      EXPECT_EQ(damage.segment, 2u);
      EXPECT_EQ(damage.offset + damage.bytes_lost, size);
    }
    expect_mended(*files, read);
    EXPECT_FALSE(files->exists("data/wal-damaged-00000002"));
  }
}

TEST_F(WalReaderTest, CutAtEveryByteOfASegmentInTheMiddle) {
  for (size_t size = 0; size < bytes_[0].size(); ++size) {
    SCOPED_TRACE(size);
    auto files = disk({bytes_[0].substr(0, size), bytes_[1]});
    make_durable(*files);
    const auto read = read_back(*files);
    EXPECT_EQ(read.records, before(1, size));
    ASSERT_EQ(read.report.damage.size(), 1u);
    const WalDamage& damage = read.report.damage.front();
    EXPECT_FALSE(damage.torn_tail);
    const uint64_t before_damage = damage.segment == 2 ? size : 0;
    EXPECT_EQ(before_damage + damage.offset + damage.bytes_lost, size + bytes_[1].size());
    expect_mended(*files, read);
    EXPECT_TRUE(files->exists(fmt::format("data/wal-damaged-{:08}/00000002", damage.segment)));
  }
}

TEST_F(WalReaderTest, EveryByteChanged) {
  for (size_t s = 0; s < bytes_.size(); ++s) {
    for (size_t at = 0; at < bytes_[s].size(); ++at) {
      for (const uint8_t mask : {0x01, 0x80, 0xFF}) {
        SCOPED_TRACE(fmt::format("segment {} byte {} mask {}", s + 1, at, mask));
        auto segments = bytes_;
        segments[s][at] = static_cast<char>(segments[s][at] ^ mask);
        auto files = disk(segments);
        make_durable(*files);
        const auto read = read_back(*files);
        EXPECT_EQ(read.records, before(s + 1, at));
        ASSERT_EQ(read.report.damage.size(), 1u);
        const WalDamage& damage = read.report.damage.front();
        EXPECT_FALSE(damage.torn_tail);
        EXPECT_EQ(damage.segment, s + 1);
        EXPECT_LE(damage.offset, at);
        EXPECT_FALSE(damage.reason.empty());
        expect_mended(*files, read);
        const auto aside =
            files->read_file(fmt::format("data/wal-damaged-{:08}/{:08}", s + 1, s + 1));
        ASSERT_TRUE(aside);
        EXPECT_EQ(*aside, segments[s]);
      }
    }
  }
}

TEST_F(WalReaderTest, ZerosAtTheEndAreATornTail) {
  for (size_t from = kWalHeaderBytes; from < bytes_[1].size(); ++from) {
    SCOPED_TRACE(from);
    auto segments = bytes_;
    std::fill(segments[1].begin() + static_cast<ptrdiff_t>(from), segments[1].end(), '\0');
    auto files = disk(segments);
    make_durable(*files);
    const auto read = read_back(*files);
    EXPECT_EQ(read.records, before(2, from));
    ASSERT_EQ(read.report.damage.size(), 1u);
    EXPECT_TRUE(read.report.damage.front().torn_tail);
    expect_mended(*files, read);
  }
}

TEST_F(WalReaderTest, HoleBeforeAValidGroupIsDamage) {
  auto segments = bytes_;
  std::fill_n(segments[1].begin() + kWalHeaderBytes, 20, '\0');
  segments[1].pop_back();  // the last group is cut short, its header is there
  auto files = disk(segments);
  const auto read = read_back(*files);
  ASSERT_EQ(read.report.damage.size(), 1u);
  EXPECT_FALSE(read.report.damage.front().torn_tail);
}

TEST_F(WalReaderTest, GroupOfAnotherPlaceIsNone) {
  // The last group of segment 1 once more behind it, and at the end of segment 2.
  const std::string group = bytes_[0].substr(ends_[1].end);
  for (const size_t s : {0, 1}) {
    auto segments = bytes_;
    if (s == 0) segments.pop_back();
    segments[s] += group;
    auto files = disk(segments);
    const auto read = read_back(*files);
    EXPECT_EQ(read.records, before(s + 1, ~uint64_t{0}));
    ASSERT_EQ(read.report.damage.size(), 1u);
    EXPECT_EQ(read.report.damage.front().offset, bytes_[s].size());
  }
}

TEST_F(WalReaderTest, SegmentsRemovedFromTheFrontAreFine) {
  auto files = disk(bytes_);
  ASSERT_TRUE(files->remove(wal_segment_path(kTestWal, 1)));
  const auto read = read_back(*files);
  EXPECT_THAT(read.records, ElementsAre("d", "e", "GRP1", "f", "gg", "h"));
  EXPECT_EQ(read.report.first_segment, 2u);
  EXPECT_THAT(read.report.damage, IsEmpty());
}

TEST_F(WalReaderTest, ReadsFromASegmentOn) {
  auto files = disk(bytes_);
  EXPECT_EQ(read_back(*files, 2).records.size(), 6u);
  EXPECT_EQ(read_back(*files, 3).report.first_segment, 0u);
}

TEST_F(WalReaderTest, SegmentUnderAnotherNameIsDamage) {
  auto files = disk({bytes_[0], bytes_[0]});
  const auto read = read_back(*files);
  EXPECT_EQ(read.records, before(1, ~uint64_t{0}));
  ASSERT_EQ(read.report.damage.size(), 1u);
  EXPECT_EQ(read.report.damage.front().reason, "the header is of segment 1");
}

TEST_F(WalReaderTest, NewerVersionIsRefused) {
  std::string header = bytes_[1].substr(0, kWalHeaderBytes - 4);
  header[8] = 2;
  const uint32_t crc = crc32c(header);
  header.append(reinterpret_cast<const char*>(&crc), 4);
  auto files = disk({bytes_[0], header + "of another shape"});
  const auto report = read_wal(*files, kTestWal, 0,
                               [](WalRecordType, std::string_view) -> Status { return {}; }, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(report.error().message,
              HasSubstr("data/wal/00000002: written in format 2, and this binary reads up to 1"));
}

TEST_F(WalReaderTest, OtherFilesAreNotLookedAt) {
  auto files = disk(bytes_);
  for (const std::string name : {"3", "000000003", "0000000x", "00000000", "00000003.tmp-1-1"}) {
    put_file(*files, fmt::format("{}/{}", kTestWal, name), "x");
  }
  ASSERT_TRUE(files->create_directories(kTestWal + "/00000003"));
  const auto read = read_back(*files);
  EXPECT_EQ(read.records, all());
  EXPECT_THAT(read.report.damage, IsEmpty());
}

TEST_F(WalReaderTest, VisitThatFailsEndsIt) {
  auto files = disk(bytes_);
  int visits = 0;
  const auto report = read_wal(*files, kTestWal, 0,
                               [&](WalRecordType, std::string_view) -> Status {
                                 if (++visits == 3) return fail(Code::kCancelled, "enough");
                                 return {};
                               },
                               {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kCancelled);
  EXPECT_EQ(visits, 3);
}

TEST_F(WalReaderTest, ProgressEndsAtTheTotal) {
  auto files = disk(bytes_);
  std::vector<std::pair<uint64_t, uint64_t>> told;
  ASSERT_TRUE(read_wal(
      *files, kTestWal, 0, [](WalRecordType, std::string_view) -> Status { return {}; },
      [&](uint64_t done, uint64_t total) { told.emplace_back(done, total); }));
  const uint64_t total = bytes_[0].size() + bytes_[1].size();
  EXPECT_THAT(told, ElementsAre(std::pair(total, total)));
}

}  // namespace
}  // namespace binnacle::store::metrics
