#include "store/state/database.h"

#include "store/state/testing/state_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace binnacle::store::state {
namespace {

using testing::HasSubstr;

// A statement made from input does not compile.
static_assert(!std::is_constructible_v<Sql, std::string>);
static_assert(!std::is_constructible_v<Sql, std::string_view>);

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::open(folder_.path() + "/x.db", Database::Mode::kReadWriteCreate);
    ASSERT_TRUE(opened) << opened.error().message;
    database_.emplace(std::move(*opened));
    ASSERT_TRUE(database_->execute(
        "CREATE TABLE parents(id INTEGER PRIMARY KEY);"
        "CREATE TABLE things(id INTEGER PRIMARY KEY, real REAL, text TEXT, bytes BLOB,"
        " parent INTEGER REFERENCES parents(id), json TEXT CHECK (json IS NULL OR "
        "json_valid(json)))"));
  }

  Code code_of(const Status& status) { return status ? Code::kInternal : status.error().code; }

  TempFolder folder_;
  std::optional<Database> database_;
};

TEST_F(DatabaseTest, ValuesComeBackAsTheyWereBound) {
  const std::string bytes("\0\xff'; DROP TABLE things; --", 26);
  ASSERT_TRUE(database_->run("INSERT INTO things(id, real, text, bytes) VALUES (?, ?, ?, ?)",
                             int64_t{-5}, 2.5, bytes, Blob{bytes}));
  EXPECT_EQ(database_->last_insert_id(), -5);
  EXPECT_EQ(database_->changes(), 1);
  auto row =
      database_->query("SELECT id, real, text, bytes, json FROM things WHERE text = ?", bytes);
  ASSERT_TRUE(row);
  ASSERT_TRUE(row->step().value());
  EXPECT_EQ(row->integer(0), -5);
  EXPECT_EQ(row->real(1), 2.5);
  EXPECT_EQ(row->text(2), bytes);
  EXPECT_EQ(row->blob(3), bytes);
  EXPECT_TRUE(row->is_null(4));
  EXPECT_FALSE(row->step().value());
}

TEST_F(DatabaseTest, EmptyTextIsNotNull) {
  ASSERT_TRUE(database_->run("INSERT INTO things(id, text, bytes, real) VALUES (1, ?, ?, ?)",
                             std::string_view(), Blob{}, std::nullopt));
  EXPECT_EQ(*database_->query_integer("SELECT count(*) FROM things WHERE text = '' AND"
                                      " length(bytes) = 0 AND real IS NULL"),
            1);
}

TEST_F(DatabaseTest, OneStatementTwiceAtATimeAndAgain) {
  ASSERT_TRUE(database_->execute("INSERT INTO parents(id) VALUES (1), (2)"));
  for (int round = 0; round < 3; ++round) {
    auto a = database_->query("SELECT id FROM parents ORDER BY id");
    auto b = database_->query("SELECT id FROM parents ORDER BY id");
    ASSERT_TRUE(a->step().value());
    ASSERT_TRUE(a->step().value());
    ASSERT_TRUE(b->step().value());
    EXPECT_EQ(a->integer(0), 2);
    EXPECT_EQ(b->integer(0), 1);
  }
}

TEST_F(DatabaseTest, ErrorsHaveTheirCodeAndNameTheStatement) {
  ASSERT_TRUE(database_->run("INSERT INTO things(id) VALUES (1)"));
  EXPECT_EQ(code_of(database_->run("INSERT INTO things(id) VALUES (?)", 1)), Code::kAlreadyExists);
  EXPECT_EQ(code_of(database_->run("INSERT INTO things(json) VALUES (?)", "{nope")),
            Code::kInvalidArgument);
  EXPECT_EQ(code_of(database_->run("INSERT INTO things(parent) VALUES (7)")),
            Code::kFailedPrecondition);
  const Status bound = database_->run("SELECT ?", 1, 2);
  ASSERT_FALSE(bound);
  EXPECT_THAT(bound.error().message, HasSubstr("bind parameter 2"));
  const auto typo = database_->prepare("SELEC 1");
  ASSERT_FALSE(typo);
  EXPECT_THAT(typo.error().message, HasSubstr("`SELEC 1`"));
  EXPECT_THAT(typo.error().message, HasSubstr("x.db"));
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsDataLoss) {
  const std::string path = folder_.path() + "/noise";
  ASSERT_TRUE(real_file_system().write_file_atomically(path, std::string(4096, 'x')));
  auto opened = Database::open(path, Database::Mode::kReadWriteCreate);
  ASSERT_TRUE(opened);
  const auto read = opened->query_integer("SELECT count(*) FROM sqlite_schema");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kDataLoss);
  EXPECT_THAT(read.error().message, HasSubstr("restore a backup"));
}

}  // namespace
}  // namespace binnacle::store::state
