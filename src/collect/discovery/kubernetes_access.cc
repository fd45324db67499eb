#include "collect/discovery/kubernetes_access.h"

#include <cstdlib>

#include "base/trailing_slash.h"
#include "base/yaml_reader.h"
#include "net/base64.h"
#include "net/http_config_yaml.h"

namespace binnacle::collect::discovery {
namespace {

constexpr size_t kMaxNamespaceBytes = 4'096;

Result<KubernetesAccess> as_pod(const KubernetesSdConfig& config, FileSystem& files,
                                const PodEnvironment& pod) {
  const std::string host = pod.variable("KUBERNETES_SERVICE_HOST");
  const std::string port = pod.variable("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return fail(Code::kFailedPrecondition,
                "kubernetes: not in a pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
                "not set): give api_server or kubeconfig_file");
  }
  KubernetesAccess access;
  const bool six = host.find(':') != std::string::npos;
  access.server = "https://" + (six ? "[" + host + "]" : host) + ":" + port;
  access.http.tls.ca_file = pod.service_account_folder + "/ca.crt";
  access.http.authorization =
      net::Authorization{.credentials_file = pod.service_account_folder + "/token"};
  if (config.own_namespace) {
    TRY_ASSIGN(access.own_namespace,
               files.read_file(pod.service_account_folder + "/namespace", kMaxNamespaceBytes));
    while (access.own_namespace.ends_with('\n')) access.own_namespace.pop_back();
  }
  return access;
}

// The entry of a kubeconfig's list that has the name, its inner map; nothing when there is none.
std::optional<YamlValue> named(YamlMap& root, std::string_view list, const std::string& name,
                               std::string_view inner) {
  const auto entries = root.field(list);
  if (!entries) return std::nullopt;
  for (const YamlValue& entry : entries->items()) {
    YamlMap map(entry);
    std::string found;
    map.read("name", found);
    if (found == name) return map.field(inner);
  }
  return std::nullopt;
}

// "<name>" names a file, "<name>-data" holds what it would hold, in Base64, and wins.
void read_pem(YamlMap& map, const std::string& name, std::string& file, std::string& pem) {
  map.file(name, file);
  const auto data = map.field(name + "-data");
  if (!data) return;
  const auto coded = data->text();
  const auto decoded = coded ? net::decode_base64(*coded) : std::nullopt;
  if (!decoded || decoded->empty()) return data->problem("no Base64: write it as kubectl does");
  pem = *decoded;
  file.clear();
}

void read_cluster(const YamlValue& value, KubernetesAccess& access) {
  YamlMap map(value);
  map.read("server", access.server);
  access.server = without_trailing_slash(access.server);
  if (access.server.empty()) {
    value.problem("server is missing");
  } else {
    net::check_url(value, access.server);
  }
  read_pem(map, "certificate-authority", access.http.tls.ca_file, access.http.tls.ca_pem);
  map.read("insecure-skip-tls-verify", access.http.tls.insecure_skip_verify);
  map.read("tls-server-name", access.http.tls.server_name);
  map.read("proxy-url", access.http.proxy_url);
}

void read_user(const YamlValue& value, KubernetesAccess& access) {
  YamlMap map(value);
  net::Authorization authorization;
  map.read("token", authorization.credentials);
  map.file("tokenFile", authorization.credentials_file);
  if (!authorization.credentials_file.empty()) authorization.credentials.clear();
  if (!authorization.credentials.empty() || !authorization.credentials_file.empty()) {
    access.http.authorization = authorization;
  }
  net::BasicAuth basic;
  map.read("username", basic.username);
  map.read("password", basic.password);
  if (!basic.username.empty() && !access.http.authorization) access.http.basic_auth = basic;
  net::TlsClientOptions& tls = access.http.tls;
  read_pem(map, "client-certificate", tls.certificate_file, tls.certificate_pem);
  read_pem(map, "client-key", tls.key_file, tls.key_pem);
  for (const char* name : {"exec", "auth-provider"}) {
    if (const auto found = map.field(name)) {
      found->problem("no programs are run to log in: use a token or a certificate");
    }
  }
}

Result<KubernetesAccess> by_kubeconfig(const std::string& path, FileSystem& files) {
  TRY_ASSIGN(const std::string text, files.read_file(path, kMaxConfigBytes));
  YamlDocument document(path, text);
  YamlMap root(document.root());
  KubernetesAccess access;
  std::string current;
  root.read("current-context", current);
  const auto context = named(root, "contexts", current, "context");
  if (!context) {
    document.root().problem("current-context names no context", current, "name one of the file");
    return fail(document.problems().to_error());
  }
  YamlMap fields(*context);
  std::string cluster;
  std::string user;
  fields.read("cluster", cluster);
  fields.read("user", user);
  if (const auto found = named(root, "clusters", cluster, "cluster")) {
    read_cluster(*found, access);
  } else {
    context->problem("names no cluster of the file", cluster, "name one");
  }
  if (const auto found = named(root, "users", user, "user")) read_user(*found, access);
  TRY(document.status());
  return access;
}

}  // namespace

PodEnvironment PodEnvironment::of_process() {
  PodEnvironment pod;
  pod.variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
  };
  return pod;
}

Result<KubernetesAccess> find_kubernetes(const KubernetesSdConfig& config, FileSystem& files,
                                         const PodEnvironment& pod) {
  if (!config.api_server.empty()) {
    return KubernetesAccess{without_trailing_slash(config.api_server), config.http, ""};
  }
  if (!config.kubeconfig_file.empty()) return by_kubeconfig(config.kubeconfig_file, files);
  return as_pod(config, files, pod);
}

}  // namespace binnacle::collect::discovery
