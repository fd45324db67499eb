#include "store/access/upkeep.h"

#include "store/access/testing/access_fixture.h"

#include <gtest/gtest.h>

namespace binnacle::store::access {
namespace {

TEST(AccessUpkeep, TheLastRoundWritesTheLatestUses) {
  AccessFixture access;
  const IssuedKey key = access.make_key("k", Role::kViewer);
  AccessUpkeep upkeep(*access.keys, *access.sessions, *access.tokens);
  upkeep.start();
  access.clock.advance_ms(5);
  ASSERT_TRUE(access.keys->authenticate(key.key));
  upkeep.stop();
  access.reopen();
  EXPECT_EQ(access.keys->list().at(0).last_used_ms, access.clock.wall_ms());
}

}  // namespace
}  // namespace binnacle::store::access
