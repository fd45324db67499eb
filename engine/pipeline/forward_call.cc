#include <deque>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/pipeline_messages.h"
#include "engine/pipeline/worker_calls.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

// Reads requests as they come and hands them to the stage; answers leave one at a time, in the
// order in which the stage gives them.
class ForwardCall final : public grpc::ServerGenericBidiReactor {
 public:
  ForwardCall(WorkerCalls& calls, ClientId client) : calls_(calls), client_(client) {
    calls_.streams_gauge.set(static_cast<double>(++calls_.streams));
    StartSendInitialMetadata();
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return end(grpc::Status::OK);
    if (const Status taken = take(); !taken) {
      if (taken.error().code == Code::kDataLoss) calls_.checksum_failures.add();
      return end(grpc_status(taken.error()));
    }
    StartRead(&request_);
  }

  void OnWriteDone(bool ok) override {
    const MutexLock lock(mu_);
    writing_ = false;
    if (!ok) end_with(grpc::Status::CANCELLED);
    go_on();
  }

  void OnCancel() override { end(grpc::Status::CANCELLED); }

  void OnDone() override {
    calls_.streams_gauge.set(static_cast<double>(--calls_.streams));
    delete this;
  }

 private:
  Status take() {
    const BufferBytes bytes(request_);
    calls_.received_bytes.add(static_cast<double>(bytes.view().size()));
    TRY_ASSIGN(ForwardRequest request, read_forward_request(bytes.view()));
    if (!request.release.empty())
      calls_.stage.release(client_, request.epoch, std::move(request.release));
    if (request.step.slices.empty()) return {};
    {
      const MutexLock lock(mu_);
      ++under_way_;
    }
    calls_.stage.run({.client = client_,
                      .epoch = request.epoch,
                      .deadline_ns = calls_.clock.monotonic_ns() + request.timeout_ms * kNsPerMs,
                      .gone = gone_},
                     std::move(request.step),
                     [this, number = request.number](Result<HopResult> result) {
                       answer(number, std::move(result));
                     });
    return {};
  }

  void answer(uint64_t number, Result<HopResult> result) {
    ForwardAnswer answer{.number = number};
    if (result) {
      answer.result = std::move(result->step);
      answer.queue_seconds = result->queue_seconds;
      answer.compute_seconds = result->compute_seconds;
    } else {
      answer.error = std::move(result).error();
    }
    std::string bytes = write_forward_answer(answer, calls_.stage.hop_type());
    calls_.sent_bytes.add(static_cast<double>(bytes.size()));
    const MutexLock lock(mu_);
    --under_way_;
    if (!ending_ || ending_->ok()) answers_.push_back(buffer_of(std::move(bytes)));
    go_on();
  }

  void end(grpc::Status status) {
    const MutexLock lock(mu_);
    end_with(std::move(status));
    go_on();
  }

  void end_with(grpc::Status status) REQUIRES(mu_) {
    if (ending_) return;
    ending_ = std::move(status);
    if (ending_->ok()) return;  // the other end has said all, and still hears the answers
    *gone_ = true;
    answers_.clear();
  }

  void go_on() REQUIRES(mu_) {
    if (writing_ || finished_) return;
    if (!answers_.empty()) {
      writing_ = true;
      response_ = std::move(answers_.front());
      answers_.pop_front();
      StartWrite(&response_);
    } else if (ending_ && under_way_ == 0) {
      finished_ = true;
      Finish(*ending_);
    }
  }

  // Fixed after construction.
  WorkerCalls& calls_;
  const ClientId client_;
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);

  grpc::ByteBuffer request_;   // gRPC's while it reads
  grpc::ByteBuffer response_;  // gRPC's while it writes

  Mutex mu_;
  std::deque<grpc::ByteBuffer> answers_ GUARDED_BY(mu_);
  size_t under_way_ GUARDED_BY(mu_) = 0;  // steps in the stage
  bool writing_ GUARDED_BY(mu_) = false;
  std::optional<grpc::Status> ending_ GUARDED_BY(mu_);
  bool finished_ GUARDED_BY(mu_) = false;
};

}  // namespace

grpc::ServerGenericBidiReactor* forward_call(WorkerCalls& calls, ClientId client) {
  return new ForwardCall(calls, client);
}

}  // namespace binnacle::engine
