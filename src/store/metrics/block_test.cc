#include "store/metrics/block.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/fault_file_system.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/testing/block_data.h"
#include "store/metrics/tombstones.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::Matchers;
using model::MatchOp;
using testing::TestData;
using testing::TestShape;

class BlockTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.create_directories("/blocks")); }

  std::shared_ptr<const Block> write(const TestData& data, BlockWriteOptions options = {}) {
    const auto meta = testing::write_block(files_, "/blocks", data, testing::test_meta(), options);
    EXPECT_TRUE(meta) << meta.error().message;
    if (!meta) return nullptr;
    auto block = Block::open(files_, "/blocks/" + meta->ulid);
    EXPECT_TRUE(block) << block.error().message;
    return block ? *block : nullptr;
  }

  FaultFileSystem files_;
};

TEST_F(BlockTest, HoldsWhatWasWritten) {
  const TestData data = testing::make_test_data({.nodes = 40, .samples = 60});
  for (const bool zstd : {false, true}) {
    const auto block = write(data, {.zstd = zstd});
    ASSERT_TRUE(block);
    EXPECT_EQ(testing::difference(*block, data), "");
    EXPECT_TRUE(block->verify());
    EXPECT_EQ(block->meta().series, data.size());
    EXPECT_EQ(block->meta().samples, data.size() * 60);
    EXPECT_EQ(block->meta().external_labels.at("region"), "eu");
    ASSERT_TRUE(remove_block(files_, "/blocks", block->meta().ulid));
    EXPECT_TRUE(files_.list("/blocks")->empty());
  }
}

TEST_F(BlockTest, LongSeriesAreReadInParts) {
  const TestData data = testing::make_test_data({.nodes = 2, .samples = 9000, .step_ms = 1000});
  const auto block = write(data);
  ASSERT_TRUE(block);
  EXPECT_EQ(testing::difference(*block, data), "");
  std::vector<int64_t> times;
  std::vector<double> values;
  uint32_t number = 0;
  for (const auto& [labels, series] : data) {
    for (const auto& [first, last] : {std::pair(4090, 4100), {0, 0}, {8999, 8999}, {5000, 8999}}) {
      const auto& all = series.times_ms;
      ASSERT_TRUE(block->read(number, all[static_cast<size_t>(first)],
                              all[static_cast<size_t>(last)], times, values));
      EXPECT_EQ(times, std::vector(all.begin() + first, all.begin() + last + 1));
      EXPECT_TRUE(testing::same_bits(
          values, std::vector(series.values.begin() + first, series.values.begin() + last + 1)));
    }
    ASSERT_TRUE(block->read(number, 0, 1, times, values));
    EXPECT_TRUE(times.empty() && values.empty());
    ++number;
  }
}

TEST_F(BlockTest, AnEmptyBlockAndAnEmptyLabelSet) {
  const auto empty = write({});
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->verify());
  EXPECT_TRUE(empty->select({})->empty());
  EXPECT_TRUE(empty->label_names({})->empty());
  ASSERT_TRUE(remove_block(files_, "/blocks", empty->meta().ulid));
  const TestData data = {{Labels(), {{1'700'000'000'000}, {1}}},
                         {Labels{{"a", "b"}}, {{1'700'000'000'001}, {-0.0}}}};
  const auto block = write(data);
  ASSERT_TRUE(block);
  EXPECT_EQ(testing::difference(*block, data), "");
  EXPECT_TRUE(block->verify());
}

// Buckets of one name, whatever their bounds, times and the labels behind `le`.
TEST_F(BlockTest, OddHistogramsComeBack) {
  TestData data;
  SeededRandom random(9);
  const std::vector<std::string> bounds = {"1", "1.0", "+Inf", "-Inf", "nan", "NaN", "text", "1e3"};
  for (int i = 0; i < 900; ++i) {
    model::LabelsBuilder labels;
    labels.set("__name__", "h_bucket").set("zone", std::to_string(random.below(3)));
    labels.set("le", i < 30 ? bounds[random.below(bounds.size())] : std::to_string(i));
    testing::TestSeries& series = data[labels.build()];
    series = {};
    const size_t samples = random.below(4) == 0 ? 1 + random.below(40) : 20;
    for (size_t k = 0; k < samples; ++k) {
      series.times_ms.push_back(1'700'000'000'000 + static_cast<int64_t>(k) * 1000);
      series.values.push_back(static_cast<double>(k * 3 + random.below(2)));
    }
  }
  const auto block = write(data);
  ASSERT_TRUE(block);
  EXPECT_EQ(testing::difference(*block, data), "");
  EXPECT_TRUE(block->verify());
}

