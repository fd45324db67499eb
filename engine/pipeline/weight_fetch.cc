#include "engine/pipeline/weight_fetch.h"

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <set>
#include <utility>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/model_store.h"
#include "engine/pipeline/pipeline_messages.h"
#include "engine/pipeline/worker_channel.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kLookMs = 100;  // at `stopping`

// Puts pieces into files. They come in order; anything else is refused.
class PieceWriter {
 public:
  PieceWriter(std::string folder, const FetchOptions& options, FileSystem& files)
      : folder_(std::move(folder)), options_(options), files_(files) {}

  Status take(const WeightPiece& piece) {
    if (file_ == nullptr) TRY(begin(piece));
    if (piece.file != name_ || piece.offset != file_->size() || piece.file_bytes != file_bytes_ ||
        piece.data.size() > file_bytes_ - file_->size()) {
      return fail(Code::kDataLoss, "file " + piece.file + ": a piece at " +
                                       std::to_string(piece.offset) + " does not join");
    }
    TRY(file_->append(piece.data));
    last_ = piece.last;
    return file_->size() == file_bytes_ ? end() : Status();
  }

  Status finish() {
    if (file_ != nullptr || !last_)
      return fail(Code::kDataLoss, "the peer ended before the last piece");
    return files_.sync_dir(folder_);
  }

 private:
  Status begin(const WeightPiece& piece) {
    TRY(check_file_name(piece.file));
    if (!seen_.insert(piece.file).second || seen_.size() > kMaxModelFiles)
      return fail(Code::kDataLoss, "file " + piece.file + " comes twice, or there are too many");
    if (piece.file_bytes > options_.max_bytes - taken_) {
      return fail(
          Code::kResourceExhausted,
          "a model of more than " + std::to_string(options_.max_bytes) + " bytes is not fetched");
    }
    TRY_ASSIGN(const DiskSpace space, files_.space(folder_));
    if (piece.file_bytes > space.available_bytes) {
      return fail(Code::kResourceExhausted, "file " + piece.file + " needs " +
                                                std::to_string(piece.file_bytes) +
                                                " bytes, the disk of " + folder_ + " has " +
                                                std::to_string(space.available_bytes));
    }
    taken_ += piece.file_bytes;
    name_ = piece.file;
    file_bytes_ = piece.file_bytes;
    TRY_ASSIGN(file_, files_.open_writable(folder_ + "/" + name_, FileSystem::Create::kExclusive));
    return {};
  }

  Status end() {
    TRY(file_->sync());
    TRY(file_->close());
    file_.reset();
    return {};
  }

  const std::string folder_;
  const FetchOptions& options_;
  FileSystem& files_;
  std::set<std::string> seen_;
  uint64_t taken_ = 0;
  std::unique_ptr<WritableFile> file_;
  std::string name_;
  uint64_t file_bytes_ = 0;
  bool last_ = false;
};

// The call, its events one after another.
class Fetch {
 public:
  Fetch(std::shared_ptr<grpc::Channel> channel, const FetchOptions& options,
        const std::atomic<bool>& stopping)
      : options_(options), stopping_(stopping), stub_(std::move(channel)) {
    add_call_metadata(context_, 0);
    call_ = stub_.PrepareCall(&context_, std::string(kFetchMethod), &queue_);
  }
  ~Fetch() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  Status start(const std::string& model) {
    request_ = buffer_of(write_text(model));
    call_->StartCall(this);
    TRY_ASSIGN(const bool started, wait());
    if (!started) return {};  // finish() tells why
    call_->WriteLast(request_, {}, this);
    TRY(wait());
    return {};
  }

  // False when there is none any more.
  Result<bool> read() {
    call_->Read(&response_, this);
    return wait();
  }
  const grpc::ByteBuffer& response() const { return response_; }

  Status finish() {
    call_->Finish(&status_, this);
    TRY(wait());
    if (!status_.ok()) return fail(error_of(status_));
    return {};
  }

 private:
  Result<bool> wait() {
    for (int64_t waited_ms = 0; waited_ms < options_.silence_ms; waited_ms += kLookMs) {
      if (stopping_) return fail(Code::kCancelled, "the worker stops");
      void* tag = nullptr;
      bool ok = false;
      const auto deadline =
          gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kLookMs, GPR_TIMESPAN));
      if (queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT) return ok;
    }
    return fail(Code::kDeadlineExceeded,
                "nothing came for " + std::to_string(options_.silence_ms) + " ms");
  }

  const FetchOptions& options_;
  const std::atomic<bool>& stopping_;
  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  grpc::Status status_;  // outlives a Finish that was not waited for
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

}  // namespace

Status fetch_weights(const std::string& peer, const std::string& model, const std::string& folder,
                     const FetchOptions& options, FileSystem& files, Registry& registry,
                     const std::atomic<bool>& stopping) {
  Counter& fetched = registry.counter("binnacle_engine_weights_received_bytes_total",
                                      "Bytes of weights that were fetched from peers.");
  TRY(check_file_name(model));
  TRY_ASSIGN(auto channel,
             worker_channel(peer, options.tls, static_cast<int>(2 * kWeightPieceBytes), files));
  TRY(files.remove_all(folder));
  TRY(files.create_directories(folder));
  PieceWriter writer(folder, options, files);
  Fetch fetch(std::move(channel), options, stopping);
  TRY(fetch.start(model));
  while (true) {
    TRY_ASSIGN(const bool more, fetch.read());
    if (!more) break;
    const BufferBytes bytes(fetch.response());
    TRY_ASSIGN(const WeightPiece piece, read_piece(bytes.view()));
    TRY(writer.take(piece));
    fetched.add(static_cast<double>(piece.data.size()));
  }
  TRY(fetch.finish());
  return writer.finish();
}

}  // namespace binnacle::engine
