"""Throughput of the server with and without batching, at 1, 8 and 64 clients over loopback: `python benchmarks/serve.py`.

A space of the default anchor; each client keeps one connection and asks for the vector of one text after the other, no text
twice, so that nothing is cached, and checks every vector against the one that the library gave beforehand (largest difference
of a number at most 1e-4). Clients are threads of another process (http.client); server and clients share the machine's cores.
Without batching the server takes one item a batch and does not wait. Texts are captions of 4 to 12 words. Each row is the
median of the repeats, which take turns.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

CLIENTS = (1, 8, 64)
TOKEN = "token-of-the-benchmark"
_SENTENCE = (
    "a the two small old red man woman dog child street boat field mountain running sitting jumping holding near under over "
    "with grass water snow ball bicycle hat window market train crowd bright wooden tall playing looking"
)
WORDS = _SENTENCE.split(" ")


def captions(count: int, seed: int = 0) -> list[str]:
    """Different texts of 4 to 12 words."""
    rng = random.Random(seed)
    return [f"{' '.join(rng.choices(WORDS, k=rng.randint(3, 11)))} {row}" for row in range(count)]


def served(folder: Path, batch: int, wait: float) -> None:
    """Serve until stdin closes; the port goes to stdout."""
    from textanchor.runtime import Runtime
    from textanchor.serve.running import Running, listening
    from textanchor.serve.service import Service
    from textanchor.serve.settings import Access, Batching, Settings
    from textanchor.space.preparing import base_of

    space = base_of(None, Runtime(cache=folder / f"cache-{batch}", device="cpu"))
    listens, access = listening(Access(tokens=(TOKEN,), port=0))
    settings = Settings(access=access, batching=Batching(items=batch, seconds=wait))
    server = Running(Service(space, "bench", settings), listens).start()
    print(access.port, flush=True)
    sys.stdin.read()
    server.stop()


def asking(port: int, texts: list[str], expected: np.ndarray, form: str, took: list[float]) -> int:
    """One client: its texts one after the other; how many vectors were wrong."""
    connection, wrong = http.client.HTTPConnection("127.0.0.1", port, timeout=120), 0
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    for text, vector in zip(texts, expected, strict=True):
        start = time.perf_counter()
        connection.request("POST", "/v1/embeddings", json.dumps({"input": text, "encoding_format": form}), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        took.append(time.perf_counter() - start)
        got = told["data"][0]["embedding"] if answer.status == 200 else []
        numbers = np.frombuffer(base64.b64decode(got), "<f4") if form == "base64" and got else np.array(got, np.float32)
        wrong += numbers.shape != vector.shape or float(np.abs(numbers - vector).max()) > 1e-4
    connection.close()
    return int(wrong)


def load(port: int, clients: int, texts: list[str], expected: np.ndarray, form: str) -> dict[str, Any]:
    """All clients at once: answers a second, median and 95th percentile of the time to an answer, and wrong vectors."""
    took: list[float] = []
    wrong = [0] * clients
    shares = [slice(client, None, clients) for client in range(clients)]

    def client(row: int) -> None:
        wrong[row] = asking(port, texts[shares[row]], expected[shares[row]], form, took)

    threads = [threading.Thread(target=client, args=(row,)) for row in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    p50, p95 = np.percentile(np.array(took) * 1000, [50, 95])
    return {"clients": clients, "rate": len(texts) / seconds, "p50": p50, "p95": p95, "wrong": sum(wrong)}


def measured(place: Path, port: int, form: str, requests: int) -> None:
    """The clients' process: a line of JSON for each number of clients."""
    texts = json.loads((place / "texts.json").read_text())
    vectors = np.load(place / "vectors.npy")
    load(port, 4, texts[:40], vectors[:40], form)  # warm up
    at = 40
    for clients in CLIENTS:
        count = max(40, requests if clients > 1 else requests // 4)
        print(json.dumps(load(port, clients, texts[at : at + count], vectors[at : at + count], form)), flush=True)
        at += count


def run(folder: Path, batch: int, wait: float, form: str, requests: int) -> list[dict[str, Any]]:
    """One server and all its loads."""
    me = [sys.executable, __file__]
    serve = subprocess.Popen(
        [*me, "--role", "server", "--folder", str(folder), "--batch", str(batch), "--wait", str(wait)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serve.stdout is not None
    port = int(serve.stdout.readline())
    told = [*me, "--role", "clients", "--folder", str(folder), "--port", str(port), "--form", form, "--requests", str(requests)]
    done = subprocess.run(told, check=True, capture_output=True, text=True)
    serve.communicate("")
    return [json.loads(line) for line in done.stdout.splitlines()]


def prepared(folder: Path, requests: int) -> None:
    """The texts and the vectors that the library gives."""
    from textanchor.runtime import Runtime
    from textanchor.space.preparing import base_of

    texts = captions(40 + 3 * max(requests, 160))
    (folder / "texts.json").write_text(json.dumps(texts))
    space = base_of(None, Runtime(cache=folder / "cache", device="cpu"))
    np.save(folder / "vectors.npy", space.embed(texts, modality="text"))


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", default="all")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--wait", type=float, default=0.004)
    parser.add_argument("--form", default="base64", choices=("base64", "float"))
    parser.add_argument("--requests", type=int, default=960)
    parser.add_argument("--repeats", type=int, default=3)
    told = parser.parse_args()
    if told.role == "server":
        served(told.folder, told.batch, told.wait)
        return
    if told.role == "clients":
        measured(told.folder, told.port, told.form, told.requests)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepared(folder, told.requests)
        rows: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for _ in range(told.repeats):  # in turns, so that both see the same machine
            for name, batch, wait in (("off", 1, 0.0), ("on", told.batch, told.wait)):
                for row in run(folder, batch, wait, told.form, told.requests):
                    rows.setdefault((name, row["clients"]), []).append(row)
        print("| clients | batching | answers/s | p50 ms | p95 ms | wrong | on / off |")
        print("|---|---|---|---|---|---|---|")
        for clients in CLIENTS:
            rates = {name: median(row["rate"] for row in rows[name, clients]) for name in ("off", "on")}
            for name in ("off", "on"):
                own = rows[name, clients]
                p50, p95 = (median(row[key] for row in own) for key in ("p50", "p95"))
                ratio = f"{rates['on'] / rates['off']:.2f}" if name == "on" else ""
                wrong = sum(row["wrong"] for row in own)
                print(f"| {clients} | {name} | {rates[name]:.0f} | {p50:.0f} | {p95:.0f} | {wrong} | {ratio} |")


if __name__ == "__main__":
    main()
