#include "engine/train/text_corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault_file_system.h"
#include "engine/train/batch_source.h"

namespace binnacle::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TextCorpusTest : public testing::Test {
 protected:
  TextCorpusTest() { EXPECT_TRUE(files_.create_directories("/texts/b")); }
  void write(const std::string& path, std::string_view text) {
    EXPECT_TRUE(files_.write_file_atomically(path, text));
  }
  Result<TextCorpus> read(size_t least, CorpusOptions options = {}) {
    return TextCorpus::read(files_, "/texts", least, options);
  }
  std::string refusal(size_t least, CorpusOptions options = {}) {
    const auto corpus = read(least, options);
    return corpus ? "" : corpus.error().message;
  }

  FaultFileSystem files_;
};

TEST_F(TextCorpusTest, FilesComeInTheOrderOfTheirPathsBetweenMarks) {
  write("/texts/c", "z");
  write("/texts/a", "xy");
  write("/texts/b/d", "q");
  const auto corpus = read(2);
  ASSERT_TRUE(corpus);
  EXPECT_THAT(corpus->training, ElementsAre(256, 'x', 'y', 257, 256, 'q', 257, 256, 'z', 257));
  EXPECT_EQ(corpus->files, 3);
  EXPECT_EQ(corpus->validation, corpus->training);  // too little to spare any
}

TEST_F(TextCorpusTest, EndOfEachFileIsForValidation) {
  write("/texts/a", std::string(90, 'a') + std::string(10, 'b'));
  CorpusOptions options;
  options.validation_share = 0.1;
  const auto corpus = read(8, options);
  ASSERT_TRUE(corpus);
  EXPECT_EQ(corpus->training.size(), 92);
  EXPECT_EQ(std::count(corpus->training.begin(), corpus->training.end(), 'b'), 0);
  EXPECT_EQ(std::count(corpus->validation.begin(), corpus->validation.end(), 'b'), 10);
}

TEST_F(TextCorpusTest, OneByteIsRefused) {
  write("/texts/a", "x");
  EXPECT_THAT(refusal(33), HasSubstr("/texts holds 3 tokens in 1 files, one sequence needs 33"));
}

TEST_F(TextCorpusTest, EmptyAndMissingFoldersAreRefused) {
  EXPECT_THAT(refusal(2), HasSubstr("/texts holds 0 tokens"));
  const auto corpus = TextCorpus::read(files_, "/nowhere", 2, {});
  ASSERT_FALSE(corpus);
  EXPECT_THAT(corpus.error().message, HasSubstr("/nowhere"));
}

TEST_F(TextCorpusTest, BinaryIsRefusedWithItsPlaceOrLeftOut) {
  write("/texts/a", "some text");
  write("/texts/image", std::string("ok\xC3\xA9\xFF\x10", 6));
  write("/texts/zero", std::string("ab\0c", 4));
  EXPECT_THAT(refusal(2), HasSubstr("/texts/image is no text: byte 4 is no UTF-8"));
  CorpusOptions options;
  options.skip_binary = true;
  const auto corpus = read(2, options);
  ASSERT_TRUE(corpus);
  EXPECT_EQ(corpus->skipped, 2);
  EXPECT_EQ(corpus->training.size(), 11);
}

TEST_F(TextCorpusTest, BoundsAreNamed) {
  write("/texts/a", std::string(100, 'a'));
  write("/texts/b/c", std::string(100, 'b'));
  CorpusOptions options;
  options.max_bytes = 150;
  EXPECT_THAT(refusal(2, options), HasSubstr("--max-bytes"));
  options = {};
  options.max_files = 1;
  EXPECT_THAT(refusal(2, options), HasSubstr("--max-files"));
}

TEST(BatchSource, IsAFunctionOfSeedStepAndRow) {
  std::vector<uint16_t> tokens;
  for (uint16_t i = 0; i < 1000; ++i) tokens.push_back(i);
  const BatchSource source(tokens, 4, 8, 1);
  const auto whole = source.batch(17, 0, 4);
  ASSERT_EQ(whole.size(), 4 * 9);
  const auto half = source.batch(17, 2, 2);
  EXPECT_TRUE(std::equal(half.begin(), half.end(), whole.begin() + 18));
  EXPECT_NE(source.batch(18, 0, 4), whole);
  EXPECT_NE(BatchSource(tokens, 4, 8, 2).batch(17, 0, 4), whole);
  for (size_t i = 1; i < 9; ++i) EXPECT_EQ(whole[i], whole[i - 1] + 1);
}

}  // namespace
}  // namespace binnacle::engine
