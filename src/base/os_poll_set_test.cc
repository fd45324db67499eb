#include "base/os_poll_set.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace binnacle {
namespace {

class OsPollSetTest : public testing::Test {
 protected:
  OsPollSetTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0); }
  ~OsPollSetTest() override {
    for (const int end : ends_) ::close(end);
  }
  size_t take() { return set_.take(changes_); }
  void say() { ASSERT_EQ(::write(ends_[1], "x", 1), 1); }

  OsPollSet set_;
  int ends_[2] = {-1, -1};
  std::array<OsPollSet::Change, 4> changes_;
};

TEST_F(OsPollSetTest, TellsOnceThatSomethingCame) {
  ASSERT_TRUE(set_.add(ends_[0], 7));
  EXPECT_EQ(take(), 0U);
  say();
  ASSERT_EQ(take(), 1U);
  EXPECT_EQ(changes_[0].number, 7U);
  EXPECT_TRUE(changes_[0].readable);
  EXPECT_FALSE(changes_[0].writable);
  EXPECT_FALSE(changes_[0].ended);
  EXPECT_EQ(take(), 0U) << "told already, though nobody has read";
  say();
  EXPECT_EQ(take(), 1U) << "more came";
}

TEST_F(OsPollSetTest, TellsOfWhatWasThereBefore) {
  say();
  ASSERT_TRUE(set_.add(ends_[0], 1));
  EXPECT_EQ(take(), 1U);
}

TEST_F(OsPollSetTest, TellsOfWritesWhileTheyAreWatched) {
  ASSERT_TRUE(set_.add(ends_[0], 1));
  set_.watch_writes(ends_[0], 1, true);
  ASSERT_EQ(take(), 1U);
  EXPECT_TRUE(changes_[0].writable);
  EXPECT_FALSE(changes_[0].readable);
  set_.watch_writes(ends_[0], 1, false);
  EXPECT_EQ(take(), 0U);
}

TEST_F(OsPollSetTest, AnEndIsReadAndWritten) {
  ASSERT_TRUE(set_.add(ends_[0], 1));
  ::shutdown(ends_[1], SHUT_WR);
  ASSERT_EQ(take(), 1U);
  EXPECT_TRUE(changes_[0].ended);
  EXPECT_TRUE(changes_[0].readable);
}

TEST_F(OsPollSetTest, OneThatWasRemovedIsSilent) {
  ASSERT_TRUE(set_.add(ends_[0], 1));
  set_.remove(ends_[0]);
  say();
  EXPECT_EQ(take(), 0U);
  EXPECT_FALSE(set_.add(-1, 2));
}

}  // namespace
}  // namespace binnacle
