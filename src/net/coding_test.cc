#include "net/coding.h"

#include <gtest/gtest.h>

#include <array>

namespace binnacle::net {
namespace {

constexpr size_t kPlenty = size_t{64} << 20;

std::string mixed_text(size_t size) {
  std::string text;
  for (uint32_t i = 0; text.size() < size; ++i)
    text += std::to_string(i * 2654435761U % 1000) + " ";
  text.resize(size);
  return text;
}

// All that a decoder gives when it is fed `piece` bytes at a time into room of `room` bytes.
Result<std::string> decode_in_pieces(Coding coding, std::string_view coded, size_t piece,
                                     size_t room) {
  TRY_ASSIGN(const auto decoder, Decoder::make(coding, kPlenty));
  std::string out;
  std::vector<char> buffer(room);
  for (size_t at = 0; at < coded.size(); at += piece) {
    decoder->feed(coded.substr(at, piece));
    while (true) {
      TRY_ASSIGN(const size_t n, decoder->next(buffer));
      if (n == 0) break;
      out.append(buffer.data(), n);
    }
  }
  TRY(decoder->finish());
  return out;
}

class CodingTest : public testing::TestWithParam<Coding> {};

TEST_P(CodingTest, RoundTripsWhateverThePieces) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{300'000}}) {
    const std::string text = mixed_text(size);
    const std::string coded = encode(GetParam(), text);
    if (size >= 1000) EXPECT_LT(coded.size(), text.size());
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}, size_t{1'000'000}}) {
      if (size > 1000 && piece == 1) continue;
      for (const size_t room : {size_t{1}, size_t{16'384}}) {
        const auto decoded = decode_in_pieces(GetParam(), coded, piece, room);
        ASSERT_TRUE(decoded) << decoded.error().message;
        ASSERT_EQ(*decoded, text) << size << " by " << piece << " into " << room;
      }
    }
  }
}

TEST_P(CodingTest, FlushedBytesCanBeDecodedBeforeTheEnd) {
  const auto encoder = Encoder::make(GetParam());
  std::string coded;
  encoder->write("first event\n", coded);
  encoder->flush(coded);
  const auto decoder = *Decoder::make(GetParam(), kPlenty);
  decoder->feed(coded);
  std::array<char, 64> out{};
  const auto n = decoder->next(out);
  ASSERT_TRUE(n);
  EXPECT_EQ(std::string_view(out.data(), *n), "first event\n");
}

TEST_P(CodingTest, RefusesABombAtTheLimit) {
  const std::string bomb = encode(GetParam(), std::string(5 << 20, '0'));
  ASSERT_LT(bomb.size(), 100'000U);
  const auto decoded = decode(GetParam(), bomb, 1'000'000);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Code::kResourceExhausted);
  EXPECT_NE(decoded.error().message.find("1000000"), std::string::npos);
  EXPECT_EQ(decode(GetParam(), encode(GetParam(), std::string(1000, 'x')), 1000)->size(), 1000U);
  EXPECT_FALSE(decode(GetParam(), encode(GetParam(), std::string(1001, 'x')), 1000));
}

TEST_P(CodingTest, TellsCutFromBroken) {
  const std::string coded = encode(GetParam(), mixed_text(5000));
  const auto cut = decode(GetParam(), std::string_view(coded).substr(0, coded.size() - 5), kPlenty);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::kDataLoss);
  const auto broken = decode(GetParam(), "this is not compressed at all", kPlenty);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kInvalidArgument);
}

TEST_P(CodingTest, TakesSeveralStreamsInARow) {
  const auto both =
      decode(GetParam(), encode(GetParam(), "one ") + encode(GetParam(), "two"), kPlenty);
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(*both, "one two");
}

INSTANTIATE_TEST_SUITE_P(Codings, CodingTest, testing::Values(Coding::kGzip, Coding::kZstd),
                         [](const auto& info) { return std::string(coding_name(info.param)); });

TEST(CodingNegotiation, FollowsQualities) {
  struct Case {
    const char* accept;
    Coding chosen;
  };
  const Case cases[] = {
      {"", Coding::kIdentity},
      {"gzip", Coding::kGzip},
      {"GZIP", Coding::kGzip},
      {"gzip, deflate, br", Coding::kGzip},
      {"gzip, zstd", Coding::kZstd},
      {"gzip;q=1.0, zstd;q=0.5", Coding::kGzip},
      {"zstd ; q = 0.2 , gzip ; q = 0.1", Coding::kZstd},
      {"gzip;q=0", Coding::kIdentity},
      {"gzip;q=0, *", Coding::kZstd},
      {"*", Coding::kZstd},
      {"*;q=0", Coding::kIdentity},
      {"identity;q=1, gzip;q=0.5", Coding::kIdentity},
      {"gzip;q=nonsense", Coding::kIdentity},
      {"gzip;q=7", Coding::kIdentity},
      {"br", Coding::kIdentity},
      {",,;;=,", Coding::kIdentity},
  };
  for (const Case& one : cases) EXPECT_EQ(negotiate_coding(one.accept), one.chosen) << one.accept;
}

TEST(CodingNegotiation, KnowsNames) {
  EXPECT_EQ(coding_from_name("X-GZip"), Coding::kGzip);
  EXPECT_EQ(coding_from_name(""), Coding::kIdentity);
  EXPECT_FALSE(coding_from_name("br"));
}

}  // namespace
}  // namespace binnacle::net
