#!/usr/bin/env python3
"""An inference engine without a model: an HTTP front and a worker, two processes as in vLLM, with vLLM's
metrics under their own names. Requests are batched, wait their turn and get their tokens one by one, so that
what stops them (a stopped worker, a scheduler that stands still) shows as it does in a real one.

Prints `ready PORT WORKER_PID`. `--like vllm` is what the search for engines reads in its command line.
POST /control {"mode": M} changes how the worker behaves from then on:

  work        as it should
  stall       its scheduler does nothing more, and sleeps
  spin        the same, burning a core
  stall_long  requests for more than 4 tokens get no more of them, short ones do
  keepalive   no tokens; streams are kept open by comments
"""
import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time

MODEL = "simulated-8b"


def worker(options):
    """Reads requests and modes as lines, writes tokens and its state as lines, step by step."""
    lock, arrived, mode = threading.Lock(), [], ["work"]

    def read():
        for line in sys.stdin:
            order = json.loads(line)
            with lock:
                if "mode" in order:
                    mode[0] = order["mode"]
                else:
                    arrived.append(order)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    waiting, running = [], {}
    state = {"generated": 0, "prompt": 0, "finished": 0}
    told = None
    while True:
        began = time.monotonic()
        with lock:
            new, arrived[:] = arrived[:], []
            how = mode[0]
        if how in ("stall", "spin"):
            with lock:
                arrived[:0] = new
            if how == "stall":
                time.sleep(0.02)
            continue
        cancelled = {order["cancel"] for order in new if "cancel" in order}
        waiting = [r for r in waiting + [o for o in new if "id" in o] if r["id"] not in cancelled]
        for gone in cancelled:
            running.pop(gone, None)
        while waiting and len(running) < options.max_running:
            request = waiting.pop(0)
            running[request["id"]] = request
            state["prompt"] += request["prompt"]
        given, ended = [], []
        for key, request in running.items():
            if how == "keepalive" or (how == "stall_long" and request["tokens"] > 4 and request["given"] >= 2):
                continue
            request["given"] += 1
            state["generated"] += 1
            given.append(key)
            if request["given"] >= request["tokens"]:
                ended.append(key)
        for key in ended:
            del running[key]
            state["finished"] += 1
        now = {"given": given, "ended": ended, "running": len(running), "waiting": len(waiting),
               "kv": sum(r["prompt"] + r["given"] for r in running.values()) / 500_000, **state}
        if now != told:
            sys.stdout.write(json.dumps(now) + "\n")
            sys.stdout.flush()
            told = now
        time.sleep(max(0, options.step - (time.monotonic() - began)))


class Front:
    def __init__(self, options, process):
        self.options, self.process = options, process
        self.state = {"running": 0, "waiting": 0, "kv": 0, "generated": 0, "prompt": 0, "finished": 0}
        self.streams, self.next_id, self.keepalive = {}, 0, False

    def tell(self, **order):
        self.process.stdin.write((json.dumps(order) + "\n").encode())
        self.process.stdin.flush()

    def heard(self, now):
        self.state = now
        ended = set(now["ended"])
        for key in now["given"]:
            if key in self.streams:
                self.streams[key].put_nowait(key in ended)

    def metrics(self):
        lines = []
        for name, kind, value in (
                ("num_requests_running", "gauge", self.state["running"]),
                ("num_requests_waiting", "gauge", self.state["waiting"]),
                ("kv_cache_usage_perc", "gauge", self.state["kv"]),
                ("prompt_tokens_total", "counter", self.state["prompt"]),
                ("generation_tokens_total", "counter", self.state["generated"]),
                ("num_preemptions_total", "counter", 0)):
            lines += [f"# TYPE vllm:{name} {kind}", f'vllm:{name}{{engine="0",model_name="{MODEL}"}} {value}']
        lines += ["# TYPE vllm:request_success_total counter",
                  f'vllm:request_success_total{{engine="0",finished_reason="stop",model_name="{MODEL}"}} '
                  f'{self.state["finished"]}']
        return "\n".join(lines) + "\n"

    async def complete(self, body, writer):
        request = json.loads(body)
        self.next_id += 1
        key, queue = self.next_id, asyncio.Queue()
        self.streams[key] = queue
        self.tell(id=key, tokens=int(request.get("max_tokens", 16)), given=0,
                  prompt=len(str(request.get("prompt", ""))) // 4 + 1)
        stream, count, last = bool(request.get("stream")), 0, False
        if stream:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        try:
            while not last:
                try:
                    last = await asyncio.wait_for(queue.get(), 0.5)
                except asyncio.TimeoutError:
                    if writer.is_closing():
                        raise ConnectionResetError
                    if stream and self.keepalive:
                        writer.write(b": keep-alive\n\n")
                        await writer.drain()
                    continue
                count += 1
                if stream:
                    choice = {"index": 0, "text": "a ", "finish_reason": "length" if last else None}
                    writer.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
                    await writer.drain()
            if stream:
                writer.write(b"data: [DONE]\n\n")
            else:
                choice = {"index": 0, "text": "a " * count, "finish_reason": "length"}
                self.answer(writer, json.dumps({"choices": [choice], "usage": {"completion_tokens": count}}))
        except ConnectionError:
            self.tell(cancel=key)
        finally:
            del self.streams[key]

    def answer(self, writer, text, kind="application/json", status="200 OK"):
        data = text.encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
                     "Connection: close\r\n\r\n".encode() + data)

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path = head.split(" ")[:2]
            length = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            body = await reader.readexactly(int(length[0].split(":")[1])) if length else b""
            if path == "/metrics":
                self.answer(writer, self.metrics(), "text/plain; version=0.0.4")
            elif path == "/v1/models":
                self.answer(writer, json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}))
            elif path == "/version":
                self.answer(writer, '{"version": "0.11.0"}')
            elif path == "/health":
                self.answer(writer, "", "text/plain")
            elif path == "/control" and method == "POST":
                mode = json.loads(body)["mode"]
                self.keepalive = mode == "keepalive"
                self.tell(mode=mode)
                self.answer(writer, "{}")
            elif path in ("/v1/completions", "/v1/chat/completions") and method == "POST":
                await self.complete(body, writer)
            else:
                self.answer(writer, "{}", status="404 Not Found")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def front(options):
    command = [sys.executable, __file__, "--worker", f"--step={options.step}",
               f"--max-running={options.max_running}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    served = Front(options, process)
    loop = asyncio.get_running_loop()

    def listen():
        for line in process.stdout:
            loop.call_soon_threadsafe(served.heard, json.loads(line))

    threading.Thread(target=listen, daemon=True).start()
    server = await asyncio.start_server(served.serve, "127.0.0.1", options.port, backlog=2048)
    print("ready", server.sockets[0].getsockname()[1], process.pid, flush=True)
    try:
        await server.serve_forever()
    finally:
        process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", action="store_true", help="be the worker; the front starts it so")
    parser.add_argument("--like", default="vllm", help="the engine it passes for")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--step", type=float, default=0.02, help="seconds from token to token")
    parser.add_argument("--max-running", type=int, default=64)
    options = parser.parse_args()
    if options.worker:
        worker(options)
    else:
        asyncio.run(front(options))


if __name__ == "__main__":
    main()
