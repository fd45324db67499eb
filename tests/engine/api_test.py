"""The OpenAI-compatible front of `binnacle-engine serve`: answers, streams, stops, limits, errors, probes, reload."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time

from engine_cluster import BINARY, Cluster, Stream, get, post, stream_all

NEVER_END = {"257": -100}


def completion(cluster, **body):
    return post(cluster.port, "/v1/completions", {"prompt": "hello", "max_tokens": 12, "seed": 5,
                                                  "logit_bias": NEVER_END, **body})


def check_answers(cluster):
    status, models = 200, json.loads(get(cluster.port, "/v1/models")[1])
    assert models["data"][0]["id"] == "m", models
    status, one = completion(cluster)
    assert status == 200 and one["object"] == "text_completion", one
    assert one["usage"] == {"prompt_tokens": 6, "completion_tokens": 12, "total_tokens": 18}, one
    assert one["choices"][0]["finish_reason"] == "length"
    assert completion(cluster)[1]["choices"] == one["choices"], "the same seed, another answer"
    assert completion(cluster, seed=6)[1]["choices"] != one["choices"]
    several = completion(cluster, n=3)[1]["choices"]
    assert [c["index"] for c in several] == [0, 1, 2] and several[0]["text"] == one["choices"][0]["text"]
    assert len({c["text"] for c in several}) == 3
    echoed = completion(cluster, echo=True)[1]["choices"][0]["text"]
    assert echoed == "hello" + one["choices"][0]["text"]
    tokens = completion(cluster, return_token_ids=True)[1]["choices"][0]["token_ids"]
    by_ids = completion(cluster, prompt=[256, *b"hello"])[1]["choices"][0]["text"]
    assert by_ids == one["choices"][0]["text"] and len(tokens) == 12
    likely = completion(cluster, logprobs=3)[1]["choices"][0]["logprobs"]
    assert len(likely["tokens"]) == 12 and all(len(top) >= 1 for top in likely["top_logprobs"])
    assert all(value <= 0 for value in likely["token_logprobs"])
    forced = completion(cluster, logit_bias={"65": 100})[1]["choices"][0]["text"]
    assert forced == "A" * 12, forced
    status, chat = post(cluster.port, "/v1/chat/completions", {
        "model": "m", "messages": [{"role": "user", "content": "hi"}], "max_completion_tokens": 3, "temperature": 0,
        "logprobs": True, "top_logprobs": 2, "logit_bias": NEVER_END})
    assert status == 200 and chat["choices"][0]["message"]["role"] == "assistant", chat
    assert len(chat["choices"][0]["logprobs"]["content"]) == 3


def check_streams(cluster):
    whole = completion(cluster, return_token_ids=True)[1]["choices"][0]
    body = {"prompt": "hello", "max_tokens": 12, "seed": 5, "logit_bias": NEVER_END,
            "stream_options": {"include_usage": True}}
    stream = Stream(cluster.port, body)
    assert (stream.tokens, stream.text, stream.finish) == (whole["token_ids"], whole["text"], "length")
    assert stream.usage["completion_tokens"] == 12
    for cut in (0, 1, 7, 11, 12):
        rest = Stream(cluster.port, {**body, "continue_token_ids": whole["token_ids"][:cut]})
        assert rest.tokens == whole["token_ids"][cut:], f"continued at {cut}: {rest.error}"
        assert rest.usage["completion_tokens"] == 12
    # A stop string over the border of tokens: the text before it, and nothing of it.
    forced = {"prompt": "x", "max_tokens": 30, "temperature": 0, "logit_bias": {"65": 100}}
    stopped = Stream(cluster.port, {**forced, "stop": "AAAA"})
    assert (stopped.text, stopped.finish) == ("", "stop"), (stopped.text, stopped.finish)
    held = Stream(cluster.port, {**forced, "stop": ["AAAB"]})
    assert held.text == "A" * 30 and held.finish == "length"


REFUSED = [({"presence_penalty": 1}, "presence_penalty"), ({"tools": [{}]}, "tools"), ({"top_p": 0}, "top_p"),
           ({"response_format": {"type": "json_object"}}, "response_format"), ({"temperature": 3}, "temperature"),
           ({"max_tokens": 0}, "max_tokens"), ({"n": 1000}, "n"), ({"stop": [""]}, "stop"), ({"prompt": 7}, "prompt"),
           ({"logit_bias": {"999999": 1}}, "logit_bias"), ({"prompt": [1, -4]}, "prompt"), ({"seed": "x"}, "seed"),
           ({"prompt": "y" * 5000}, "prompt"), ({"max_tokens": 4000}, "prompt"), ({"min_p": 1}, "min_p"),
           ({"best_of": 4}, "best_of"), ({"continue_token_ids": [1], "n": 2}, "continue_token_ids"),
           ({"stream_options": {}}, "stream_options"), ({"logprobs": 99}, "logprobs")]


def check_refusals(cluster):
    for change, param in REFUSED:
        status, answer = completion(cluster, **change)
        assert status == 400 and answer["error"]["param"] == param, (change, status, answer)
        assert answer["error"]["type"] == "invalid_request_error" and answer["error"]["message"], answer
    status, answer = completion(cluster, model="other")
    assert status == 404 and answer["error"]["code"] == "model_not_found"
    long = completion(cluster, prompt="y" * 5000)[1]
    assert long["error"]["code"] == "context_length_exceeded", long
    connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=10)
    connection.request("POST", "/v1/completions", "{no json")
    assert connection.getresponse().status == 400
    connection.close()
    status, answer = post(cluster.port, "/v1/chat/completions", {"messages": [{"role": "king", "content": "x"}]})
    assert status == 400 and "king" in answer["error"]["message"]


def check_client_gone(cluster):
    connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=10)
    connection.request("POST", "/v1/completions", json.dumps({
        "prompt": "x", "max_tokens": 2000, "stream": True, "logit_bias": NEVER_END}))
    connection.getresponse().read(100)
    assert cluster.stats()["pipelines"][0]["running"] == 1
    connection.close()
    began = time.monotonic()
    cluster.wait_until(lambda: cluster.stats()["pipelines"][0]["running"] == 0)
    took = time.monotonic() - began
    assert took < 1, took
    assert cluster.stats()["pipelines"][0]["kv_positions_used"] == 0


def check_probes(cluster):
    assert get(cluster.port, "/health")[0] == get(cluster.port, "/live")[0] == 200
    metrics = get(cluster.port, "/metrics")[1]
    for name in ("llm_requests_running", "llm_prompt_tokens_total", "llm_generation_tokens_total",
                 "llm_time_to_first_token_seconds_bucket", "llm_inter_token_latency_seconds_bucket",
                 "llm_request_duration_seconds_bucket", "llm_requests_finished_total", "llm_model_info",
                 "llm_kv_cache_usage_ratio", "moe_inference_requests_total", "moe_concurrent_requests",
                 "binnacle_pipeline_hop_seconds_bucket"):
        assert name in metrics, name


def check_reload(cluster):
    before = completion(cluster)[1]["choices"][0]["text"]
    long = {"prompt": "x", "max_tokens": 1500, "seed": 2, "logit_bias": NEVER_END}
    undisturbed = Stream(cluster.port, long)
    running = []
    thread = threading.Thread(target=lambda: running.append(Stream(cluster.port, long)))
    thread.start()
    cluster.wait_until(lambda: cluster.stats()["pipelines"][0]["running"] == 1)
    subprocess.run([BINARY, "init", "--out", str(cluster.model), "--quiet", "--replace", "--seed", "99",
                    "--preset", "tiny"], check=True, stdout=subprocess.DEVNULL, timeout=30)
    status, _ = post(cluster.port, "/admin/reload", {})
    assert status == 202
    after = completion(cluster)[1]["choices"][0]["text"]
    thread.join()
    assert after != before, "the new weights give the old answer"
    assert running[0].tokens == undisturbed.tokens, "a running answer was ended by other weights"
    fresh = cluster.model / "fresh"  # replaced as writers do: the old file stays mapped
    fresh.write_bytes(b"broken")
    fresh.replace(cluster.model / "model.safetensors")
    status, answer = post(cluster.port, "/admin/reload", {})
    assert status >= 400 and answer["error"]["message"], answer
    assert completion(cluster)[1]["choices"][0]["text"] == after, "a broken checkpoint is not taken"


def check_drain(cluster):
    result = []
    long = {"prompt": "x", "max_tokens": 1000, "seed": 2, "logit_bias": NEVER_END}
    thread = threading.Thread(target=lambda: result.append(Stream(cluster.port, long)))
    thread.start()
    cluster.wait_until(lambda: cluster.stats()["pipelines"][0]["running"] == 1)
    cluster.serve.send_signal(signal.SIGTERM)
    thread.join()
    assert result[0].error is None and len(result[0].tokens) == 1000, "SIGTERM ended a running answer"
    assert cluster.serve.wait(timeout=20) == 0


def check_admission():
    options = ["--max-running", "1", "--max-waiting", "2"]
    with Cluster(0, ["--preset", "tiny"], options) as cluster:
        body = {"prompt": "x", "max_tokens": 1000, "logit_bias": NEVER_END}
        streams = stream_all(cluster.port, [body] * 8)
        refused = [s for s in streams if s.error]
        assert refused and all("rate_limit_error" in s.error for s in refused), [s.error for s in streams]
        assert len(streams) - len(refused) >= 3


def check_no_worker():
    with Cluster(1, ["--preset", "tiny"], ["--request-timeout", "1"]) as cluster:
        assert completion(cluster)[0] == 200
        cluster.workers[0].kill()
        cluster.workers[0].wait()
        cluster.wait_until(lambda: get(cluster.port, "/health")[0] == 503)
        assert "failed" in get(cluster.port, "/health")[1]
        status, answer = completion(cluster)
        assert status == 504 and "worker" in answer["error"]["message"], (status, answer)
        cluster.start_worker(0)
        cluster.wait_until(lambda: get(cluster.port, "/health")[0] == 200)
        assert completion(cluster)[0] == 200


def main():
    with Cluster(0, ["--preset", "tiny"]) as cluster:
        for check in (check_answers, check_streams, check_refusals, check_client_gone, check_probes, check_reload,
                      check_drain):
            check(cluster)
            print(check.__name__, "holds")
    check_admission()
    check_no_worker()
    print("admission and a model without workers hold")


if __name__ == "__main__":
    sys.exit(main())
