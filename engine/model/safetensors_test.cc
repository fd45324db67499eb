#include "engine/model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/bytes.h"
#include "base/fault_file_system.h"
#include "engine/model/bfloat16.h"

namespace binnacle::engine {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string file_of(std::string header, size_t data_bytes) {
  while ((header.size() + 8) % 8 != 0) header += ' ';
  std::string out;
  ByteWriter(out).u64(header.size());
  return out + header + std::string(data_bytes, '\x01');
}

std::string refusal(const std::string& bytes) {
  const auto header = parse_safetensors(bytes, "w");
  return header ? "" : header.error().message;
}

std::string one(std::string_view entry, size_t data_bytes) {
  return refusal(file_of("{\"t\":" + std::string(entry) + "}", data_bytes));
}

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const auto header = parse_safetensors(file_of(R"({"__metadata__":{"format":"pt"},
                  "b":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]},
                  "a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},
                  "none":{"dtype":"F32","shape":[0,7],"data_offsets":[8,8]}})",
                                                14),
                                        "w");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->metadata.at("format"), "pt");
  EXPECT_EQ(header->tensors.size(), 3U);
  EXPECT_EQ(header->tensors.at("b").begin - header->tensors.at("a").begin, 8U);
}

TEST(Safetensors, DamageIsNamedWithFileAndTensor) {
  EXPECT_EQ(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 8), "");
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 4),
              HasSubstr("w: tensor \"t\" has data_offsets [0, 8], the file has 4 bytes of data"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 12),
              HasSubstr("4 bytes behind the last tensor"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8),
              HasSubstr("has 8 bytes, its shape [3] needs 12"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", 8),
              HasSubstr("data_offsets [8, 0]"));
  EXPECT_THAT(one(R"({"dtype":"F16","shape":[2],"data_offsets":[0,4]})", 4),
              HasSubstr("has dtype F16: only F32 and BF16"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", 8),
              HasSubstr("dimension that is not a whole number"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[281474976710656,281474976710656],)"
                  R"("data_offsets":[0,8]})",
                  8),
              HasSubstr("too large to be"));
  EXPECT_THAT(one(R"({"dtype":"F32","data_offsets":[0,8]})", 8), HasSubstr("has no shape"));
  EXPECT_THAT(one(R"({"shape":[2],"data_offsets":[0,8]})", 8), HasSubstr("has no dtype"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})", 8),
              HasSubstr("has no data_offsets"));
  EXPECT_THAT(one(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})", 4),
              HasSubstr("9 dimensions"));
  EXPECT_THAT(one("7", 0), HasSubstr("is not an object"));
}

TEST(Safetensors, OverlapHoleTwiceAndMisaligned) {
  const auto two = [](const std::string& first, const std::string& second, size_t bytes) {
    return refusal(file_of("{\"a\":" + first + ",\"b\":" + second + "}", bytes));
  };
  const std::string front = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_THAT(two(front, R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", 12),
              HasSubstr("tensor \"b\" begins at byte"));
  EXPECT_THAT(two(front, R"({"dtype":"F32","shape":[1],"data_offsets":[12,16]})", 16),
              HasSubstr("behind a hole"));
  EXPECT_THAT(two(R"({"dtype":"BF16","shape":[1],"data_offsets":[0,2]})",
                  R"({"dtype":"F32","shape":[1],"data_offsets":[2,6]})", 6),
              HasSubstr("not aligned"));
  EXPECT_THAT(refusal(file_of("{\"a\":" + front + ",\"a\":" + front + "}", 8)),
              HasSubstr("tensor \"a\" stands twice"));
}

TEST(Safetensors, BrokenHeaders) {
  EXPECT_THAT(refusal(""), HasSubstr("has 0 bytes"));
  EXPECT_THAT(refusal(std::string("\x10\0\0\0\0\0\0\0{}", 10)),
              HasSubstr("ends within its header"));
  EXPECT_THAT(refusal(std::string(16, '\xFF')), HasSubstr("more than 33554432"));
  EXPECT_THAT(refusal(file_of("[]", 0)), HasSubstr("does not begin with {"));
  EXPECT_THAT(refusal(file_of("{\"a\"", 0)), HasSubstr("not valid JSON"));
  EXPECT_THAT(refusal(file_of("{\"a\":" + std::string(100'000, '['), 0)), StartsWith("w: "));
  EXPECT_THAT(refusal(file_of(R"({"__metadata__":{"a":1}})", 0)), HasSubstr("__metadata__"));
}

TEST(Safetensors, EveryTornLengthIsRefused) {
  const std::string whole = file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  ASSERT_EQ(refusal(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  }
}

TEST(Safetensors, WriterAlignsItsData) {
  FaultFileSystem files;
  const std::vector<SafetensorsWriter::Tensor> told = {{"x", NumberType::kBfloat16, {3}},
                                                       {"y", NumberType::kBfloat16, {1}}};
  auto writer = SafetensorsWriter::create(files, "/w", told, {});
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append(std::vector<float>{1, 2, 3}, NumberType::kBfloat16));
  ASSERT_TRUE(writer->append(std::vector<float>{4}, NumberType::kBfloat16));
  EXPECT_FALSE(files.exists("/w"));
  ASSERT_TRUE(writer->commit());
  const std::string bytes = *files.read_file("/w");
  const auto header = parse_safetensors(bytes, "w");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->tensors.at("x").begin % 64, 0U);
  EXPECT_EQ(bytes.substr(header->tensors.at("y").begin), std::string("\x80\x40"));  // 4.0
}

TEST(Bfloat16, RoundsToTheNearestEven) {
  EXPECT_EQ(to_bfloat16(1.0F), 0x3F80);
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808000U)), 0x3F80);  // half: to the even one
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F818000U)), 0x3F82);
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808001U)), 0x3F81);
  EXPECT_TRUE(std::isinf(from_bfloat16(to_bfloat16(3.4e38F))));
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::bit_cast<float>(0x7F800001U)))));
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = from_bfloat16(static_cast<uint16_t>(bits));
    if (!std::isnan(value)) EXPECT_EQ(to_bfloat16(value), bits);
  }
}

}  // namespace
}  // namespace binnacle::engine
