// Small tokenizer.json files in the layout of the real ones; the encodings were worked out by hand.
#include "engine/model/tokenizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/fault_file_system.h"
#include "base/random.h"
#include "base/utf8.h"
#include "engine/model/bpe_tokenizer.h"
#include "engine/model/testing/tokenizer_fixture.h"
#include "engine/model/text_splitter.h"
#include "engine/model/tokenizer_json.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<Tokenizer> tokenizer_of(const json& file) {
  auto parsed = parse_tokenizer_json(file.dump(), "t.json", 1000);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed ? std::move(*parsed) : nullptr;
}

std::string refusal(const json& file) {
  const auto parsed = parse_tokenizer_json(file.dump(), "t.json", 1000);
  return parsed ? "" : parsed.error().message;
}

std::string decoded(const Tokenizer& tokenizer, const std::vector<int32_t>& tokens) {
  TextAssembler assembler(tokenizer);
  std::string out;
  for (const int32_t token : tokens) out += assembler.add(token);
  return out + assembler.finish();
}

TEST(Tokenizer, BytesStandForThemselves) {
  const auto bytes = byte_tokenizer();
  EXPECT_THAT(bytes->encode("A\xFF"), ElementsAre(65, 255));
  EXPECT_EQ(bytes->bytes_of(0xE2), "\xE2");
  EXPECT_EQ(bytes->bytes_of(kByteEnd), "");
  EXPECT_EQ(bytes->bytes_of(-1), "");
  EXPECT_EQ(bytes->special_token("<|end|>"), kByteEnd);
}

TEST(Tokenizer, AlphabetOfBytesIsGpt2s) {
  EXPECT_EQ(alphabet_byte('!'), '!');
  EXPECT_EQ(alphabet_byte(0x120), ' ');   // the well-known G with a dot
  EXPECT_EQ(alphabet_byte(0x10A), '\n');  // C with a dot
  EXPECT_EQ(alphabet_byte(0x143), 0xAD);  // the last one
  EXPECT_EQ(alphabet_byte(0x144), -1);
  EXPECT_EQ(alphabet_byte(' '), -1);
}

// Ranks, not length, decide: "l l" comes before "h e", then "he ll" and "hell o".
TEST(Tokenizer, ByteLevelMergesByRank) {
  const auto tokenizer = tokenizer_of(llama3_like());
  ASSERT_TRUE(tokenizer);
  EXPECT_THAT(tokenizer->encode("hello"), ElementsAre(260));
  EXPECT_THAT(tokenizer->encode("hell"), ElementsAre(259));
  EXPECT_THAT(tokenizer->encode("helo"), ElementsAre(258, 'l', 'o'));
  EXPECT_THAT(tokenizer->encode("hello hello"), ElementsAre(260, 261, 260));
  EXPECT_THAT(tokenizer->encode(" hello"), ElementsAre(261, 260));
  EXPECT_EQ(tokenizer->bytes_of(260), "hello");
  EXPECT_EQ(tokenizer->bytes_of(261), " ");
}

TEST(Tokenizer, WholePiecesComeBeforeMergesWhereTheFileSaysSo) {
  json file = llama3_like();
  file["model"]["vocab"]["zebra"] = 270;  // no merges lead to it
  EXPECT_THAT(tokenizer_of(file)->encode("zebra"), ElementsAre(270));
  file["model"]["ignore_merges"] = false;
  EXPECT_EQ(tokenizer_of(file)->encode("zebra").size(), 5U);
}

TEST(Tokenizer, TextCannotSpellASpecialToken) {
  const auto tokenizer = tokenizer_of(llama3_like());
  const int32_t id = tokenizer->special_token("<|eot_id|>");
  EXPECT_EQ(id, 301);
  const auto tokens = tokenizer->encode("<|eot_id|>");
  EXPECT_THAT(tokens, testing::Not(testing::Contains(id)));
  EXPECT_EQ(decoded(*tokenizer, tokens), "<|eot_id|>");
  EXPECT_EQ(tokenizer->bytes_of(id), "");
  const auto spelled = tokenizer_of(llama2_like())->encode("a</s>b");
  EXPECT_THAT(spelled, testing::Not(testing::Contains(2)));
}

