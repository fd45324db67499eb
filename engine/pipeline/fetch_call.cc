#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/model_store.h"
#include "engine/pipeline/weight_fetch.h"
#include "engine/pipeline/worker_calls.h"

namespace binnacle::engine {
namespace {

// The files of one model, piece by piece. One thread at a time.
class PieceReader {
 public:
  PieceReader(std::string folder, FileSystem& files)
      : store_(std::move(folder), files), files_(files) {}

  Status open(const std::string& model) {
    TRY_ASSIGN(names_, store_.files_of(model));
    folder_ = store_.folder() + "/" + model + "/";
    return {};
  }

  // The message of the next one; "" after the last.
  Result<std::string> next() {
    if (at_ == names_.size()) return std::string();
    WeightPiece piece{.file = names_[at_]};
    if (file_ == nullptr) {
      TRY_ASSIGN(file_, files_.open_readable(folder_ + piece.file));
      TRY_ASSIGN(file_bytes_, file_->size());
      offset_ = 0;
    }
    piece.file_bytes = file_bytes_;
    piece.offset = offset_;
    buffer_.resize(std::min<uint64_t>(kWeightPieceBytes, file_bytes_ - offset_));
    TRY_ASSIGN(const size_t got, file_->read_at(offset_, buffer_));
    if (got != buffer_.size())
      return fail(Code::kFailedPrecondition, folder_ + piece.file + " has become shorter");
    piece.data = {buffer_.data(), buffer_.size()};
    offset_ += got;
    if (offset_ == file_bytes_) {
      file_.reset();
      ++at_;
    }
    piece.last = at_ == names_.size();
    return write_piece(piece);
  }

 private:
  const ModelStore store_;
  FileSystem& files_;
  std::string folder_;
  std::vector<std::string> names_;
  size_t at_ = 0;
  std::unique_ptr<ReadableFile> file_;
  uint64_t file_bytes_ = 0;
  uint64_t offset_ = 0;
  std::vector<char> buffer_;
};

// The next piece is read when the one before has been taken, so that a slow peer holds one.
class FetchCall final : public grpc::ServerGenericBidiReactor {
 public:
  FetchCall(WorkerCalls& calls, std::string folder)
      : calls_(calls), reader_(std::move(folder), calls.files) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    auto model = ok ? read_text(BufferBytes(request_).view())
                    : Result<std::string>(fail(Code::kInvalidArgument, "no request"));
    if (!model) return Finish(grpc_status(model.error()));
    post([this, model = *model] {
      if (const Status opened = reader_.open(model); !opened)
        return Finish(grpc_status(opened.error()));
      send_next();
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok || gone_) return Finish(grpc::Status::CANCELLED);
    post([this] { send_next(); });
  }

  void OnCancel() override { gone_ = true; }  // what is under way ends it

  void OnDone() override {
    --calls_.fetches;
    delete this;
  }

 private:
  void post(std::function<void()> work) {
    if (const Status posted = calls_.file_reading.post(std::move(work)); !posted)
      Finish(grpc_status(posted.error()));
  }

  void send_next() {
    auto piece = reader_.next();
    if (!piece) return Finish(grpc_status(piece.error()));
    if (piece->empty() || gone_) return Finish(gone_ ? grpc::Status::CANCELLED : grpc::Status::OK);
    calls_.weights_sent_bytes.add(static_cast<double>(piece->size()));
    response_ = buffer_of(*std::move(piece));
    StartWrite(&response_);
  }

  WorkerCalls& calls_;
  PieceReader reader_;  // of one thread after another: the pool's, between two writes
  std::atomic<bool> gone_{false};
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

}  // namespace

grpc::ServerGenericBidiReactor* fetch_call(WorkerCalls& calls, std::string models_folder) {
  return new FetchCall(calls, std::move(models_folder));
}

}  // namespace binnacle::engine
