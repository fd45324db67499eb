#include "engine/pipeline/answer_text.h"

#include <gtest/gtest.h>

namespace binnacle::engine {
namespace {

struct Answered {
  std::vector<std::string> pieces;
  std::string all;
  bool stopped = false;
};

Answered answer(std::string_view bytes, std::vector<std::string> stops) {
  const auto tokenizer = byte_tokenizer();
  AnswerText text(*tokenizer, std::move(stops));
  Answered out;
  for (const char byte : bytes) {
    if (text.stopped()) break;
    out.pieces.push_back(text.add(static_cast<unsigned char>(byte)));
    out.all += out.pieces.back();
  }
  out.stopped = text.stopped();
  out.all += text.finish();
  return out;
}

TEST(AnswerText, PassesWhatIsNoStop) {
  EXPECT_EQ(answer("hello", {}).all, "hello");
  EXPECT_EQ(answer("hello", {"xyz"}).all, "hello");
  EXPECT_EQ(answer("hello", {"xyz"}).pieces[0], "h") << "at once";
}

TEST(AnswerText, StopsAcrossTokens) {
  const auto out = answer("one\n\ntwo", {"\n\n"});
  EXPECT_EQ(out.all, "one");
  EXPECT_TRUE(out.stopped);
}

TEST(AnswerText, HoldsBackNoMoreThanNeeded) {
  const auto out = answer("abSTO!x", {"STOP"});
  EXPECT_EQ(out.all, "abSTO!x");
  EXPECT_EQ(out.pieces[1], "b");
  EXPECT_EQ(out.pieces[2], "");
  EXPECT_EQ(out.pieces[5], "STO!");
  EXPECT_EQ(answer("xxSTO", {"STOP"}).all, "xxSTO") << "the end gives what was held";
}

TEST(AnswerText, OverlappingBeginnings) {
  EXPECT_EQ(answer("aaab!", {"aab"}).all, "a");
  EXPECT_EQ(answer("ababac", {"abac"}).all, "ab");
  EXPECT_EQ(answer("first END second", {"second", "END"}).all, "first ");
}

TEST(AnswerText, WholeCharactersAlone) {
  const auto out = answer("\xc3\xa9!", {});
  EXPECT_EQ(out.pieces[0], "");
  EXPECT_EQ(out.pieces[1], "\xc3\xa9");
}

}  // namespace
}  // namespace binnacle::engine
