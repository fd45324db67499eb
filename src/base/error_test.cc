#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

namespace binnacle {
namespace {

constexpr Code kLastCode = Code::kDataLoss;

TEST(Code, EachHasANameOfItsOwnAndAnErrorStatus) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(kLastCode); ++i) {
    const auto code = static_cast<Code>(i);
    EXPECT_TRUE(names.insert(code_name(code)).second) << code_name(code);
    EXPECT_GE(http_status(code), 400);
    EXPECT_LT(http_status(code), 600);
  }
}

TEST(Code, NamesAndStatusesStandInTheOrderOfTheCodes) {
  EXPECT_EQ(code_name(Code::kInvalidArgument), "invalid_argument");
  EXPECT_EQ(http_status(Code::kUnauthenticated), 401);
  EXPECT_EQ(http_status(Code::kNotFound), 404);
  EXPECT_EQ(code_name(Code::kResourceExhausted), "resource_exhausted");
  EXPECT_EQ(http_status(Code::kResourceExhausted), 429);
  EXPECT_EQ(http_status(Code::kUnavailable), 503);
  EXPECT_EQ(http_status(Code::kDeadlineExceeded), 504);
  EXPECT_EQ(code_name(kLastCode), "data_loss");
}

TEST(Error, TakesContextInFront) {
  Error error{Code::kNotFound, "open /x: No such file or directory"};
  error = std::move(error).with_context("read config");
  EXPECT_EQ(error.code, Code::kNotFound);
  EXPECT_EQ(error.message, "read config: open /x: No such file or directory");
}

TEST(ErrnoError, SaysWhatFailedAndHasTheFittingCode) {
  EXPECT_EQ(errno_error("open /x", ENOENT).message, "open /x: No such file or directory");
  const std::pair<int, Code> cases[] = {
      {ENOENT, Code::kNotFound},          {EEXIST, Code::kAlreadyExists},
      {EACCES, Code::kPermissionDenied},  {EROFS, Code::kPermissionDenied},
      {EINVAL, Code::kInvalidArgument},   {ENOSPC, Code::kResourceExhausted},
      {EMFILE, Code::kResourceExhausted}, {ETIMEDOUT, Code::kDeadlineExceeded},
      {ECANCELED, Code::kCancelled},      {EADDRINUSE, Code::kFailedPrecondition},
      {EIO, Code::kUnavailable},          {ECONNREFUSED, Code::kUnavailable}};
  for (const auto& [error_number, code] : cases) {
    EXPECT_EQ(errno_error("x", error_number).code, code) << error_number;
  }
}

Result<std::unique_ptr<int>> make(bool works) {
  if (!works) return fail(Code::kOutOfRange, "make: too large");
  return std::make_unique<int>(7);
}

Result<std::string> make_text(bool works, bool& reached) {
  TRY_ASSIGN(const std::unique_ptr<int> number, make(works));
  reached = true;
  return std::to_string(*number);
}

Status check(bool works, bool& reached) {
  TRY(make(works));
  reached = true;
  return {};
}

TEST(Try, GoesOnWithTheValueOrReturnsTheError) {
  bool reached = false;
  EXPECT_EQ(make_text(true, reached).value(), "7");
  EXPECT_TRUE(reached);

  reached = false;
  const auto failed = make_text(false, reached);
  EXPECT_FALSE(reached);
  EXPECT_EQ(failed.error().code, Code::kOutOfRange);
  EXPECT_EQ(failed.error().message, "make: too large");

  EXPECT_EQ(check(false, reached).error().message, "make: too large");
  EXPECT_FALSE(reached);
  EXPECT_TRUE(check(true, reached));
  EXPECT_TRUE(reached);
}

}  // namespace
}  // namespace binnacle
