#include "net/input_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace binnacle::net {
namespace {

void receive(InputBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.prepare(bytes.size());
  ASSERT_GE(room.size(), bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

TEST(InputBuffer, KeepsUnreadBytesThroughGrowth) {
  InputBuffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    receive(buffer, "0123456789");
    expected += "0123456789";
    buffer.consume(3);
    expected.erase(0, 3);
    ASSERT_EQ(buffer.unread(), expected);
  }
}

TEST(InputBuffer, PinnedBytesStayWhereTheyAre) {
  InputBuffer buffer;
  receive(buffer, "head body");
  const std::string_view head = buffer.unread().substr(0, 4);
  buffer.consume(5);
  buffer.pin();
  const std::string piece(1000, 'x');
  size_t unread = 4;
  for (int i = 0; i < 100; ++i) {
    receive(buffer, piece);
    unread += piece.size();
    if (i % 3 == 0) {
      buffer.consume(unread);
      unread = 0;
    }
    ASSERT_EQ(head, "head");
    ASSERT_EQ(buffer.unread().size(), unread);
  }
}

TEST(InputBuffer, ReleaseKeepsUnreadBytesAndGivesLargeBlocksBack) {
  InputBuffer buffer;
  receive(buffer, std::string(100'000, 'x'));
  buffer.consume(99'999);
  buffer.pin();
  buffer.release(1000);
  EXPECT_EQ(buffer.unread(), "x");
  buffer.consume(1);
  buffer.release(1000);
  EXPECT_LT(buffer.prepare(10).size(), 100'000u);
}

TEST(InputBuffer, BoundedByWhatIsUnread) {
  InputBuffer buffer;
  for (int i = 0; i < 10'000; ++i) {
    receive(buffer, std::string(100, 'x'));
    buffer.consume(100);
  }
  EXPECT_LE(buffer.prepare(1).size(), 1000u);
}

}  // namespace
}  // namespace binnacle::net
