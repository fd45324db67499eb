#include "store/access/audit_log.h"

#include "store/access/testing/access_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::store::access {
namespace {

using state::Database;
using state::Sql;
using testing::HasSubstr;

class AuditLogTest : public testing::Test {
 protected:
  void append(int rows) {
    for (int i = 0; i < rows; ++i) {
      ASSERT_TRUE(access_.audit->append({.action = "config.reloaded",
                                         .actor = access_.actor,
                                         .subject = std::to_string(i),
                                         .detail = R"({"changed":1})"}));
    }
  }
  // As someone who has the file and knows SQL.
  void tamper(Sql sql) {
    ASSERT_TRUE(access_.state.store->write([&](Database& database) -> Status {
      TRY(
          database.execute("DROP TRIGGER IF EXISTS audit_no_update;"
                           "DROP TRIGGER IF EXISTS audit_no_delete"));
      return database.execute(sql);
    }));
  }
  AuditVerdict verdict() { return *access_.audit->verify(); }

  AccessFixture access_;
};

TEST_F(AuditLogTest, AnUntouchedChainIsIntact) {
  EXPECT_TRUE(verdict().intact);
  append(1'500);  // more than one page of the check
  EXPECT_TRUE(verdict().intact) << verdict().reason;
  EXPECT_EQ(verdict().rows, 1'500);
  access_.reopen();
  append(1);
  EXPECT_TRUE(verdict().intact) << verdict().reason;
  EXPECT_EQ(verdict().rows, 1'501);
}

TEST_F(AuditLogTest, RowsCannotBeChangedByAccident) {
  append(1);
  for (const Sql sql : {Sql("UPDATE audit SET actor = 'x'"), Sql("DELETE FROM audit")}) {
    const Status refused =
        access_.state.store->write([&](Database& database) { return database.execute(sql); });
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("append-only"));
  }
}

TEST_F(AuditLogTest, EveryChangedFieldShows) {
  append(5);
  const Sql changes[] = {
      "UPDATE audit SET time_ms = time_ms + 1 WHERE id = 3",
      "UPDATE audit SET action = 'x' WHERE id = 3",
      "UPDATE audit SET actor = 'x' WHERE id = 3",
      "UPDATE audit SET key_id = 'x' WHERE id = 3",
      "UPDATE audit SET address = 'x' WHERE id = 3",
      "UPDATE audit SET subject = 'x' WHERE id = 3",
      "UPDATE audit SET outcome = 'refused' WHERE id = 3",
      "UPDATE audit SET detail = '{}' WHERE id = 3",
      "UPDATE audit SET hash = zeroblob(32) WHERE id = 3",
      "UPDATE audit SET previous_hash = zeroblob(32) WHERE id = 3",
  };
  ASSERT_NO_FATAL_FAILURE(tamper("CREATE TABLE good AS SELECT * FROM audit"));
  for (const Sql change : changes) {
    tamper(change);
    EXPECT_EQ(verdict().broken_id, 3) << change.text();
    EXPECT_FALSE(verdict().intact);
    tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM good");
    EXPECT_TRUE(verdict().intact) << verdict().reason;
  }
}

TEST_F(AuditLogTest, ATextMovedBetweenFieldsShows) {
  append(2);
  tamper("UPDATE audit SET action = 'config.', actor = 'reloaded' || actor WHERE id = 2");
  EXPECT_EQ(verdict().broken_id, 2);
}

TEST_F(AuditLogTest, AMissingRowShowsWhereverItWas) {
  append(5);
  tamper("CREATE TABLE good AS SELECT * FROM audit");
  struct Removal {
    Sql remove;
    int64_t id;  // the first that is missing
  };
  const Removal removals[] = {{"DELETE FROM audit WHERE id = 1", 1},
                              {"DELETE FROM audit WHERE id = 3", 3},
                              {"DELETE FROM audit WHERE id >= 4", 4},
                              {"DELETE FROM audit", 1}};
  for (const auto& [remove, id] : removals) {
    tamper(remove);
    EXPECT_EQ(verdict().broken_id, id) << remove.text();
    EXPECT_THAT(verdict().reason, HasSubstr("missing"));
    tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM good");
  }
}

TEST_F(AuditLogTest, QueuedRecordsAreWrittenByTheEnd) {
  access_.audit->start();
  for (int i = 0; i < 500; ++i) {
    access_.audit->enqueue({.action = "login.failed",
                            .actor = access_.actor,
                            .subject = std::to_string(i),
                            .outcome = AuditOutcome::kRefused});
  }
  access_.audit->stop();
  EXPECT_EQ(verdict().rows, 500);
  EXPECT_TRUE(verdict().intact);
  const auto rows = access_.audit->recent(0, 2);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->at(0).record.subject, "499");
  EXPECT_EQ(rows->at(0).record.outcome, AuditOutcome::kRefused);
  EXPECT_EQ(access_.audit->recent(rows->at(1).id, 1)->at(0).record.subject, "497");
  EXPECT_EQ(access_.events->recent("login.", 0, 1'000)->size(), 500u);
}

TEST_F(AuditLogTest, AFullQueueDropsAndCounts) {
  AuditLog small(*access_.state.store, *access_.events, access_.clock, access_.state.registry, 2);
  for (int i = 0; i < 5; ++i) small.enqueue({.action = "a"});
  EXPECT_EQ(
      access_.state.registry
          .counter("binnacle_audit_dropped_total", "Audit records that could not be written down.")
          .value(),
      3);
  small.start();
  small.stop();
  EXPECT_EQ(verdict().rows, 2);
}

}  // namespace
}  // namespace binnacle::store::access
