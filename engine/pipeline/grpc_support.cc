#include "engine/pipeline/grpc_support.h"

#include <memory>

#include "engine/pipeline/pipeline_messages.h"
#include "net/tls.h"
#include "net/tls_files.h"

namespace binnacle::engine {
namespace {

struct Material {
  std::string certificate;
  std::string key;
  std::string ca;
};

// Looked at with OpenSSL first: gRPC would say nothing of use about a file that is wrong.
Result<Material> read_material(const PipelineTls& tls, FileSystem& files) {
  if (tls.certificate_file.empty() || tls.key_file.empty() || tls.ca_file.empty()) {
    return fail(Code::kInvalidArgument,
                "TLS between workers needs three files: certificate, key, and the CA that signed "
                "the peers' certificates");
  }
  TRY(net::TlsServerContext::load(files, {.certificate_file = tls.certificate_file,
                                          .key_file = tls.key_file,
                                          .client_ca_file = tls.ca_file,
                                          .require_client_certificate = true}));
  TRY_ASSIGN(auto certificate, net::read_pem_file(files, tls.certificate_file, "certificate"));
  TRY_ASSIGN(auto key, net::read_pem_file(files, tls.key_file, "key"));
  TRY_ASSIGN(auto ca, net::read_pem_file(files, tls.ca_file, "CA"));
  return Material{std::move(certificate.bytes), std::move(key.bytes), std::move(ca.bytes)};
}

}  // namespace

grpc::ByteBuffer buffer_of(std::string bytes) {
  auto owned = std::make_unique<std::string>(std::move(bytes));
  char* const data = owned->data();
  const size_t size = owned->size();
  const grpc::Slice slice(
      data, size, [](void* string) { delete static_cast<std::string*>(string); }, owned.release());
  return grpc::ByteBuffer(&slice, 1);
}

BufferBytes::BufferBytes(const grpc::ByteBuffer& buffer) {
  if (!buffer.TrySingleSlice(&slice_).ok()) {
    if (!buffer.DumpToSingleSlice(&slice_).ok()) slice_ = grpc::Slice();
  }
}

grpc::Status grpc_status(const Error& error) {
  return {static_cast<grpc::StatusCode>(grpc_number(error.code)), error.message};
}

Error error_of(const grpc::Status& status) {
  return {code_of_grpc_number(static_cast<uint32_t>(status.error_code())), status.error_message()};
}

Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const PipelineTls& tls,
                                                                    FileSystem& files) {
  if (!tls.on()) return grpc::InsecureServerCredentials();
  TRY_ASSIGN(const Material material, read_material(tls, files));
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = material.ca;
  options.pem_key_cert_pairs.push_back({material.key, material.certificate});
  return grpc::SslServerCredentials(options);
}

Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(const PipelineTls& tls,
                                                                      FileSystem& files) {
  if (!tls.on()) return grpc::InsecureChannelCredentials();
  TRY_ASSIGN(const Material material, read_material(tls, files));
  return grpc::SslCredentials({.pem_root_certs = material.ca,
                               .pem_private_key = material.key,
                               .pem_cert_chain = material.certificate});
}

}  // namespace binnacle::engine
