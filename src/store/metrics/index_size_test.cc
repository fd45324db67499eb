// What an index costs and what its pages hold: the promise of a few bytes for each series.
#include <gtest/gtest.h>

#include "base/fault_file_system.h"
#include "store/metrics/block_meta.h"
#include "store/metrics/index_pages.h"
#include "store/metrics/series_bitmap.h"
#include "store/metrics/testing/block_data.h"

namespace binnacle::store::metrics {
namespace {

TEST(IndexSizeTest, AnIndexCostsFewBytesForEachSeries) {
  FaultFileSystem files;
  ASSERT_TRUE(files.create_directories("/blocks"));
  // 20 series for each node.
  const auto data = testing::make_test_data({.nodes = 500, .samples = 10});
  ASSERT_GE(data.size(), 9'900u);
  const auto meta = testing::write_block(files, "/blocks", data, testing::test_meta());
  ASSERT_TRUE(meta);
  const size_t bytes = files.read_file("/blocks/" + meta->ulid + "/index")->size();
  EXPECT_LE(bytes, 12 * data.size()) << static_cast<double>(bytes) / 1e4;
  EXPECT_GT(bytes, data.size() / 2);
}

TEST(PostingsTest, RunsComeBack) {
  PostingBuilder builder;
  SeriesBitmap wanted(5000);
  SeededRandom random(1);
  for (uint32_t series = 0; series < 5000; ++series) {
    if (random.below(3) == 0) continue;
    builder.add(series);
    wanted.add(series, series + 1);
  }
  const std::string list = builder.take();
  SeriesBitmap found(5000);
  ASSERT_TRUE(
      for_each_run(list, 5000, [&](uint32_t begin, uint32_t end) { found.add(begin, end); }));
  EXPECT_EQ(found.numbers(), wanted.numbers());
  EXPECT_FALSE(for_each_run(list, 4000, [](uint32_t, uint32_t) {}));
  EXPECT_FALSE(for_each_run(list.substr(0, list.size() - 1), 5000, [](uint32_t, uint32_t) {}));
}

TEST(SeriesBitmapTest, AgreesWithPlainBits) {
  SeededRandom random(2);
  for (int round = 0; round < 300; ++round) {
    const auto size = static_cast<uint32_t>(1 + random.below(300));
    const auto make = [&](std::vector<bool>& plain) {
      SeriesBitmap bitmap(size);
      plain.assign(size, false);
      for (int i = 0; i < 3; ++i) {
        const auto begin = static_cast<uint32_t>(random.below(size));
        const auto end = begin + 1 + static_cast<uint32_t>(random.below(size - begin));
        bitmap.add(begin, end);
        for (uint32_t k = begin; k < end; ++k) plain[k] = true;
      }
      return bitmap;
    };
    std::vector<bool> a, b;
    const SeriesBitmap first = make(a), second = make(b);
    SeriesBitmap both = first, rest = first;
    both.intersect(second);
    rest.subtract(second);
    std::vector<uint32_t> wanted_both, wanted_rest;
    for (uint32_t k = 0; k < size; ++k) {
      if (a[k] && b[k]) wanted_both.push_back(k);
      if (a[k] && !b[k]) wanted_rest.push_back(k);
      ASSERT_EQ(first.any(k, k + 1), a[k]);
    }
    ASSERT_EQ(both.numbers(), wanted_both);
    ASSERT_EQ(rest.numbers(), wanted_rest);
    ASSERT_EQ(both.empty(), wanted_both.empty());
  }
}

TEST(BlockMetaTest, ComesBackAsItWas) {
  BlockMeta meta = testing::test_meta();
  meta.series = 3;
  meta.samples = UINT64_MAX;
  meta.min_ms = -5;
  meta.level = 4;
  meta.sources = {"a", "b"};
  meta.parents = {"c"};
  meta.resolution_ms = 300'000;
  meta.external_labels = {{"weird \"crc32c\": \"", "\n\x01"}};
  const std::string text = block_meta_json(meta);
  const auto back = parse_block_meta(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(block_meta_json(*back), text);
  EXPECT_EQ(back->samples, meta.samples);
  EXPECT_EQ(back->external_labels, meta.external_labels);
  EXPECT_FALSE(parse_block_meta(text + " "));
  EXPECT_FALSE(parse_block_meta(""));
  EXPECT_FALSE(parse_block_meta("{}"));
}

TEST(BlockMetaTest, UlidsSortByTimeAndHaveTheirForm) {
  SeededRandom random(1);
  const std::string ulid = make_ulid(1'469'918'176'385, random);
  EXPECT_EQ(ulid.substr(0, 10), "01ARYZ6S41");  // the example of the specification
  EXPECT_TRUE(is_ulid(ulid));
  std::string last;
  for (int64_t time = 0; time < (int64_t{1} << 48); time += (int64_t{1} << 40) + 12'345) {
    const std::string next = make_ulid(time, random);
    EXPECT_TRUE(is_ulid(next)) << next;
    EXPECT_LT(last, next);
    last = next;
  }
  EXPECT_NE(make_ulid(5, random), make_ulid(5, random));
  for (const char* wrong :
       {"", "01ARYZ6S41", "01ARYZ6S41TSV4RRFFQ69G5FAU", "81ARYZ6S41TSV4RRFFQ69G5FAV",
        "01aryz6s41tsv4rrffq69g5fav", "01ARYZ6S41TSV4RRFFQ69G5FAV.tmp"})
    EXPECT_FALSE(is_ulid(wrong)) << wrong;
}

}  // namespace
}  // namespace binnacle::store::metrics
