#include "show/live_protocol.h"

#include <gtest/gtest.h>

#include <limits>

namespace binnacle::show {
namespace {

using model::Labels;
using query::promql::absent_value;

std::string error_of(std::string_view text) {
  std::string id;
  const auto request = parse_live_request(text, {}, id);
  return request ? "fine" : id + "|" + request.error().message;
}

TEST(LiveProtocol, ParsesASubscription) {
  std::string id;
  const auto request = parse_live_request(
      R"({"op":"subscribe","id":"cpu","query":"up{job=\"a\"}","range_ms":60000,"step_ms":5000,"lookback_ms":9000})",
      {}, id);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->id, "cpu");
  EXPECT_EQ(request->query, "up{job=\"a\"}");
  EXPECT_EQ(request->expr->kind, query::promql::Expr::Kind::kVectorSelector);
  EXPECT_EQ(request->range_ms, 60'000);
  EXPECT_EQ(request->step_ms, 5000);
  EXPECT_EQ(request->lookback_ms, 9000);
  const auto end = parse_live_request(R"({"op":"unsubscribe","id":"cpu"})", {}, id);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->op, LiveRequest::Op::kUnsubscribe);
}

TEST(LiveProtocol, BadRequestsAreNamed) {
  EXPECT_EQ(error_of("{"), R"(|want a JSON object with "op")");
  EXPECT_EQ(error_of("[]"), R"(|want a JSON object with "op")");
  EXPECT_EQ(error_of(R"({"op":"subscribe","query":"up"})"),
            "|id: want a string that names the subscription");
  EXPECT_EQ(error_of(R"({"op":"explode","id":"a"})"),
            R"(a|op: want "subscribe" or "unsubscribe" ("explode"))");
  EXPECT_NE(error_of(R"({"op":"subscribe","id":"a","query":"up{"})").find("a|1:4: parse error"),
            std::string::npos);
  EXPECT_EQ(error_of(R"({"op":"subscribe","id":"a","query":"up","range_ms":-1})"),
            "a|range_ms: want whole milliseconds (-1)");
  EXPECT_EQ(error_of(R"({"op":"subscribe","id":"a","query":"up","step_ms":1})"),
            "a|step_ms: at least 100 (1)");
  EXPECT_NE(
      error_of(R"({"op":"subscribe","id":"a","query":"up","range_ms":11000000,"step_ms":1000})")
          .find("query.max_points"),
      std::string::npos);
}

TEST(LiveProtocol, TakesAnyExpressionWithAValueAtEachStep) {
  EXPECT_EQ(error_of(R"j({"op":"subscribe","id":"a","query":"sum by (job) (rate(up[5m]))"})j"),
            "fine");
  EXPECT_EQ(error_of(R"({"op":"subscribe","id":"a","query":"1 + 1"})"), "fine");
  EXPECT_EQ(error_of(R"({"op":"subscribe","id":"a","query":"up[5m]"})"),
            "a|query: want a scalar or an instant vector, this is a range vector");
}

TEST(LiveProtocol, SnapshotThenDeltasByRef) {
  LiveSeries live("c");
  const Labels a = {{"__name__", "up"}, {"job", "a"}};
  const Labels b = {{"__name__", "up"}, {"job", "\""}};
  EXPECT_EQ(live.snapshot({{a, false, {1, absent_value()}}}, {1000, 2000, 1000}),
            R"({"type":"snapshot","id":"c","start_ms":1000,"step_ms":1000,"series":[)"
            R"({"ref":0,"metric":{"__name__":"up","job":"a"},"values":[1,null]}]})");
  EXPECT_EQ(
      live.delta({{a, false, {2}}, {b, false, {std::numeric_limits<double>::infinity()}}}, 3000),
      R"({"type":"delta","id":"c","time_ms":3000,"added":[{"ref":1,"metric":{"__name__":"up","job":"\""}}],)"
      R"("values":[2,"+Inf"]})");
  EXPECT_EQ(live.delta({{b, false, {4.5}}}, 4000),
            R"({"type":"delta","id":"c","time_ms":4000,"added":[],"values":[null,4.5]})");
}

TEST(LiveProtocol, HelloAndError) {
  EXPECT_EQ(live_hello("0.1.0", "ab", 5),
            R"({"type":"hello","version":"0.1.0","boot_id":"ab","now_ms":5})");
  EXPECT_EQ(live_error("x", "a \"b\""), R"({"type":"error","id":"x","message":"a \"b\""})");
}

}  // namespace
}  // namespace binnacle::show
