#include "net/tls_transport.h"

#include "net/deadline.h"
#include "net/peer_certificate.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <ctime>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kShutdownTimeout{1000};
constexpr size_t kRecordBytes = 16 * 1024;  // the most that one TLS record holds

constexpr int kMaxNames = 100;

std::string text_of(const X509_NAME* name) {
  BIO* out = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string printed(text, static_cast<size_t>(size));
  BIO_free(out);
  return printed;
}

std::string printed(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

int64_t wall_ms(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return static_cast<int64_t>(timegm(&parts)) * 1000;
}

std::string text_of(const GENERAL_NAME* name) {
  int kind = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &kind));
  if (kind != GEN_DNS && kind != GEN_IPADD) return {};
  const unsigned char* bytes = ASN1_STRING_get0_data(value);
  const auto size = static_cast<size_t>(ASN1_STRING_length(value));
  if (kind == GEN_DNS) return {reinterpret_cast<const char*>(bytes), size};
  if (size == 4) {
    asio::ip::address_v4::bytes_type address{};
    std::copy_n(bytes, size, address.begin());
    return asio::ip::make_address_v4(address).to_string();
  }
  if (size != 16) return {};
  asio::ip::address_v6::bytes_type address{};
  std::copy_n(bytes, size, address.begin());
  return asio::ip::make_address_v6(address).to_string();
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < kMaxNames; ++i) {
    if (auto text = text_of(sk_GENERAL_NAME_value(names, i)); !text.empty())
      out.push_back(std::move(text));
  }
  GENERAL_NAMES_free(names);
  return out;
}

// What the verification of a certificate stumbled over; of the connection, so that the handshake's
// error can name it.
int refusal_slot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

int look_at_certificate(int fine, X509_STORE_CTX* verification) {
  if (fine == 1) return fine;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* text = static_cast<std::string*>(SSL_get_ex_data(ssl, refusal_slot()));
  const X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  if (text == nullptr || certificate == nullptr) return fine;
  *text = text_of(X509_get_subject_name(certificate));
  switch (X509_STORE_CTX_get_error(verification)) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      *text += ", valid until " + printed(X509_get0_notAfter(certificate));
      break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      *text += ", valid from " + printed(X509_get0_notBefore(certificate));
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      for (const std::string& name : names_of(certificate)) *text += ", " + name;
      break;
    default:
      *text += ", issued by " + text_of(X509_get_issuer_name(certificate));
      break;
  }
  return fine;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {
    SSL_set_ex_data(ssl(), refusal_slot(), &refused_);
    error_code ignored;
    stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  asio::awaitable<Status> handshake(asio::ssl::stream_base::handshake_type side,
                                    Deadline& deadline) {
    deadline.on_expiry([this] { close(); });
    const auto [error] = co_await stream_.async_handshake(side, kAwait);
    deadline.on_expiry(nullptr);
    if (deadline.expired())
      co_return fail(Code::kDeadlineExceeded, "TLS handshake: not done in time");
    if (error) co_return fail(handshake_error(error));
    co_return Status{};
  }

  asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override {
    return stream_.async_read_some(buffer, kAwait);
  }

  asio::awaitable<IoResult> write(asio::const_buffer first, asio::const_buffer second) override {
    // A small header and body go as one record; large ones are not worth the copy.
    if (second.size() > 0 && first.size() + second.size() <= kRecordBytes) {
      joined_.assign(static_cast<const char*>(first.data()), first.size());
      joined_.append(static_cast<const char*>(second.data()), second.size());
      first = asio::buffer(joined_);
      second = {};
    }
    size_t done = 0;
    for (asio::const_buffer part : {first, second}) {
      while (part.size() > 0) {
        const auto [error, n] = co_await stream_.async_write_some(part, kAwait);
        if (error) co_return IoResult{error, done};
        part += n;
        done += n;
      }
    }
    co_return IoResult{error_code{}, done};
  }

  asio::awaitable<void> shutdown() override {
    Deadline deadline(stream_.get_executor(), kShutdownTimeout, [this] { close(); });
    co_await stream_.async_shutdown(kAwait);
    close();
  }

  void close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

  void cancel() override {
    error_code ignored;
    stream_.next_layer().cancel(ignored);
  }

  bool is_open() const override { return stream_.next_layer().is_open(); }

  bool is_quiet() override {
    if (SSL_pending(stream_.native_handle()) > 0) return false;
    char byte;
    error_code error;
    auto& socket = stream_.next_layer();
    socket.non_blocking(true, error);
    if (!error) socket.receive(asio::buffer(&byte, 1), asio::ip::tcp::socket::message_peek, error);
    return error == asio::error::would_block;
  }

  asio::any_io_executor executor() override { return stream_.get_executor(); }

  std::optional<PeerCertificate> peer_certificate() override {
    X509* certificate = SSL_get1_peer_certificate(ssl());
    if (certificate == nullptr) return std::nullopt;
    PeerCertificate out{.subject = text_of(X509_get_subject_name(certificate)),
                        .issuer = text_of(X509_get_issuer_name(certificate)),
                        .names = names_of(certificate),
                        .not_before_ms = wall_ms(X509_get0_notBefore(certificate)),
                        .not_after_ms = wall_ms(X509_get0_notAfter(certificate))};
    X509_free(certificate);
    return out;
  }

  SSL* ssl() { return stream_.native_handle(); }

 private:
  Error handshake_error(error_code error) {
    const long verdict = SSL_get_verify_result(ssl());
    if (verdict != X509_V_OK) {
      return {Code::kUnauthenticated, std::string("TLS handshake: certificate refused: ") +
                                          X509_verify_cert_error_string(verdict) +
                                          (refused_.empty() ? "" : " (" + refused_ + ")")};
    }
    // A peer that simply went away is a network matter; all else is TLS itself.
    const bool network = error.category() == boost::system::system_category() ||
                         error == asio::error::eof || error == asio::ssl::error::stream_truncated;
    return {network ? Code::kUnavailable : Code::kUnauthenticated,
            "TLS handshake: " + error.message()};
  }

  const std::shared_ptr<asio::ssl::context> context_;  // Fixed after construction
  // I/O thread only
  std::string refused_;  // the certificate that did not verify; before stream_, which points to it
  TlsStream stream_;
  std::string joined_;
};

