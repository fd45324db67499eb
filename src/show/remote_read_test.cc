#include "show/remote_read.h"

#include <gmock/gmock.h>
#include <snappy.h>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "base/crc32c.h"
#include "show/test_api.h"
#include "show/xor_chunk.h"

namespace binnacle::show {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct TestMatcher {
  int type = 0;
  std::string name;
  std::string value;
};

std::string query(int64_t start_ms, int64_t end_ms, const std::vector<TestMatcher>& matchers) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_int64(1, start_ms);
  writer.add_int64(2, end_ms);
  for (const TestMatcher& matcher : matchers) {
    protozero::pbf_writer one(writer, 3);
    one.add_enum(1, matcher.type);
    one.add_string(2, matcher.name);
    one.add_string(3, matcher.value);
  }
  return out;
}

std::string request(const std::vector<std::string>& queries, std::vector<int32_t> accepted = {}) {
  std::string out;
  protozero::pbf_writer writer(out);
  for (const std::string& one : queries) writer.add_message(1, one);
  writer.add_packed_enum(2, accepted.begin(), accepted.end());
  return out;
}

std::string compressed(const std::string& bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

// "a=1,b=2"
std::string labels_text(protozero::pbf_reader label, std::string before) {
  std::string name, value;
  while (label.next()) {
    if (label.tag() == 1) {
      name = label.get_string();
    } else {
      value = label.get_string();
    }
  }
  if (!before.empty()) before += ",";
  return before + name + "=" + value;
}

// "labels: value@time ..." of each series, each query's in brackets.
std::vector<std::string> samples_of(std::string_view body) {
  std::string bytes;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &bytes));
  std::vector<std::string> out;
  for (protozero::pbf_reader response(bytes); response.next(1);) {
    std::string text = "[";
    for (auto result = response.get_message(); result.next(1);) {
      std::string labels, samples;
      for (auto series = result.get_message(); series.next();) {
        if (series.tag() == 1) {
          labels = labels_text(series.get_message(), labels);
          continue;
        }
        double value = 0;
        int64_t time = 0;
        for (auto sample = series.get_message(); sample.next();) {
          if (sample.tag() == 1) {
            value = sample.get_double();
          } else {
            time = sample.get_int64();
          }
        }
        samples += " " + std::to_string(value).substr(0, 3) + "@" +
                   std::to_string(time - 1'700'000'000'000);
      }
      text += labels + ":" + samples + ";";
    }
    out.push_back(text + "]");
  }
  return out;
}

class RemoteReadTest : public ApiTest {
 protected:
  net::Response read(const std::string& bytes) {
    return call_route(router_, net::Method::kPost, "/api/v1/read", {}, compressed(bytes));
  }
};

const TestMatcher kUp = {0, "__name__", "up"};