TEST(Tokenizer, SentencePieceMarksWordsAndFallsBackToBytes) {
  const auto tokenizer = tokenizer_of(llama2_like());
  ASSERT_TRUE(tokenizer);
  // 259 mark, 260 h, 261 i, 262 mark+h, 263 mark+hi
  EXPECT_THAT(tokenizer->encode("hi"), ElementsAre(263));
  EXPECT_THAT(tokenizer->encode("hi hi"), ElementsAre(263, 263));
  EXPECT_THAT(tokenizer->encode("ih"), ElementsAre(259, 261, 260));
  EXPECT_THAT(tokenizer->encode("\xC3\xA9"), ElementsAre(259, 3 + 0xC3, 3 + 0xA9));
  EXPECT_THAT(tokenizer->encode("\n"), ElementsAre(259, 13));
  EXPECT_EQ(tokenizer->bytes_of(263), " hi");
  EXPECT_EQ(tokenizer->bytes_of(13), "\n");
  EXPECT_EQ(tokenizer->bytes_of(1), "");
  EXPECT_THAT(tokenizer->encode(""), ElementsAre());
}

TEST(Tokenizer, MetaspaceIsTheSameInOtherWords) {
  json file = llama2_like();
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {{"type", "Metaspace"},
                           {"replacement", std::string(kWordMark)},
                           {"prepend_scheme", "first"},
                           {"split", false}};
  const auto tokenizer = tokenizer_of(file);
  ASSERT_TRUE(tokenizer);
  EXPECT_THAT(tokenizer->encode("hi hi"), ElementsAre(263, 263));
  EXPECT_THAT(tokenizer->encode(" hi"), ElementsAre(263));  // no second mark
}

TEST(Tokenizer, UnknownCharactersWithoutBytes) {
  json file = llama2_like();
  file["model"]["byte_fallback"] = false;
  EXPECT_THAT(tokenizer_of(file)->encode("\xC3\xA9z"), ElementsAre(259, 0));  // fused
  file["model"]["fuse_unk"] = false;
  EXPECT_THAT(tokenizer_of(file)->encode("\xC3\xA9z"), ElementsAre(259, 0, 0));
}

TEST(Tokenizer, QwenComposesCharacters) {
  json file = llama3_like();
  file["normalizer"] = {{"type", "NFC"}};
  EXPECT_THAT(tokenizer_of(file)->encode("e\xCC\x81"), ElementsAre(0xC3, 0xA9));
}

