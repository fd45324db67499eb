"""Ways that other tests do not go: no worker left, two replicas, mTLS, bf16 hops, new checkpoints by signal and by watching."""

import signal
import subprocess
import sys
import tempfile
import threading

from engine_cluster import BINARY, Cluster, Stream, post, stream_all

SHAPE = ["--preset", "tiny", "--layers", "6"]
NEVER_END = {"257": -100}


def body(i=0, tokens=12):
    return {"prompt": f"hello {i}", "max_tokens": tokens, "seed": i, "logit_bias": NEVER_END}


def answer(cluster):
    status, got = post(cluster.port, "/v1/completions", body())
    assert status == 200, got
    return got["choices"][0]["text"]


def streams_meanwhile(cluster, happens, count=8, tokens=400):
    """The tokens of streams in whose time something happens."""
    got = []
    thread = threading.Thread(target=lambda: got.extend(
        stream_all(cluster.port, [body(i, tokens) for i in range(count)])))
    thread.start()
    cluster.wait_until(lambda: cluster.metric("llm_requests_running") == count)
    happens()
    thread.join()
    for stream in got:
        assert stream.error is None and len(stream.tokens) == tokens, stream.error
    return [stream.tokens for stream in got]


def workers_of(cluster):
    return [{stage["worker"] for stage in pipeline["stages"]} for pipeline in cluster.stats()["pipelines"]]


def kill(cluster, i):
    cluster.workers[i].kill()
    cluster.workers[i].wait()


def check_local_fallback():
    """All workers die under streams: this process goes on, and hands over to workers that come back."""
    with Cluster(2, SHAPE, ["--min-stages", "2"], local_fallback=True) as cluster:
        cluster.wait_until(lambda: cluster.stages() == [2])
        undisturbed = streams_meanwhile(cluster, lambda: None)
        assert streams_meanwhile(cluster, lambda: (kill(cluster, 0), kill(cluster, 1))) == undisturbed
        assert workers_of(cluster) == [{"local"}], workers_of(cluster)
        cluster.start_worker(0)
        cluster.start_worker(1)
        cluster.wait_until(lambda: "local" not in workers_of(cluster)[0] and cluster.stages() == [2])
        assert streams_meanwhile(cluster, lambda: None) == undisturbed


def check_replicas():
    """Requests are spread over two pipelines; the sequences of one that dies move to the other."""
    with Cluster(2, SHAPE, ["--replicas", "2"]) as cluster:
        cluster.wait_until(lambda: cluster.stages() == [1, 1])
        spread = []

        def look():
            cluster.wait_until(lambda: all(p["running"] > 0 for p in cluster.stats()["pipelines"]))
            spread.append(True)

        undisturbed = streams_meanwhile(cluster, look)
        assert spread
        assert streams_meanwhile(cluster, lambda: kill(cluster, 0)) == undisturbed
        cluster.wait_until(lambda: sorted(cluster.stages()) == [0, 1])
        cluster.start_worker(0)
        cluster.wait_until(lambda: cluster.stages() == [1, 1])


def check_bf16_hops():
    with Cluster(2, SHAPE, ["--min-stages", "2", "--bf16-hops"]) as cluster:
        cluster.wait_until(lambda: cluster.stages() == [2])
        first = streams_meanwhile(cluster, lambda: None, tokens=100)
        assert streams_meanwhile(cluster, lambda: None, tokens=100) == first
        assert len({tuple(tokens) for tokens in first}) == len(first)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


def certificates(folder, name):
    """A certificate for 127.0.0.1 of a CA of its own, as options."""
    ca, key, request, cert = (f"{folder}/{name}{end}" for end in ("-ca.pem", ".key", ".csr", ".pem"))
    ca_key = f"{folder}/{name}-ca.key"
    make = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *make, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", f"/CN={name} authority")
    openssl("req", *make, "-keyout", key, "-out", request, "-subj", f"/CN={name}",
            "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert,
            "-days", "2", "-copy_extensions", "copy")
    return ["--tls-cert", cert, "--tls-key", key, "--tls-ca", ca]


def check_mtls():
    with tempfile.TemporaryDirectory() as folder:
        ours, others = certificates(folder, "ours"), certificates(folder, "others")
        with Cluster(2, SHAPE, ["--min-stages", "2", *ours], lambda i: ours) as cluster:
            cluster.wait_until(lambda: cluster.stages() == [2])
            text = answer(cluster)
            for wrong in (others, []):
                cluster.serve.kill()
                cluster.serve.wait()
                cluster.serve_options = ["--min-stages", "2", *wrong]  # and so it falls back to itself
                cluster.start_serve()
                assert workers_of(cluster) == [{"local"}], workers_of(cluster)
                assert answer(cluster) == text


def write_weights(cluster, seed):
    subprocess.run([BINARY, "init", "--out", str(cluster.model), "--quiet", "--replace", "--seed", str(seed), *SHAPE],
                   check=True, stdout=subprocess.DEVNULL, timeout=30)


def check_new_checkpoints(options, taken_up):
    """Another folder of weights under streams that end on the old ones."""
    with Cluster(2, SHAPE, ["--min-stages", "2", *options]) as cluster:
        cluster.wait_until(lambda: cluster.stages() == [2])
        old = answer(cluster)
        undisturbed = streams_meanwhile(cluster, lambda: None)

        def renew():
            write_weights(cluster, 99)
            taken_up(cluster)

        assert streams_meanwhile(cluster, renew) == undisturbed
        cluster.wait_until(lambda: answer(cluster) != old)
        assert cluster.stages() == [2]
        assert Stream(cluster.port, body()).text == answer(cluster)


def main():
    for name, check in {
            "local fallback": check_local_fallback, "two replicas": check_replicas, "bf16 hops": check_bf16_hops,
            "mTLS": check_mtls,
            "SIGHUP": lambda: check_new_checkpoints([], lambda c: c.serve.send_signal(signal.SIGHUP)),
            "watching": lambda: check_new_checkpoints(["--watch-checkpoint", "0.2"], lambda c: None)}.items():
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            check()
            print(name, "holds", flush=True)


if __name__ == "__main__":
    sys.exit(main())
