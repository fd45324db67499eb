#include "store/access/token_store.h"

#include "store/access/testing/access_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace binnacle::store::access {
namespace {

class TokenStoreTest : public testing::Test {
 protected:
  std::string join_token(int64_t lifetime_ms = 60'000) {
    return access_.tokens->create_join(lifetime_ms, access_.actor)->token;
  }
  Code join(const std::string& token, const std::string& name) {
    const auto issued = access_.tokens->redeem_join(token, name, "10.0.0.5");
    return issued ? Code::kInternal : issued.error().code;
  }

  AccessFixture access_;
};

TEST_F(TokenStoreTest, AJoinTokenMakesOneAgentKey) {
  const std::string token = join_token();
  const auto issued = access_.tokens->redeem_join(token, "node-1", "10.0.0.5");
  ASSERT_TRUE(issued) << issued.error().message;
  const auto identity = access_.keys->authenticate(issued->key);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->role, Role::kAgent);
  EXPECT_EQ(identity->name, "node-1");
  EXPECT_EQ(join(token, "node-2"), Code::kUnauthenticated);
  const auto tokens = access_.tokens->list_joins();
  ASSERT_EQ(tokens->size(), 1u);
  EXPECT_EQ(tokens->at(0).used_by, "node-1");
  EXPECT_EQ(tokens->at(0).used_ms, access_.clock.wall_ms());
}

TEST_F(TokenStoreTest, ARefusedNameLeavesTheTokenGood) {
  access_.make_key("node-1", Role::kAgent);
  const std::string token = join_token();
  EXPECT_EQ(join(token, "node-1"), Code::kAlreadyExists);
  EXPECT_TRUE(access_.tokens->redeem_join(token, "node-2", ""));
}

TEST_F(TokenStoreTest, ExpiredForeignAndBrokenTokensAreRefused) {
  const std::string token = join_token(1'000);
  std::string wrong = join_token();
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  EXPECT_EQ(join(wrong, "n"), Code::kUnauthenticated);
  access_.clock.advance_ms(1'000);
  EXPECT_EQ(join(token, "n"), Code::kUnauthenticated);
  EXPECT_EQ(join("", "n"), Code::kUnauthenticated);
  const IssuedKey key = access_.make_key("a", Role::kAdmin);
  const auto login = access_.tokens->create_login(key.info.id, 1'000, access_.actor);
  EXPECT_EQ(join(login->token, "n"), Code::kUnauthenticated);
  EXPECT_EQ(join("bnj_" + login->token.substr(4), "n"), Code::kUnauthenticated);
}

TEST_F(TokenStoreTest, OfManyWhoShowATokenOneGetsAKey) {
  const std::string token = join_token();
  std::atomic<int> joined = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (access_.tokens->redeem_join(token, "node-" + std::to_string(i), "")) ++joined;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(joined, 1);
}

TEST_F(TokenStoreTest, ALoginTokenIsTheKeyOnce) {
  const IssuedKey key = access_.make_key("admin", Role::kAdmin);
  const auto token = access_.tokens->create_login(key.info.id, 60'000, access_.actor);
  ASSERT_TRUE(token);
  const auto identity = access_.tokens->redeem_login(token->token, "10.0.0.5");
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->key_id, key.info.id);
  EXPECT_FALSE(access_.tokens->redeem_login(token->token, "10.0.0.5"));
  EXPECT_EQ(access_.audit->recent(0, 1)->at(0).record.action, "login.succeeded");
}

TEST_F(TokenStoreTest, ALoginTokenDiesWithItsKey) {
  const IssuedKey key = access_.make_key("admin", Role::kAdmin);
  const auto token = access_.tokens->create_login(key.info.id, 60'000, access_.actor);
  ASSERT_TRUE(access_.keys->revoke(key.info.id, access_.actor));
  EXPECT_FALSE(access_.tokens->redeem_login(token->token, ""));
  EXPECT_FALSE(access_.tokens->create_login(key.info.id, 60'000, access_.actor));
}

TEST_F(TokenStoreTest, LifetimesAreBoundedAndOldTokensForgotten) {
  EXPECT_FALSE(access_.tokens->create_join(0, access_.actor));
  EXPECT_FALSE(access_.tokens->create_join(TokenStore::kMaxLifetimeMs + 1, access_.actor));
  join_token(1'000);
  access_.clock.advance_ms(TokenStore::kMaxLifetimeMs);
  ASSERT_TRUE(access_.tokens->remove_old());
  EXPECT_EQ(access_.tokens->list_joins()->size(), 1u);
  access_.clock.advance_ms(2'000);
  ASSERT_TRUE(access_.tokens->remove_old());
  EXPECT_EQ(access_.tokens->list_joins()->size(), 0u);
}

}  // namespace
}  // namespace binnacle::store::access