std::string subject_of_peer(SSL* ssl) {
  X509* certificate = SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return {};
  std::string subject;
  if (SSL_get_verify_result(ssl) == X509_V_OK)
    subject = text_of(X509_get_subject_name(certificate));
  X509_free(certificate);
  return subject;
}

Status expect_peer(SSL* ssl, const TlsPeer& peer) {
  error_code not_address;
  const auto address = asio::ip::make_address(peer.server_name, not_address);
  if (not_address && SSL_set_tlsext_host_name(ssl, peer.server_name.c_str()) != 1) {
    return fail(Code::kInvalidArgument, "TLS: not a host name (" + peer.server_name + ")");
  }
  if (!peer.verify) {
    SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    return {};
  }
  SSL_set_verify(ssl, SSL_VERIFY_PEER, look_at_certificate);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = not_address
                      ? X509_VERIFY_PARAM_set1_host(parameters, peer.server_name.c_str(), 0)
                      : X509_VERIFY_PARAM_set1_ip_asc(parameters, address.to_string().c_str());
  if (set != 1)
    return fail(Code::kInvalidArgument, "TLS: not a host name (" + peer.server_name + ")");
  return {};
}

}  // namespace

asio::awaitable<Result<AcceptedTls>> accept_tls(asio::ip::tcp::socket socket,
                                                std::shared_ptr<asio::ssl::context> context,
                                                std::chrono::milliseconds timeout) {
  Deadline deadline(socket.get_executor(), timeout);
  auto transport = std::make_unique<TlsTransport>(std::move(socket), std::move(context));
  auto done = co_await transport->handshake(asio::ssl::stream_base::server, deadline);
  if (!done) co_return fail(std::move(done).error());
  std::string subject = subject_of_peer(transport->ssl());
  co_return AcceptedTls{std::move(transport), std::move(subject)};
}

asio::awaitable<Result<std::unique_ptr<Transport>>> connect_tls(
    asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context, TlsPeer peer,
    Deadline& deadline) {
  auto transport = std::make_unique<TlsTransport>(std::move(socket), std::move(context));
  if (auto ready = expect_peer(transport->ssl(), peer); !ready)
    co_return fail(std::move(ready).error());
  auto done = co_await transport->handshake(asio::ssl::stream_base::client, deadline);
  if (!done) co_return fail(std::move(done).error());
  co_return transport;
}

}  // namespace binnacle::net
