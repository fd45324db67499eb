#include "store/access/credentials.h"

#include "store/access/testing/test_request.h"

#include <gtest/gtest.h>

namespace binnacle::store::access {
namespace {

using Kind = Credentials::Kind;

Credentials with(const std::string& name, const std::string& value) {
  TestRequest request;
  request.with(name, value);
  return credentials_of(request.request);
}

TEST(Credentials, EveryForm) {
  EXPECT_EQ(credentials_of(TestRequest().request).kind, Kind::kNone);
  for (const Credentials& shown :
       {with("Authorization", "Bearer bnk_x"), with("authorization", "bearer  bnk_x"),
        with("Authorization", "Basic dXNlcjpibmtfeA=="),
        with("Authorization", "Basic dXNlcjpibmtfeA"), with("Authorization", "Basic OmJua194"),
        with("Authorization", "Basic Ym5rX3g6"), with("X-API-Key", "bnk_x")}) {
    EXPECT_EQ(shown.kind, Kind::kKey);
    EXPECT_EQ(shown.secret, "bnk_x");
  }
  const Credentials session = with("Cookie", "x=1; binnacle_session=abc");
  EXPECT_EQ(session.kind, Kind::kSession);
  EXPECT_EQ(session.secret, "abc");
}

TEST(Credentials, APasswordMayHoldColons) {
  EXPECT_EQ(with("Authorization", "Basic dTphOmI6Yw==").secret, "a:b:c");  // u:a:b:c
}

TEST(Credentials, ABrokenHeaderIsAWrongKey) {
  for (const char* value :
       {"Bearer", "Basic", "Basic !!!!", "Basic bm9jb2xvbg==", "Digest x", "bnk_x", "Bearer "}) {
    const Credentials shown = with("Authorization", value);
    EXPECT_EQ(shown.kind, Kind::kKey) << value;
    EXPECT_EQ(shown.secret, "") << value;
  }
}

TEST(Credentials, AKeyIsTakenBeforeACookie) {
  TestRequest request;
  request.cookie("s").bearer("k");
  EXPECT_EQ(credentials_of(request.request).secret, "k");
}

}  // namespace
}  // namespace binnacle::store::access
