#include "show/xor_chunk.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "model/sample.h"

namespace binnacle::show {
namespace {

// Reads what the format's description says, bit by bit.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t bits(int count) {
    uint64_t out = 0;
    for (; count > 0; --count, ++at_)
      out = out << 1 | (static_cast<uint8_t>(bytes_.at(at_ / 8)) >> (7 - at_ % 8) & 1);
    return out;
  }
  int64_t signed_bits(int count) {
    const uint64_t value = bits(count);
    // 2^(count-1) itself is positive.
    if (count < 64 && value > uint64_t{1} << (count - 1))
      return static_cast<int64_t>(value) - (int64_t{1} << count);
    return static_cast<int64_t>(value);
  }
  uint64_t varint() {
    uint64_t out = 0;
    for (int shift = 0;; shift += 7) {
      const uint64_t byte = bits(8);
      out |= (byte & 0x7F) << shift;
      if (byte < 0x80) return out;
    }
  }
  size_t bytes_read() const { return (at_ + 7) / 8; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

int64_t read_change(Reader& in) {
  if (in.bits(1) == 0) return 0;
  for (const int size : {14, 17, 20}) {
    if (in.bits(1) == 0) return in.signed_bits(size);
  }
  return in.signed_bits(64);
}

struct Samples {
  std::vector<int64_t> times;
  std::vector<uint64_t> values;
};

Samples decode(std::string_view chunk) {
  Reader in(chunk);
  const uint64_t count = in.bits(16);
  Samples out;
  uint64_t value = 0;
  int64_t time = 0, delta = 0;
  int leading = 0, trailing = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (i == 0) {
      const uint64_t zigzag = in.varint();
      time = static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
      value = in.bits(64);
    } else {
      delta = i == 1 ? static_cast<int64_t>(in.varint()) : delta + read_change(in);
      time += delta;
      if (in.bits(1) != 0) {
        if (in.bits(1) != 0) {
          leading = static_cast<int>(in.bits(5));
          const auto significant = static_cast<int>(in.bits(6));
          trailing = 64 - leading - (significant == 0 ? 64 : significant);
        }
        value ^= in.bits(64 - leading - trailing) << trailing;
      }
    }
    out.times.push_back(time);
    out.values.push_back(value);
  }
  EXPECT_EQ(in.bytes_read(), chunk.size());
  return out;
}

void expect_same(const std::vector<int64_t>& times, const std::vector<double>& values) {
  const Samples got = decode(xor_chunk(times, values));
  EXPECT_EQ(got.times, times);
  ASSERT_EQ(got.values.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(got.values[i], std::bit_cast<uint64_t>(values[i])) << i;
}

// Worked out by hand from the description: 2 samples, 1000 ms apart, of the same value.
TEST(XorChunk, KnownBytes) {
  const std::vector<int64_t> times = {-1, 999};
  const std::vector<double> values = {1, 1};
  EXPECT_EQ(xor_chunk(times, values),
            std::string("\x00\x02\x01\x3F\xF0\0\0\0\0\0\0\xE8\x07\x00", 14));
}

TEST(XorChunk, AllSizesOfChanges) {
  std::vector<int64_t> times = {1'700'000'000'000};
  std::vector<double> values = {0};
  int64_t delta = 1 << 21;
  for (const int64_t change : {0, 1, -1, 8191, 8192, -8191, -8192, 65536, -65535, -65536, 524288,
                               -524287, -524288, 1 << 30}) {
    delta += change;
    times.push_back(times.back() + delta);
    values.push_back(values.back() + static_cast<double>(change) / 3);
  }
  expect_same(times, values);
}

TEST(XorChunk, SpecialValues) {
  const std::vector<double> values = {
      0, -0.0, model::stale_nan(), 5e-324, -1.7e308, 1, 1, std::bit_cast<double>(~uint64_t{0}),
      0, 3};
  std::vector<int64_t> times;
  for (size_t i = 0; i < values.size(); ++i) times.push_back(static_cast<int64_t>(i * i));
  expect_same(times, values);
  expect_same({7}, {3.5});
}

TEST(XorChunk, RandomSamples) {
  uint64_t state = 7;
  const auto random = [&] { return state = state * 6364136223846793005u + 1442695040888963407u; };
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> times = {static_cast<int64_t>(random() >> 20)};
    std::vector<double> values = {std::bit_cast<double>(random())};
    while (times.size() < kXorChunkSamples) {
      times.push_back(times.back() + 1 + static_cast<int64_t>(random() >> (20 + random() % 43)));
      values.push_back(std::bit_cast<double>(std::bit_cast<uint64_t>(values.back()) ^
                                             (random() >> (random() % 63))));
    }
    expect_same(times, values);
  }
}

}  // namespace
}  // namespace binnacle::show