TEST_F(RemoteReadTest, SamplesOfEachQuery) {
  const auto response =
      read(request({query(kStartMs, kStartMs + 15'000, {kUp}),
                    query(kStartMs, kStartMs + 14'999, {{2, "job", "a|b"}}),
                    query(0, kStartMs * 2, {kUp, {3, "job", "a"}}), query(1, 0, {kUp})}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("content-type"), "application/x-protobuf");
  EXPECT_EQ(response.headers.get("content-encoding"), "snappy");
  EXPECT_THAT(samples_of(response.body),
              ElementsAre("[__name__=up,job=a: 1.0@0 0.5@15000;__name__=up,job=b: inf@15000;]",
                          "[__name__=up,job=a: 1.0@0;]", "[__name__=up,job=b: inf@15000;]", "[]"));
}

TEST_F(RemoteReadTest, ExternalLabelsGoOutAndCountAsMatched) {
  external_labels_ = {{"job", "other"}, {"site", "s"}};
  const auto response =
      read(request({query(0, kStartMs * 2, {kUp, {0, "site", "s"}, {0, "job", "a"}}),
                    query(0, kStartMs * 2, {kUp, {0, "site", "t"}})}));
  EXPECT_THAT(samples_of(response.body),
              ElementsAre("[__name__=up,job=a,site=s: 1.0@0 0.5@15000;]", "[]"));
}

struct Frame {
  std::string labels;
  std::vector<std::string> chunks;
  std::vector<std::pair<int64_t, int64_t>> times;
  int64_t query = 0;
};

Frame frame_of(std::string_view message) {
  Frame out;
  for (protozero::pbf_reader response(message.data(), message.size()); response.next();) {
    if (response.tag() == 2) {
      out.query = response.get_int64();
      continue;
    }
    for (auto series = response.get_message(); series.next();) {
      if (series.tag() == 1) {
        out.labels = labels_text(series.get_message(), out.labels);
        continue;
      }
      auto& times = out.times.emplace_back();
      for (auto chunk = series.get_message(); chunk.next();) {
        if (chunk.tag() == 1) times.first = chunk.get_int64();
        if (chunk.tag() == 2) times.second = chunk.get_int64();
        if (chunk.tag() == 3) EXPECT_EQ(chunk.get_enum(), 1);
        if (chunk.tag() == 4) out.chunks.push_back(chunk.get_bytes());
      }
    }
  }
  return out;
}

std::vector<Frame> frames_of(std::string_view body) {
  std::vector<Frame> out;
  while (!body.empty()) {
    const char* at = body.data();
    const uint64_t size = protozero::decode_varint(&at, body.data() + body.size());
    body.remove_prefix(static_cast<size_t>(at - body.data()));
    uint32_t crc = 0;
    for (int i = 0; i < 4; ++i) crc = crc << 8 | static_cast<uint8_t>(body[i]);
    const std::string_view message = body.substr(4, size);
    EXPECT_EQ(crc, crc32c(message));
    out.push_back(frame_of(message));
    body.remove_prefix(4 + size);
  }
  return out;
}

TEST_F(RemoteReadTest, StreamedChunks) {
  for (int i = 0; i < 130; ++i)
    put(model::Labels{{"__name__", "long"}}, i * 100, static_cast<double>(i));
  const auto response = read(
      request({query(0, kStartMs * 2, {{0, "__name__", "long"}}), query(0, kStartMs * 2, {kUp})},
              {7, 1, 0}));
  EXPECT_EQ(response.headers.get("content-type"),
            "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
  EXPECT_EQ(response.headers.get("content-encoding"), "");
  const auto frames = frames_of(response.body);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].labels, "__name__=long");
  EXPECT_THAT(frames[0].times, ElementsAre(std::pair(kStartMs, kStartMs + 11'900),
                                           std::pair(kStartMs + 12'000, kStartMs + 12'900)));
  EXPECT_EQ(frames[1].labels, "__name__=up,job=a");
  EXPECT_EQ(frames[1].query, 1);
  const std::vector<int64_t> times = {kStartMs, kStartMs + 15'000};
  const std::vector<double> values = {1, 0.5};
  EXPECT_THAT(frames[1].chunks, ElementsAre(xor_chunk(times, values)));
}

TEST_F(RemoteReadTest, BadRequests) {
  EXPECT_EQ(call_route(router_, net::Method::kPost, "/api/v1/read", {}, "no snappy").status, 400);
  EXPECT_EQ(read("\x0A\xFF").status, 400);
  EXPECT_THAT(read(request({query(0, 1, {kUp})}, {5})).body,
              HasSubstr("server does not support any of the requested response types"));
  EXPECT_EQ(read(request({query(0, 1, {{9, "a", "b"}})})).status, 400);
  EXPECT_EQ(read(request({query(0, 1, {{2, "a", "("}})})).status, 400);
  // A block that says it holds 64 MiB.
  EXPECT_EQ(
      call_route(router_, net::Method::kPost, "/api/v1/read", {}, "\x80\x80\x80\x20zzzz").status,
      413);
}

TEST_F(RemoteReadTest, LimitsOfQueriesHold) {
  limits_.max_samples = 2;
  for (const int32_t kind : {0, 1}) {
    const auto response = read(request({query(0, kStartMs * 2, {kUp})}, {kind}));
    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, HasSubstr("query.max_samples"));
  }
}

}  // namespace
}  // namespace binnacle::show
