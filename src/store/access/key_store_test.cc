#include "store/access/key_store.h"

#include "store/access/testing/access_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace binnacle::store::access {
namespace {

using testing::HasSubstr;

class KeyStoreTest : public testing::Test {
 protected:
  Error refusal(std::string_view key) {
    const auto identity = access_.keys->authenticate(key);
    CHECK(!identity);
    EXPECT_EQ(identity.error().code, Code::kUnauthenticated);
    return identity.error();
  }

  AccessFixture access_;
};

TEST_F(KeyStoreTest, AKeyOpensWithItsRoleAlsoAfterARestart) {
  EXPECT_TRUE(access_.keys->open());
  const IssuedKey issued = access_.make_key("grafana", Role::kViewer);
  EXPECT_FALSE(access_.keys->open());
  for (int round = 0; round < 2; ++round) {
    const auto identity = access_.keys->authenticate(issued.key);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->key_id, issued.info.id);
    EXPECT_EQ(identity->name, "grafana");
    EXPECT_EQ(identity->role, Role::kViewer);
    access_.reopen();
  }
}

TEST_F(KeyStoreTest, NoSecretIsInTheFile) {
  const IssuedKey issued = access_.make_key("a", Role::kAdmin);
  const std::string secret = parse_secret(SecretKind::kKey, issued.key)->secret;
  const std::string path = access_.state.path();
  FileSystem& files = real_file_system();
  EXPECT_EQ(files.read_file(path + "-wal")->find(secret), std::string::npos);
  access_.reopen();
  EXPECT_EQ(files.read_file(path)->find(secret), std::string::npos);
  EXPECT_NE(files.read_file(path)->find(issued.info.id), std::string::npos);
}

TEST_F(KeyStoreTest, WrongSecretsTellNothing) {
  const IssuedKey issued = access_.make_key("a", Role::kAdmin);
  std::string wrong = issued.key;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  std::string unknown = issued.key;
  unknown.replace(4, 8, issued.info.id == "00000000" ? "00000001" : "00000000");
  EXPECT_EQ(refusal(wrong).message, refusal(unknown).message);
  EXPECT_EQ(refusal(wrong).message, refusal("").message);
}

TEST_F(KeyStoreTest, ExpiryAndRevocationEndAKey) {
  const IssuedKey brief = access_.make_key("brief", Role::kAdmin, access_.clock.wall_ms() + 1'000);
  const IssuedKey revoked = access_.make_key("revoked", Role::kAdmin);
  ASSERT_TRUE(access_.keys->authenticate(brief.key));
  access_.clock.advance_ms(1'000);
  EXPECT_THAT(refusal(brief.key).message, HasSubstr("expired at"));
  ASSERT_TRUE(access_.keys->revoke(revoked.info.id, access_.actor));
  EXPECT_THAT(refusal(revoked.key).message, HasSubstr("was revoked"));
  EXPECT_FALSE(access_.keys->open()) << "a door that had keys stays shut";
  EXPECT_EQ(access_.keys->revoke("ffffffff", access_.actor).error().code, Code::kNotFound);
}

TEST_F(KeyStoreTest, RotationKeepsTheOldSecretForTheOverlap) {
  const IssuedKey old = access_.make_key("a", Role::kIngest);
  const auto fresh = access_.keys->rotate(old.info.id, 5'000, access_.actor);
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->info.id, old.info.id);
  EXPECT_TRUE(access_.keys->authenticate(old.key));
  EXPECT_TRUE(access_.keys->authenticate(fresh->key));
  access_.clock.advance_ms(5'000);
  EXPECT_THAT(refusal(old.key).message, HasSubstr("was rotated"));
  EXPECT_TRUE(access_.keys->authenticate(fresh->key));
  ASSERT_TRUE(access_.keys->revoke(old.info.id, access_.actor));
  EXPECT_EQ(access_.keys->rotate(old.info.id, 0, access_.actor).error().code,
            Code::kFailedPrecondition);
}

TEST_F(KeyStoreTest, BadKeysAreNotMade) {
  const auto code = [&](NewKey key) {
    const auto issued = access_.keys->create(std::move(key), access_.actor);
    return issued ? Code::kInternal : issued.error().code;
  };
  EXPECT_EQ(code({.name = ""}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = std::string(129, 'x')}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = "a\nb"}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = "a\xff"}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = "a", .role = Role::kPublic}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = "a", .expires_ms = 1}), Code::kInvalidArgument);
  EXPECT_EQ(code({.name = "a", .scopes = "{"}), Code::kInvalidArgument);
  const IssuedKey first = access_.make_key("a", Role::kViewer);
  EXPECT_EQ(code({.name = "a"}), Code::kAlreadyExists);
  ASSERT_TRUE(access_.keys->revoke(first.info.id, access_.actor));
  access_.make_key("a", Role::kViewer);
  EXPECT_EQ(access_.keys->list().size(), 2u);
}

TEST_F(KeyStoreTest, LastUseIsWrittenDownLater) {
  const IssuedKey issued = access_.make_key("a", Role::kViewer);
  access_.clock.advance_ms(100);
  ASSERT_TRUE(access_.keys->authenticate(issued.key));
  const int64_t used_ms = access_.clock.wall_ms();
  access_.make_key("b", Role::kViewer);  // replaces the copy in memory
  EXPECT_EQ(access_.keys->list().at(0).last_used_ms, used_ms);
  ASSERT_TRUE(access_.keys->flush_last_used());
  access_.reopen();
  EXPECT_EQ(access_.keys->list().at(0).last_used_ms, used_ms);
  EXPECT_EQ(access_.keys->list().at(1).last_used_ms, 0);
}

TEST_F(KeyStoreTest, AuthenticatesWhileKeysChange) {
  const IssuedKey issued = access_.make_key("steady", Role::kViewer);
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) CHECK(access_.keys->authenticate(issued.key));
    });
  }
  for (int i = 0; i < 20; ++i) access_.make_key("k" + std::to_string(i), Role::kViewer);
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(access_.keys->list().size(), 21u);
}

TEST_F(KeyStoreTest, ChangesAreAudited) {
  const IssuedKey issued = access_.make_key("a", Role::kViewer);
  ASSERT_TRUE(access_.keys->rotate(issued.info.id, 0, access_.actor));
  ASSERT_TRUE(access_.keys->revoke(issued.info.id, access_.actor));
  ASSERT_TRUE(access_.keys->revoke(issued.info.id, access_.actor));  // no change, no record
  const auto rows = access_.audit->recent(0, 10);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ(rows->at(0).record.action, "key.revoked");
  EXPECT_EQ(rows->at(1).record.action, "key.rotated");
  EXPECT_EQ(rows->at(2).record.action, "key.created");
  EXPECT_EQ(rows->at(2).record.actor.name, "tester");
  EXPECT_EQ(rows->at(2).record.subject, issued.info.id);
  EXPECT_EQ(access_.events->recent("key.", 0, 10)->size(), 3u);
}

}  // namespace
}  // namespace binnacle::store::access