TEST(Tokenizer, MergesMayBeListsOfTwo) {
  json file = llama3_like();
  for (json& merge : file["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    const size_t space = text.find(' ');
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  EXPECT_THAT(tokenizer_of(file)->encode("hello"), ElementsAre(260));
}

std::vector<std::string> pieces_of(SplitPattern pattern, std::string_view text) {
  std::vector<std::string_view> pieces;
  split_text(pattern, text, pieces);
  return {pieces.begin(), pieces.end()};
}

TEST(TextSplitter, Llama3) {
  const auto pieces = [](std::string_view text) { return pieces_of(SplitPattern::kLlama3, text); };
  EXPECT_THAT(pieces("Hello world"), ElementsAre("Hello", " world"));
  EXPECT_THAT(pieces("I'M you're 'tis"), ElementsAre("I", "'M", " you", "'re", " '", "tis"));
  EXPECT_THAT(pieces("12345 6"), ElementsAre("123", "45", " ", "6"));
  EXPECT_THAT(pieces("a  b"), ElementsAre("a", " ", " b"));
  EXPECT_THAT(pieces("a \n\n  b"), ElementsAre("a", " \n\n", " ", " b"));
  EXPECT_THAT(pieces("x = {};\n\ny"), ElementsAre("x", " =", " {};\n\n", "y"));
  EXPECT_THAT(pieces("end  "), ElementsAre("end", "  "));
  EXPECT_THAT(pieces("(word"), ElementsAre("(word"));
  EXPECT_THAT(pieces("\tword"), ElementsAre("\tword"));
  EXPECT_THAT(pieces("\nword"), ElementsAre("\n", "word"));
  EXPECT_THAT(pieces("na\xC3\xAFve \xE4\xBD\xA0\xE5\xA5\xBD"),
              ElementsAre("na\xC3\xAFve", " \xE4\xBD\xA0\xE5\xA5\xBD"));
}

TEST(TextSplitter, Qwen2TakesDigitsOneByOne) {
  EXPECT_THAT(pieces_of(SplitPattern::kQwen2, "v 123"), ElementsAre("v", " ", "1", "2", "3"));
}

TEST(TextSplitter, Gpt2) {
  const auto pieces = [](std::string_view text) { return pieces_of(SplitPattern::kGpt2, text); };
  EXPECT_THAT(pieces("Hello 1234!"), ElementsAre("Hello", " 1234", "!"));
  EXPECT_THAT(pieces("I'm I'M"), ElementsAre("I", "'m", " I", "'", "M"));
  EXPECT_THAT(pieces("a\n\n b"), ElementsAre("a", "\n\n", " b"));
  EXPECT_THAT(pieces("\tword"), ElementsAre("\t", "word"));
}

TEST(TextSplitter, PiecesAreTheText) {
  SeededRandom random(3);
  const std::vector<std::string> parts = {"a",  "B",        "'s",           " ",       "\n",
                                          "\r", "1",        "\xC2\xA0",     "!",       "\t",
                                          "'",  "\xC5\xBF", "\xE2\x82\xAC", "\xD9\xA3"};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (uint64_t i = random.below(20); i > 0; --i) text += parts[random.below(parts.size())];
    for (const auto pattern : {SplitPattern::kGpt2, SplitPattern::kLlama3, SplitPattern::kQwen2,
                               SplitPattern::kDigits, SplitPattern::kNone}) {
      std::string joined;
      for (const std::string& piece : pieces_of(pattern, text)) {
        EXPECT_FALSE(piece.empty());
        joined += piece;
      }
      EXPECT_EQ(joined, text);
    }
  }
}

// The plain way: of all pairs the best one, again and again.
std::vector<int32_t> naive_merge(const json& file, std::string_view text) {
  const json& vocab = file["model"]["vocab"];
  std::vector<std::string> symbols;
  for (const char c : text) symbols.emplace_back(1, c);
  for (;;) {
    size_t best_rank = SIZE_MAX;
    size_t best = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      size_t rank = 0;
      for (const json& merge : file["model"]["merges"]) {
        if (merge == symbols[i] + " " + symbols[i + 1] && rank < best_rank) {
          best_rank = rank;
          best = i;
        }
        ++rank;
      }
    }
    if (best_rank == SIZE_MAX) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<int32_t> out;
  for (const std::string& symbol : symbols) out.push_back(vocab.at(symbol).get<int32_t>());
  return out;
}

TEST(Tokenizer, MergesAsThePlainWayDoes) {
  json file = llama3_like();
  json& vocab = file["model"]["vocab"];
  json& merges = file["model"]["merges"];
  file["model"]["ignore_merges"] = false;
  int32_t next = 400;
  for (const char* pair :
       {"a b", "b a", "a a", "ab a", "aa b", "ba ba", "aba aba", "b b", "bb a"}) {
    std::string merged = pair;
    merged.erase(merged.find(' '), 1);
    merges.push_back(pair);
    if (!vocab.contains(merged)) vocab[merged] = next++;
  }
  const auto tokenizer = tokenizer_of(file);
  ASSERT_TRUE(tokenizer);
  SeededRandom random(11);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (uint64_t i = random.below(24); i > 0; --i) text += random.below(2) == 0 ? 'a' : 'b';
    EXPECT_EQ(tokenizer->encode(text), naive_merge(file, text)) << text;
  }
}

