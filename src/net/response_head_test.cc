#include "net/response_head.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

TEST(ResponseHead, WritesWhatTheFramingSays) {
  Headers headers;
  headers.add("A", "b");
  headers.add("transfer-encoding", "chunked");
  headers.add("Date", "never");
  std::string out;
  append_response_head(out, headers,
                       {.status = 404,
                        .http10 = true,
                        .keep_alive = true,
                        .content_length = 12,
                        .request_id = "id",
                        .date_line = "Date: now\r\n"});
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\nDate: now\r\nA: b\r\nContent-Length: 12\r\nConnection: "
            "keep-alive\r\n"
            "X-Request-Id: id\r\n\r\n");
}

TEST(ResponseHead, ControlCharactersCannotBeginALine) {
  Headers headers;
  headers.add("A", std::string("b\r\nC: d\0e", 9));
  std::string out;
  append_response_head(out, headers, {.keep_alive = false, .chunked = true});
  EXPECT_EQ(
      out,
      "HTTP/1.1 200 OK\r\nA: b  C: d e\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

Headers of_type(std::string_view type) {
  Headers headers;
  headers.add("Content-Type", type);
  return headers;
}

TEST(ChooseCoding, ByTypeSizeAndWishOfTheClient) {
  const auto choose = [](std::string_view type, int status, std::string_view accept, size_t size) {
    Headers headers = of_type(type);
    return choose_coding(headers, status, accept, size, 1000);
  };
  EXPECT_EQ(choose("application/json", 200, "gzip", 1000), Coding::kGzip);
  EXPECT_EQ(choose("text/html; charset=utf-8", 404, "gzip, zstd", 1000), Coding::kZstd);
  EXPECT_EQ(choose("application/problem+json", 200, "gzip", 1000), Coding::kGzip);
  EXPECT_EQ(choose("application/json", 200, "gzip", 999), Coding::kIdentity);
  EXPECT_EQ(choose("application/json", 200, "", 5000), Coding::kIdentity);
  EXPECT_EQ(choose("application/json", 206, "gzip", 5000), Coding::kIdentity);
  EXPECT_EQ(choose("application/json", 304, "gzip", 5000), Coding::kIdentity);
  EXPECT_EQ(choose("image/png", 200, "gzip", 5000), Coding::kIdentity);
  EXPECT_EQ(choose("text/event-stream", 200, "gzip", 5000), Coding::kIdentity);
}

TEST(ChooseCoding, LeavesCodedAnswersAloneAndWeakensTags) {
  Headers coded = of_type("text/css");
  coded.add("Content-Encoding", "zstd");
  EXPECT_EQ(choose_coding(coded, 200, "gzip", 5000, 1000), Coding::kIdentity);
  EXPECT_EQ(coded.get("Content-Encoding"), "zstd");
  Headers tagged = of_type("text/css");
  tagged.add("ETag", "\"v1\"");
  EXPECT_EQ(choose_coding(tagged, 200, "gzip", 5000, 1000), Coding::kGzip);
  EXPECT_EQ(tagged.get("ETag"), "W/\"v1\"");
  EXPECT_EQ(tagged.get("Vary"), "Accept-Encoding");
}

TEST(DateLine, IsHttpsForm) {
  EXPECT_EQ(format_date_line(0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
  EXPECT_EQ(format_date_line(1'709'210'096), "Date: Thu, 29 Feb 2024 12:34:56 GMT\r\n");
}

}  // namespace
}  // namespace binnacle::net
