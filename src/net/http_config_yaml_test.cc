#include "net/http_config_yaml.h"

#include <gmock/gmock.h>

namespace binnacle::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

HttpClientConfig read(YamlDocument& document) {
  YamlMap map(document.root());
  HttpClientConfig config = read_http_config(map);
  map.finish();
  return config;
}

HttpClientConfig read(std::string_view yaml) {
  YamlDocument document("/etc/p/a.yml", yaml);
  HttpClientConfig config = read(document);
  EXPECT_TRUE(document.status()) << document.status().error().message;
  return config;
}

std::string problem_of(std::string_view yaml) {
  YamlDocument document("a.yml", yaml);
  (void)read(document);
  const Status status = document.status();
  return status ? "" : status.error().message;
}

TEST(HttpConfigYaml, ReadsEachWayToSayWhoWeAre) {
  const auto basic = read("basic_auth: {username: me, password_file: secret}");
  EXPECT_EQ(basic.basic_auth->username, "me");
  EXPECT_EQ(basic.basic_auth->password_file, "/etc/p/secret");
  EXPECT_EQ(read("authorization: {credentials: x}").authorization->type, "Bearer");
  EXPECT_EQ(read("bearer_token_file: t").authorization->credentials_file, "/etc/p/t");
  const auto oauth = read(R"(
oauth2:
  client_id: id
  client_secret: s
  token_url: https://x/t
  scopes: [a]
  endpoint_params: {b: c}
  tls_config: {ca_file: ca.pem}
)");
  EXPECT_EQ(oauth.oauth2->client_id, "id");
  EXPECT_THAT(oauth.oauth2->endpoint_params, ElementsAre(Pair("b", "c")));
  EXPECT_EQ(oauth.oauth2->tls.ca_file, "/etc/p/ca.pem");
}

TEST(HttpConfigYaml, ReadsTlsProxyAndHeaders) {
  const auto config = read(R"(
tls_config: {ca_file: /ca, cert_file: c, key_file: k, server_name: n, insecure_skip_verify: true}
proxy_url: http://proxy:3128
no_proxy: a,b
follow_redirects: false
http_headers:
  X-Tenant: {values: [one], secrets: [two], files: [three]}
)");
  EXPECT_EQ(config.tls.certificate_file, "/etc/p/c");
  EXPECT_EQ(config.tls.server_name, "n");
  EXPECT_TRUE(config.tls.insecure_skip_verify);
  EXPECT_EQ(config.proxy_url, "http://proxy:3128");
  EXPECT_FALSE(config.follow_redirects);
  EXPECT_THAT(config.headers, ElementsAre(Pair("X-Tenant", "one"), Pair("X-Tenant", "two")));
  EXPECT_THAT(config.header_files, ElementsAre(Pair("X-Tenant", "/etc/p/three")));
}

TEST(HttpConfigYaml, RefusesContradictions) {
  EXPECT_THAT(problem_of("{basic_auth: {username: a}, bearer_token: b}"), HasSubstr("keep one"));
  EXPECT_THAT(problem_of("{authorization: {credentials: a}, bearer_token: b}"),
              HasSubstr("keep authorization"));
  EXPECT_THAT(problem_of("basic_auth: {password: a, password_file: b}"),
              HasSubstr("basic_auth: password and password_file are both given"));
  EXPECT_THAT(problem_of("authorization: {type: Basic}"), HasSubstr("basic_auth instead"));
  EXPECT_THAT(problem_of("oauth2: {client_id: a, client_secret: b}"), HasSubstr("token_url"));
  EXPECT_THAT(problem_of("no_proxy: a"), HasSubstr("without a proxy_url"));
  EXPECT_THAT(problem_of("{proxy_url: 'http://p', proxy_from_environment: true}"),
              HasSubstr("both given"));
  EXPECT_THAT(problem_of("tls_config: {cert_file: a}"), HasSubstr("go together"));
  EXPECT_THAT(problem_of("http_headers: {authorization: {values: [a]}}"),
              HasSubstr("not set here"));
  EXPECT_THAT(problem_of("tls_config: {ca: PEM, ca_file: a}"), HasSubstr("both given"));
  EXPECT_THAT(problem_of("tls_config: {ca_fil: a}"), HasSubstr("did you mean ca_file?"));
}

TEST(HttpConfigYaml, NamesWhatHasNoEffect) {
  YamlDocument document("a.yml",
                        "{enable_http2: true, tls_config: {ca_ref: x, min_version: TLS13}}");
  (void)read(document);
  EXPECT_TRUE(document.status());
  EXPECT_THAT(document.warnings().lines(),
              ElementsAre(HasSubstr("tls_config.ca_ref: "), HasSubstr("tls_config.min_version: "),
                          HasSubstr("enable_http2: ")));
}

}  // namespace
}  // namespace binnacle::net
