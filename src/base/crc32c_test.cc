#include "base/crc32c.h"

#include "base/random.h"

#include <gtest/gtest.h>

#include <string>

namespace binnacle {
namespace {

std::string counting(int first, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(first + i * step);
  return bytes;
}

// RFC 3720, appendix B.4; the iSCSI read command is its last example. "123456789" is the usual
// check value.
TEST(Crc32c, MatchesTheVectorsOfTheRfc) {
  const std::string read_command(
      "\x01\xc0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x14\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x14\x00\x00\x00\x18"
      "\x28\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00",
      48);
  for (const auto& [bytes, crc] : std::initializer_list<std::pair<std::string, uint32_t>>{
           {std::string(32, '\0'), 0x8A9136AA},
           {std::string(32, '\xFF'), 0x62A8AB43},
           {counting(0, 1), 0x46DD794E},
           {counting(31, -1), 0x113FDB5C},
           {read_command, 0xD9963A56},
           {"123456789", 0xE3069283},
           {"", 0}}) {
    EXPECT_EQ(crc32c(bytes), crc);
    EXPECT_EQ(crc32c_by_table(bytes), crc);
  }
}

TEST(Crc32c, TableAndInstructionAgreeAtEveryLengthAndAlignment) {
  SeededRandom random(7);
  std::string bytes(300, '\0');
  random.fill(bytes);
  for (size_t start = 0; start < 9; ++start) {
    for (size_t size = 0; size + start <= bytes.size(); ++size) {
      const std::string_view part = std::string_view(bytes).substr(start, size);
      ASSERT_EQ(crc32c(part), crc32c_by_table(part)) << start << "+" << size;
    }
  }
}

TEST(Crc32c, ContinuesFromTheBytesBefore) {
  const std::string text = "the helmsman steers by the binnacle";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view view = text;
    EXPECT_EQ(crc32c(view.substr(cut), crc32c(view.substr(0, cut))), crc32c(text));
    EXPECT_EQ(crc32c_by_table(view.substr(cut), crc32c_by_table(view.substr(0, cut))),
              crc32c(text));
  }
}

}  // namespace
}  // namespace binnacle
