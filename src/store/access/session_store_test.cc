#include "store/access/session_store.h"

#include "store/access/testing/access_fixture.h"

#include <gtest/gtest.h>

namespace binnacle::store::access {
namespace {

class SessionStoreTest : public testing::Test {
 protected:
  AccessFixture access_;
  IssuedKey key_ = access_.make_key("ann", Role::kOperator);
};

TEST_F(SessionStoreTest, ASessionIsItsKeyAlsoAfterARestart) {
  const auto session = access_.sessions->create(key_.info.id);
  ASSERT_TRUE(session);
  for (int round = 0; round < 2; ++round) {
    const auto identity = access_.sessions->authenticate(session->id);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->key_id, key_.info.id);
    EXPECT_EQ(identity->role, Role::kOperator);
    access_.reopen();
  }
  EXPECT_FALSE(access_.sessions->authenticate(session->id + "0"));
  EXPECT_FALSE(access_.sessions->authenticate(""));
}

TEST_F(SessionStoreTest, ItEndsByLogOutTimeAndRevocation) {
  const auto logged_out = access_.sessions->create(key_.info.id);
  const auto timed_out = access_.sessions->create(key_.info.id);
  ASSERT_TRUE(access_.sessions->remove(logged_out->id));
  EXPECT_FALSE(access_.sessions->authenticate(logged_out->id));
  EXPECT_TRUE(access_.sessions->authenticate(timed_out->id));
  access_.clock.advance_ms(SessionOptions{}.lifetime_ms);
  EXPECT_FALSE(access_.sessions->authenticate(timed_out->id));

  const auto revoked = access_.sessions->create(key_.info.id);
  ASSERT_TRUE(access_.keys->revoke(key_.info.id, access_.actor));
  EXPECT_FALSE(access_.sessions->authenticate(revoked->id));
  access_.reopen();
  EXPECT_FALSE(access_.sessions->authenticate(logged_out->id));
}

TEST_F(SessionStoreTest, TheOneThatEndsFirstMakesRoom) {
  auto few = SessionStore::load(*access_.state.store, *access_.keys, access_.clock, access_.random,
                                {.lifetime_ms = 1'000, .max_sessions = 2});
  const auto first = (*few)->create(key_.info.id);
  access_.clock.advance_ms(1);
  const auto second = (*few)->create(key_.info.id);
  const auto third = (*few)->create(key_.info.id);
  EXPECT_FALSE((*few)->authenticate(first->id));
  EXPECT_TRUE((*few)->authenticate(second->id));
  EXPECT_TRUE((*few)->authenticate(third->id));
}

TEST_F(SessionStoreTest, ExpiredRowsAreRemoved) {
  ASSERT_TRUE(access_.sessions->create(key_.info.id));
  access_.clock.advance_ms(SessionOptions{}.lifetime_ms);
  ASSERT_TRUE(access_.sessions->create(key_.info.id));
  ASSERT_TRUE(access_.sessions->remove_expired());
  ASSERT_TRUE(access_.state.store->read([](state::Database& database) -> Status {
    EXPECT_EQ(*database.query_integer("SELECT count(*) FROM access_sessions"), 1);
    return {};
  }));
}

}  // namespace
}  // namespace binnacle::store::access
