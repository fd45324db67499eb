#!/usr/bin/env python3
"""`promtool check config` and `binnacle config check --prometheus` judge the same files.

usage: check_config.py

Every file of the table below is given to both; a file that one accepts the other must accept, too. The few files
where a newer Prometheus than Debian's judges differently stand apart, with what we must say of them. Exit: 0 all is
well, 1 it is not, 77 promtool is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile

JOB = "scrape_configs:\n- job_name: a\n"


def job(*lines):
    return JOB + "".join("  %s\n" % line for line in lines)


def writes(*lines):
    return "remote_write:\n- url: http://x/write\n" + "".join("  %s\n" % line for line in lines)


def kubernetes(*lines):
    return job("kubernetes_sd_configs:", "-", *("  " + line for line in lines))


GOOD = [
    "",
    "global:\n",
    "scrape_configs: []\n",
    JOB,
    job("scrape_interval: 5s"),
    job("scrape_interval: 1m30s", "scrape_timeout: 1m30s", "metrics_path: /x", "scheme: https"),
    job("params:", "  'match[]': [up, 'x{a=\"b\"}']", "  a: []"),
    job("honor_labels: yes", "honor_timestamps: off"),
    job("body_size_limit: 10MB", "sample_limit: 5", "label_limit: 1", "label_name_length_limit: 2",
        "label_value_length_limit: 3", "target_limit: 4"),
    job("body_size_limit: 0", "sample_limit: 0x10"),
    job("body_size_limit: 1.5GiB"),
    job("static_configs:", "- targets: [a, 'b:1', '[::1]:2']", "  labels: {x: y, z: 5}"),
    job("static_configs: &t", "- targets: [a]") + "- job_name: b\n  static_configs: *t\n",
    job("basic_auth: {username: a, password: b}"),
    job("authorization: {credentials: c}"),
    job("authorization: {type: Custom, credentials: c}"),
    job("bearer_token: t"),
    job("oauth2: {client_id: a, client_secret: b, token_url: 'http://x/t', scopes: [s]}"),
    job("oauth2: {client_id: a, client_secret: b, token_url: 'http://x/t', endpoint_params: {a: b}}"),
    job("tls_config: {server_name: a, insecure_skip_verify: true, min_version: TLS12}"),
    job("proxy_url: http://p:1", "follow_redirects: false", "enable_http2: false"),
    job("relabel_configs:", "- source_labels: [a, b]", "  regex: (.*);(.*)", "  target_label: c", "  replacement: $1"),
    job("relabel_configs:", "- {action: Keep, source_labels: [a], regex: 'x|y'}"),
    job("relabel_configs:", "- {action: hashmod, source_labels: [a], modulus: 4, target_label: b}"),
    job("relabel_configs:", "- {action: labelmap, regex: 'x_(.+)', replacement: 'y_$1'}"),
    job("relabel_configs:", "- {action: labelmap, regex: 'x_(.+)'}"),
    job("relabel_configs:", "- {action: labeldrop, regex: x}", "- {action: labelkeep, regex: y}"),
    job("relabel_configs:", "- {action: lowercase, source_labels: [a], target_label: b}"),
    job("relabel_configs:", "- {source_labels: [a], target_label: 'x_${1}'}"),
    job("relabel_configs:", "- {action: keepequal, source_labels: [a], target_label: b}"),
    job("metric_relabel_configs:", "- {action: drop, source_labels: [__name__], regex: go_.*}"),
    job("relabel_configs: []", "static_configs: []"),
    job("file_sd_configs:", "- files: [a.json, 'x/*.yml', '/y/?.YAML']"),
    job("file_sd_configs:", "- {files: [a.json], refresh_interval: 1m}"),
    job("http_sd_configs:", "- {url: 'https://sd/x', refresh_interval: 5s, authorization: {credentials: t}}"),
    job("dns_sd_configs:", "- names: [_a._tcp.x]", "- {names: [b], type: A, port: 80}"),
    job("dns_sd_configs:", "- {names: [b], type: mx, port: 80}"),
    "global: {scrape_interval: 5s, evaluation_interval: 7s}\n" + JOB,
    "global: {scrape_interval: 5s, scrape_timeout: 5s}\n" + JOB,
    "global: {external_labels: {a: b, c: $X, d: '${Y}'}, query_log_file: q}\n",
    "rule_files: [none/*.yml]\n",
    "alerting:\n  alertmanagers:\n  - static_configs: [{targets: [a]}]\n    timeout: 5s\n    api_version: v2\n",
    "alerting:\n  alert_relabel_configs:\n  - {action: labeldrop, regex: x}\n",
    "alerting:\n  alertmanagers:\n  - dns_sd_configs: [{names: [a]}]\n    path_prefix: /x\n    scheme: https\n",
    writes(),
    writes("name: n", "remote_timeout: 5s", "headers: {X-A: b}", "send_exemplars: true"),
    writes("queue_config: {capacity: 5, max_shards: 2, min_shards: 1, min_backoff: 1s, max_backoff: 2s}"),
    writes("metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 7}"),
    writes("write_relabel_configs: [{action: drop, source_labels: [a], regex: b}]"),
    writes("basic_auth: {username: a}") + "- {url: 'http://y'}\n",
    "remote_read: [{url: 'http://x', required_matchers: {a: b}, read_recent: true}]\n",
    "storage: {exemplars: {max_exemplars: 5}, tsdb: {out_of_order_time_window: 5m}}\n",
    "tracing: {endpoint: 'x:1', client_type: http, sampling_fraction: 0.5}\n",
]

BAD = [
    "a: [\n",
    "scrape_config: []\n",
    "scrape_configs: {}\n",
    "scrape_configs: [~]\n",
    "scrape_configs:\n- {}\n",
    JOB + "- job_name: a\n",
    job("nonsense: 1"),
    job("scrape_interval: 5"),
    job("scrape_interval: 5 s"),
    job("scrape_interval: 1h5d"),
    job("scrape_interval: 5s", "scrape_timeout: 6s"),
    job("scrape_timeout: 61s"),
    job("params: {a: b}"),
    job("params: [a]"),
    job("honor_labels: maybe"),
    job("honor_labels: 'true'"),
    job("sample_limit: -1"),
    job("sample_limit: many"),
    job("body_size_limit: 10"),
    job("body_size_limit: 10XB"),
    job("static_configs:", "- targets: ['http://a/b']"),
    job("static_configs:", "- {target: [a]}"),
    job("static_configs:", "- {targets: a}"),
    job("static_configs: [~]"),
    job("basic_auth: {username: a}", "bearer_token: b"),
    job("basic_auth: {password: a, password_file: b}"),
    job("basic_auth: {user: a}"),
    job("authorization: {type: basic, credentials: c}"),
    job("authorization: {credentials: a, credentials_file: b}"),
    job("authorization: {credentials: c}", "oauth2: {client_id: a, client_secret: b, token_url: 'http://x'}"),
    job("bearer_token: t", "bearer_token_file: u"),
    job("tls_config: {ca_fille: x}"),
    job("tls_config: {cert_file: a}"),
    job("relabel_configs:", "- {action: foo}"),
    job("relabel_configs:", "- ~"),
    job("relabel_configs:", "- {action: replace, source_labels: [a]}"),
    job("relabel_configs:", "- {action: hashmod, source_labels: [a], target_label: b}"),
    job("relabel_configs:", "- {target_label: a, regex: '('}"),
    job("relabel_configs:", "- {target_label: a, regexp: x}"),
    job("relabel_configs:", "- {action: labeldrop, source_labels: [a], regex: x}"),
    job("relabel_configs:", "- {action: keepequal, source_labels: [a], target_label: b, regex: c}"),
    job("relabel_configs:", "- {action: uppercase, source_labels: [a], target_label: b, replacement: c}"),
    job("metric_relabel_configs: {}"),
    job("file_sd_configs:", "- {}"),
    job("file_sd_configs:", "- files: [a.txt]"),
    job("file_sd_configs:", "- files: ['*/a.json']"),
    job("http_sd_configs:", "- {}"),
    job("http_sd_configs:", "- url: 'ftp://x'"),
    job("http_sd_configs:", "- url: /x"),
    job("dns_sd_configs:", "- {}"),
    job("dns_sd_configs:", "- {names: [a], type: A}"),
    job("dns_sd_configs:", "- {names: [a], type: TXT, port: 1}"),
    kubernetes("namespaces: {names: [a]}"),
    kubernetes("role: pods"),
    kubernetes("role: pod", "bearer_token: t"),
    kubernetes("role: pod", "api_server: 'http://x'", "kubeconfig_file: /k"),
    kubernetes("role: pod", "api_server: 'http://x'", "namespaces: {own_namespace: true}"),
    kubernetes("role: node", "selectors:", "- {role: pod}"),
    kubernetes("role: pod", "selectors:", "- {role: pod, label: a}", "- {role: pod, label: b}"),
    "global: {scrape_interval: 5s, scrape_timeout: 6s}\n",
    "global: {scrape_intervall: 5s}\n",
    "global: {external_labels: [a]}\n",
    "rule_files: ['*/a.yml']\n",
    "alerting: {alertmanager: []}\n",
    "alerting:\n  alertmanagers:\n  - api_version: v3\n",
    "alerting:\n  alertmanagers:\n  - static_configs: [{targets: ['http://a']}]\n",
    "remote_write: [{}]\n",
    "remote_write: [~]\n",
    writes("name: n") + "- {url: 'http://x', name: n}\n",
    writes("headers: {Authorization: a}"),
    writes("headers: {Content-Encoding: a}"),
    writes("queue_config: {max_shard: 1}"),
    writes("basic_auth: {username: a}", "sigv4: {}"),
    "remote_read: [{}]\n",
    "remote_read: [{url: 'http://x', required_matcher: {}}]\n",
    "storage: {tsdb: {retention_time: 5m}}\n",
    "tracing: {insecure: true}\n",
    "tracing: {endpoint: x, colour: red}\n",
]

# Prometheus 3 takes these, which Debian's promtool does not know yet or was built without, or refuses what that one
# still takes. The first is taken by Prometheus itself, because relabelling can mend such an address; promtool looks closer.
GOOD_SINCE = [
    job("static_configs:", "- targets: ['http://a/b']", "relabel_configs:", "- target_label: x"),
    kubernetes("role: pod"),
    kubernetes("role: endpoints", "namespaces: {own_namespace: true, names: [a]}"),
    kubernetes("role: node", "api_server: 'https://k:6443'", "bearer_token: t"),
    kubernetes("role: endpointslice", "selectors:", "- {role: pod, label: 'a=b'}", "- {role: service, field: 'x=y'}"),
    kubernetes("role: pod", "attach_metadata: {node: true}"),
    kubernetes("role: ingress", "kubeconfig_file: /k"),
    job("consul_sd_configs:", "- server: 'x:8500'"),
    "scrape_config_files: [none/*.yml]\n",
    "global: {sample_limit: 5, keep_dropped_targets: 7, rule_query_offset: 1m}\n",
    job("enable_compression: false", "track_timestamps_staleness: true", "keep_dropped_targets: 5"),
    job("scrape_protocols: [PrometheusText0.0.4]", "fallback_scrape_protocol: PrometheusText0.0.4"),
    job("http_headers: {X-A: {values: [b]}}"),
    job("relabel_configs:", "- {source_labels: [a], target_label: 'with-dash'}"),
    writes("protobuf_message: prometheus.WriteRequest", "round_robin_dns: true"),
    "otlp: {promote_resource_attributes: [service.name]}\n",
    "runtime: {gogc: 75}\n",
]
BAD_SINCE = [
    job("scrape_protocols: [Text]"),
    writes("queue_config: {max_shards: 0}"),
    job("dns_sd_configs:", "- {names: [a], refresh_interval: 0s}"),
]


def accepts(command, path):
    done = subprocess.run(command + [path], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def main():
    promtool = shutil.which("promtool")
    if promtool is None:
        print("promtool is missing: install the Debian package prometheus")
        return 77
    theirs = [promtool, "check", "config"]
    ours = [os.environ["BINNACLE_BIN"], "config", "check", "--prometheus"]
    cases = [(text, True, True) for text in GOOD] + [(text, False, True) for text in BAD]
    cases += [(text, True, False) for text in GOOD_SINCE] + [(text, False, False) for text in BAD_SINCE]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (text, good, both) in enumerate(cases):
            path = os.path.join(folder, "prometheus-%d.yml" % number)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            for name, command in (("promtool", theirs), ("binnacle", ours)):
                if name == "promtool" and not both:
                    continue
                accepted, said = accepts(command, path)
                if accepted == good:
                    continue
                failures += 1
                print("%s %s:\n%s%s\n" % (name, "accepts" if accepted else "refuses", text, said))
    print("%d files judged, %d of them by both; %d judged otherwise than expected"
          % (len(cases), len(GOOD) + len(BAD), failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
