#include "base/glob.h"

#include "base/fault_file_system.h"

#include <gmock/gmock.h>

namespace binnacle {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Glob, MatchesAsAShellDoes) {
  EXPECT_TRUE(matches_glob("*.json", "a.json"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches_glob("[a-c]?[^x]", "b1y"));
  EXPECT_TRUE(matches_glob("[]]", "]"));
  EXPECT_TRUE(matches_glob("\\*", "*"));
  EXPECT_FALSE(matches_glob("*.json", "a.jsonx"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_FALSE(matches_glob("[a-c]", "d"));
  EXPECT_FALSE(matches_glob("[a", "a"));
  EXPECT_FALSE(matches_glob("\\*", "a"));
  EXPECT_FALSE(matches_glob(std::string(50, '*') + "b", std::string(5000, 'a')));
}

TEST(Glob, FindsPathsInOrder) {
  FaultFileSystem files;
  for (const char* folder : {"/t/one", "/t/two", "/t/other"}) {
    ASSERT_TRUE(files.create_directories(folder));
  }
  for (const char* path : {"/t/two/b.yml", "/t/one/a.yml", "/t/one/c.json", "/t/other/d.yml"}) {
    ASSERT_TRUE(files.write_file_atomically(path, "x"));
  }
  EXPECT_THAT(expand_glob(files, "/t/*/*.yml"),
              ElementsAre("/t/one/a.yml", "/t/other/d.yml", "/t/two/b.yml"));
  EXPECT_THAT(expand_glob(files, "/t/o*/?.yml"), ElementsAre("/t/one/a.yml", "/t/other/d.yml"));
  EXPECT_THAT(expand_glob(files, "/t/one/a.yml"), ElementsAre("/t/one/a.yml"));
  EXPECT_THAT(expand_glob(files, "/t/one/missing.yml"), IsEmpty());
  EXPECT_THAT(expand_glob(files, "/none/*.yml"), IsEmpty());
}

}  // namespace
}  // namespace binnacle
