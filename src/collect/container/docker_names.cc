#include "collect/container/container_names.h"
#include "net/client.h"

namespace binnacle::collect::container {
namespace {

constexpr std::chrono::milliseconds kTimeout{2000};
constexpr size_t kMaxBodyBytes = size_t{16} << 20;

class DockerNames final : public NameSource {
 public:
  DockerNames(FileSystem& files, std::string socket_path)
      : files_(files), socket_path_(std::move(socket_path)) {}

  Result<std::map<std::string, ContainerName>> names() override {
    if (!files_.exists(socket_path_)) {
      return fail(Code::kNotFound, "Docker's socket " + socket_path_ + " is not there");
    }
    if (io_ == nullptr) connect();
    net::ClientRequest request;
    request.url = "http://docker/containers/json";
    request.timeout = kTimeout;
    request.max_body_bytes = kMaxBodyBytes;
    TRY_ASSIGN(const net::Response response, client_->send_blocking(*io_, std::move(request)));
    if (response.status != 200) {
      return fail(Code::kUnavailable,
                  "Docker's list of containers: HTTP " + std::to_string(response.status));
    }
    return parse_docker_list(response.body);
  }

 private:
  // Where there is no Docker there is no thread for it.
  void connect() {
    net::ClientOptions options;
    options.unix_socket = socket_path_;
    options.proxy_from_environment = false;
    options.max_idle_per_host = 0;
    io_ = std::make_unique<net::IoThreads>(1);
    io_->start();
    client_ = std::make_unique<net::Client>(options, files_);
  }

  // Fixed after construction.
  FileSystem& files_;
  const std::string socket_path_;

  std::unique_ptr<net::IoThreads> io_;  // outlives the client
  std::unique_ptr<net::Client> client_;
};

}  // namespace

std::unique_ptr<NameSource> docker_names(FileSystem& files, std::string socket_path) {
  return std::make_unique<DockerNames>(files, std::move(socket_path));
}

}  // namespace binnacle::collect::container