TEST(Tokenizer, DecodingGivesTheTextBack) {
  const auto tokenizer = tokenizer_of(llama3_like());
  for (const std::string text : {"hello w\xC3\xB6rld \xF0\x9F\x98\x80\n", "", "  a  "}) {
    EXPECT_EQ(decoded(*tokenizer, tokenizer->encode(text)), text);
  }
  EXPECT_EQ(decoded(*tokenizer, tokenizer->encode("a\xFF z")),
            "a" + std::string(kReplacementCharacter) + " z");
}

TEST(Tokenizer, LongTextIsQuick) {
  const auto tokenizer = tokenizer_of(llama2_like());
  const std::string text(200'000, 'h');  // one piece, since this kind does not split
  EXPECT_EQ(tokenizer->encode(text).size(), 200'000U);
}

TEST(TextAssembler, NeverHalfACharacter) {
  const auto bytes = byte_tokenizer();
  TextAssembler assembler(*bytes);
  EXPECT_EQ(assembler.add(0xE2), "");
  EXPECT_EQ(assembler.add(0x82), "");
  EXPECT_EQ(assembler.add(0xAC), "\xE2\x82\xAC");
  EXPECT_EQ(assembler.add(0xFF), kReplacementCharacter);
  EXPECT_EQ(assembler.add(0xC3), "");
  EXPECT_EQ(assembler.add('a'), std::string(kReplacementCharacter) + "a");
  EXPECT_EQ(assembler.add(0xF0), "");
  EXPECT_EQ(assembler.finish(), kReplacementCharacter);
  EXPECT_EQ(assembler.finish(), "");
}

TEST(Tokenizer, RefusalsNameWhatIsNotSupported) {
  const auto changed = [](auto change) {
    json file = llama3_like();
    change(file);
    return refusal(file);
  };
  EXPECT_EQ(changed([](json& f) { f["model"]["type"] = "Unigram"; }),
            "t.json: model type \"Unigram\" (known: BPE) is not supported");
  EXPECT_EQ(changed([](json& f) {
              f["normalizer"] = {{"type", "Lowercase"}};
            }),
            "t.json: normalizer \"Lowercase\" is not supported");
  EXPECT_THAT(
      changed([](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; }),
      HasSubstr("split pattern \"\\w+\""));
  EXPECT_THAT(changed([](json& f) {
                f["pre_tokenizer"] = {{"type", "Whitespace"}};
              }),
              HasSubstr("pre-tokenizer \"Whitespace\""));
  EXPECT_THAT(changed([](json& f) { f["model"].erase("vocab"); }), HasSubstr("has no vocab"));
  EXPECT_THAT(changed([](json& f) { f["model"]["vocab"]["hello"] = 1000; }),
              HasSubstr("\"hello\" has an id that is not 0 to 999"));
  EXPECT_THAT(changed([](json& f) { f["model"]["vocab"]["hello"] = 259; }),
              HasSubstr("has the id 259 of another"));
  EXPECT_THAT(changed([](json& f) { f["model"]["merges"].push_back("q z"); }),
              HasSubstr("(\"q\" \"z\") is of tokens that vocab has not"));
  EXPECT_THAT(changed([](json& f) { f["model"]["merges"].push_back("q"); }),
              HasSubstr("is not a pair"));
  EXPECT_THAT(changed([](json& f) { f["model"]["vocab"].erase("!"); }),
              HasSubstr("lacks byte 0x21"));
  EXPECT_THAT(changed([](json& f) { f["model"]["dropout"] = 0.1; }), HasSubstr("dropout"));
  EXPECT_EQ(parse_tokenizer_json("{", "t.json", 10).error().message, "t.json: is not valid JSON");
}

TEST(Tokenizer, AddedTokensBeyondTheModelAreLeftOut) {
  json file = llama3_like();
  file["added_tokens"].push_back({{"id", 1000}, {"content", "<pad>"}, {"special", true}});
  EXPECT_EQ(tokenizer_of(file)->special_token("<pad>"), -1);
}

}  // namespace
}  // namespace binnacle::engine
