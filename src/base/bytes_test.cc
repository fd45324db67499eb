#include "base/bytes.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace binnacle {
namespace {

using namespace std::string_view_literals;

TEST(ByteWriter, WritesLittleEndian) {
  std::string out = "head";
  ByteWriter writer(out);
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090a0b0c0d0e0f);
  writer.f64(1.0);
  EXPECT_EQ(out,
            "head\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"
            "\0\0\0\0\0\0\xf0\x3f"sv);
}

// The examples of the protobuf encoding guide.
TEST(ByteWriter, WritesVarintsAsProtobufDoes) {
  std::string out;
  ByteWriter writer(out);
  writer.varint(150);
  writer.varint(0);
  writer.zigzag(-1);
  writer.zigzag(-2);
  writer.zigzag(2147483647);
  writer.sized("testing");
  EXPECT_EQ(out, "\x96\x01\x00\x01\x03\xfe\xff\xff\xff\x0f\x07testing"sv);
}

TEST(ByteReader, ReadsBackWhatWasWritten) {
  const uint64_t unsigned_values[] = {
      0, 1, 127, 128, 16383, 16384, 0xFFFFFFFF, uint64_t{1} << 63, ~uint64_t{0}};
  const int64_t signed_values[] = {0,
                                   1,
                                   -1,
                                   63,
                                   -64,
                                   64,
                                   std::numeric_limits<int64_t>::max(),
                                   std::numeric_limits<int64_t>::min()};
  std::string out;
  ByteWriter writer(out);
  for (const uint64_t v : unsigned_values) {
    writer.varint(v);
    writer.u64(v);
    writer.u32(static_cast<uint32_t>(v));
    writer.u16(static_cast<uint16_t>(v));
    writer.u8(static_cast<uint8_t>(v));
  }
  for (const int64_t v : signed_values) writer.zigzag(v);
  writer.f64(-0.0);
  writer.sized("a\0b"sv);
  writer.raw("tail");

  ByteReader reader(out);
  for (const uint64_t v : unsigned_values) {
    EXPECT_EQ(reader.varint(), v);
    EXPECT_EQ(reader.u64(), v);
    EXPECT_EQ(reader.u32(), static_cast<uint32_t>(v));
    EXPECT_EQ(reader.u16(), static_cast<uint16_t>(v));
    EXPECT_EQ(reader.u8(), static_cast<uint8_t>(v));
  }
  for (const int64_t v : signed_values) EXPECT_EQ(reader.zigzag(), v);
  EXPECT_TRUE(std::signbit(reader.f64()));
  EXPECT_EQ(reader.sized(), "a\0b"sv);
  EXPECT_EQ(reader.rest(), "tail");
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.raw(4), "tail");
  EXPECT_TRUE(reader.at_end());
}

TEST(ByteReader, FailsForGoodAtTheFirstValueThatDoesNotFit) {
  ByteReader reader("\x01\x02\x03"sv);
  EXPECT_EQ(reader.u16(), 0x0201);
  EXPECT_EQ(reader.u16(), 0);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0) << "the byte is there, but the record is broken";
  EXPECT_EQ(reader.rest(), "");
  EXPECT_FALSE(reader.at_end());
}

TEST(ByteReader, RefusesVarintsBeyond64Bits) {
  EXPECT_EQ(ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").varint(), ~uint64_t{0});
  for (const std::string_view bytes :
       {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"sv, "\x80"sv, ""sv}) {
    ByteReader reader(bytes);
    EXPECT_EQ(reader.varint(), 0u);
    EXPECT_FALSE(reader.ok());
  }
}

TEST(ByteReader, RefusesALengthBeyondItsBytes) {
  std::string record;
  ByteWriter writer(record);
  writer.varint(~uint64_t{0});
  writer.raw("abc");
  ByteReader reader(record);
  EXPECT_EQ(reader.sized(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, StaysInsideAnyBytes) {
  SeededRandom random(11);
  for (int round = 0; round < 2000; ++round) {
    // On the heap and of exact size, so that a sanitizer sees a read beyond the end.
    std::string bytes(random.below(24), '\0');
    random.fill(bytes);
    ByteReader reader(bytes);
    while (reader.ok() && !reader.at_end()) {
      const size_t before = reader.rest().size();
      switch (random.below(5)) {
        case 0:
          reader.varint();
          break;
        case 1:
          reader.u64();
          break;
        case 2:
          reader.sized();
          break;
        case 3:
          reader.zigzag();
          break;
        default:
          reader.u8();
      }
      ASSERT_LT(reader.rest().size(), before);
    }
  }
}

}  // namespace
}  // namespace binnacle
