#include "engine/pipeline/pipeline_messages.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/pipeline/checksum_frame.h"
#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/hidden_bytes.h"

namespace binnacle::engine {
namespace {

ForwardRequest full_request() {
  ForwardRequest request{.epoch = 3, .number = 9, .timeout_ms = 250, .release = {4, 1ULL << 60}};
  request.step.slices = {{.sequence = 1ULL << 63, .first_position = 7, .rows = 2},
                         {.sequence = 2,
                          .first_position = 0,
                          .rows = 1,
                          .sampling = Sampling{.temperature = 0,
                                               .top_p = 0.5F,
                                               .top_k = 3,
                                               .min_p = 0.1F,
                                               .seed = ~0ULL,
                                               .top_logprobs = 5,
                                               .bias = {{1, -2.5F}, {8, 100}},
                                               .forbidden = {6, 7}}}};
  request.step.hidden = {1, 2.5F, -3, 0, 5, 6};
  return request;
}

TEST(PipelineMessagesTest, ARequestIsReadAsItWasWritten) {
  const ForwardRequest sent = full_request();
  const auto read = read_forward_request(write_forward_request(sent, NumberType::kFloat32));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->epoch, 3U);
  EXPECT_EQ(read->number, 9U);
  EXPECT_EQ(read->timeout_ms, 250U);
  EXPECT_EQ(read->release, sent.release);
  EXPECT_EQ(read->step.hidden, sent.step.hidden);
  ASSERT_EQ(read->step.slices.size(), 2U);
  EXPECT_EQ(read->step.slices[0].sequence, 1ULL << 63);
  EXPECT_EQ(read->step.slices[0].first_position, 7);
  EXPECT_FALSE(read->step.slices[0].sampling);
  const Sampling& sampling = *read->step.slices[1].sampling;
  EXPECT_EQ(sampling.temperature, 0);
  EXPECT_EQ(sampling.top_p, 0.5F);
  EXPECT_EQ(sampling.top_k, 3);
  EXPECT_EQ(sampling.min_p, 0.1F);
  EXPECT_EQ(sampling.seed, ~0ULL);
  EXPECT_EQ(sampling.top_logprobs, 5);
  EXPECT_EQ(sampling.bias, (std::vector<std::pair<int32_t, float>>{{1, -2.5F}, {8, 100}}));
  EXPECT_EQ(sampling.forbidden, (std::vector<int32_t>{6, 7}));
}

TEST(PipelineMessagesTest, AnAnswerIsReadAsItWasWritten) {
  ForwardAnswer answer{.number = 4, .queue_seconds = 0.25, .compute_seconds = 1.5};
  answer.result.choices = {{.token = 5, .logprob = -0.5F, .top = {{5, -0.5F}, {6, -1}}}};
  answer.result.hidden = {1, 2};
  auto read = read_forward_answer(write_forward_answer(answer, NumberType::kBfloat16));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->number, 4U);
  EXPECT_EQ(read->queue_seconds, 0.25);
  EXPECT_EQ(read->compute_seconds, 1.5);
  EXPECT_EQ(read->result.hidden, answer.result.hidden);
  ASSERT_EQ(read->result.choices.size(), 1U);
  EXPECT_EQ(read->result.choices[0].token, 5);
  EXPECT_EQ(read->result.choices[0].top, answer.result.choices[0].top);
  EXPECT_FALSE(read->error);
  const ForwardAnswer failed{.number = 5, .error = Error{Code::kOutOfRange, "no"}};
  read = read_forward_answer(write_forward_answer(failed, NumberType::kFloat32));
  ASSERT_TRUE(read && read->error);
  EXPECT_EQ(read->error->code, Code::kOutOfRange);
  EXPECT_EQ(read->error->message, "no");
}

TEST(PipelineMessagesTest, EveryChangedByteIsNoticed) {
  const std::string good = write_forward_request(full_request(), NumberType::kFloat32);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(read_forward_request(bad)) << i;
    EXPECT_FALSE(read_forward_request(good.substr(0, i))) << i;
  }
}

TEST(PipelineMessagesTest, RowsMustFitTheSlices) {
  ForwardRequest request = full_request();
  request.step.hidden.pop_back();
  const auto error = [&request] {
    return read_forward_request(write_forward_request(request, NumberType::kFloat32)).error();
  };
  EXPECT_EQ(error().code, Code::kInvalidArgument);
  request = full_request();
  request.step.tokens = {1, 2, 3};
  EXPECT_NE(error().message.find("both"), std::string::npos);
  request = full_request();
  request.step.slices[0].rows = -1;
  EXPECT_NE(error().message.find("-1 rows"), std::string::npos);
  request = full_request();
  request.step.slices[0].rows = 1 << 30;
  EXPECT_NE(error().message.find("at most"), std::string::npos);
}

TEST(PipelineMessagesTest, BfloatIsRoundedToTheNearestEven) {
  std::string bytes;
  const std::vector<float> values{1.0F, 1.00390625F, 1.01171875F, -0.0F, INFINITY, NAN};
  append_hidden(bytes, values, NumberType::kBfloat16);
  EXPECT_EQ(bytes.size(), values.size() * 2);
  const auto read = read_hidden(bytes, NumberType::kBfloat16);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[0], 1.0F);
  EXPECT_EQ((*read)[1], 1.0F);       // halfway between 1 and 1.0078125: to the even one
  EXPECT_EQ((*read)[2], 1.015625F);  // halfway again
  EXPECT_TRUE(std::signbit((*read)[3]));
  EXPECT_TRUE(std::isinf((*read)[4]));
  EXPECT_TRUE(std::isnan((*read)[5]));
  EXPECT_FALSE(read_hidden("abc", NumberType::kBfloat16));
}

TEST(PipelineMessagesTest, CodesAreThoseOfGrpc) {
  EXPECT_EQ(grpc_number(Code::kUnavailable), 14U);
  EXPECT_EQ(grpc_number(Code::kDataLoss), 15U);
  EXPECT_EQ(code_of_grpc_number(4), Code::kDeadlineExceeded);
  EXPECT_EQ(code_of_grpc_number(99), Code::kInternal);
}

TEST(ControlMessagesTest, AreReadAsTheyWereWritten) {
  LoadOrder order{.model = "m",
                  .layers = {2, 5},
                  .weights_hash = "h",
                  .kernel = "k",
                  .kv_positions = 77,
                  .hop_type = NumberType::kBfloat16,
                  .epoch = 1ULL << 40,
                  .peers = {"a:1", "b:2"}};
  const auto read = read_load(write_load(order));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->model, "m");
  EXPECT_TRUE(read->layers == order.layers);
  EXPECT_EQ(read->weights_hash, "h");
  EXPECT_EQ(read->kernel, "k");
  EXPECT_EQ(read->kv_positions, 77);
  EXPECT_EQ(read->hop_type, NumberType::kBfloat16);
  EXPECT_EQ(read->epoch, 1ULL << 40);
  EXPECT_EQ(read->peers, order.peers);
  EXPECT_FALSE(read_load("\x08\x01"));  // a number where text belongs
  EXPECT_FALSE(read_load(std::string_view("\x38\x07", 2)));
  const std::string piece =
      write_piece({.file = "f", .file_bytes = 10, .offset = 4, .data = "data", .last = true});
  const auto back = read_piece(piece);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->data, "data");
  EXPECT_EQ(back->offset, 4U);
  EXPECT_TRUE(back->last);
  EXPECT_EQ(read_piece(piece.substr(0, piece.size() - 1)).error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace binnacle::engine