// 200 buckets that hardly differ: each would lean on the one below, down to the first.
TEST_F(BlockTest, AChainOfBucketsStaysShortEnoughToRead) {
  TestData data;
  SeededRandom random(4);
  testing::TestSeries series;
  for (int k = 0; k < 100; ++k) {
    series.times_ms.push_back(1'700'000'000'000 + k * 1000);
    series.values.push_back(static_cast<double>(random.below(1'000'000'000)));
  }
  for (int b = 0; b < 200; ++b) {
    series.values[static_cast<size_t>(b) % 100] += 1;
    data[model::LabelsBuilder().set("le", std::to_string(b)).build()] = series;
  }
  const auto block = write(data);
  ASSERT_TRUE(block);
  EXPECT_LT(block->file_bytes(), 200u * 100);  // alone, each takes four times that
  EXPECT_EQ(testing::difference(*block, data), "");
}

TEST_F(BlockTest, ManyThreadsMayReadIt) {
  const TestData data = testing::make_test_data({.nodes = 20, .samples = 100});
  const auto block = write(data, {.zstd = true});
  ASSERT_TRUE(block);
  std::vector<std::string> found(4, "not run");
  std::vector<std::thread> threads;
  for (std::string& text : found)
    threads.emplace_back([&] { text = testing::difference(*block, data); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, std::vector<std::string>(4));
}

Matcher matcher(MatchOp op, std::string name, std::string value) {
  return *Matcher::create(op, std::move(name), std::move(value));
}

TEST_F(BlockTest, SelectsWhatANaiveFilterSelects) {
  const TestData data = testing::make_test_data({.nodes = 40, .samples = 2});
  const auto block = write(data);
  ASSERT_TRUE(block);
  const std::vector<std::string> names = {"__name__", "node", "gpu", "le", "pod", "missing"};
  const std::vector<std::string> values = {
      "",     "power", "latency_bucket",   "latency.*", ".*",    ".+",  "gpu-node-0003", "0|1",
      "+Inf", "2.5",   "gpu-node-00[12].", "none",      "p.*r|", "zzz", "\xff"};
  SeededRandom random(3);
  for (int round = 0; round < 3000; ++round) {
    Matchers matchers;
    for (uint64_t left = random.below(4); left > 0; --left) {
      const auto op = static_cast<MatchOp>(random.below(4));
      auto made = Matcher::create(op, names[random.below(names.size())],
                                  values[random.below(values.size())]);
      if (made) matchers.push_back(*made);
    }
    std::vector<uint32_t> wanted;
    std::set<std::string> wanted_names, wanted_nodes;
    uint32_t number = 0;
    for (const auto& [labels, series] : data) {
      if (model::matches_all(matchers, labels)) {
        wanted.push_back(number);
        for (const auto& label : labels) {
          wanted_names.emplace(label.name);
          if (label.name == "node") wanted_nodes.emplace(label.value);
        }
      }
      ++number;
    }
    ASSERT_EQ(*block->select(matchers), wanted) << round;
    ASSERT_EQ(*block->label_names(matchers), std::vector(wanted_names.begin(), wanted_names.end()));
    ASSERT_EQ(*block->label_values("node", matchers),
              std::vector(wanted_nodes.begin(), wanted_nodes.end()));
  }
}

TEST_F(BlockTest, FindsEveryPairOfManyPages) {
  TestData data;
  for (int i = 0; i < 3000; ++i)
    data[Labels{{"a", std::to_string(i % 700)}, {"b", fmt::format("v{}", i)}, {"c", "x"}}] = {
        {1'700'000'000'000}, {1.0 * i}};
  const auto block = write(data);
  ASSERT_TRUE(block);
  EXPECT_EQ(testing::difference(*block, data), "");
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(block->select({matcher(MatchOp::kEqual, "b", fmt::format("v{}", i))})->size(), 1u);
    ASSERT_EQ(block->select({matcher(MatchOp::kEqual, "b", fmt::format("w{}", i))})->size(), 0u);
  }
  EXPECT_EQ(block->label_values("b", {})->size(), 3000u);
  EXPECT_EQ(block->label_values("a", {})->size(), 700u);
}

TEST_F(BlockTest, TombstonesHideSamplesFromTheNextOpening) {
  TestData data = testing::make_test_data({.nodes = 2, .samples = 10});
  auto block = write(data);
  ASSERT_TRUE(block);
  auto& [times, values] = std::next(data.begin(), 3)->second;
  const std::string folder = block->folder();
  const Tombstone first[] = {{3, times[2], times[3]}, {3, times[7], times[7]}};
  const Tombstone second[] = {{3, times[3], times[4]}};
  ASSERT_TRUE(add_tombstones(files_, folder, kDefaultFormat, first));
  ASSERT_TRUE(add_tombstones(files_, folder, kDefaultFormat, second));
  block = *Block::open(files_, folder);
  for (const int gone : {7, 4, 3, 2}) {
    times.erase(times.begin() + gone);
    values.erase(values.begin() + gone);
  }
  EXPECT_EQ(testing::difference(*block, data), "");
  EXPECT_TRUE(block->verify());
}

TEST_F(BlockTest, RefusesWhatIsOutOfOrderOrRange) {
  const auto writer = *BlockWriter::create(files_, "/blocks", testing::test_meta(), {});
  const int64_t now = 1'700'000'000'000;
  const std::vector<double> two = {1, 2};
  EXPECT_TRUE(writer->add(Labels{{"a", "b"}}, std::vector{now, now + 1}, two));
  EXPECT_FALSE(writer->add(Labels{{"a", "b"}}, std::vector{now, now + 1}, two));
  EXPECT_FALSE(writer->add(Labels{{"a", "a"}}, std::vector{now, now + 1}, two));
  EXPECT_FALSE(writer->add(Labels{{"a", "c"}}, std::vector{now, now}, two));
  EXPECT_FALSE(writer->add(Labels{{"a", "c"}}, std::vector<int64_t>{0, now}, two));
}

TEST_F(BlockTest, ANewerFormatIsRefusedWithBothNumbers) {
  const auto block = write(testing::make_test_data({.nodes = 1, .samples = 3}));
  const std::string path = block->folder() + "/meta.json";
  std::string text = *files_.read_file(path);
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 9");
  ASSERT_TRUE(files_.write_file_atomically(path, text));
  const auto refused = Block::open(files_, block->folder());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_NE(refused.error().message.find("written in format 9, and this binary reads up to 1"),
            std::string::npos)
      << refused.error().message;
}

// Every byte of every file stands under a checksum, so each flip is an error that names the file.
TEST_F(BlockTest, DamageIsFoundWhereverItIs) {
  const TestData data = testing::make_test_data({.nodes = 2, .samples = 4});
  const auto block = write(data);
  const std::string folder = block->folder();
  const int64_t far = 1'690'000'000'001;
  ASSERT_TRUE(
      add_tombstones(files_, folder, kDefaultFormat, std::vector<Tombstone>{{1, far, far + 5}}));
  for (const std::string file : {"meta.json", "index", "columns", "tombstones"}) {
    const std::string path = folder + "/" + file;
    const size_t size = files_.read_file(path)->size();
    for (size_t at = 0; at < size; ++at) {
      for (const uint8_t mask : {uint8_t{0x01}, uint8_t{0x80}, uint8_t{0xFF}}) {
        files_.corrupt(path, at, mask);
        const auto opened = Block::open(files_, folder);
        const std::string found =
            opened ? testing::difference(**opened, data) : opened.error().message;
        ASSERT_NE(found.find(path), std::string::npos) << path << " " << at << ": " << found;
        files_.corrupt(path, at, mask);
      }
    }
  }
  EXPECT_EQ(testing::difference(**Block::open(files_, folder), data), "");
}

TEST_F(BlockTest, TruncatedFilesAreRefused) {
  const TestData data = testing::make_test_data({.nodes = 1, .samples = 4});
  const std::string folder = write(data)->folder();
  for (const std::string file : {"meta.json", "index", "columns"}) {
    const std::string bytes = *files_.read_file(folder + "/" + file);
    for (size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_TRUE(files_.write_file_atomically(folder + "/" + file,
                                               std::string_view(bytes).substr(0, size)));
      EXPECT_FALSE(Block::open(files_, folder)) << file << " " << size;
    }
    ASSERT_TRUE(files_.write_file_atomically(folder + "/" + file, bytes));
  }
  EXPECT_TRUE(Block::open(files_, folder));
}

}  // namespace
}  // namespace binnacle::store::metrics
