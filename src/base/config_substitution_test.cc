#include "base/config_substitution.h"

#include "base/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SubstitutionTest : public ::testing::Test {
 protected:
  std::string text(std::string_view raw) {
    auto outcome = substitution_.apply(raw);
    return outcome ? outcome->text : "error: " + outcome.error().message;
  }
  bool substituted(std::string_view raw) { return substitution_.apply(raw).value().substituted; }
  void write(const std::string& path, std::string_view bytes) {
    ASSERT_TRUE(files_.write_file_atomically(path, bytes));
  }

  FaultFileSystem files_;
  ConfigSources sources_{[](const std::string& name) -> std::optional<std::string> {
                           if (name == "TOKEN") return "hunter2";
                           if (name == "EMPTY") return "";
                           if (name == "NESTED") return "${env:TOKEN}";
                           if (name == "LONG") return std::string(kMaxSubstitutedBytes + 1, 'x');
                           return std::nullopt;
                         },
                         files_};
  Substitution substitution_{sources_};
};

TEST_F(SubstitutionTest, PutsVariablesIn) {
  EXPECT_EQ(text("Bearer ${env:TOKEN}!"), "Bearer hunter2!");
  EXPECT_EQ(text("${env:TOKEN}${env:EMPTY}${env:TOKEN}"), "hunter2hunter2");
  EXPECT_TRUE(substituted("${env:EMPTY}"));
  EXPECT_FALSE(substituted("plain"));
}

TEST_F(SubstitutionTest, DoesNotReadWhatItPutIn) {
  EXPECT_EQ(text("${env:NESTED}"), "${env:TOKEN}");
}

TEST_F(SubstitutionTest, DropsOneNewlineOfAFile) {
  write("/one", "secret\n");
  write("/dos", "secret\r\n");
  write("/two", "secret\n\n");
  write("/none", "secret");
  EXPECT_EQ(text("${file:/one}"), "secret");
  EXPECT_EQ(text("${file:/dos}"), "secret");
  EXPECT_EQ(text("${file:/two}"), "secret\n");
  EXPECT_EQ(text("<${file:/none}>"), "<secret>");
}

TEST_F(SubstitutionTest, NamesWhatIsMissing) {
  EXPECT_EQ(text("a ${env:NO_SUCH} b"),
            "error: environment variable is not set (NO_SUCH): set it, or remove the substitution");
  EXPECT_THAT(text("${file:/no/such}"), AllOf(HasSubstr("(/no/such)"), HasSubstr("No such file")));
  EXPECT_THAT(text("${env:}"), HasSubstr("is not set ()"));
}

TEST_F(SubstitutionTest, NamesAFileThatFailsToRead) {
  write("/secret", "s");
  files_.inject({.op = FileOp::kRead});
  EXPECT_THAT(text("${file:/secret}"), HasSubstr("error: file of a substitution cannot be read"));
}

TEST_F(SubstitutionTest, LeavesOtherReferencesAndEscapesAlone) {
  EXPECT_EQ(text("${1}:9100 $1 ${name} $ {"), "${1}:9100 $1 ${name} $ {");
  EXPECT_EQ(text("$${env:TOKEN}"), "${env:TOKEN}");
  EXPECT_FALSE(substituted("$${env:TOKEN}"));
  EXPECT_EQ(text("$$${env:TOKEN}"), "$${env:TOKEN}");
  EXPECT_EQ(text("${"), "${");
}

TEST_F(SubstitutionTest, RefusesUnknownSourcesAndOpenEnds) {
  EXPECT_THAT(text("${ENV:TOKEN}"), HasSubstr("unknown source of a substitution (ENV)"));
  EXPECT_THAT(text("${vault:x}"), HasSubstr("(vault): write ${env:NAME} or ${file:PATH}"));
  EXPECT_THAT(text("${env:TOKEN"),
              AllOf(HasSubstr("not closed (${env:)"), Not(HasSubstr("hunter2"))));
}

TEST_F(SubstitutionTest, IsBounded) {
  EXPECT_THAT(text("${env:LONG}"), HasSubstr("too long (LONG)"));
  write("/long", std::string(kMaxSubstitutedBytes + 1, 'x'));
  EXPECT_THAT(text("${file:/long}"), HasSubstr("larger than the limit"));
  Substitution fresh(sources_);
  for (size_t i = 0; i < kMaxSubstitutions; ++i) ASSERT_TRUE(fresh.apply("${env:TOKEN}"));
  EXPECT_EQ(fresh.apply("${env:TOKEN}").error().code, Code::kResourceExhausted);
}

TEST_F(SubstitutionTest, EscapedTextComesBack) {
  for (const char* original : {"", "$", "${", "$${", "$$${a}${b", "${env:TOKEN}", "a$$b${1}"}) {
    EXPECT_EQ(text(escape_substitution(original)), original);
  }
}

TEST(ProcessConfigSources, ReadTheEnvironmentAndTheDisk) {
  const ConfigSources sources = process_config_sources();
  EXPECT_TRUE(sources.env("PATH"));
  EXPECT_FALSE(sources.env("BINNACLE_NO_SUCH_VARIABLE"));
  EXPECT_TRUE(sources.files.read_file("/proc/self/status"));
}

}  // namespace
}  // namespace binnacle
