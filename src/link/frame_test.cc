#include "link/frame.h"

#include <gtest/gtest.h>

namespace binnacle::link {
namespace {

std::string bytes_of(const Frame& frame) {
  std::string bytes;
  append_frame(frame, bytes);
  return bytes;
}

Hello full_hello() {
  return {.newest_version = 2,
          .oldest_version = 1,
          .node_id = std::string(32, 'a'),
          .name = "nöde-1",
          .role = "worker",
          .cluster = "lab",
          .boot_id = "b00t",
          .software = "0.1",
          .probe_address = "10.0.0.1:9",
          .capabilities = {"mesh", ""},
          .oldest_sample_ms = -5,
          .echo_address = ":7"};
}

std::vector<Frame> one_of_each() {
  return {full_hello(),
          HelloReply{true, 1, Refusal::kNameTaken, "why", 250, 10'000, 86'400'000, "s", "b", "a:1",
                     std::string("\xff\0key of 17 bytes", 17)},
          Beat{1, 2, 3, 4, 5, LoadDigest{6, 0, 1000}},
          BeatReply{1, -2, 3},
          CheckResult{"disk", CheckOutcome::kCritical, "full", 7, 8},
          NodeEvent{"gpu.lost", "gpu0", "{}", 9},
          ProbeRequest{1, "h:1", 500},
          ProbeReply{1, true, 123, "none"},
          Drain{"update"},
          Goodbye{"stop"},
          Pace{1000},
          Peers{{{std::string(32, 'b'), "n", "h:2"}, {}}},
          EchoRequest{1, "10.0.0.1:9", 100, 3000},
          EchoReply{1, 30, 29, 250'000, true, "why"},
          Facts{{{"kernel", "6.1.0"}, {"engine/8000", "vllm 0.6"}}}};
}

TEST(Frame, EachKindComesBackAsItWent) {
  std::string message;
  for (const Frame& frame : one_of_each()) append_frame(frame, message);
  const auto back = decode_message(message);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->frames, one_of_each());
  EXPECT_EQ(back->unknown, 0U);
}

TEST(Frame, BytesAreThoseOfTheFormat) {
  EXPECT_EQ(bytes_of(Beat{5, 0, 0, 0}), std::string("\x04\x1a\x02\x08\x05", 5));
  EXPECT_EQ(bytes_of(Pace{}), std::string("\x02\x5a\x00", 3));
}

// A hello without a version speaks none; it must not pass for one of ours.
TEST(Frame, WhatIsAbsentIsZero) {
  const auto empty = decode_message(std::string_view("\x02\x0a\x00", 3));
  ASSERT_TRUE(empty) << empty.error().message;
  ASSERT_EQ(empty->frames.size(), 1U);
  const auto& hello = std::get<Hello>(empty->frames[0]);
  EXPECT_EQ(hello.newest_version, 0U);
  EXPECT_EQ(hello.oldest_version, 0U);
  EXPECT_EQ(bytes_of(Hello{}), std::string("\x02\x0a\x00", 3));
}

TEST(Frame, UnknownFieldsAndKindsAreSkipped) {
  // Beat{number 5} with a field 99 of a newer version, then a kind 100.
  const std::string beat("\x08\x1a\x06\x9a\x06\x01x\x08\x05", 9);
  const std::string kind("\x05\xa2\x06\x02hi", 6);
  const auto back = decode_message(beat + kind);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->frames.size(), 1U);
  EXPECT_EQ(back->frames[0], Frame(Beat{5, 0, 0, 0}));
  EXPECT_EQ(back->unknown, 1U);
}

// Of version 1 as it was before echoes, facts and load: kept word for word.
TEST(Frame, WhatAnOlderPeerSendsIsStillRead) {
  const std::string hello(
      "\x19\x0a\x17\x08\x01\x10\x01\x1a\x02zz\x22\x01n\x2a\x01w\x3a\x01z\x4a\x02:9\x58\x07", 26);
  const std::string reply("\x08\x12\x06\x08\x01\x10\x01\x28\x0a", 9);
  const std::string beat("\x0a\x1a\x08\x08\x05\x10\x02\x18\x04\x20\x03", 11);
  const auto back = decode_message(hello + reply + beat);
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->frames.size(), 3U);
  EXPECT_EQ(back->frames[0], Frame(Hello{.newest_version = 1,
                                         .oldest_version = 1,
                                         .node_id = "zz",
                                         .name = "n",
                                         .role = "w",
                                         .boot_id = "z",
                                         .probe_address = ":9",
                                         .oldest_sample_ms = 7}));
  EXPECT_EQ(back->frames[1],
            Frame(HelloReply{.accepted = true, .version = 1, .beat_interval_ms = 10}));
  EXPECT_EQ(back->frames[2], Frame(Beat{5, 2, 4, 3}));
}

TEST(Frame, AnUnchangedBeatHasTheBytesItAlwaysHad) {
  EXPECT_EQ(bytes_of(Beat{5, 2, 4, 3}),
            std::string("\x0a\x1a\x08\x08\x05\x10\x02\x18\x04\x20\x03", 11));
}

TEST(Frame, EveryCutIsRefusedOrShorter) {
  std::string message;
  for (const Frame& frame : one_of_each()) append_frame(frame, message);
  for (size_t size = 0; size < message.size(); ++size) {
    const auto back = decode_message(std::string_view(message).substr(0, size));
    if (back) EXPECT_LT(back->frames.size(), one_of_each().size()) << size;
  }
}

TEST(Frame, WhatIsOverABoundIsNamed) {
  const auto refused = [](const std::string& bytes, std::string_view says) {
    const auto back = decode_message(bytes);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, Code::kInvalidArgument);
    EXPECT_NE(back.error().message.find(says), std::string::npos) << back.error().message;
  };
  refused("\x06\x4a\x04\x0a\x02\xff\xfe", "drain: field 1: not UTF-8");
  refused(std::string("\x04\x4a\x02\x08\x05", 5), "drain: field 1: the wrong wire type");
  refused(std::string("\x80\x80\x80\x80\x01", 5), "a frame of");
  refused(std::string("\x05\x4a", 2), "cut short");
  refused(std::string(65, '\0'), "too many frames");
  refused(std::string(kMaxMessageBytes + 1, 'x'), "at most");
  refused("\x25\x12\x23\x5a\x21" + std::string(33, 'k'), "hello_reply: field 11: 33 bytes");
  std::string name(200, 'n');
  // name = field 4 of hello, 200 bytes
  refused("\xce\x01\x0a\xcb\x01\x22\xc8\x01" + name, "hello: field 4: 200 bytes, at most 128");
}

TEST(Frame, LongTextsOfOurOwnAreCutBetweenCharacters) {
  const auto back = decode_message(bytes_of(Drain{std::string(1023, 'x') + "éé"}));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::get<Drain>(back->frames[0]).reason, std::string(1023, 'x'));
}

TEST(Frame, AChoiceOfANewerPeerCountsAsUnknown) {
  const auto back = decode_message(std::string("\x04\x2a\x02\x10\x09", 5));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::get<CheckResult>(back->frames[0]).outcome, CheckOutcome::kUnknown);
  const auto newest = decode_message(bytes_of(CheckResult{.outcome = CheckOutcome::kFailed}));
  ASSERT_TRUE(newest) << newest.error().message;
  EXPECT_EQ(std::get<CheckResult>(newest->frames[0]).outcome, CheckOutcome::kFailed);
}

}  // namespace
}  // namespace binnacle::link
